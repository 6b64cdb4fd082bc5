package io.tiercel.tools.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.CodedOutputStream;
import io.tiercel.tools.ModelInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxExternalDataTest {

    private static final int RANDOM_FILES = 2_000;

    @TempDir
    private Path directory;

    @Test
    void shouldNameTheTensorAndItsFileWhereverItStands() throws IOException {
        final byte[] tensor = externalTensor("w.1", "weights.bin");
        final byte[] inner = message(5, tensor);
        assertEquals("tensor=w.1 location=weights.bin", OnnxExternalData.find(model(inner)));
        final byte[] constant = message(1, message(5, message(5, tensor)));
        assertEquals("tensor=w.1 location=weights.bin", OnnxExternalData.find(model(constant)));
        final byte[] branch = message(1, message(5, message(6, inner)));
        assertEquals("tensor=w.1 location=weights.bin", OnnxExternalData.find(model(branch)));
        assertEquals("tensor=w.1 location=weights.bin", OnnxExternalData.find(model(message(15, message(1, tensor)))));
    }

    @Test
    void shouldFindNothingInAFileThatHasAllOfIt() throws IOException {
        final byte[] name = message(8, "w.1".getBytes(StandardCharsets.UTF_8));
        assertNull(OnnxExternalData.find(model(message(5, joined(name, message(9, new byte[400]))))));
        assertNull(OnnxExternalData.find(new byte[0]));
        assertNull(OnnxExternalData.find("no ONNX file".getBytes(StandardCharsets.UTF_8)));
    }

    /** No file makes it fail, however damaged. */
    @Test
    void shouldReadAnything() throws IOException {
        final byte[] whole = model(message(1, message(5, message(6, message(5, externalTensor("w", "f"))))));
        final SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < RANDOM_FILES; i++) {
            final byte[] damaged = Arrays.copyOf(whole, random.nextInt(whole.length + 1));
            for (int k = 0; k < damaged.length && random.nextBoolean(); k++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            OnnxExternalData.find(damaged);
        }
    }

    @Test
    void shouldRefuseToImportIt() throws IOException {
        final Path file = Files.write(directory.resolve("net.onnx"), model(message(5, externalTensor("w", "f.bin"))));
        final ModelInputException ex = assertThrows(
                ModelInputException.class, () -> new OnnxImport(file, new OnnxImportOptions()));
        assertTrue(ex.getMessage().startsWith(file + ": tensor=w location=f.bin: weights stand in a file of their own"),
                ex.getMessage());
    }

    private static byte[] externalTensor(final String name, final String location) throws IOException {
        final byte[] offset = message(13, joined(message(1, bytes("offset")), message(2, bytes("0"))));
        final byte[] entry = message(13, joined(message(1, bytes("location")), message(2, bytes(location))));
        return joined(message(8, bytes(name)), offset, entry, new byte[] {14 << 3, 1});
    }

    private static byte[] model(final byte[] graph) throws IOException {
        return message(7, graph);
    }

    private static byte[] bytes(final String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] message(final int field, final byte[] content) throws IOException {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        final CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        out.writeByteArray(field, content);
        out.flush();
        return bytes.toByteArray();
    }

    private static byte[] joined(final byte[]... parts) {
        final ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (final byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}
