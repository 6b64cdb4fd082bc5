package io.tiercel.tools;

import io.tiercel.appliance.engine.bundle.Bundle;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The models that come with the program. */
public final class CommittedModels {

    /** What follows a tape's name in that of the model of its order flow. */
    public static final String EVENTS = "-events";
    public static final String BITSTAMP_EVENTS = "bitstamp" + EVENTS;

    private static final String MODELS = "/io/tiercel/tools/models/";

    private CommittedModels() {
    }

    /** One of them; its path is only a name until it is extracted. */
    public static Bundle open(final String name) {
        final String resource = MODELS + name + ".safetensors";
        try (InputStream in = CommittedModels.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw ToolException.environment("this build carries no model " + resource + "; give one with --model");
            }
            return Bundle.of(Path.of(resource), in.readAllBytes());
        } catch (final IOException e) {
            throw ToolException.environment("cannot read " + resource + ": " + e.getMessage(), e);
        }
    }

    /** Writes what {@link #open} has returned into a folder. @return the file. */
    public static Path extract(final Bundle bundle, final Path folder) throws IOException {
        final Path target = folder.resolve(bundle.path().getFileName());
        try (InputStream in = CommittedModels.class.getResourceAsStream(bundle.path().toString())) {
            Files.copy(in, target);
        }
        return target;
    }
}
