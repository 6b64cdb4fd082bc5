package io.tiercel.nativecuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.bundle.BundleException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeBackendsTest {

    @TempDir
    private Path directory;

    @Test
    void shouldBeFoundByServiceLoaderAndSayWhyTheyCannotRun() {
        final List<Backend> backends = ServiceLoader.load(Backend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(NativeBackend.class::isInstance)
                .toList();
        assertEquals(List.of("tensorrt"), backends.stream().map(Backend::name).toList());
        for (final Backend backend : backends) {
            assertFalse(backend.probe().available(), backend.name());
            assertFalse(backend.probe().detail().isBlank(), backend.name());
            assertFalse(backend.supports(null), backend.name());
            final BundleException ex = assertThrows(BundleException.class, () -> backend.load(null, 1));
            assertTrue(ex.getMessage().contains("backend=" + backend.name()), ex.getMessage());
        }
    }

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
