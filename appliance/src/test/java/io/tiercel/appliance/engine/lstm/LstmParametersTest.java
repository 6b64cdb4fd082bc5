package io.tiercel.appliance.engine.lstm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.bundle.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a bundle says, and bundles whose tensors do not fit their manifest or the arithmetic. */
class LstmParametersTest {

    @ParameterizedTest
    @CsvSource({"INT8, 8, 127", "INT4, 16, 32767"})
    void shouldSayWhatTheBundleSaysWhenRead(
            final WeightFormat weights, final int featureBits, final int featureMaximum) {
        final Bundle bundle = RandomModels.lstm(3).layers(2).hidden(33).features(9).outputs(4).weights(weights)
                .featureBits(featureBits).task(Manifest.Task.REGRESSION).bundle();
        final LstmParameters parameters = LstmParameters.read(bundle);
        assertEquals(2, parameters.layerCount());
        assertEquals(33, parameters.hiddenCount());
        assertEquals(9, parameters.featureCount());
        assertEquals(4, parameters.outputCount());
        assertEquals(weights, parameters.layerFormat());
        assertEquals(WeightFormat.INT8, parameters.headFormat());
        assertEquals(featureMaximum, parameters.featureMaximum());
        assertFalse(parameters.hasSoftmax());
        assertArrayEquals(bundle.floats("features.mean", 9), parameters.featureMeans());
        assertArrayEquals(bundle.floats("features.inverse_deviation", 9), parameters.inverseFeatureDeviations());
        assertEquals(bundle.floats("features.scale", 1)[0], parameters.featureScale());
        assertEquals(1f / parameters.featureScale(), parameters.inverseFeatureScale());
        assertArrayEquals(bundle.floats("layers.1.bias", 132), parameters.layer(1).biases());
        assertEquals(bundle.floats("layers.1.hidden.scale", 1)[0], parameters.layer(1).hiddenScale());
        assertEquals(1f / parameters.layer(1).hiddenScale(), parameters.layer(1).inverseHiddenScale());
        assertArrayEquals(bundle.floats("head.bias", 4), parameters.headBiases());
    }

    @Test
    void shouldMultiplyRowScalesWithTheScaleOfWhatTheRowMeets() {
        final Bundle good = RandomModels.lstm(4).layers(2).hidden(5).outputs(2).bundle();
        final Bundle bundle = changed(good, "layers.0.hidden.scale", data -> littleEndian(new float[] {0.01f}));
        final LstmParameters parameters = LstmParameters.read(bundle);
        final float featureScale = parameters.featureScale();
        final float lastScale = parameters.layer(1).hiddenScale();
        assertArrayEquals(products(bundle, "layers.0.input.scale", 20, featureScale),
                parameters.layer(0).inputScales());
        assertArrayEquals(products(bundle, "layers.0.recurrent.scale", 20, 0.01f),
                parameters.layer(0).recurrentScales());
        assertArrayEquals(products(bundle, "layers.1.input.scale", 20, 0.01f), parameters.layer(1).inputScales());
        assertArrayEquals(products(bundle, "layers.1.recurrent.scale", 20, lastScale),
                parameters.layer(1).recurrentScales());
        assertArrayEquals(products(bundle, "head.scale", 2, lastScale), parameters.headScales());
        assertArrayEquals(bundle.floats("head.scale", 2), parameters.head().rowScales());
    }

    @Test
    void shouldRefuseTheBundleWhenAScaleIsNotAboveZero() {
        final Bundle good = RandomModels.lstm(1).hidden(4).bundle();
        for (final String name : List.of("features.scale", "features.inverse_deviation", "layers.0.hidden.scale",
                "layers.0.input.scale", "layers.0.recurrent.scale", "head.scale")) {
            assertRefused("tensor=" + name + " index=0 value=0.0 is not above zero", changed(good, name, data -> {
                Arrays.fill(data, 0, Float.BYTES, (byte) 0);
                return data;
            }));
        }
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
    void shouldRefuseTheBundleWhenAnOutputCouldBecomeInfinite() {
        final Bundle good = RandomModels.lstm(1).outputs(3).bundle();
        assertRefused("tensor=head row=1 could reach",
                changed(good, "head.scale", data -> littleEndian(new float[] {1, Float.MAX_VALUE, 1})));
        assertRefused("tensor=head row=2 could reach",
                changed(good, "head.bias", data -> littleEndian(new float[] {0, 0, -Float.MAX_VALUE})));
    }

    /** 1 / 1e-40 is infinite, and 0 times that is not a number. */
    @Test
    void shouldRefuseTheBundleWhenTheScaleOfAVectorHasNoInverse() {
        final Bundle good = RandomModels.lstm(1).layers(2).bundle();
        for (final String name : List.of("features.scale", "layers.0.hidden.scale", "layers.1.hidden.scale")) {
            assertRefused("tensor=" + name + " index=0 value=1.0E-40 has no finite inverse",
                    changed(good, name, data -> littleEndian(new float[] {1e-40f})));
        }
    }

    @Test
    void shouldRefuseTheBundleWhenTheManifestIsOfAnotherSize() {
        final Bundle good = RandomModels.lstm(1).hidden(16).bundle();
        final Manifest manifest = good.manifest();
        final Manifest wider = new Manifest(manifest.family(), Map.of("layers", 1, "hidden", 17),
                manifest.featureNames(), manifest.labels(), manifest.task(), manifest.quantisation(),
                manifest.provenance(), manifest.accuracy());
        assertRefused("is I8[64, 8], expected I8[68, 8]", rewritten(good, wider, "", null));
    }

    /** It would be ignored: hidden values are of 8 bits in every bundle of the family. */
    @Test
    void shouldRefuseTheBundleWhenActivationsAreSaidToBeWide() {
        final Bundle good = RandomModels.lstm(1).bundle();
        final Manifest manifest = good.manifest();
        final Manifest wide = new Manifest(manifest.family(), manifest.shape(), manifest.featureNames(),
                manifest.labels(), manifest.task(),
                new Manifest.Quantisation(WeightFormat.INT8, WeightFormat.INT8, 8, 16), manifest.provenance(),
                manifest.accuracy());
        assertEquals(wide, Manifest.fromJson("again", wide.toJson()));
        assertRefused("manifest key=quantisation.activationBits value=16 is not 8, as for family=lstm",
                rewritten(good, wide, "", null));
    }

    private static float[] products(
            final Bundle bundle, final String name, final int rows, final float vectorScale) {
        final float[] scales = bundle.floats(name, rows);
        for (int row = 0; row < rows; row++) {
            scales[row] *= vectorScale;
        }
        return scales;
    }

    private static void assertRefused(final String expected, final Bundle bundle) {
        final BundleException ex = assertThrows(BundleException.class, () -> LstmParameters.read(bundle));
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
        final ByteBuffer buffer = ByteBuffer.allocate(4 * values.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return buffer.array();
    }
}
