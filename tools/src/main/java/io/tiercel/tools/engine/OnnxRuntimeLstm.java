package io.tiercel.tools.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.tiercel.nativecuda.graph.GraphException;
import io.tiercel.nativecuda.onnxruntime.OnnxRuntimeLibrary;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.agrona.CloseHelper;

/**
 * One session of an LSTM in ONNX Runtime, stepped from Java on the calling thread: what an exact engine is compared
 * with. Used by one thread at a time.
 *
 * <p>Called in the fastest of the ways that were tried (medians in µs of 2x128 and 3x256, 32 features, on two virtual
 * cores of a Zen 4 server):
 * <table>
 * <caption>Ways of calling</caption>
 * <tr><th></th><th>fp32</th><th>int8</th></tr>
 * <tr><td>results taken from {@code run}, fed back as inputs</td><td>33, 101</td><td>25, 56</td></tr>
 * <tr><td>all inputs and outputs pinned to direct buffers, two sets in turn</td><td>21, 85</td><td>15, 40</td></tr>
 * <tr><td>and neither arena nor memory pattern (this class)</td><td>19, 83</td><td>13, 39</td></tr>
 * </table>
 * Two sets, because a result may not overwrite the state that it is computed from: what one step writes, the next one
 * reads. Of the rest a call costs about 5 µs whatever the model (1x8). No difference was seen between {@code run}'s two
 * overloads with pinned outputs, kinds of maps, or with denormals as zero. One int8 scale for each matrix, which is
 * {@code quantize_dynamic}'s default, was a tenth faster than one for each row.
 *
 * <p>A step allocates on the Java heap what {@code OrtSession.run} does; there is no API without. The library is loaded
 * at the first {@link #open} ({@link OnnxRuntimeLibrary}), unless its usage data is not switched off: a peer is not
 * measured beside an uploader. The model's file stands in the temporary directory until its session is made.
 *
 * <p>Whatever fails in {@link #open} or a step is a {@link ToolException} with the environment's exit code; a session
 * whose step failed is only good for closing.
 */
public final class OnnxRuntimeLstm implements AutoCloseable {

    /** @param feeds values by input, {@code results} by output: what one call of {@code run} is given. */
    private record Binding(Map<String, OnnxTensor> feeds, Map<String, OnnxTensor> results) {
    }

    private final OrtEnvironment environment;
    private final int featureCount;
    private final int outputCount;
    private final FloatBuffer features;
    private final FloatBuffer outputs;
    private final List<FloatBuffer> states = new ArrayList<>();
    private final List<AutoCloseable> resources = new ArrayList<>();
    private final OrtSession session;
    private Binding next;
    private Binding following;
    private boolean isClosed;

    private OnnxRuntimeLstm(
            final OrtEnvironment environment, final Path model, final LstmWeights weights, final Precision precision)
            throws OrtException {
        this.environment = environment;
        featureCount = weights.features();
        outputCount = weights.outputs();
        features = newBuffer(featureCount);
        outputs = newBuffer(outputCount);
        boolean isOpen = false;
        try {
            final SessionOptions options = OnnxRuntimeLibrary.newSessionOptions(1);
            resources.add(options);
            // A step's few KB of scratch come faster from malloc, which keeps them for the thread, than from the arena.
            options.setCPUArenaAllocator(false);
            options.setMemoryPatternOptimization(false);
            session = environment.createSession(model.toString(), options);
            resources.add(0, session); // closed before its options
            bind(weights, precision);
            isOpen = true;
        } finally {
            if (!isOpen) {
                CloseHelper.quietCloseAll(resources);
            }
        }
    }

    /**
     * Makes the model's file, and a session with a state of zeros from it.
     *
     * @throws ToolException if the library does not load, usage data is not switched off, the file cannot be written,
     *                       or the runtime refuses the model.
     */
    public static OnnxRuntimeLstm open(final LstmWeights weights, final Precision precision) {
        return open(weights, precision, Path.of(System.getProperty("java.io.tmpdir")));
    }

    /** @param directory where the model's file is for as long as this takes. */
    static OnnxRuntimeLstm open(final LstmWeights weights, final Precision precision, final Path directory) {
        final OrtEnvironment environment = environment();
        final Path model = createFile(directory);
        try {
            write(weights, precision, model);
            return new OnnxRuntimeLstm(environment, model, weights, precision);
        } catch (final OrtException ex) {
            throw ToolException.environment("ONNX Runtime " + environment.getVersion() + " refuses the model: " +
                    ex.getMessage(), ex);
        } finally {
            delete(model);
        }
    }

