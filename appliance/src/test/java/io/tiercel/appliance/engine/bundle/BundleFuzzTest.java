package io.tiercel.appliance.engine.bundle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.protocol.FuzzSeeds;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Any header and any data as a bundle: a refusal, or a model whose answers are finite whatever finite features come.
 *
 * <p>An input is a header, a zero byte, and the data. The length in front of the header and the checksum inside are put
 * right here, since no fuzzer would guess them and nothing behind them would be reached.
 */
@Timeout(20)
class BundleFuzzTest {

    private static final Path NAME = Path.of("any");
    private static final float[] FEATURE_VALUES = {0, 1, -Float.MAX_VALUE, Float.MIN_VALUE, Float.MAX_VALUE, -1e-3f};

    private final ReferenceBackend backend = new ReferenceBackend();

    @FuzzTest
    void shouldAnswerInFiniteNumbersWhenABundleIsAccepted(final byte[] input) {
        final byte[] file = file(input);
        try {
            final Bundle bundle = Bundle.of(NAME, file);
            assertEquals(bundle.manifest(), Manifest.fromJson("again", bundle.manifest().toJson()));
            if (backend.supports(bundle)) {
                use(bundle);
            }
        } catch (final BundleException ex) {
            assertTrue(ex.getMessage().startsWith("any: "), ex.getMessage());
        }
    }

    private void use(final Bundle bundle) {
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
                .check();
    }

    private static byte[] input(final RandomModels model) {
        final byte[] file = model.toBytes();
        final int headerLength = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        final byte[] input = new byte[file.length - Long.BYTES + 1];
        System.arraycopy(file, Long.BYTES, input, 0, headerLength);
        System.arraycopy(file, Long.BYTES + headerLength, input, headerLength + 1,
                file.length - Long.BYTES - headerLength);
        return input;
    }
}
