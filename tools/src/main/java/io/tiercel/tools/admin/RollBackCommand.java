package io.tiercel.tools.admin;

import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.tools.ExitCode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel admin rollback}: the route before this one. */
@Command(
        name = "rollback",
        mixinStandardHelpOptions = true,
        description = {
            "Puts the route back that there was before, once, and drains the versions that only the "
                    + "present one has: their sessions begin anew at their next request. To take every session off "
                    + "a version, promote another with --drain."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it has had its effect",
            "1:it was refused, and has had none",
            "2:bad arguments",
            "3:no appliance, no answer, or a file failed"
        })
public final class RollBackCommand implements Callable<Integer> {

    @Mixin
    private AdminOptions options;

    @Option(names = "--model", paramLabel = "ALIAS", description = "Which model. Default: the only one.")
    private String model;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        try (AdminSession session = options.open()) {
            final ModelInfo which = session.model(model);
            Applied.say(spec, session.command(AdminRequest.rollBack(which.modelId())), "rollback", which.alias());
        }
        return ExitCode.OK;
    }
}