    /** The runtime's version, for a report. */
    public String version() {
        return environment.getVersion();
    }

    /** Computes {@code outputs} and the next state from the features and the last one. */
    public void step(final float[] values) {
        if (isClosed) {
            throw new IllegalStateException("step of a closed session");
        }
        if (values.length != featureCount) {
            throw new IllegalArgumentException("features=" + values.length + " expected=" + featureCount);
        }
        features.put(0, values);
        final Binding current = next;
        try {
            session.run(current.feeds(), current.results()).close(); // closes nothing that is pinned
        } catch (final OrtException ex) {
            throw ToolException.environment("ONNX Runtime cannot compute a step: " + ex.getMessage(), ex);
        }
        next = following;
        following = current;
    }

    /** A value of the head, as of the last step; no softmax. */
    public float output(final int index) {
        return outputs.get(index);
    }

    public int outputCount() {
        return outputCount;
    }

    /** Back to a state of zeros. */
    public void reset() {
        for (final FloatBuffer state : states) {
            for (int i = 0; i < state.capacity(); i++) {
                state.put(i, 0);
            }
        }
    }

    /** Frees the native memory; a second call does nothing. */
    @Override
    public void close() {
        if (!isClosed) {
            isClosed = true;
            CloseHelper.closeAll(resources);
        }
    }

    private void bind(final LstmWeights weights, final Precision precision) throws OrtException {
        final OnnxTensor input = tensor(features, 1, 1, featureCount);
        final OnnxTensor output = tensor(outputs, OnnxLstmWriter.outputShape(precision, outputCount));
        next = new Binding(new HashMap<>(), new HashMap<>());
        following = new Binding(new HashMap<>(), new HashMap<>());
        for (final Binding binding : List.of(next, following)) {
            binding.feeds().put(OnnxLstmWriter.FEATURES, input);
            binding.results().put(OnnxLstmWriter.OUTPUTS, output);
        }
        for (int layer = 0; layer < weights.layers(); layer++) {
            bindState(OnnxLstmWriter.hiddenBefore(layer), OnnxLstmWriter.hiddenAfter(layer), weights.hidden());
            bindState(OnnxLstmWriter.cellBefore(layer), OnnxLstmWriter.cellAfter(layer), weights.hidden());
        }
    }

    /** Two tensors: each call reads one and writes the other. */
    private void bindState(final String before, final String after, final int hidden) throws OrtException {
        final OnnxTensor first = state(hidden);
        final OnnxTensor second = state(hidden);
        next.feeds().put(before, first);
        next.results().put(after, second);
        following.feeds().put(before, second);
        following.results().put(after, first);
    }

    private OnnxTensor state(final int hidden) throws OrtException {
        final FloatBuffer state = newBuffer(hidden);
        states.add(state);
        return tensor(state, 1, 1, hidden);
    }

    /** Over the buffer itself: a direct one in native order is not copied. */
    private OnnxTensor tensor(final FloatBuffer buffer, final long... shape) throws OrtException {
        final OnnxTensor tensor = OnnxTensor.createTensor(environment, buffer, shape);
        resources.add(tensor);
        return tensor;
    }

    private static FloatBuffer newBuffer(final int count) {
        return ByteBuffer.allocateDirect(count * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    private static OrtEnvironment environment() {
        try {
            return OnnxRuntimeLibrary.environment();
        } catch (final GraphException ex) {
            throw ToolException.environment(ex.getMessage(), ex);
        }
    }

    private static Path createFile(final Path directory) {
        try {
            return Files.createTempFile(directory, "tiercel-", ".onnx");
        } catch (final IOException ex) {
            throw ToolException.environment("cannot create a model's file in directory=" + directory + ": " + ex, ex);
        }
    }

    private static void write(final LstmWeights weights, final Precision precision, final Path model) {
        try (OutputStream out = Files.newOutputStream(model)) {
            OnnxLstmWriter.write(weights, precision, out);
        } catch (final IOException ex) {
            throw ToolException.environment("cannot write file=" + model + ": " + ex, ex);
        }
    }

    private static void delete(final Path model) {
        try {
            Files.deleteIfExists(model);
        } catch (final IOException ex) {
            throw ToolException.environment("cannot delete file=" + model + ": " + ex, ex);
        }
    }
}
