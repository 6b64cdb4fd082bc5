package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.matrix.MatrixParameters;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.appliance.engine.transformer.CodecParameters;
import io.tiercel.appliance.engine.transformer.FeatureParameters;
import io.tiercel.appliance.engine.transformer.TransformerLayerParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.engine.transformer.TransformerShape;
import io.tiercel.nativecuda.TransformerSizes;
import io.tiercel.nativecuda.cuda.GoldenFile.Family;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.agrona.UnsafeApi;

/**
 * A {@code transformer} model with what the Java reference makes of random inputs, as a file for programs without Java:
 * {@code transformer_golden.h} reads it.
 *
 * <p>Acts of random sessions, by turns a batch, each session of which takes a step, and a row of steps of one session:
 * inputs, outputs, the last logits, hash and canonical state. A row of each file goes past the end of the context.
 */
final class TransformerGolden {

    private static final int SHORT_ROW = 5;

    private final SplittableRandom random;
    private final TransformerSetting setting;
    private final TransformerParameters parameters;
    private final TokenExecutor executor;
    private final ModelSession[] sessions;
    private final long[] hashes;
    private final GoldenFile out;

    private TransformerGolden(final TransformerSetting setting, final int sessionCount, final GoldenFile out) {
        this.setting = setting;
        this.out = out;
        random = new SplittableRandom(setting.seed());
        final Bundle bundle = setting.bundle();
        parameters = TransformerParameters.read(bundle);
        final Model model = new ReferenceBackend().load(bundle, 1);
        executor = (TokenExecutor) model.newExecutor(1);
        sessions = IntStream.range(0, sessionCount)
                .mapToObj(i -> new ModelSession(model.shape(), executor))
                .toArray(ModelSession[]::new);
        hashes = new long[sessionCount];
    }

    static Path write(
            final Path file, final TransformerSetting setting, final int sessionCount, final int actCount) {
        try (GoldenFile out = new GoldenFile(file, Family.TRANSFORMER)) {
            new TransformerGolden(setting, sessionCount, out).write(actCount);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
        return file;
    }

    private void write(final int actCount) throws IOException {
        writeModel();
        out.integer(sessions.length);
        out.integer(actCount);
        for (int act = 0; act < actCount; act++) {
            out.integer(act % 2);
            if (act % 2 == 0) {
                writeBatch();
            } else {
                // Of a long one whose last outputs alone are asked for, the second time; and all of short ones.
                writeRow(act == 3 ? setting.context() + SHORT_ROW : SHORT_ROW, act != 3);
            }
        }
    }

    private void writeModel() throws IOException {
        final TransformerShape shape = parameters.shape();
        final FeatureParameters features = parameters.features();
        out.integers(TransformerSizes.of(parameters));
        out.floats(TransformerSizes.numbers(parameters));
        matrix(parameters.embedding());
        matrix(parameters.head());
        out.floats(parameters.finalNorm());
        out.floats(orNone(parameters.headBiases()));
        out.floats(parameters.rotary().circle());
        out.words(parameters.rotary().steps());
        out.floats(features == null ? new float[0] : features.means());
        out.floats(features == null ? new float[0] : features.inverseDeviations());
        out.floats(features == null ? new float[0] : features.biases());
        for (int i = 0; i < shape.layers(); i++) {
            writeLayer(parameters.layer(i), shape);
        }
    }

    private void writeLayer(final TransformerLayerParameters layer, final TransformerShape shape) throws IOException {
        out.floats(layer.attentionNorm());
        matrix(layer.attentionInput());
        matrix(layer.attentionOutput());
        codec(layer.keys());
        codec(layer.values());
        out.floats(layer.feedNorm());
        if (layer.router() != null) {
            matrix(layer.router());
        }
        for (int expert = 0; expert < shape.feedForwards(); expert++) {
            matrix(layer.expertInput(expert));
            matrix(layer.expertOutput(expert));
        }
    }

    private void codec(final CodecParameters codec) throws IOException {
        out.floats(codec.means());
        out.floats(codec.scales());
        out.floats(orNone(codec.steps()));
        out.integers(codec.reciprocals() == null ? new int[0] : codec.reciprocals());
        out.bytes(codec.codebook() == null ? new byte[0] : codec.codebook());
    }

    private void writeBatch() throws IOException {
        final int size = 1 + random.nextInt(sessions.length);
        final int first = random.nextInt(sessions.length);
        out.integer(size);
        for (int i = 0; i < size; i++) {
            writeSteps((first + i) % sessions.length, 1, true);
        }
    }

    private void writeRow(final int count, final boolean isEachWanted) throws IOException {
        writeSteps(random.nextInt(sessions.length), count, isEachWanted);
    }

    /** One session's: its inputs and what is there after them. */
    private void writeSteps(final int session, final int count, final boolean isEachWanted) throws IOException {
        final int[] inputs = new int[count * setting.inputCount()];
        final int outputCount = sessions[session].outputs().length;
        final float[] outputs = new float[(isEachWanted ? count : 1) * outputCount];
        for (int i = 0; i < count; i++) {
            final int[] input = setting.input(random);
            System.arraycopy(input, 0, inputs, i * input.length, input.length);
            hashes[session] = sessions[session].input(input).step(hashes[session]);
            System.arraycopy(
                    sessions[session].outputs(), 0, outputs, isEachWanted ? i * outputCount : 0, outputCount);
        }
        out.integer(session);
        out.integer(count);
        out.integers(inputs);
        out.floats(outputs);
        out.floats(logits());
        out.word(hashes[session]);
        out.bytes(sessions[session].canonicalState());
    }

    private float[] logits() {
        final float[] logits = new float[executor.vocabularySize()];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = UnsafeApi.getFloat(executor.logitsAddress(0) + (long) i * Float.BYTES);
        }
        return logits;
    }

    private void matrix(final MatrixParameters matrix) throws IOException {
        out.matrix(matrix, matrix.rowScales());
    }

    private static float[] orNone(final float[] values) {
        return values == null ? new float[0] : values;
    }
}
