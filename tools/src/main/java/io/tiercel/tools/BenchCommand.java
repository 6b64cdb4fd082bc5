package io.tiercel.tools;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tiercel bench}: the group of benchmarks; {@link TiercelCommand#SUBCOMMANDS_OF_BENCH} lists them. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measures one part by itself.")
public final class BenchCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        final CommandLine commandLine = spec.commandLine();
        throw new ParameterException(commandLine, "Missing required subcommand");
    }
}
