package io.tiercel.appliance.engine.bundle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Manifest.Quantisation;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundleTest {

    private static final Path NAME = Path.of("bundle.safetensors");

    private final byte[] file = RandomModels.lstm(7).hidden(5).features(3).weights(WeightFormat.INT4).toBytes();

    @Test
    void shouldHaveTheFilesShaAsVersionWhenOpened(@TempDir final Path directory) throws Exception {
        final Path path = RandomModels.lstm(7).hidden(5).features(3).weights(WeightFormat.INT4).write(directory);
        final Bundle bundle = Bundle.open(path);
        assertArrayEquals(file, Files.readAllBytes(path));
        assertArrayEquals(MessageDigest.getInstance("SHA-256").digest(file), bundle.version());
        assertEquals(64, bundle.versionHex().length());
        assertEquals(path, bundle.path());
        assertEquals(List.of("f_0", "f_1", "f_2"), bundle.manifest().featureNames());
        assertTrue(bundle.tensors().stream().noneMatch(tensor -> tensor.name().startsWith("padding.")));
        assertTrue(bundle.tensors().stream().allMatch(tensor -> tensor.offset() % 64 == 0));
        try (var files = Files.list(directory)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void shouldBeRefusedWhenTruncatedAtAnyLength() {
        for (int length = 0; length < file.length; length++) {
            final byte[] truncated = Arrays.copyOf(file, length);
            assertThrows(BundleException.class, () -> Bundle.of(NAME, truncated), "length=" + length);
        }
    }

    @Test
    void shouldBeRefusedWhenAnythingFollows() {
        assertThrows(BundleException.class, () -> Bundle.of(NAME, Arrays.copyOf(file, file.length + 1)));
    }

    @Test
    void shouldBeRefusedWhenAnyByteIsDamaged() {
        for (int index = 0; index < file.length; index++) {
            final byte good = file[index];
            for (final int flip : new int[] {1, 2, 0x20, 0x80, 0xFF}) {
                file[index] = (byte) (good ^ flip);
                assertThrows(BundleException.class, () -> Bundle.of(NAME, file), "index=" + index);
            }
            file[index] = good;
        }
        Bundle.of(NAME, file);
    }

    @Test
    void shouldBeRefusedWhenItIsAnOrdinarySafetensorsFile() {
        final byte[] ordinary = new SafetensorsWriter().floats("a", new float[1], 1).toBytes();
        final BundleException ex = assertThrows(BundleException.class, () -> Bundle.of(NAME, ordinary));
        assertTrue(ex.getMessage().contains("not a bundle"), ex.getMessage());
    }

    @Test
    void shouldNameTheTensorWhenShapeTypeOrValueIsNotWhatIsAskedFor() {
        final Bundle bundle = Bundle.of(NAME, new BundleWriter(manifest())
                .floats("nan", new float[] {1, Float.NaN}, 2)
                .floats("zero", new float[] {1, 0}, 2)
                .bytes("codes", DType.U8, new byte[6], 2, 3).toBytes());
        assertMessage("tensor=codes is U8[2, 3], expected U8[3, 2]", () -> bundle.bytes("codes", DType.U8, 3, 2));
        assertMessage("tensor=codes is U8[2, 3], expected I8[2, 3]", () -> bundle.bytes("codes", DType.I8, 2, 3));
        assertMessage("tensor=nan index=1 value=NaN is not finite", () -> bundle.floats("nan", 2));
        assertMessage("tensor=zero index=1 value=0.0 is not above zero", () -> bundle.positiveFloats("zero", 2));
        assertMessage("tensor=none is missing", () -> bundle.floats("none", 2));
        assertMessage("key=shape.layers value=null", () -> bundle.size("layers", 4));
        assertMessage("key=shape.hidden value=9 is not in 1..4", () -> bundle.size("hidden", 4));
    }

    @Test
    void shouldKeepTheManifestWhenWrittenAndRead() {
        assertEquals(manifest(), Bundle.of(NAME, new BundleWriter(manifest()).toBytes()).manifest());
        assertEquals(manifest(), Manifest.fromJson("x", manifest().toJson()));
        final Manifest same = manifest();
        assertFalse(same.equals(new Manifest(same.family(), same.shape(), same.featureNames(), same.labels(),
                same.task(), same.quantisation(), same.provenance(), Map.of("rows", 1L))));
    }

    @Test
    void shouldNameTheKeyWhenTheManifestIsNotUnderstood() {
        final String json = manifest().toJson();
        assertManifest("key=surprise is not known", json.replace("\"family\"", "\"surprise\":1,\"family\""));
        assertManifest("key=quantisation.x is not known", json.replace("\"featureBits\"", "\"x\":1,\"featureBits\""));
        assertManifest("key=formatVersion value=2", json.replace("\"formatVersion\":1", "\"formatVersion\":2"));
        assertManifest("key=task value=guess", json.replace("\"regression\"", "\"guess\""));
        assertManifest("featureBits=9", json.replace("\"featureBits\":16", "\"featureBits\":9"));
        assertManifest("key=hidden value=\"9\"", json.replace("\"hidden\":9", "\"hidden\":\"9\""));
        assertManifest("key=features name=b", json.replace("[\"a\",\"b\"]", "[\"b\",\"b\"]"));
        assertManifest("key=labels count=0", json.replace("[\"y\"]", "[]"));
        assertManifest("key=family", json.replace("\"family\":\"mlp\",", ""));
        assertManifest("not valid JSON", json.substring(1));
        assertManifest("is not an object", "[]");
    }

    /** What a Python without our code would do: take the header and each tensor's bytes. */
    @Test
    void shouldFollowTheSafetensorsFormatWhenReadByHand() {
        final int headerLength = java.nio.ByteBuffer.wrap(file).order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt(0);
        final String header = new String(file, 8, headerLength, StandardCharsets.UTF_8);
        assertEquals(0, (8 + headerLength) % 64);
        assertTrue(header.startsWith("{\"__metadata__\":{\"tiercel.crc32c\":\""));
        assertEquals('}', header.stripTrailing().charAt(header.stripTrailing().length() - 1));
    }

    private static void assertMessage(final String expected, final org.junit.jupiter.api.function.Executable call) {
        final BundleException ex = assertThrows(BundleException.class, call);
        assertTrue(ex.getMessage().startsWith(NAME + ": ") && ex.getMessage().contains(expected), ex.getMessage());
    }

    private static void assertManifest(final String expected, final String json) {
        final BundleException ex = assertThrows(BundleException.class, () -> Manifest.fromJson("x", json));
        assertTrue(ex.getMessage().startsWith("x: manifest") && ex.getMessage().contains(expected), ex.getMessage());
    }

    private static Manifest manifest() {
        return new Manifest("mlp", Map.of("hidden", 9), List.of("a", "b"), List.of("y"), Task.REGRESSION,
                new Quantisation(WeightFormat.INT4, WeightFormat.INT8, 16), Map.of("by", "\"tiercel.crc32c\":\"quoted"),
                Map.of("rows", 12L, "fp32", Map.of("accuracy", 0.5, "by class", List.of(1L, "x"))));
    }
}
