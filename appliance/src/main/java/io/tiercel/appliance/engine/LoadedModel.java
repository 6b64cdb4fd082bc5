package io.tiercel.appliance.engine;

import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.HexFormat;

/**
 * A model that the appliance serves.
 *
 * @param modelId     handle on the wire and index in the registry.
 * @param alias       name in the configuration and in the welcome message.
 * @param version     SHA-256 of the bundle, 32 bytes.
 * @param backendName which backend computes it.
 * @param rationale   why that one, if it was measured; else empty. See {@link Placement}.
 * @param model       its weights.
 */
public record LoadedModel(
        int modelId, String alias, DirectBuffer version, String backendName, String rationale, Model model)
        implements AutoCloseable {

    public static final int VERSION_LENGTH = 32;

    public static LoadedModel of(
            final int modelId, final String alias, final byte[] version, final String backendName, final Model model) {
        return new LoadedModel(modelId, alias, directCopy(version), backendName, "", model);
    }

    /** On the backend that was found to be the fastest. */
    static LoadedModel of(final int modelId, final String alias, final byte[] version, final Placement placement) {
        return new LoadedModel(modelId, alias, directCopy(version), placement.backend().name(),
                placement.rationale(), placement.model());
    }

    /** Off the heap, as the journal copies it into each record. */
    private static DirectBuffer directCopy(final byte[] version) {
        final UnsafeBuffer copy = new UnsafeBuffer(
                BufferUtil.allocateDirectAligned(VERSION_LENGTH, BitUtil.CACHE_LINE_LENGTH));
        copy.putBytes(0, version);
        return copy;
    }

    /** A copy of the version's bytes. */
    public byte[] versionBytes() {
        final byte[] bytes = new byte[VERSION_LENGTH];
        version.getBytes(0, bytes);
        return bytes;
    }

    public String versionHex() {
        return HexFormat.of().formatHex(versionBytes());
    }

    @Override
    public void close() {
        model.close();
    }
}
