package io.tiercel.tools.admin;

import io.tiercel.protocol.Sha256;
import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code tiercel admin load}: a further version of a model. */
@Command(
        name = "load",
        description = {
            "Loads a bundle as a further version of a model: it is checked, tested against the reference,"
                    + " and kept with the journal. No session comes to it yet. The path is read by the appliance, "
                    + "so it is one of its host."
        })
public final class LoadVersionCommand extends ModelSubcommand {

    @Parameters(paramLabel = "BUNDLE", description = "The bundle's file.")
    private Path bundle;

    @Override
    void run(final AdminSession session, final ModelInfo which) {
        final String version = versionOf(bundle);
        sayApplied(session.command(AdminRequest.load(
                which.modelId(), version, bundle.toAbsolutePath().normalize().toString())), "load", version);
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
