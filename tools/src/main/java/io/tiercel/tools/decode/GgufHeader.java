package io.tiercel.tools.decode;

import io.tiercel.tools.ToolException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The few numbers of a GGUF file that must be known before llama.cpp loads it, which ends the process over some that it
 * does not like. Follows the format's description, versions 2 and 3, little-endian; tensors are not read.
 * <pre>
 *   "GGUF"  version:u32  tensorCount:u64  entryCount:u64  entry...
 *   entry:  keyLength:u64  key  type:u32  value
 *   string: length:u64  bytes             array: type:u32  count:u64  value...
 * </pre>
 *
 * @param architecture  {@code llama}, ...
 * @param keyLength     floats of a head's key.
 * @param valueLength   floats of a head's value.
 * @param contextTokens that the model was made for.
 */
record GgufHeader(String architecture, int keyLength, int valueLength, int contextTokens) {

    private static final int MAGIC = 0x46554747;
    private static final int MIN_VERSION = 2;
    private static final int MAX_VERSION = 3;
    private static final long MAX_ENTRIES = 10_000;
    private static final int MAX_STRING_BYTES = 1 << 20;

    private static final int TYPE_UINT32 = 4;
    private static final int TYPE_INT32 = 5;
    private static final int TYPE_STRING = 8;
    private static final int TYPE_ARRAY = 9;

    /** Bytes of a value by type; 0 for strings and arrays, which say themselves. */
    private static final int[] TYPE_BYTES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

    /** Strings and whole numbers of 32 bits by key. One thread; of no use after a failure. */
    private static final class Reader {
        private final DataInputStream in;
        private final Map<String, String> strings = new HashMap<>();
        private final Map<String, Integer> numbers = new HashMap<>();

        Reader(final DataInputStream in) {
            this.in = in;
        }

        void readAll() throws IOException {
            check(readInt() == MAGIC, "does not begin with GGUF");
            final int version = readInt();
            check(version >= MIN_VERSION && version <= MAX_VERSION, "version=" + version + " is not "
                    + MIN_VERSION + " or " + MAX_VERSION);
            readLong(); // tensors
            final long entries = readLong();
            check(entries >= 0 && entries <= MAX_ENTRIES, "entries=" + entries);
            for (long i = 0; i < entries; i++) {
                readEntry();
            }
        }

        private void readEntry() throws IOException {
            final String key = readString();
            final int type = readType();
            switch (type) {
                case TYPE_STRING -> strings.put(key, readString());
                case TYPE_UINT32, TYPE_INT32 -> numbers.put(key, readInt());
                default -> skipValue(type);
            }
        }

        private void skipValue(final int type) throws IOException {
            switch (type) {
                case TYPE_STRING -> skip(readLong());
                case TYPE_ARRAY -> skipArray();
                default -> skip(TYPE_BYTES[type]);
            }
        }

        private void skipArray() throws IOException {
            final int type = readType();
            check(type != TYPE_ARRAY, "an array of arrays");
            final long count = readLong();
            check(count >= 0 && count <= Integer.MAX_VALUE, "an array of count=" + count);
            if (type == TYPE_STRING) {
                for (long i = 0; i < count; i++) {
                    skip(readLong());
                }
            } else {
                skip(count * TYPE_BYTES[type]);
            }
        }

        private int readType() throws IOException {
            final int type = readInt();
            check(type >= 0 && type < TYPE_BYTES.length, "type=" + type);
            return type;
        }

        private String readString() throws IOException {
            final long length = readLong();
            check(length >= 0 && length <= MAX_STRING_BYTES, "a string of bytes=" + length);
            final byte[] bytes = new byte[(int) length];
            in.readFully(bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        }

        private int readInt() throws IOException {
            return Integer.reverseBytes(in.readInt());
        }

        private long readLong() throws IOException {
            return Long.reverseBytes(in.readLong());
        }

        private void skip(final long bytes) throws IOException {
            check(bytes >= 0, "a length below 0");
            in.skipNBytes(bytes);
        }

        /** Positive; {@code otherwise} where it is not there. */
        private int number(final String key, final int otherwise) throws IOException {
            final int value = numbers.getOrDefault(key, otherwise);
            check(value > 0, key + (numbers.containsKey(key) ? "=" + value : " is not there"));
            return value;
        }

        private GgufHeader header() throws IOException {
            final String architecture = strings.get("general.architecture");
            check(architecture != null, "general.architecture is not there");
            final int heads = number(architecture + ".attention.head_count", 0);
            final int headLength = number(architecture + ".embedding_length", 0) / heads;
            return new GgufHeader(architecture,
                    number(architecture + ".attention.key_length", headLength),
                    number(architecture + ".attention.value_length", headLength),
                    number(architecture + ".context_length", 0));
        }

        private static void check(final boolean holds, final String otherwise) throws IOException {
            if (!holds) {
                throw new IOException(otherwise);
            }
        }
    }

    /** @throws ToolException if this is no GGUF file, or one without those numbers. */
    static GgufHeader read(final Path file) {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            final Reader reader = new Reader(in);
            reader.readAll();
            return reader.header();
        } catch (final EOFException ex) {
            throw ToolException.environment("file=" + file + " is not a GGUF file: it ends too early", ex);
        } catch (final IOException ex) {
            throw ToolException.environment("file=" + file + " is not a GGUF file: " + ex.getMessage(), ex);
        }
    }
}
