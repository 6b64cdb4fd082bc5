package io.tiercel.nativecuda;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedLibrariesTest {

    @TempDir
    private Path directory;

    @Test
    void shouldNotFindALibraryThatIsNowhere() {
        assertFalse(libraries(List.of(), List.of()).has("libcuda.so.1"));
    }

    @Test
    void shouldFindALibraryWhereTheLinkerLooks() throws IOException {
        Files.createFile(directory.resolve("libcuda.so.1"));
        assertTrue(libraries(List.of(directory), List.of()).has("libcuda.so.1"));
        assertTrue(libraries(List.of(), List.of(directory)).has("libcuda.so.1"));
        writeCache("glibc-ld.so.cache1.1\0\1\2libx.so\0/lib/libx.so\0libcuda.so.1\0" + directory + "/libcuda.so.1\0");
        assertTrue(libraries(List.of(), List.of()).has("libcuda.so.1"));
        writeCache("glibc-ld.so.cache1.1" + directory + "/libcuda.so.1\0");
        assertTrue(libraries(List.of(), List.of()).has("libcuda.so.1"));
    }

    @Test
    void shouldNotBelieveACacheThatHasOutlivedTheFile() throws IOException {
        writeCache("x\0" + directory + "/libcuda.so.1\0libcuda.so.1\0/\0/libcuda.so.1");
        assertFalse(libraries(List.of(), List.of()).has("libcuda.so.1"));
    }

    private SharedLibraries libraries(final List<Path> first, final List<Path> last) {
        return new SharedLibraries(first, directory.resolve("ld.so.cache"), last);
    }

    private void writeCache(final String content) throws IOException {
        Files.writeString(directory.resolve("ld.so.cache"), content);
    }
}
