package io.tiercel.nativecuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorRtBackendTest {

    @TempDir
    private Path directory;

    @Test
    void shouldNameEachLibraryThatIsMissing() throws IOException {
        assertReason("not found: libnvinfer.so.11, libnvonnxparser.so.11, libcudart.so.13, libcuda.so.1");
        Files.createFile(directory.resolve("libnvinfer.so.10"));
        Files.createFile(directory.resolve("libcuda.so.1"));
        Files.createFile(directory.resolve("libnvinfer.so.11"));
        assertReason("not found: libnvonnxparser.so.11, libcudart.so.13");
        Files.createFile(directory.resolve("libnvonnxparser.so.11"));
        Files.createFile(directory.resolve("libcudart.so.13"));
        assertReason(
                "all it needs is there: libnvinfer.so.11, libnvonnxparser.so.11, libcudart.so.13, libcuda.so.1");
    }

    private void assertReason(final String found) {
        final SharedLibraries libraries =
                new SharedLibraries(List.of(directory), directory.resolve("ld.so.cache"), List.of());
        assertEquals("not built in this version; " + found, new TensorRtBackend(libraries).reason());
    }
}
