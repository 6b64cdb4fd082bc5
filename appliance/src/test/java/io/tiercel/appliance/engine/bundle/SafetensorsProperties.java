package io.tiercel.appliance.engine.bundle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.NotEmpty;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.UniqueElements;

class SafetensorsProperties {

    @Property(tries = 200)
    void shouldReadBackWhatWasWrittenWhenAnythingIsWritten(
            @ForAll @Size(max = 12) @UniqueElements final List<@NotEmpty String> names,
            @ForAll final String metadataValue, @ForAll final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final SafetensorsWriter writer = new SafetensorsWriter().metadata("key", metadataValue);
        final List<String> tensorNames = new ArrayList<>();
        final List<byte[]> data = new ArrayList<>();
        for (final String name : names) {
            final DType dtype = DType.values()[random.nextInt(DType.values().length)];
            final int rows = random.nextInt(5);
            final int columns = random.nextInt(20);
            final byte[] bytes = new byte[rows * columns * dtype.bytes()];
            random.nextBytes(bytes);
            tensorNames.add("t." + name);
            data.add(bytes);
            writer.bytes("t." + name, dtype, bytes, rows, columns);
        }
        final byte[] file = writer.toBytes();
        final SafetensorsReader reader = SafetensorsReader.of("random", file);
        assertEquals(printable(metadataValue), printable(reader.metadata().get("key")));
        for (int i = 0; i < tensorNames.size(); i++) {
            final TensorInfo tensor = reader.tensor(tensorNames.get(i));
            assertArrayEquals(data.get(i), reader.bytes(tensor.name()));
            assertEquals(0, tensor.offset() % SafetensorsWriter.ALIGNMENT);
        }
        assertArrayEquals(file, writer.toBytes());
    }

    @Property(tries = 2000)
    void shouldRefuseOrStayInRangeWhenBytesAreDamaged(
            @ForAll final long seed, @ForAll @IntRange(min = 1, max = 4) final int damage) {
        final SplittableRandom random = new SplittableRandom(seed);
        final byte[] file = new SafetensorsWriter().metadata("k", "v")
                .floats("weights", new float[] {1, 2, 3, 4, 5, 6}, 2, 3)
                .bytes("codes", DType.U8, new byte[70], 70).toBytes();
        for (int i = 0; i < damage; i++) {
            file[random.nextInt(file.length)] = (byte) random.nextInt(256);
        }
        try {
            final SafetensorsReader reader = SafetensorsReader.of("damaged", file);
            for (final TensorInfo tensor : reader.tensors()) {
                assertEquals(tensor.length(), reader.bytes(tensor.name()).length);
            }
        } catch (final BundleException ex) {
            assertEquals(0, ex.getMessage().indexOf("damaged: "));
        }
    }

    /** UTF-8 has no lone surrogates: what was one comes back as a question mark. */
    private static String printable(final String text) {
        return text.replaceAll("[\\ud800-\\udfff?]", "");
    }
}
