package io.tiercel.nativecuda.onnxruntime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.tiercel.nativecuda.graph.GraphException;

/**
 * ONNX Runtime in this process: loaded at the first {@link #environment}, there until the end. It copies its native
 * library out of the jar into the temporary directory, and leaves an empty folder there at the end.
 */
public final class OnnxRuntimeLibrary {

    private OnnxRuntimeLibrary() {
    }

    /**
     * The environment of all sessions; it says what fails, and nothing else.
     *
     * @throws GraphException with why it cannot be used here.
     */
    public static OrtEnvironment environment() {
        final String obstacle = OnnxRuntimeProbe.obstacle();
        if (obstacle != null) {
            throw new GraphException(obstacle, null);
        }
        try {
            final OrtEnvironment environment =
                    OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "tiercel");
            environment.setTelemetry(false); // on Windows the variable says nothing
            return environment;
        } catch (final LinkageError | IllegalStateException ex) {
            throw new GraphException("ONNX Runtime's native library does not load on os=" +
                    System.getProperty("os.name") + " arch=" + System.getProperty("os.arch") + ": " + rootOf(ex), ex);
        } catch (final OrtException ex) {
            throw new GraphException("ONNX Runtime does not start: " + ex.getMessage(), ex);
        }
    }

    /**
     * How sessions compute that are called for one answer at a time.
     *
     * @param threads that share an operator, the caller's included; with one, the caller computes alone.
     */
    public static SessionOptions newSessionOptions(final int threads) throws OrtException {
        final SessionOptions options = new SessionOptions();
        options.setExecutionMode(SessionOptions.ExecutionMode.SEQUENTIAL);
        options.setIntraOpNumThreads(threads);
        options.setInterOpNumThreads(1);
        options.setOptimizationLevel(SessionOptions.OptLevel.ALL_OPT);
        return options;
    }

    /** Static initialisers wrap what happened, often twice. */
    private static Throwable rootOf(final Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }
}
