package io.tiercel.appliance.engine.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.BundleEditor;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.CacheFormat;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a bundle says, and bundles whose tensors do not fit their manifest or the arithmetic: refused in one line. */
class TransformerParametersTest {

    private static final float NO_INVERSE = 1e-40f;

    /** Tokens, experts, a codec of each kind. */
    private static final TransformerSetting TOKENS = new TransformerSetting(
            1, 2, 12, 4, 2, 8, 5, 6, 1, 4, Task.TOKENS, 40, 4, 2, 3, 2, false, WeightFormat.INT8, WeightFormat.INT8, 8,
            Codec.UNIFORM4, Codec.COUPLED2, false, 8);

    /** Feature vectors, no experts, wide numbers. */
    private static final TransformerSetting FEATURES = new TransformerSetting(
            2, 1, 8, 2, 1, 12, 3, 0, 3, 2, Task.REGRESSION, 20, 0, 0, 0, 0, false, WeightFormat.INT16,
            WeightFormat.INT4, 16, Codec.UNIFORM8, Codec.UNIFORM1, false, 8);

    static Stream<TransformerSetting> settings() {
        return Stream.of(TOKENS, FEATURES);
    }

    @Test
    void shouldSayWhatTheBundleSaysWhenItTakesTokens() {
        final Bundle bundle = TOKENS.bundle();
        final TransformerParameters parameters = TransformerParameters.read(bundle);
        assertEquals(new TransformerShape(2, 12, 4, 2, 8, 5, 6, 40, 4, 2, 3, 2, false), parameters.shape());
        assertEquals(6, parameters.logitCount());
        assertEquals(2, parameters.top());
        assertEquals(127, parameters.activationMaximum());
        assertTrue(parameters.isTokens());
        assertFalse(parameters.hasSoftmax());
        assertFalse(parameters.isRotated());
        assertNull(parameters.features());
        assertNull(parameters.headBiases());
        assertEquals((float) (1 / Math.log(2) / Math.sqrt(8)), parameters.softmaxScale());
        assertEquals((float) (1 / Math.sqrt(8)), parameters.rotationScale());
        assertArrayEquals(bundle.floats("layers.1.keys.step", 2, 8), parameters.layer(1).keys().steps());
        assertArrayEquals(bundle.integers("layers.1.keys.reciprocal", 2, 8), parameters.layer(1).keys().reciprocals());
        assertArrayEquals(bundle.bytes("layers.0.values.codebook", DType.I8, 2, 2, 256, 4),
                parameters.layer(0).values().codebook());
        assertNull(parameters.layer(0).values().steps());
        assertEquals(3, parameters.layer(0).router().rows());
        assertEquals(10, parameters.layer(0).expertInput(2).rows());
    }

    @Test
    void shouldSayWhatTheBundleSaysWhenItTakesFeatures() {
        final Bundle bundle = FEATURES.bundle();
        final TransformerParameters parameters = TransformerParameters.read(bundle);
        assertEquals(2, parameters.logitCount());
        assertEquals(0, parameters.top());
        assertEquals(32_767, parameters.activationMaximum());
        assertEquals(32_767, parameters.features().maximum());
        assertEquals(1f / bundle.floats("features.scale", 1)[0], parameters.features().inverseScale());
        assertArrayEquals(bundle.floats("head.bias", 2), parameters.headBiases());
        assertNull(parameters.layer(0).router());
        final short[] weights = bundle.shorts("layers.0.attention.output.weight", 8, 24);
        for (int i = 0; i < weights.length; i++) {
            assertEquals(weights[i], parameters.layer(0).attentionOutput().weight(i / 24, i % 24));
        }
    }

    @ParameterizedTest
    @MethodSource("settings")
    void shouldNameTheTensorWhenOneIsMissing(final TransformerSetting setting) {
        for (final String name : edit(setting).names()) {
            assertRefused("tensor=" + name + " is missing", edit(setting).without(name));
        }
    }

