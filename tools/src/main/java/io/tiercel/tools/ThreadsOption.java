package io.tiercel.tools;

import io.tiercel.replay.ReplayOptions;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The option that says how many threads compute a journal again. */
public final class ThreadsOption {

    @Option(names = "--threads", paramLabel = "N",
            description = "Threads that compute, the one that reads included. Default: as many as there are cores; one "
                    + "where a GPU computes. What is found does not depend on it.")
    private Integer threads;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /** @throws ParameterException if it is out of range. */
    public ReplayOptions set(final ReplayOptions options) {
        if (threads == null) {
            return options;
        }
        if (threads < 1 || threads > ReplayOptions.MAX_THREADS) {
            throw new ParameterException(spec.commandLine(),
                    "--threads=" + threads + " is not from 1 to " + ReplayOptions.MAX_THREADS);
        }
        return options.threads(threads);
    }
}
