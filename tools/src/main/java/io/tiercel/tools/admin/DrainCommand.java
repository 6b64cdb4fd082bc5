package io.tiercel.tools.admin;

import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.tools.ExitCode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tiercel admin drain}: a version gives its sessions up. */
@Command(
        name = "drain",
        mixinStandardHelpOptions = true,
        description = {
            "Drains a version to which no new sessions come: at its next request each of its sessions "
                    + "begins anew with another version, and the answer says so."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it has had its effect",
            "1:it was refused, and has had none",
            "2:bad arguments",
            "3:no appliance, no answer, or a file failed"
        })
public final class DrainCommand implements Callable<Integer> {

    @Mixin
    private AdminOptions options;

    @Option(names = "--model", paramLabel = "ALIAS", description = "Which model. Default: the only one.")
    private String model;

    @Parameters(paramLabel = "VERSION", description = "The first digits of the version's SHA-256, as versions says it.")
    private String version;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        try (AdminSession session = options.open()) {
            final ModelInfo which = session.model(model);
            final String drained = session.version(which, version).version();
            Applied.say(spec, session.command(AdminRequest.drain(which.modelId(), drained)), "drain", drained);
        }
        return ExitCode.OK;
    }
}
