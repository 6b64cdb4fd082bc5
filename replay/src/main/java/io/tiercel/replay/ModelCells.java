package io.tiercel.replay;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.Manifest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.agrona.DirectBuffer;

/**
 * Which cells of a journal's frames are tokens, and not floats: the bundles that lie in the journal say so. A bundle is
 * read once, when the first record of its model comes.
 */
public final class ModelCells {

    private static final Cells FLOATS = new Cells(false, false);
    private static final int VERSION_BYTES = 32;

    private final Path journalDirectory;
    private final Map<String, Cells> cellsByVersion = new HashMap<>();

    /**
     * Of one model.
     *
     * @param areInputsTokens  whether each step's one input is a token.
     * @param areOutputsTokens whether outputs are pairs of a token and its probability.
     */
    public record Cells(boolean areInputsTokens, boolean areOutputsTokens) {

        /** Whether the output at an index, from 0, is a token. */
        public boolean isOutputToken(final int index) {
            return areOutputsTokens && (index & 1) == 0;
        }
    }

    public ModelCells(final Path journalDirectory) {
        this.journalDirectory = journalDirectory;
    }

    /**
     * Of a model whose bundle may be missing, or not be what it should be: then all of its cells count as floats, and
     * {@code replay verify} is who complains.
     */
    public Cells of(final DirectBuffer modelVersion) {
        return cellsByVersion.computeIfAbsent(RowText.hex(modelVersion, VERSION_BYTES), this::read);
    }

    /**
     * Of a model whose bundle has to be there, where a token that is taken for a float would be a wrong number.
     *
     * @param sequence the record that is read, for the report.
     * @throws DamageException if the bundle is not there, is another, or cannot be read.
     */
    public Cells require(final DirectBuffer modelVersion, final long sequence) {
        return cellsByVersion.computeIfAbsent(RowText.hex(modelVersion, VERSION_BYTES),
                version -> of(new BundleStore(journalDirectory).open(version, sequence).manifest()));
    }

    private Cells read(final String versionHex) {
        final Path file = journalDirectory.resolve("bundles").resolve(versionHex + ".safetensors");
        if (!Files.isRegularFile(file)) {
            return FLOATS;
        }
        try {
            final Bundle bundle = Bundle.open(file);
            return bundle.versionHex().equals(versionHex) ? of(bundle.manifest()) : FLOATS;
        } catch (final BundleException ex) {
            return FLOATS;
        }
    }

    private static Cells of(final Manifest manifest) {
        final boolean hasTokens = manifest.shape().getOrDefault("vocabulary", 0) > 0;
        return new Cells(hasTokens, hasTokens && manifest.task() == Manifest.Task.TOKENS);
    }
}
