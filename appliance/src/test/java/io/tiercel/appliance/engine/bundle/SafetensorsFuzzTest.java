package io.tiercel.appliance.engine.bundle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.protocol.FuzzSeeds;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Any bytes as a safetensors file: a refusal, or tensors that lie side by side in the file and can all be read. */
@Timeout(20)
class SafetensorsFuzzTest {

    @FuzzTest
    void shouldReadEveryTensorWhenAFileIsAccepted(final byte[] bytes) {
        final SafetensorsReader reader;
        try {
            reader = SafetensorsReader.of("any", bytes);
        } catch (final BundleException ex) {
            assertTrue(ex.getMessage().startsWith("any: "), ex.getMessage());
            return;
        }
        long tensorBytes = 0;
        for (final TensorInfo tensor : reader.tensors()) {
            assertEquals(tensor.length(), reader.bytes(tensor.name()).length);
            readFloats(reader, tensor);
            tensorBytes += tensor.length();
        }
        assertTrue(tensorBytes <= bytes.length - Long.BYTES, "tensors overlap");
    }

    private static void readFloats(final SafetensorsReader reader, final TensorInfo tensor) {
        final boolean isFloat =
                tensor.dtype() == DType.F32 || tensor.dtype() == DType.F16 || tensor.dtype() == DType.BF16;
        if (isFloat || tensor.elementCount() == 0) {
            assertEquals(tensor.elementCount(), reader.floats(tensor.name()).length);
        } else {
            assertThrows(BundleException.class, () -> reader.floats(tensor.name()));
        }
    }

    @Test
    void shouldHaveSeedsOfEveryTypeAndShape() {
        FuzzSeeds.of(SafetensorsFuzzTest.class, "shouldReadEveryTensorWhenAFileIsAccepted")
                .add("bundle", RandomModels.lstm(1).hidden(2).features(2).outputs(2).toBytes())
                .add("floats", new SafetensorsWriter().floats("a", new float[] {1, 2}, 2).toBytes())
                .add("no-tensors", file("{}", 0))
                .add("metadata", file("{\"__metadata__\":{\"a\":\"b\\u0000\"}}", 0))
                .add("narrow", file("{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},"
                        + "\"b\":{\"dtype\":\"BF16\",\"shape\":[1,1],\"data_offsets\":[4,6]}}", 6))
                .add("scalar", file("{\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}", 8))
                .add("empty", file("{\"a\":{\"dtype\":\"I64\",\"shape\":[3,0],\"data_offsets\":[0,0]}}", 0))
                .add("integers", file("{\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                        + "\"b\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[4,6]},"
                        + "\"c\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[6,8]},"
                        + "\"d\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[8,9]}}", 9))
                .add("huge-shape", file("{\"a\":{\"dtype\":\"I8\",\"shape\":[1073741824,1073741824],"
                        + "\"data_offsets\":[0,1]}}", 1))
                .add("huge-number", file("{\"a\":{\"dtype\":\"I8\",\"shape\":[1e400],\"data_offsets\":[0,1]}}", 1))
                .add("overlap", file("{\"a\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                        + "\"b\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3))
                .check();
    }

    private static byte[] file(final String header, final int dataLength) {
        final byte[] text = header.getBytes(StandardCharsets.UTF_8);
        final ByteBuffer file =
                ByteBuffer.allocate(Long.BYTES + text.length + dataLength).order(ByteOrder.LITTLE_ENDIAN);
        return file.putLong(text.length).put(text).array();
    }
}
