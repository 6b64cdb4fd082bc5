package io.tiercel.appliance.engine.bundle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsReaderTest {

    private static final String NAME = "hostile.safetensors";

    @Test
    void shouldReadWhatPythonWritesWhenTensorsAreUnpaddedAndOutOfOrder() {
        final byte[] file = file("{\"b\":{\"dtype\":\"I8\",\"shape\":[3],\"data_offsets\":[4,7]}," +
                "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}",
                new byte[] {0, 0, -128, 63, 7, -8, 9});
        final SafetensorsReader reader = SafetensorsReader.of(NAME, file);
        assertArrayEquals(new float[] {1f}, reader.floats("a"));
        assertArrayEquals(new byte[] {7, -8, 9}, reader.bytes("b"));
        assertEquals(List.of("a", "b"), reader.tensors().stream().map(TensorInfo::name).toList());
    }

    @Test
    void shouldWidenHalvesExactlyWhenTensorsAreNarrow() {
        final ByteBuffer data = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        for (final int half : new int[] {0x3C00, 0xC000, 0x0001, 0x8000, 0x7BFF, 0x0400}) {
            data.putShort((short) half);
        }
        data.putShort((short) 0x3F80).putShort((short) 0xC049);
        final SafetensorsReader reader = SafetensorsReader.of(NAME, file(
                "{\"h\":{\"dtype\":\"F16\",\"shape\":[6],\"data_offsets\":[0,12]}," +
                        "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[12,16]}}",
                data.array()));
        assertArrayEquals(new float[] {1f, -2f, 0x1p-24f, -0f, 65504f, 0x1p-14f}, reader.floats("h"));
        assertArrayEquals(new float[] {1f, -3.140625f}, reader.floats("b"));
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        "[1]                                                                              | does not begin with",
        "{'a   | not valid JSON",
        "{} x                                                                             | not valid JSON",
        "{'a':1}                                                                          | tensor=a",
        "{'a':{'dtype':'F32','shape':[1]}}                                                | tensor=a",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4],'x':1}}                     | tensor=a",
        "{'a':{'dtype':'F8','shape':[1],'data_offsets':[0,4]}}                            | dtype=\"F8\"",
        "{'a':{'dtype':7,'shape':[1],'data_offsets':[0,4]}}                               | dtype=7",
        "{'a':{'dtype':'F32','shape':1,'data_offsets':[0,4]}}                             | shape=1",
        "{'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}}                          | shape=-1",
        "{'a':{'dtype':'F32','shape':[1.0],'data_offsets':[0,4]}}                         | shape=1.0",
        "{'a':{'dtype':'F32','shape':[4294967297,4294967297],'data_offsets':[0,4]}}       | shape=4294967297",
        "{'a':{'dtype':'F32','shape':[1073741824,1073741824,16],'data_offsets':[0,4]}}    | needs more than",
        "{'a':{'dtype':'F32','shape':[1,1,1,1,1,1,1,1,1],'data_offsets':[0,4]}}           | at most 8",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0]}}                             | not a pair",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}                           | data_offsets=8",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,0]}}                           | hold -4 bytes",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[-4,0]}}                          | data_offsets=-4",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,99999999999999999999]}}        | data_offsets=9999",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}}                           | needs 8",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[1,3]}}                            | begins at byte",
        "{'a':{'dtype':'U8','shape':[3],'data_offsets':[0,3]}}                            | the file at",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]},'a':{}}                     | Duplicate",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]},'b':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}}" +
                "| tensor=b begins at",
        "{'__metadata__':{'k':1},'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}}     | key=k",
        "{'__metadata__':'k'}                                                             | __metadata__",
        "{'a':[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]}                                    | not valid JSON",
    })
    void shouldNameTheTensorAndValueWhenTheHeaderLies(final String header, final String expected) {
        final byte[] file = file(header.strip().replace('\'', '"'), new byte[4]);
        final BundleException ex =
                assertThrows(BundleException.class, () -> SafetensorsReader.of(NAME, file));
        assertTrue(ex.getMessage().startsWith(NAME + ": "), ex.getMessage());
        assertTrue(ex.getMessage().contains(expected.strip()), ex.getMessage());
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "-1", "-9223372036854775808", "9223372036854775807", "1048577", "13"})
    void shouldRefuseTheFileWhenTheHeaderLengthLies(final long length) {
        final byte[] file = file("{}  ", new byte[0]);
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        final BundleException ex = assertThrows(BundleException.class, () -> SafetensorsReader.of(NAME, file));
        assertTrue(ex.getMessage().contains("header length=" + Long.toUnsignedString(length)), ex.getMessage());
    }

    @Test
    void shouldRefuseTheHeaderWhenItIsNotUtf8() {
        final byte[] file = file("{\"\":1}", new byte[0]);
        file[Long.BYTES + 1] = (byte) 0xFF;
        assertThrows(BundleException.class, () -> SafetensorsReader.of(NAME, file));
    }

    @Test
    void shouldRefuseTheFileWhenItIsAboveTheLimitBeforeReadingIt(@TempDir final Path directory) throws IOException {
        final Path path = directory.resolve("huge.safetensors");
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
            sparse.setLength(SafetensorsReader.MAX_FILE_BYTES + 1);
        }
        final BundleException ex = assertThrows(BundleException.class, () -> SafetensorsReader.open(path));
        assertTrue(ex.getMessage().contains("file size=" + (SafetensorsReader.MAX_FILE_BYTES + 1)), ex.getMessage());
    }

    @Test
    void shouldSayWhichFileWhenThereIsNone(@TempDir final Path directory) {
        final Path path = directory.resolve("absent.safetensors");
        final BundleException ex = assertThrows(BundleException.class, () -> SafetensorsReader.open(path));
        assertTrue(ex.getMessage().startsWith(path + ": cannot be read"), ex.getMessage());
    }

    private static byte[] file(final String header, final byte[] data) {
        final byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Long.BYTES + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length).put(json).put(data).array();
    }
}
