package io.tiercel.appliance.engine.onnx;

import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.bundle.Manifest;
import java.util.List;

/**
 * The content of an {@code onnx} bundle, validated as far as the graph need not be understood for it: that is the
 * backend's, which compares the graph's real input and output with the manifest's. Manifest shape {@code window}, rows
 * of features that the graph is fed at once; {@code graph}, see {@link GraphFormat}. Immutable, any thread; arrays come
 * out as they are held and are not to be changed.
 *
 * <p>Tensors: {@code graph} U8 [bytes], the ONNX file; {@code features.mean}, {@code features.inverse_deviation} F32
 * [features].
 */
public final class GraphParameters {

    public static final String FAMILY = "onnx";

    /** Floats of a window: a session's state is at most 1 MiB and 64 bytes. */
    public static final int MAX_WINDOW_FLOATS = 1 << 18;

    private final Manifest manifest;
    private final byte[] graph;
    private final RowWindow window;

    private GraphParameters(final Bundle bundle) {
        manifest = bundle.manifest();
        if (manifest.graph() == null) {
            throw new BundleException(
                    bundle.path() + ": manifest key=graph is missing, as family=" + FAMILY + " needs");
        }
        if (manifest.task() == Manifest.Task.TOKENS || manifest.cache() != null) {
            throw new BundleException(bundle.path() + ": manifest has task=tokens or a cache, family=" + FAMILY +
                    " has neither");
        }
        final int columns = manifest.featureCount();
        final int rows = bundle.size("window", Math.max(1, MAX_WINDOW_FLOATS / columns));
        checkShapes(bundle, rows, columns);
        graph = bundle.content("graph");
        window = new RowWindow(rows, columns, bundle.floats("features.mean", columns),
                bundle.positiveFloats("features.inverse_deviation", columns));
    }

    /**
     * Reads all that a backend of the family needs; the bundle may be dropped afterwards.
     *
     * @throws BundleException if the manifest's sizes contradict each other, or tensors the manifest.
     */
    public static GraphParameters read(final Bundle bundle) {
        return new GraphParameters(bundle);
    }

    public GraphFormat format() {
        return manifest.graph();
    }

    /** The ONNX file. */
    public byte[] graph() {
        return graph;
    }

    public RowWindow window() {
        return window;
    }

    /** Floats of an answer. */
    public int outputCount() {
        return manifest.outputCount();
    }

    /** What the pipeline needs to know; the same with every backend. */
    public ModelShape modelShape() {
        return new ModelShape(FAMILY, manifest.featureCount(), manifest.outputCount(), window.stateBytes(),
                window.stateBytes());
    }

    /** Rows lie one after the other in the input, so a row is its last dimension, or all of it is one row. */
    private void checkShapes(final Bundle bundle, final int rows, final int columns) {
        final List<Integer> input = manifest.graph().inputShape();
        final boolean isRowLast = rows == 1 || input.get(input.size() - 1) == columns;
        if (GraphFormat.elementCount(input) != rows * columns || !isRowLast) {
            throw new BundleException(bundle.path() + ": manifest key=graph.inputShape value=" + input +
                    " is not of shape.window=" + rows + " rows of features=" + columns);
        }
        final List<Integer> output = manifest.graph().outputShape();
        if (GraphFormat.elementCount(output) != manifest.outputCount()) {
            throw new BundleException(bundle.path() + ": manifest key=graph.outputShape value=" + output +
                    " is not of labels=" + manifest.outputCount());
        }
    }
}
