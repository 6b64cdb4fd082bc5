package io.tiercel.tools.admin;

import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.tools.ExitCode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tiercel admin snapshot}: a snapshot now. */
@Command(
        name = "snapshot",
        mixinStandardHelpOptions = true,
        description = {
            "Has the appliance take a snapshot of all sessions, as soon as it goes."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it has had its effect",
            "1:it was refused, and has had none",
            "2:bad arguments",
            "3:no appliance, no answer, or a file failed"
        })
public final class TakeSnapshotCommand implements Callable<Integer> {

    @Mixin
    private AdminOptions options;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        try (AdminSession session = options.open()) {
            Applied.say(spec, session.command(AdminRequest.snapshot()), "snapshot", "asked for");
        }
        return ExitCode.OK;
    }
}
