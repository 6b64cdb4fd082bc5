package io.tiercel.tools.decode;

import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Where the small model lies, and files that look like models. */
final class DecodeTestData {

    static final int VERSION = 3;

    /** Of all small numbers of 32 bits. */
    private static final int TYPE_UINT32 = 4;
    private static final int TYPE_STRING = 8;
    private static final int TYPE_ARRAY = 9;

    private DecodeTestData() {
    }

    /** The model's folder; where it is absent, or llama.cpp cannot run, the test is reported as not run. */
    static Path modelFolder() {
        for (final String folder : List.of("../shared/data", "../../shared/data")) {
            final Path path = Path.of(folder, "models/stories260k");
            if (Files.isDirectory(path)) {
                try {
                    LlamaCppLibrary.load();
                    return path;
                } catch (final ToolException ex) {
                    throw notRun(ex.getMessage());
                }
            }
        }
        throw notRun("../shared/data/models/stories260k is not there");
    }

    static Path model() {
        return modelFolder().resolve("stories260K.gguf");
    }

    /** What the model says when it is asked for 200 tokens. */
    static String greedyText() throws IOException {
        return Files.readString(modelFolder().resolve("stories260K_greedy200.txt")).stripTrailing();
    }

    /** A header with the given numbers behind an array and a string that are to be skipped. */
    static byte[] gguf(final int version, final Object... keysAndNumbers) {
        final ByteBuffer buffer = ByteBuffer.allocate(4_096).order(ByteOrder.LITTLE_ENDIAN);
        buffer.put("GGUF".getBytes(StandardCharsets.US_ASCII)).putInt(version).putLong(0);
        buffer.putLong(3 + keysAndNumbers.length / 2);
        putString(buffer, "tokenizer.tokens").putInt(TYPE_ARRAY).putInt(TYPE_STRING).putLong(2);
        putString(putString(buffer, "a"), "bc");
        putString(buffer, "tokenizer.scores").putInt(TYPE_ARRAY).putInt(6).putLong(2).putFloat(1).putFloat(2);
        putString(putString(buffer, "general.architecture").putInt(TYPE_STRING), "llama");
        for (int i = 0; i < keysAndNumbers.length; i += 2) {
            putString(buffer, (String) keysAndNumbers[i]).putInt(TYPE_UINT32).putInt((Integer) keysAndNumbers[i + 1]);
        }
        final byte[] bytes = new byte[buffer.position()];
        buffer.get(0, bytes);
        return bytes;
    }

    private static ByteBuffer putString(final ByteBuffer buffer, final String text) {
        final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return buffer.putLong(bytes.length).put(bytes);
    }

    private static RuntimeException notRun(final String reason) {
        System.out.println("not run: " + reason);
        Assumptions.abort("not run: " + reason);
        throw new AssertionError();
    }
}
