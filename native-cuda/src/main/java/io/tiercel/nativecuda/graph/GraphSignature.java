package io.tiercel.nativecuda.graph;

import io.tiercel.appliance.engine.bundle.GraphFormat;
import java.util.List;
import java.util.Map;

/** The inputs and outputs that a graph really has, by name, in the graph's order. */
public record GraphSignature(Map<String, Port> inputs, Map<String, Port> outputs) {

    /** The type of binary32. */
    public static final String FLOAT = "FLOAT";

    /**
     * An input or output.
     *
     * @param type  {@value #FLOAT}, or whatever else it is.
     * @param shape sizes, -1 for one that is not fixed; null if it is no tensor.
     */
    public record Port(String type, List<Integer> shape) {

        /** Whether it is a tensor of floats that can have this shape: a size of its own that is fixed is the same. */
        public boolean fits(final List<Integer> wanted) {
            if (!FLOAT.equals(type) || shape == null || shape.size() != wanted.size()) {
                return false;
            }
            for (int i = 0; i < shape.size(); i++) {
                if (shape.get(i) != -1 && !shape.get(i).equals(wanted.get(i))) {
                    return false;
                }
            }
            return true;
        }

        @Override
        public String toString() {
            return type + (shape == null ? "" : shape);
        }
    }

    /**
     * Holds it against what a manifest says of the graph.
     *
     * @throws GraphException with the manifest's key and value, if the graph is another one.
     */
    public void check(final GraphFormat format) {
        if (!List.of(format.input()).equals(List.copyOf(inputs.keySet()))) {
            throw new GraphException("manifest key=graph.input value=" + format.input() +
                    " is not the graph's only input: " + inputs, null);
        }
        checkPort("input", format.inputShape(), inputs.get(format.input()));
        final Port output = outputs.get(format.output());
        if (output == null) {
            throw new GraphException("manifest key=graph.output value=" + format.output() +
                    " is not among the graph's outputs: " + outputs, null);
        }
        checkPort("output", format.outputShape(), output);
    }

    private static void checkPort(final String key, final List<Integer> shape, final Port port) {
        if (!port.fits(shape)) {
            throw new GraphException("manifest key=graph." + key + "Shape value=" + shape + ", but the graph's " +
                    key + " is " + port, null);
        }
    }
}
