package io.tiercel.nativecuda.onnxruntime;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.TensorInfo;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The inputs and outputs that a graph really has, by name, in the graph's order.
 */
public record GraphSignature(Map<String, Port> inputs, Map<String, Port> outputs) {

    /**
     * An input or output.
     *
     * @param type  {@code FLOAT}, or whatever else it is.
     * @param shape sizes, -1 for one that is not fixed; null if it is no tensor.
     */
    public record Port(String type, List<Integer> shape) {

        private static final String FLOAT = "FLOAT";

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
     * Reads that of an ONNX file.
     *
     * @throws OnnxRuntimeException if ONNX Runtime cannot be used here, or refuses the file.
     */
    public static GraphSignature read(final byte[] graph) {
        final OrtEnvironment environment = OnnxRuntimeLibrary.environment();
        try (SessionOptions options = OnnxRuntimeLibrary.newSessionOptions(1);
                OrtSession session = environment.createSession(graph, options)) {
            return of(session);
        } catch (final OrtException ex) {
            throw new OnnxRuntimeException("ONNX Runtime " + environment.getVersion() + " refuses the graph: " +
                    ex.getMessage(), ex);
        }
    }

    static GraphSignature of(final OrtSession session) throws OrtException {
        return new GraphSignature(ports(session.getInputInfo()), ports(session.getOutputInfo()));
    }

    private static Map<String, Port> ports(final Map<String, NodeInfo> nodes) {
        final Map<String, Port> ports = new LinkedHashMap<>();
        for (final Map.Entry<String, NodeInfo> node : nodes.entrySet()) {
            ports.put(node.getKey(), node.getValue().getInfo() instanceof TensorInfo tensor
                    ? new Port(tensor.type.name(), Arrays.stream(tensor.getShape()).mapToObj(Math::toIntExact).toList())
                    : new Port(node.getValue().getInfo().toString(), null));
        }
        return ports;
    }
}
