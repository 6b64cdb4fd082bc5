package io.tiercel.tools.admin;

import io.tiercel.tools.ExitCode;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What all commands of an administrator have in common: a connection for as long as it takes. */
@Command(
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it has had its effect",
            "1:it was refused, and has had none",
            "2:bad arguments",
            "3:no appliance, no answer, or a file failed"
        })
abstract class AdminSubcommand implements Callable<Integer> {

    @Mixin
    private AdminOptions options;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        try (AdminSession session = options.open()) {
            run(session);
        }
        return ExitCode.OK;
    }

    /** @throws io.tiercel.tools.ToolException if it is refused, or there is no answer. */
    abstract void run(AdminSession session);

    void print(final Object text) {
        final PrintWriter out = spec.commandLine().getOut();
        out.print(text);
        out.flush();
    }

    /** What a command says that has had its effect. */
    void sayApplied(final long sequence, final String command, final String subject) {
        print("applied: " + command + ' ' + subject + " sequence=" + sequence + System.lineSeparator());
    }
}
