package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmLayerParameters;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.nativecuda.cuda.GoldenFile.Family;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * An {@code lstm} model with what the Java reference makes of random inputs, as a file for programs without Java:
 * {@code golden.h} reads it.
 *
 * <p>Batches of random sessions: each step with its features, outputs and canonical state; at the end the whole
 * states as the {@code cpu} backend has them, whose derived part the CUDA kernels share.
 */
final class LstmGolden {

    private final SplittableRandom random;
    private final LstmParameters parameters;
    private final ModelSession[] expected;
    private final ModelSession[] onCpu;
    private final GoldenFile out;

    private LstmGolden(final Bundle bundle, final long seed, final int sessionCount, final GoldenFile out) {
        this.out = out;
        random = new SplittableRandom(seed);
        parameters = LstmParameters.read(bundle);
        expected = sessions(new ReferenceBackend().load(bundle, 1), sessionCount);
        onCpu = sessions(new CpuBackend().load(bundle, 1), sessionCount);
    }

    /** Needs the {@code cpu} backend's kernels. */
    static Path write(
            final Path file, final Bundle bundle, final long seed, final int sessionCount, final int batchCount) {
        try (GoldenFile out = new GoldenFile(file, Family.LSTM)) {
            new LstmGolden(bundle, seed, sessionCount, out).write(batchCount);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
        return file;
    }

    private void write(final int batchCount) throws IOException {
        writeModel();
        out.integer(expected.length);
        out.integer(batchCount);
        for (int batch = 0; batch < batchCount; batch++) {
            writeBatch(batch);
        }
        for (final ModelSession session : onCpu) {
            out.bytes(session.wholeState());
        }
    }

    private void writeModel() throws IOException {
        out.integer(parameters.layerCount());
        out.integer(parameters.hiddenCount());
        out.integer(parameters.featureCount());
        out.integer(parameters.outputCount());
        out.integer(parameters.layerFormat() == WeightFormat.INT4 ? 1 : 0);
        out.integer(parameters.headFormat() == WeightFormat.INT4 ? 1 : 0);
        out.integer(parameters.hasSoftmax() ? 1 : 0);
        out.integer(parameters.featureMaximum());
        out.floats(parameters.featureMeans());
        out.floats(parameters.inverseFeatureDeviations());
        out.number(parameters.inverseFeatureScale());
        for (int i = 0; i < parameters.layerCount(); i++) {
            final LstmLayerParameters layer = parameters.layer(i);
            out.matrix(layer.input(), layer.inputScales());
            out.matrix(layer.recurrent(), layer.recurrentScales());
            out.floats(layer.biases());
            out.number(layer.inverseHiddenScale());
        }
        out.matrix(parameters.head(), parameters.headScales());
        out.floats(parameters.headBiases());
    }

    private void writeBatch(final int batch) throws IOException {
        final int size = 1 + random.nextInt(expected.length);
        final int first = random.nextInt(expected.length);
        out.integer(size);
        for (int i = 0; i < size; i++) {
            final int index = (first + i) % expected.length;
            final float[] features = features(batch);
            expected[index].step(features, 0);
            onCpu[index].step(features, 0);
            out.integer(index);
            out.floats(features);
            out.floats(expected[index].outputs());
            out.bytes(expected[index].canonicalState());
        }
    }

    /** Ordinary values, and now and then what is far out: held, or next to nothing. */
    private float[] features(final int batch) {
        final float[] values = new float[parameters.featureCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-4, 4);
            if (batch % 3 == 2 && random.nextInt(8) == 0) {
                values[i] = random.nextBoolean() ? Float.MAX_VALUE : -Float.MIN_VALUE;
            }
        }
        return values;
    }

    private static ModelSession[] sessions(final Model model, final int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new ModelSession(model.shape(), model.newExecutor(1)))
                .toArray(ModelSession[]::new);
    }
}
