package io.tiercel.tools.admin;

import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ServedVersion;
import io.tiercel.tools.ExitCode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tiercel admin promote}: all new sessions come to one version. */
@Command(
        name = "promote",
        mixinStandardHelpOptions = true,
        description = {
            "Lets all new sessions come to one version. Those that there are stay where they are; with "
                    + "--drain they begin anew with it at their next request."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it has had its effect",
            "1:it was refused, and has had none",
            "2:bad arguments",
            "3:no appliance, no answer, or a file failed"
        })
public final class PromoteCommand implements Callable<Integer> {

    @Mixin
    private AdminOptions options;

    @Option(names = "--model", paramLabel = "ALIAS", description = "Which model. Default: the only one.")
    private String model;

    @Parameters(paramLabel = "VERSION", description = "The first digits of the version's SHA-256, as versions says it.")
    private String version;

    @Option(names = "--drain", description = "Then drains the versions from which the model was promoted.")
    private boolean drains;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        try (AdminSession session = options.open()) {
            final ModelInfo which = session.model(model);
            final String promoted = session.version(which, version).version();
            Applied.say(spec, session.command(AdminRequest.promote(which.modelId(), promoted)), "promote", promoted);
            if (drains) {
                drainOthers(session, which, promoted);
            }
        }
        return ExitCode.OK;
    }

    private void drainOthers(final AdminSession session, final ModelInfo which, final String promoted) {
        for (final ServedVersion other : session.versions()) {
            if (other.modelId() == which.modelId() && !other.version().equals(promoted) && !other.isDrained()) {
                Applied.say(spec, session.command(AdminRequest.drain(which.modelId(), other.version())), "drain",
                        other.version());
            }
        }
    }
}
