package io.tiercel.nativecuda.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.nativecuda.NativeTools;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** What is said of a driver that is not there or not good enough, and that we call it as its header says. */
class CudaDriverTest {

    private static final String LIBRARY = "libcuda.so.1";

    @TempDir
    private Path directory;

    private NativeTools tools;

    @BeforeEach
    void makeTools() {
        tools = new NativeTools(directory);
    }

    @Test
    void shouldCallTheDriverAsItsHeaderSays() throws IOException, InterruptedException, IllegalAccessException {
        tools.needNvcc("the driver's functions beside those of cuda.h");
        final List<String> command = new ArrayList<>(List.of("nvcc", "-std=c++17", "-I", NativeTools.CUDA.toString(),
                "-c", NativeTools.TEST_CUDA.resolve("driver_check.cpp").toString(),
                "-o", tools.path("driver_check.o").toString()));
        for (final Field field : CudaDriver.class.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType() == int.class) {
                command.add("-D" + field.getName() + "=" + field.getInt(null));
            }
        }
        tools.assertSucceeds(command);
    }

    @Test
    void shouldSayInOneLineWhatIsWrongWithTheDriver() throws IOException, InterruptedException {
        tools.needCompiler("drivers that are too old, damaged or not there");
        tools.assertSucceeds(List.of("g++", "-std=c++17", "-I", NativeTools.CPP.toString(),
                "-I", NativeTools.CUDA.toString(), NativeTools.TEST_CUDA.resolve("open_driver.cpp").toString(),
                NativeTools.CUDA.resolve("tiercel_cuda.cpp").toString(), "-ldl",
                "-o", tools.path("open_driver").toString()));
        final Path source =
                Files.writeString(tools.path("old.cpp"), "extern \"C\" int cuInit(unsigned) { return 0; }\n");
        tools.assertSucceeds(List.of("g++", "-shared", "-fPIC", source.toString(),
                "-o", tools.path(LIBRARY).toString()));
        assertEquals(LIBRARY + " is too old: it has no function cuDriverGetVersion", open(directory));

        Files.writeString(tools.path(LIBRARY), "not a library");
        final String damaged = open(directory);
        assertTrue(damaged.startsWith(LIBRARY + " cannot be loaded: ") && !damaged.contains("\n"), damaged);

        Files.delete(tools.path(LIBRARY));
        final String none = open(directory);
        if ("opened".equals(none)) {
            System.out.println("not run: a driver that is not there: this machine has one");
            throw new TestAbortedException("this machine has a driver");
        }
        assertEquals(LIBRARY + " not found", none);
    }

    private String open(final Path libraries) throws IOException, InterruptedException {
        return tools.assertSucceeds(List.of("env", "LD_LIBRARY_PATH=" + libraries,
                tools.path("open_driver").toString())).strip();
    }
}