    @ParameterizedTest
    @MethodSource("settings")
    void shouldNameTheTensorWhenOneIsOfAnotherTypeOrShape(final TransformerSetting setting) {
        final Bundle bundle = setting.bundle();
        bundle.tensors().forEach(tensor -> {
            final String name = tensor.name();
            final int[] shape = tensor.shape().stream().mapToInt(Integer::intValue).toArray();
            final DType other = switch (tensor.dtype()) {
                case F32 -> DType.I32;
                case I32 -> DType.F32;
                case I64 -> DType.F64;
                case I16 -> DType.BF16;
                case U8 -> DType.I8;
                default -> DType.U8;
            };
            assertRefused("tensor=" + name + " is " + other + tensor.shape() + ", expected " + tensor.dtype() +
                    tensor.shape(), edit(setting).retype(name, other, shape));
            final int[] longer = Arrays.copyOf(shape, shape.length + 1);
            longer[shape.length] = 1;
            assertRefused("tensor=" + name + " is " + tensor.dtype() + Arrays.toString(longer) + ", expected " +
                    tensor.dtype() + tensor.shape(), edit(setting).retype(name, tensor.dtype(), longer));
        });
    }

    @ParameterizedTest
    @MethodSource("settings")
    void shouldRefuseTheBundleWhenANumberIsNotFinite(final TransformerSetting setting) {
        for (final String name : floats(setting)) {
            final int last = edit(setting).elementCount(name) - 1;
            for (final float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                assertRefused("tensor=" + name + " index=" + last + " value=" + value + " is not finite",
                        edit(setting).set(name, last, value));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("settings")
    void shouldRefuseTheBundleWhenAScaleIsNotAboveZero(final TransformerSetting setting) {
        for (final String name : floats(setting)) {
            if (name.endsWith(".scale") || name.endsWith(".step") || name.endsWith("epsilon") ||
                    name.endsWith("deviation")) {
                for (final float value : new float[] {0, -0f, -1, -Float.MIN_VALUE}) {
                    assertRefused("tensor=" + name + " index=0 value=" + value + " is not above zero",
                            edit(setting).set(name, 0, value));
                }
            }
        }
    }

    /** 1 / 1e-40 is infinite, and 0 times that is not a number. */
    @Test
    void shouldRefuseTheBundleWhenAScaleHasNoFiniteInverse() {
        assertRefused("tensor=features.scale index=0 value=1.0E-40 has no finite inverse",
                edit(FEATURES).set("features.scale", 0, NO_INVERSE));
        for (final String name : List.of("layers.0.keys.scale", "layers.1.keys.scale", "layers.1.values.scale")) {
            assertRefused("tensor=" + name + " index=3 value=1.0E-40 has no finite inverse",
                    edit(TOKENS).set(name, 3, NO_INVERSE));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, (1 << 23) + 1, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void shouldRefuseTheBundleWhenAReciprocalIsOutOfRange(final int value) {
        assertRefused("tensor=layers.1.keys.reciprocal index=2 value=" + value + " is not in 1..8388608",
                edit(TOKENS).change("layers.1.keys.reciprocal", data -> data.putInt(2 * Integer.BYTES, value)));
    }

    @Test
    void shouldTakeTheBundleWhenReciprocalsAreAtTheirLimits() {
        TransformerParameters.read(edit(TOKENS)
                .change("layers.1.keys.reciprocal", data -> data.putInt(0, 1).putInt(4, 1 << 23)).bundle());
    }

    @Test
    void shouldRefuseTheBundleWhenTheCircleIsOutsideOfOne() {
        for (final float value : new float[] {Math.nextUp(1f), -Math.nextUp(1f), 1e30f}) {
            assertRefused("tensor=rotary.circle index=511 value=" + value + " is not within ±1",
                    edit(TOKENS).set("rotary.circle", 511, value));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "layers, 0, 'is not in 1..48'", "layers, 49, 'is not in 1..48'", "dimension, 0, 'is not in 1..8192'",
        "dimension, 8193, 'is not in 1..8192'", "heads, 129, 'is not in 1..128'",
        "keyValueHeads, 0, 'is not in 1..128'", "headSize, 260, 'is not in 1..256'",
        "hidden, 32769, 'is not in 1..32768'", "vocabulary, 262145, 'is not in 0..262144'",
        "vocabulary, -1, 'is not in 0..262144'", "context, 32769, 'is not in 1..32768'",
        "window, -1, 'is not in 0..32768'", "sinks, -1, 'is not in 0..32768'", "experts, 65, 'is not in 0..64'",
        "activeExperts, 65, 'is not in 0..64'", "tiedHead, 2, 'is not in 0..1'",
        "heads, 5, 'is not a multiple of keyValueHeads=2'", "headSize, 10, 'is not a multiple of 4'",
        "context, 5, 'is not at least sinks + window=6'", "activeExperts, 4, 'is not one of the experts=3'",
        "activeExperts, 0, 'is not one of the experts=3'", "experts, 0, ''",
        "vocabulary, 0, 'is not above 0, which task=tokens needs'"})
    void shouldNameTheKeyWhenASizeDoesNotFit(final String name, final int size, final String expected) {
        // Of experts the key that is named is the other one.
        final String key = name.equals("experts") && size == 0 ? "activeExperts value=2" : name + " value=" + size;
        assertRefused("manifest key=shape." + key + " " + expected, edit(TOKENS).size(name, size));
    }

    @Test
    void shouldNameTheKeyWhenASizeIsMissing() {
        for (final String name : TOKENS.bundle().manifest().shape().keySet()) {
            final Manifest good = TOKENS.bundle().manifest();
            final Map<String, Integer> shape = new LinkedHashMap<>(good.shape());
            shape.remove(name);
            assertRefused("manifest key=shape." + name + " value=null", edit(TOKENS).manifest(
                    new Manifest(good.family(), shape, good.featureNames(), good.labels(), good.task(),
                            good.quantisation(), good.cache(), good.provenance(), good.accuracy())));
        }
    }

    @Test
    void shouldRefuseTheBundleWhenAContextHasNoRoomBesideItsSinks() {
        assertRefused("manifest key=shape.context value=2 is not above sinks=2, as there is no window",
                edit(TOKENS).size("window", 0).size("context", 2));
    }

    @ParameterizedTest
    @CsvSource({"dimension, 13", "hidden, 6", "vocabulary, 7", "keyValueHeads, 1", "heads, 6", "headSize, 12",
        "experts, 4"})
    void shouldRefuseTheBundleWhenTensorsAreOfAnotherSize(final String name, final int size) {
        assertRefused("tensor=", edit(TOKENS).size(name, size));
    }

    @Test
    void shouldRefuseTheBundleWhenAButterflyDoesNotFitTheHeads() {
        assertRefused("manifest key=shape.headSize value=12 is not a power of two, which rotation=hadamard needs",
                edit(FEATURES).manifest(cached(FEATURES,
                        new CacheFormat(Codec.UNIFORM8, Codec.UNIFORM1, Rotation.HADAMARD, WhenFull.SLIDE))));
    }

    @Test
    void shouldRefuseTheBundleWhenACoupledCodeDoesNotDivideTheHead() {
        final CacheFormat keys = new CacheFormat(Codec.COUPLED1, Codec.UNIFORM1, Rotation.NONE, WhenFull.SLIDE);
        assertRefused("manifest key=shape.headSize value=12 is not a multiple of the channels=8 that a code of " +
                "layers.0.keys holds", edit(FEATURES).manifest(cached(FEATURES, keys)));
        final CacheFormat values = new CacheFormat(Codec.UNIFORM8, Codec.COUPLED1, Rotation.NONE, WhenFull.SLIDE);
        assertRefused("value=12 is not a multiple of the channels=8 that a code of layers.0.values holds",
                edit(FEATURES).manifest(cached(FEATURES, values)));
    }

    @Test
    void shouldRefuseTheBundleWhenAHeadIsTiedToNoTokens() {
        assertRefused("manifest key=shape.tiedHead value=1 is not 0, as there is no vocabulary",
                edit(FEATURES).size("tiedHead", 1));
        assertRefused("manifest key=shape.tiedHead value=1 is not 0, as task is not tokens",
                edit(TOKENS).manifest(labelled(Task.REGRESSION, 6)).size("tiedHead", 1));
    }

    @ParameterizedTest
    @CsvSource({"1", "3", "14", "130"})
    void shouldRefuseTheBundleWhenLabelsAreNotThoseOfTheLikeliestTokens(final int labels) {
        assertRefused("manifest key=labels value=" + labels + " is not two names for each of the likeliest tokens, " +
                "at most 6 of them", edit(TOKENS).manifest(labelled(Task.TOKENS, labels)));
    }

    @Test
    void shouldRefuseTheBundleWhenATokenHasSeveralNames() {
        final Manifest good = TOKENS.bundle().manifest();
        assertRefused("manifest key=features value=2 is not one name",
                edit(TOKENS).manifest(new Manifest(good.family(), good.shape(), List.of("token", "other"),
                        good.labels(), good.task(), good.quantisation(), good.cache(), good.provenance(),
                        good.accuracy())));
    }

    @Test
    void shouldRefuseTheBundleWhenTheCacheIsMissing() {
        assertRefused("manifest key=cache is missing", edit(TOKENS).manifest(cached(TOKENS, null)));
    }

    @Test
    void shouldRefuseTheBundleWhenAStateHasTwoGigabytes() {
        assertRefused("manifest key=shape.context value=32768 needs a state of 2 GiB or more",
                edit(TOKENS).size("context", 32_768).size("layers", 3).size("heads", 128)
                        .size("keyValueHeads", 128).size("headSize", 256));
        assertRefused("manifest key=shape.context value=32768 needs a state of 2 GiB or more",
                edit(TOKENS).size("context", 32_768).size("window", 32_766).size("layers", 48).size("heads", 128)
                        .size("keyValueHeads", 128).size("headSize", 256));
    }

    @Test
    void shouldRefuseTheBundleWhenAProductCouldLeave32Bits() {
        final TransformerSetting wide = new TransformerSetting(
                3, 1, 600, 1, 1, 4, 2, 5, 1, 2, Task.TOKENS, 9, 4, 0, 0, 0, false, WeightFormat.INT8,
                WeightFormat.INT16, 16, Codec.UNIFORM2, Codec.UNIFORM2, false, 8);
        assertRefused("tensor=layers.0.attention.input.weight row=0 could sum up to 2496845400, which does not fit " +
                "32 bits",
                edit(wide).change("layers.0.attention.input.weight", data -> Arrays.fill(data.array(),
                        (byte) 127)));
        // Of either plane.
        for (final short weight : new short[] {127, 127 * 256, -127}) {
            assertRefused("tensor=head.weight row=4 could sum up to 2496845400, which does not fit 32 bits",
                    edit(wide).change("head.weight", data -> {
                        for (int i = 0; i < 600; i++) {
                            data.putShort((4 * 600 + i) * Short.BYTES, weight);
                        }
                    }));
        }
    }

    @ParameterizedTest
    @ValueSource(shorts = {32_640, -32_640, Short.MIN_VALUE, Short.MAX_VALUE})
    void shouldRefuseTheBundleWhenAWideWeightHasNoTwoPlanes(final short weight) {
        assertRefused("tensor=layers.0.attention.input.weight index=5 value=" + weight + " is not within ±32639",
                edit(FEATURES).change("layers.0.attention.input.weight", data -> data.putShort(10, weight)));
    }

    @Test
    void shouldRefuseTheBundleWhenAMultiplierIsZero() {
        assertRefused("tensor=head.multiplier row=1 group=0 value=0 is not in 1..255",
                edit(FEATURES).change("head.multiplier", data -> data.put(1, (byte) 0)));
    }

    /** One tensor large is enough; the others are as a trained model's. */
    @ParameterizedTest
    @ValueSource(strings = {"embedding.scale", "layers.0.attention.norm", "layers.0.attention.input.scale",
        "layers.0.attention.output.scale", "layers.1.keys.scale", "layers.1.keys.step", "layers.1.values.mean",
        "layers.1.values.scale", "layers.1.feed.norm", "layers.1.router.scale", "layers.1.experts.2.input.scale",
        "layers.1.experts.2.output.scale", "final.norm", "head.scale"})
    void shouldRefuseTheBundleWhenANumberCouldBecomeInfinite(final String name) {
        assertRefused("could reach", edit(TOKENS).set(name, edit(TOKENS).elementCount(name) - 1, Float.MAX_VALUE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"embedding.bias", "embedding.scale", "features.scale", "head.bias", "layers.0.values.step"})
    void shouldRefuseTheBundleWhenANumberOfAFeatureVectorCouldBecomeInfinite(final String name) {
        assertRefused("could reach",
                edit(FEATURES).set(name, edit(FEATURES).elementCount(name) - 1, Float.MAX_VALUE));
    }

    /** Zero times infinity is no number. */
    @ParameterizedTest
    @ValueSource(strings = {"layers.0.attention.output", "layers.0.experts.0.output", "layers.0.router", "head"})
    void shouldRefuseTheBundleWhenTheScaleOfARowOfZerosCouldBecomeInfinite(final String name) {
        assertRefused("tensor=" + name + " row=0 could reach", edit(TOKENS)
                .change(name + ".weight", data -> Arrays.fill(data.array(), (byte) 0))
                .fill("layers.0.values.mean", 1e4f)
                .fill("layers.0.feed.norm", 1e4f)
                .fill("final.norm", 1e4f)
                .set(name + ".scale", 0, Float.MAX_VALUE));
    }

    @Test
    void shouldRefuseTheBundleWhenTheScaleOfARowOfNoFeaturesCouldBecomeInfinite() {
        assertRefused("tensor=embedding row=0 could reach", edit(FEATURES)
                .change("embedding.weight", data -> Arrays.fill(data.array(), (byte) 0))
                .set("features.scale", 0, 1e20f)
                .set("embedding.scale", 7, 1e20f));
    }

    /** The matrix after it makes it small again, but it was infinite on the way. */
    @Test
    void shouldRefuseTheBundleWhenANormCouldBecomeInfinite() {
        assertRefused("tensor=final.norm row=11 could reach",
                edit(TOKENS).set("final.norm", 11, Float.MAX_VALUE).fill("head.scale", 1e-20f));
        assertRefused("tensor=layers.1.feed.norm row=0 could reach", edit(TOKENS)
                .set("layers.1.feed.norm", 0, -Float.MAX_VALUE)
                .fill("layers.1.router.scale", 1e-30f)
                .fill("layers.1.experts.0.input.scale", 1e-30f)
                .fill("layers.1.experts.1.input.scale", 1e-30f)
                .fill("layers.1.experts.2.input.scale", 1e-30f));
    }

    /** Row 24 is of the last of four heads of queries, 31 its last channel. */
    @ParameterizedTest
    @ValueSource(ints = {0, 7, 24, 31})
    void shouldRefuseTheBundleWhenAQueryTimesAKeyCouldBecomeInfinite(final int row) {
        assertRefused("tensor=layers.0.keys.scale row=", edit(TOKENS)
                .set("layers.0.attention.input.scale", row, 1e20f)
                .fill("layers.0.keys.scale", 1e8f));
    }

    @Test
    void shouldRefuseABundleOfAnotherFamily() {
        final Bundle lstm = new BundleEditor(RandomModels.lstm(1).bundle()).bundle();
        assertRefused("manifest key=shape.dimension value=null", new BundleEditor(lstm));
        for (final TransformerSetting setting : List.of(TOKENS, FEATURES)) {
            final BundleException ex =
                    assertThrows(BundleException.class, () -> LstmParameters.read(edit(setting).bundle()));
            assertOneLine("manifest ", ex);
        }
    }

    private static List<String> floats(final TransformerSetting setting) {
        final BundleEditor editor = edit(setting);
        return editor.names().stream().filter(name -> editor.dtype(name) == DType.F32).toList();
    }

    private static Manifest cached(final TransformerSetting setting, final CacheFormat cache) {
        final Manifest good = setting.bundle().manifest();
        return new Manifest(good.family(), good.shape(), good.featureNames(), good.labels(), good.task(),
                good.quantisation(), cache, good.provenance(), good.accuracy());
    }

    private static Manifest labelled(final Task task, final int labels) {
        final Manifest good = TOKENS.bundle().manifest();
        return new Manifest(good.family(), good.shape(), good.featureNames(),
                IntStream.range(0, labels).mapToObj(i -> "label " + i).toList(), task, good.quantisation(),
                good.cache(), good.provenance(), good.accuracy());
    }

    private static BundleEditor edit(final TransformerSetting setting) {
        return new BundleEditor(setting.bundle());
    }

    private static void assertRefused(final String expected, final BundleEditor editor) {
        final Bundle bundle = editor.bundle();
        assertOneLine(expected, assertThrows(BundleException.class, () -> TransformerParameters.read(bundle),
                () -> "not refused: " + expected));
    }

    private static void assertOneLine(final String expected, final BundleException ex) {
        final String message = ex.getMessage();
        assertTrue(message.startsWith(BundleEditor.NAME + ": ") && message.contains(expected) &&
                message.indexOf('\n') < 0, () -> message + "\nexpected: " + expected);
    }
}
