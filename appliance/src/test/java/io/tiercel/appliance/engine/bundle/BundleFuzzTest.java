package io.tiercel.appliance.engine.bundle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.RandomGraphs;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.appliance.engine.onnx.RowWindow;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.engine.transformer.TransformerShape;
import io.tiercel.protocol.FuzzSeeds;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Any header and any data as a bundle: a refusal, or a model whose answers are finite whatever finite features come; of
 * a graph of another program, what it is fed.
 *
 * <p>An input is a header, a zero byte, and the data. The length in front of the header and the checksum inside are put
 * right here, since no fuzzer would guess them and nothing behind them would be reached.
 */
@Timeout(20)
class BundleFuzzTest {

    private static final Path NAME = Path.of("any");
    private static final float[] FEATURE_VALUES = {0, 1, -Float.MAX_VALUE, Float.MIN_VALUE, Float.MAX_VALUE, -1e-3f};

    private static final TransformerSetting TOKENS = new TransformerSetting(
            5, 1, 4, 1, 1, 4, 1, 3, 1, 2, Task.TOKENS, 6, 2, 1, 0, 0, true, WeightFormat.INT8, WeightFormat.INT8, 8,
            Codec.UNIFORM4, Codec.UNIFORM2, true, 8);
    private static final TransformerSetting EXPERTS = new TransformerSetting(
            6, 1, 4, 2, 1, 4, 1, 3, 1, 4, Task.TOKENS, 5, 0, 0, 2, 1, false, WeightFormat.INT4, WeightFormat.INT16, 8,
            Codec.UNIFORM1, Codec.UNIFORM8, false, 8);
    private static final TransformerSetting FEATURES = new TransformerSetting(
            7, 1, 4, 1, 1, 4, 2, 0, 2, 2, Task.CLASSIFICATION, 9, 2, 0, 0, 0, false, WeightFormat.INT16,
            WeightFormat.INT8, 16, Codec.COUPLED4, Codec.COUPLED2, false, 8);

    private static final int TRANSFORMER_STEPS = 12;
    private static final int MAX_STATE_BYTES = 8 << 20;

    private final ReferenceBackend backend = new ReferenceBackend();

    @FuzzTest
    void shouldAnswerInFiniteNumbersWhenABundleIsAccepted(final byte[] input) {
        final byte[] file = file(input);
        try {
            final Bundle bundle = Bundle.of(NAME, file);
            assertEquals(bundle.manifest(), Manifest.fromJson("again", bundle.manifest().toJson()));
            if (GraphParameters.FAMILY.equals(bundle.manifest().family())) {
                useWindow(GraphParameters.read(bundle));
            } else if (backend.supports(bundle)) {
                use(bundle);
            }
        } catch (final BundleException ex) {
            assertTrue(ex.getMessage().startsWith("any: "), ex.getMessage());
        }
    }

    private void use(final Bundle bundle) {
        if (TransformerParameters.FAMILY.equals(bundle.manifest().family())) {
            useTransformer(bundle);
        } else {
            useLstm(bundle);
        }
    }

    private void useLstm(final Bundle bundle) {
        final LstmParameters parameters = LstmParameters.read(bundle);
        assertTrue(Float.isFinite(parameters.inverseFeatureScale()), "features.scale");
        for (int i = 0; i < parameters.layerCount(); i++) {
            assertTrue(Float.isFinite(parameters.layer(i).inverseHiddenScale()), "hidden.scale");
        }
        try (Model model = backend.load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            final float[] features = new float[model.shape().featureCount()];
            long hash = 0;
            for (final float value : FEATURE_VALUES) {
                Arrays.fill(features, value);
                hash = session.step(features, hash);
                for (final float output : session.outputs()) {
                    assertTrue(Float.isFinite(output), () -> "features=" + value + " output=" + output);
                }
            }
        }
    }

    /** What a graph is fed is finite, and lies within the state; what it makes of it is its own affair. */
    private static void useWindow(final GraphParameters parameters) {
        final RowWindow window = parameters.window();
        assertEquals(window.rows() * window.columns(), GraphFormat.elementCount(parameters.format().inputShape()));
        assertTrue(window.stateBytes() <= 2 * 64 + Float.BYTES * GraphParameters.MAX_WINDOW_FLOATS);
        final UnsafeBuffer state = new UnsafeBuffer(ByteBuffer.allocateDirect(window.stateBytes()));
        final UnsafeBuffer features = new UnsafeBuffer(ByteBuffer.allocateDirect(window.columns() * Float.BYTES));
        final UnsafeBuffer rows = new UnsafeBuffer(ByteBuffer.allocateDirect(window.windowBytes()));
        window.initialise(state.addressOffset());
        for (final float value : FEATURE_VALUES) {
            for (int column = 0; column < window.columns(); column++) {
                features.putFloat(column * Float.BYTES, value);
            }
            window.add(state.addressOffset(), features.addressOffset());
            window.check(state.addressOffset());
            window.copyTo(state.addressOffset(), rows.addressOffset());
            for (int offset = 0; offset < rows.capacity(); offset += Float.BYTES) {
                final float element = rows.getFloat(offset);
                assertTrue(Float.isFinite(element), () -> "value=" + value + " element=" + element);
            }
        }
        Reference.reachabilityFence(features);
    }

