package io.tiercel.tools.admin;

import io.tiercel.protocol.Sha256;
import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tiercel admin load}: a further version of a model. */
@Command(
        name = "load",
        mixinStandardHelpOptions = true,
        description = {
            "Loads a bundle as a further version of a model: it is checked, tested against the reference,"
                    + " and kept with the journal. No session comes to it yet. The path is read by the appliance, "
                    + "so it is one of its host."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it has had its effect",
            "1:it was refused, and has had none",
            "2:bad arguments",
            "3:no appliance, no answer, or a file failed"
        })
public final class LoadVersionCommand implements Callable<Integer> {

    @Mixin
    private AdminOptions options;

    @Option(names = "--model", paramLabel = "ALIAS", description = "Which model. Default: the only one.")
    private String model;

    @Parameters(paramLabel = "BUNDLE", description = "The bundle's file.")
    private Path bundle;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        try (AdminSession session = options.open()) {
            final ModelInfo which = session.model(model);
            final String version = versionOf(bundle);
            Applied.say(spec, session.command(AdminRequest.load(
                    which.modelId(), version, bundle.toAbsolutePath().normalize().toString())), "load", version);
        }
        return ExitCode.OK;
    }

    /** So that what is loaded is what was meant. */
    private static String versionOf(final Path file) {
        try {
            return Sha256.hexOf(Files.readAllBytes(file));
        } catch (final IOException ex) {
            throw ToolException.environment("cannot read bundle=" + file + ": " + ex, ex);
        }
    }
}
