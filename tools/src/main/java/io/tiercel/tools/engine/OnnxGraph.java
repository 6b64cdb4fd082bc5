package io.tiercel.tools.engine;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An ONNX model, as the protobuf messages of its file. Only what the LSTM needs of the format: dense float and int8
 * tensors inside the file, integer attributes, fixed shapes.
 *
 * <p>Field numbers and enum values are those of {@code onnx/onnx.proto} in the ONNX repository (proto2; unchanged since
 * IR version 3, and no field may ever change its number). A message's length stands before it, so the tensors say
 * theirs beforehand and are written last, straight from the weights: the heap holds no second copy of them.
 *
 * <p>Used by one thread, once: add everything, then write.
 */
final class OnnxGraph {

    /** Operators of the standard that need no domain. */
    static final String ONNX = "";

    /** Operators of onnxruntime's own. */
    static final String MICROSOFT = "com.microsoft";

    /** IR version 8 came with operator set 17 (ONNX 1.13): what a runtime of 2023 and later reads. */
    private static final int IR_VERSION = 8;
    private static final int ONNX_OPSET = 17;
    private static final int MICROSOFT_OPSET = 1;

    private static final int BUFFER_BYTES = 64 << 10;
    private static final int ATTRIBUTE_TYPE_INT = 2;

    /** {@code TensorProto.DataType}. */
    enum ElementType {
        FLOAT(1, Float.BYTES), INT8(3, Byte.BYTES);

        private final int number;
        private final int bytes;

        ElementType(final int number, final int bytes) {
            this.number = number;
            this.bytes = bytes;
        }
    }

    /** Writes the fields of a message, or the elements of a tensor: row-major, little-endian. */
    @FunctionalInterface
    interface Content {
        void writeTo(CodedOutputStream out) throws IOException;
    }

    /** @param fields all of the {@code TensorProto} but its elements. */
    private record Tensor(byte[] fields, long elementBytes, Content elements) {

        long bytes() {
            return fields.length + CodedOutputStream.computeTagSize(9)
                    + CodedOutputStream.computeUInt64SizeNoTag(elementBytes) + elementBytes;
        }
    }

    private final List<byte[]> nodes = new ArrayList<>();
    private final List<Tensor> tensors = new ArrayList<>();
    private final List<byte[]> inputs = new ArrayList<>();
    private final List<byte[]> outputs = new ArrayList<>();

    /** An input of float elements. */
    void addInput(final String name, final long... shape) {
        inputs.add(valueInfo(name, shape));
    }

    /** An output of float elements. */
    void addOutput(final String name, final long... shape) {
        outputs.add(valueInfo(name, shape));
    }

    /** A constant; {@code elements} is asked when the file is written, and writes as many as the shape says. */
    void addTensor(final String name, final ElementType type, final Content elements, final long... shape) {
        long count = 1;
        for (final long dimension : shape) {
            count *= dimension;
        }
        final byte[] fields = message(out -> { // TensorProto
            for (final long dimension : shape) {
                out.writeInt64(1, dimension); // dims
            }
            out.writeInt32(2, type.number); // data_type
            out.writeString(8, name); // name
        });
        tensors.add(new Tensor(fields, count * type.bytes, elements));
    }

    /**
     * A call of an operator; the nodes are added in an order in which they can run.
     *
     * @param operands names of inputs, tensors or earlier results; an empty name leaves an optional one out.
     * @param results  names of what it makes; an empty name leaves an optional one out.
     */
    void addNode(
            final String domain, final String operator, final List<String> operands, final List<String> results,
            final Map<String, Integer> attributes) {
        nodes.add(message(out -> { // NodeProto
            for (final String operand : operands) {
                out.writeString(1, operand); // input
            }
            for (final String result : results) {
                out.writeString(2, result); // output
            }
            out.writeString(4, operator); // op_type
            for (final Map.Entry<String, Integer> attribute : attributes.entrySet()) {
                out.writeByteArray(5, attribute(attribute.getKey(), attribute.getValue())); // attribute
            }
            out.writeString(7, domain); // domain
        }));
    }

    /** Writes the model; the stream is flushed, and left open. */
    void writeTo(final OutputStream stream) throws IOException {
        final byte[] small = message(this::writeSmallParts);
        final CodedOutputStream out = CodedOutputStream.newInstance(stream, BUFFER_BYTES);
        // ModelProto
        out.writeInt64(1, IR_VERSION); // ir_version
        out.writeString(2, "tiercel"); // producer_name
        out.writeByteArray(8, operatorSet(ONNX, ONNX_OPSET)); // opset_import
        out.writeByteArray(8, operatorSet(MICROSOFT, MICROSOFT_OPSET));
        writeMessageHead(out, 7, small.length + tensorBytes()); // graph
        out.writeRawBytes(small);
        for (final Tensor tensor : tensors) {
            writeMessageHead(out, 5, tensor.bytes()); // GraphProto.initializer
            out.writeRawBytes(tensor.fields());
            writeMessageHead(out, 9, tensor.elementBytes()); // TensorProto.raw_data
            tensor.elements().writeTo(out);
        }
        out.flush();
    }

    /** All of the {@code GraphProto} but the tensors. */
    private void writeSmallParts(final CodedOutputStream out) throws IOException {
        for (final byte[] node : nodes) {
            out.writeByteArray(1, node); // node
        }
        out.writeString(2, "lstm"); // name
        for (final byte[] input : inputs) {
            out.writeByteArray(11, input); // input
        }
        for (final byte[] output : outputs) {
            out.writeByteArray(12, output); // output
        }
    }

    private long tensorBytes() {
        long bytes = 0;
        for (final Tensor tensor : tensors) {
            bytes += CodedOutputStream.computeTagSize(5)
                    + CodedOutputStream.computeUInt64SizeNoTag(tensor.bytes()) + tensor.bytes();
        }
        return bytes;
    }

    private static void writeMessageHead(final CodedOutputStream out, final int field, final long bytes)
            throws IOException {
        if (bytes > Integer.MAX_VALUE) {
            throw new IOException("bytes=" + bytes + " are more than a protobuf message can have: 2 GiB");
        }
        out.writeTag(field, 2); // wire type LEN
        out.writeUInt64NoTag(bytes);
    }

    private static byte[] attribute(final String name, final int value) {
        return message(out -> { // AttributeProto
            out.writeString(1, name); // name
            out.writeInt64(3, value); // i
            out.writeInt32(20, ATTRIBUTE_TYPE_INT); // type
        });
    }

    private static byte[] operatorSet(final String domain, final int version) {
        return message(out -> { // OperatorSetIdProto
            out.writeString(1, domain); // domain
            out.writeInt64(2, version); // version
        });
    }

    private static byte[] valueInfo(final String name, final long... shape) {
        final byte[] dimensions = message(out -> { // TensorShapeProto
            for (final long dimension : shape) {
                out.writeByteArray(1, message(dim -> dim.writeInt64(1, dimension))); // dim, its dim_value
            }
        });
        final byte[] tensor = message(out -> { // TypeProto.Tensor
            out.writeInt32(1, ElementType.FLOAT.number); // elem_type
            out.writeByteArray(2, dimensions); // shape
        });
        return message(out -> { // ValueInfoProto
            out.writeString(1, name); // name
            out.writeByteArray(2, message(type -> type.writeByteArray(1, tensor))); // type, its tensor_type
        });
    }

    private static byte[] message(final Content fields) {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        final CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        try {
            fields.writeTo(out);
            out.flush();
        } catch (final IOException ex) {
            throw new UncheckedIOException("a buffer in memory failed", ex);
        }
        return bytes.toByteArray();
    }
}
