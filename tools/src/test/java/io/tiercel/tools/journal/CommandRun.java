package io.tiercel.tools.journal;

import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** What a command printed and how it ended. */
public final class CommandRun {

    public final int exitCode;
    public final String out;
    public final String err;

    private CommandRun(final int exitCode, final String out, final String err) {
        this.exitCode = exitCode;
        this.out = out;
        this.err = err;
    }

    public static CommandRun of(final Object command, final String... arguments) {
        final StringWriter out = new StringWriter();
        final StringWriter err = new StringWriter();
        final CommandLine commandLine = new CommandLine(command)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .setParameterExceptionHandler((ex, ignored) -> {
                    ex.getCommandLine().getErr().print(ex.getMessage());
                    return ExitCode.BAD_ARGUMENTS;
                })
                .setExecutionExceptionHandler((ex, failed, ignored) -> {
                    failed.getErr().print(ex.getMessage());
                    return ex instanceof ToolException expected ? expected.exitCode() : ExitCode.ENVIRONMENT;
                });
        final int exitCode = commandLine.execute(arguments);
        return new CommandRun(exitCode, out.toString(), err.toString());
    }

    @Override
    public String toString() {
        return "exitCode=" + exitCode + "\n" + out + "\n" + err;
    }
}
