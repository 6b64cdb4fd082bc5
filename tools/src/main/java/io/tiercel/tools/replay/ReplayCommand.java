package io.tiercel.tools.replay;

import io.tiercel.tools.journal.ReplayVerifyCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tiercel replay}: the group of commands that compute a journal again, or ask it. */
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        description = "Computes a journal again, or asks it.",
        subcommands = {
            ReplayVerifyCommand.class,
            WhatIfCommand.class,
            TailCommand.class,
            MarkoutCommand.class,
            TraceCommand.class,
            QueryCommand.class,
            ExportCommand.class,
            ReportCommand.class,
            CompareCommand.class
        })
public final class ReplayCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing required subcommand");
    }
}