    /** A state takes at most 64 KiB for each channel of a key, of which the file has scales: it is never unbounded. */
    private void useTransformer(final Bundle bundle) {
        final TransformerParameters parameters = TransformerParameters.read(bundle);
        final TransformerShape shape = parameters.shape();
        final int stateBytes = parameters.layout().stateBytes();
        assertTrue(stateBytes <= (1 << 20) + 65_536L * shape.layers() * shape.keyCount(), "stateBytes=" + stateBytes);
        if (stateBytes > MAX_STATE_BYTES) {
            return;
        }
        try (Model model = backend.load(bundle, 1); TokenExecutor executor = (TokenExecutor) model.newExecutor(1)) {
            final ModelSession session = new ModelSession(model.shape(), executor);
            final int[] input = new int[model.shape().featureCount()];
            long hash = 0;
            for (int step = 0; step < TRANSFORMER_STEPS; step++) {
                final float value = FEATURE_VALUES[step % FEATURE_VALUES.length];
                Arrays.fill(input, shape.hasTokens() ? step % shape.vocabulary() : Float.floatToRawIntBits(value));
                hash = session.input(input).step(hash);
                for (int i = 0; i < executor.vocabularySize(); i++) {
                    final float logit = UnsafeApi.getFloat(executor.logitsAddress(0) + 4L * i);
                    assertTrue(Float.isFinite(logit), () -> "value=" + value + " logit=" + logit);
                }
                checkOutputs(session, parameters);
            }
        }
    }

    private static void checkOutputs(final ModelSession session, final TransformerParameters parameters) {
        for (int i = 0; i < session.outputs().length; i++) {
            if (parameters.isTokens() && i % 2 == 0) {
                final int token = session.outputs.getInt(i * Integer.BYTES);
                assertTrue(token >= 0 && token < parameters.shape().vocabulary(), () -> "token=" + token);
            } else {
                final float output = session.outputs()[i];
                assertTrue(Float.isFinite(output), () -> "output=" + output);
            }
        }
    }

    private static byte[] file(final byte[] input) {
        int headerLength = 0;
        while (headerLength < input.length && input[headerLength] != 0) {
            headerLength++;
        }
        final int dataStart = Math.min(headerLength + 1, input.length);
        final byte[] file = ByteBuffer.allocate(Long.BYTES + headerLength + input.length - dataStart)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(headerLength)
                .put(input, 0, headerLength)
                .put(input, dataStart, input.length - dataStart)
                .array();
        try {
            BundleChecksum.put(file);
        } catch (final IllegalStateException expected) {
            return file; // it has no checksum to put right
        }
        return file;
    }

    @Test
    void shouldHaveSeedsOfEveryFormat() {
        FuzzSeeds.of(BundleFuzzTest.class, "shouldAnswerInFiniteNumbersWhenABundleIsAccepted")
                .add("int8", input(RandomModels.lstm(1).hidden(2).features(2).outputs(2)))
                .add("int4", input(RandomModels.lstm(2).hidden(2).features(1).outputs(1).weights(WeightFormat.INT4)))
                .add("two-layers", input(RandomModels.lstm(3).layers(2).hidden(1).features(1).outputs(2)))
                .add("regression", input(RandomModels.lstm(4).hidden(1).features(2).outputs(1).featureBits(16)
                        .task(Task.REGRESSION)))
                .add("transformer-tokens", input(TOKENS))
                .add("transformer-experts", input(EXPERTS))
                .add("transformer-features", input(FEATURES))
                .add("onnx", input(RandomGraphs.dense(8).rows(2).columns(2).outputs(1).toBytes()))
                .add("onnx-softmax", input(RandomGraphs.dense(9).rows(1).columns(3).softmax().withoutBatches()
                        .toBytes()))
                .check();
    }

    private static byte[] input(final RandomModels model) {
        return input(model.toBytes());
    }

    private static byte[] input(final TransformerSetting setting) {
        return input(RandomTransformers.toBytes(setting));
    }

    private static byte[] input(final byte[] file) {
        final int headerLength = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        final byte[] input = new byte[file.length - Long.BYTES + 1];
        System.arraycopy(file, Long.BYTES, input, 0, headerLength);
        System.arraycopy(file, Long.BYTES + headerLength, input, headerLength + 1,
                file.length - Long.BYTES - headerLength);
        return input;
    }
}
