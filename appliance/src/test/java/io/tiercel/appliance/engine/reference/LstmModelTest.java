package io.tiercel.appliance.engine.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.bundle.TensorInfo;
import io.tiercel.appliance.engine.RandomModels;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Bundles whose tensors do not fit their manifest or the arithmetic. */
class LstmModelTest {

    @Test
    void shouldStateTheCanonicalLayoutWhenLoaded() {
        final LstmModel model = LstmModel.load(RandomModels.lstm(1).layers(2).hidden(73).bundle());
        assertEquals(2 * (320 + 128), model.shape().canonicalBytes());
        assertEquals(2 * (320 + 128) + 2 * 1216, model.shape().stateBytes());
        assertEquals(320, model.layout.hiddenOffset(0));
        assertEquals(448, model.layout.cellOffset(1));
        assertEquals(896 + 1216, model.layout.aheadOffset(1));
    }

    @Test
    void shouldNameTheTensorWhenOneIsMissing() {
        final Bundle good = RandomModels.lstm(1).bundle();
        for (final TensorInfo tensor : good.tensors()) {
            final Bundle bad = changed(good, tensor.name(), null);
            assertRefused("tensor=" + tensor.name() + " is missing", bad);
        }
    }

    @Test
    void shouldRefuseTheBundleWhenAProductCouldLeave32Bits() {
        final Bundle good = RandomModels.lstm(1).hidden(8).features(600).featureBits(16).bundle();
        assertRefused("does not fit 32 bits", changed(good, "layers.0.input.weight", data -> {
            Arrays.fill(data, (byte) 127);
            return data;
        }));
    }

    @Test
    void shouldRefuseTheBundleWhenAMultiplierIsZero() {
        final Bundle good = RandomModels.lstm(1).weights(WeightFormat.INT4).bundle();
        assertRefused("tensor=layers.0.recurrent.multiplier row=3 group=0 value=0",
                changed(good, "layers.0.recurrent.multiplier", data -> {
                    data[3] = 0;
                    return data;
                }));
    }

    @Test
    void shouldRefuseTheBundleWhenACodeStandsPastTheLastColumn() {
        final Bundle good = RandomModels.lstm(1).features(7).weights(WeightFormat.INT4).bundle();
        assertRefused("tensor=layers.0.input.weight row=0 column=7 value=-1", changed(good, "layers.0.input.weight",
                data -> {
                    data[3] |= (byte) 0xF0;
                    return data;
                }));
    }

    @Test
    void shouldRefuseTheBundleWhenAGateCouldBecomeInfinite() {
        final Bundle good = RandomModels.lstm(1).bundle();
        assertRefused("tensor=layers.0 row=0 could reach", changed(good, "layers.0.recurrent.scale", data -> {
            data[3] = 0x7F;
            data[2] = 0x40;
            return data;
        }));
    }

    @Test
    void shouldRefuseTheBundleWhenTheManifestIsOfAnotherSize() {
        final Bundle good = RandomModels.lstm(1).hidden(16).bundle();
        final Manifest manifest = good.manifest();
        final Manifest wider = new Manifest(manifest.family(), java.util.Map.of("layers", 1, "hidden", 17),
                manifest.featureNames(), manifest.labels(), manifest.task(), manifest.quantisation(),
                manifest.provenance(), manifest.accuracy());
        assertRefused("is I8[64, 8], expected I8[68, 8]", rewritten(good, wider, "", null));
    }

    private static void assertRefused(final String expected, final Bundle bundle) {
        final BundleException ex = assertThrows(BundleException.class, () -> LstmModel.load(bundle));
        assertTrue(ex.getMessage().startsWith("changed: ") && ex.getMessage().contains(expected), ex.getMessage());
    }

    /** The bundle with one tensor's bytes changed, or without it. */
    private static Bundle changed(final Bundle good, final String name, final UnaryOperator<byte[]> change) {
        return rewritten(good, good.manifest(), name, change);
    }

    private static Bundle rewritten(
            final Bundle good, final Manifest manifest, final String name, final UnaryOperator<byte[]> change) {
        final BundleWriter writer = new BundleWriter(manifest);
        for (final TensorInfo tensor : good.tensors()) {
            final int[] shape = tensor.shape().stream().mapToInt(Integer::intValue).toArray();
            final byte[] data = tensor.dtype() == DType.F32
                    ? littleEndian(good.floats(tensor.name(), shape))
                    : good.bytes(tensor.name(), tensor.dtype(), shape);
            if (!tensor.name().equals(name)) {
                writer.bytes(tensor.name(), tensor.dtype(), data, shape);
            } else if (change != null) {
                writer.bytes(tensor.name(), tensor.dtype(), change.apply(data), shape);
            }
        }
        return Bundle.of(Path.of("changed"), writer.toBytes());
    }

    private static byte[] littleEndian(final float[] values) {
        final java.nio.ByteBuffer buffer = java.nio.ByteBuffer.allocate(4 * values.length)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return buffer.array();
    }
}
