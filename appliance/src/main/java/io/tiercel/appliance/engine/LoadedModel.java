package io.tiercel.appliance.engine;

import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.HexFormat;

/**
 * A version of a model that the appliance serves.
 *
 * @param index       in the list of versions, and so wherever there is something for each version.
 * @param modelId     the model's handle on the wire; of the version that the configuration names also its index.
 * @param alias       the model's name in the configuration and in the welcome message.
 * @param version     SHA-256 of the bundle, 32 bytes.
 * @param backendName which backend computes it.
 * @param rationale   why that one, if it was measured; else empty. See {@link Placement}.
 * @param model       its weights.
 */
public record LoadedModel(
        int index, int modelId, String alias, DirectBuffer version, String backendName, String rationale, Model model)
        implements AutoCloseable {

    public static final int VERSION_LENGTH = 32;

    /** The version of a model that the configuration names. */
    public static LoadedModel of(
            final int modelId, final String alias, final byte[] version, final String backendName, final Model model) {
        return new LoadedModel(modelId, modelId, alias, directCopy(version), backendName, "", model);
    }

    /** On the backend that was found to be the fastest. */
    static LoadedModel of(final int modelId, final String alias, final byte[] version, final Placement placement) {
        return new LoadedModel(modelId, modelId, alias, directCopy(version), placement.backend().name(),
                placement.rationale(), placement.model());
    }

    /** The same as a further version of a model that is served already. */
    LoadedModel asVersionOf(final LoadedModel first, final int ownIndex) {
        return new LoadedModel(ownIndex, first.modelId, first.alias, version, backendName, rationale, model);
    }

    /** Whether clients that ask the other version can ask this one: what goes in and comes out has the same form. */
    public boolean fits(final LoadedModel other) {
        return model.shape().asksLike(other.model.shape());
    }

    public boolean hasVersion(final DirectBuffer other) {
        return version.compareTo(other) == 0;
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
