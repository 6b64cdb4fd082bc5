package io.tiercel.nativecuda.onnxruntime;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.TensorInfo;
import io.tiercel.nativecuda.graph.GraphException;
import io.tiercel.nativecuda.graph.GraphSignature;
import io.tiercel.nativecuda.graph.GraphSignature.Port;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** What ONNX Runtime says of graphs. */
public final class OnnxGraphs {

    private OnnxGraphs() {
    }

    /**
     * Inputs and outputs of an ONNX file.
     *
     * @throws GraphException if ONNX Runtime cannot be used here, or refuses the file.
     */
    public static GraphSignature signature(final byte[] graph) {
        final OrtEnvironment environment = OnnxRuntimeLibrary.environment();
        try (SessionOptions options = OnnxRuntimeLibrary.newSessionOptions(1);
                OrtSession session = environment.createSession(graph, options)) {
            return signature(session);
        } catch (final OrtException ex) {
            throw new GraphException("ONNX Runtime " + environment.getVersion() + " refuses the graph: " +
                    ex.getMessage(), ex);
        }
    }

    static GraphSignature signature(final OrtSession session) throws OrtException {
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
