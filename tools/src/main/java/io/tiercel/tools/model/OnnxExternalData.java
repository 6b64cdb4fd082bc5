package io.tiercel.tools.model;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;

/**
 * Finds tensors of an ONNX file whose elements stand in files of their own, as exporters leave them where a model is
 * large: a bundle has its graph in one piece, and a file that is only named is not part of it.
 *
 * <p>Field numbers are those of {@code onnx/onnx.proto}. Of everything else the length is enough. What is not an ONNX
 * file has no such tensor; what reads it next says what is wrong.
 */
final class OnnxExternalData {

    private static final int MODEL_GRAPH = 7;
    private static final int MODEL_FUNCTIONS = 25;
    private static final int FUNCTION_NODE = 7;
    private static final int GRAPH_NODE = 1;
    private static final int GRAPH_INITIALIZER = 5;
    private static final int GRAPH_SPARSE_INITIALIZER = 15;
    private static final int SPARSE_VALUES = 1;
    private static final int SPARSE_INDICES = 2;
    private static final int NODE_ATTRIBUTE = 5;
    private static final int ATTRIBUTE_TENSOR = 5;
    private static final int ATTRIBUTE_GRAPH = 6;
    private static final int ATTRIBUTE_TENSORS = 10;
    private static final int ATTRIBUTE_GRAPHS = 11;
    private static final int ATTRIBUTE_SPARSE = 22;
    private static final int ATTRIBUTE_SPARSES = 23;
    private static final int TENSOR_NAME = 8;
    private static final int TENSOR_EXTERNAL_DATA = 13;
    private static final int TENSOR_DATA_LOCATION = 14;
    private static final int EXTERNAL = 1;
    private static final int ENTRY_KEY = 1;
    private static final int ENTRY_VALUE = 2;
    private static final String LOCATION = "location";
    /** Graphs within graphs. */
    private static final int MOST_DEPTH = 32;

    /** A message of the format, as far as it leads to tensors. */
    private enum Kind {
        MODEL, FUNCTION, GRAPH, NODE, ATTRIBUTE, SPARSE_TENSOR, TENSOR, NOTHING;

        Kind at(final int field) {
            return switch (this) {
                case MODEL -> field == MODEL_GRAPH ? GRAPH : field == MODEL_FUNCTIONS ? FUNCTION : NOTHING;
                case FUNCTION -> field == FUNCTION_NODE ? NODE : NOTHING;
                case GRAPH -> field == GRAPH_NODE ? NODE
                        : field == GRAPH_INITIALIZER ? TENSOR
                        : field == GRAPH_SPARSE_INITIALIZER ? SPARSE_TENSOR : NOTHING;
                case NODE -> field == NODE_ATTRIBUTE ? ATTRIBUTE : NOTHING;
                case ATTRIBUTE -> switch (field) {
                    case ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS -> TENSOR;
                    case ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS -> GRAPH;
                    case ATTRIBUTE_SPARSE, ATTRIBUTE_SPARSES -> SPARSE_TENSOR;
                    default -> NOTHING;
                };
                case SPARSE_TENSOR -> field == SPARSE_VALUES || field == SPARSE_INDICES ? TENSOR : NOTHING;
                default -> NOTHING;
            };
        }
    }

    private OnnxExternalData() {
    }

    /** The first such tensor, as {@code tensor=NAME location=FILE}; null if there is none. */
    static String find(final byte[] model) {
        try {
            return find(Kind.MODEL, CodedInputStream.newInstance(model), 0);
        } catch (final IOException ex) {
            // Not a message of this format, or damaged: whoever reads all of it says so.
            return null;
        }
    }

    private static String find(final Kind kind, final CodedInputStream in, final int depth) throws IOException {
        if (kind == Kind.TENSOR) {
            return ofTensor(in);
        }
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            final Kind inner = kind.at(WireFormat.getTagFieldNumber(tag));
            if (inner == Kind.NOTHING || depth == MOST_DEPTH ||
                    WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
                in.skipField(tag);
                continue;
            }
            final int outerLimit = in.pushLimit(in.readRawVarint32());
            final String found = find(inner, in, depth + 1);
            if (found != null) {
                return found;
            }
            in.popLimit(outerLimit);
        }
        return null;
    }

    private static String ofTensor(final CodedInputStream in) throws IOException {
        String name = "";
        String location = "";
        boolean isExternal = false;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case TENSOR_NAME -> name = in.readString();
                case TENSOR_DATA_LOCATION -> isExternal = in.readEnum() == EXTERNAL;
                case TENSOR_EXTERNAL_DATA -> {
                    final int outerLimit = in.pushLimit(in.readRawVarint32());
                    final String here = locationOf(in);
                    in.popLimit(outerLimit);
                    location = here == null ? location : here;
                }
                default -> in.skipField(tag);
            }
        }
        return isExternal ? "tensor=" + name + " location=" + location : null;
    }

    /** Null if the entry is another one. */
    private static String locationOf(final CodedInputStream in) throws IOException {
        String key = "";
        String value = "";
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case ENTRY_KEY -> key = in.readString();
                case ENTRY_VALUE -> value = in.readString();
                default -> in.skipField(tag);
            }
        }
        return LOCATION.equals(key) ? value : null;
    }
}
