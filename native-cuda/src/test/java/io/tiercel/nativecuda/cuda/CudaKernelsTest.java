package io.tiercel.nativecuda.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.RunsOnce;
import io.tiercel.nativecuda.NativeTools;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What nvcc makes of the kernels; not run where it is missing. */
class CudaKernelsTest {

    private static final String RESOURCE = "/io/tiercel/nativecuda/cuda/kernels.fatbin";
    private static final int FAT_BINARY_MAGIC = 0xBA55ED50;
    /** Operations that are not one rounding of IEEE, and those that flush denormals. */
    private static final Pattern INEXACT = Pattern.compile("^.*(\\bfma\\.|\\bmad\\.f|\\.approx|\\.ftz).*$",
            Pattern.MULTILINE);
    private static final Pattern ENTRY = Pattern.compile("\\.entry (tiercel_\\w+)");

    @TempDir
    private static Path directory;

    private NativeTools tools;

    @BeforeEach
    void needNvcc() throws IOException, InterruptedException {
        RunsOnce.orSkip("what nvcc makes of the CUDA kernels");
        tools = new NativeTools(directory);
        tools.needNvcc("what nvcc makes of the CUDA kernels");
    }

    @ParameterizedTest
    @ValueSource(strings = {"80", "90a", "120"})
    void shouldRoundEachOperationOnce(final String target) throws IOException, InterruptedException {
        final String ptx = ptx(target);
        assertTrue(ptx.contains("mul.rn.f32") && ptx.contains("div.rn.f32"), "not the kernels");
        assertEquals(List.of(), INEXACT.matcher(ptx).results().map(found -> found.group().strip()).toList());
    }

    @Test
    void shouldPackEachKernelAsAResource() throws IOException, InterruptedException {
        try (InputStream in = CudaKernelsTest.class.getResourceAsStream(RESOURCE)) {
            assertNotNull(in, RESOURCE);
            final byte[] bytes = in.readAllBytes();
            assertEquals(FAT_BINARY_MAGIC, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt());
            final String text = new String(bytes, StandardCharsets.ISO_8859_1);
            final List<String> names =
                    ENTRY.matcher(ptx("90a")).results().map(found -> found.group(1)).distinct().toList();
            assertEquals(15, names.size(), names::toString);
            for (final String name : names) {
                assertTrue(text.contains(name), name);
            }
        }
    }

    /** Made with the flags of the fat binary, once for all tests. */
    private String ptx(final String target) throws IOException, InterruptedException {
        final Path ptx = directory.resolve("kernels-" + target + ".ptx");
        if (!Files.exists(ptx)) {
            tools.assertSucceeds(
                    List.of("bash", NativeTools.CUDA.resolve("build.sh").toString(), ptx.toString(), target));
        }
        return Files.readString(ptx);
    }
}
