package io.tiercel.tools.decode;

import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;

/**
 * Loads llama.cpp's machine code once for a process, before any class of its binding is touched: the binding by itself
 * deletes whatever in the temporary directory has a name like its own, prints, and leaves its library there when the
 * process is killed. Here it finds the library in a folder of its own, which is gone as soon as it is loaded.
 *
 * <p>The library of the jar is compiled for AVX2 and has no other kernels: another processor would end the process, so
 * the processor is asked first. One that was built for this machine can be given instead, with the binding's own
 * property, {@value #PATH_PROPERTY}=DIRECTORY; then nothing is asked, copied or deleted.
 */
final class LlamaCppLibrary {

    /** Where the binding looks for the library first. */
    static final String PATH_PROPERTY = "de.kherud.llama.lib.path";

    /** Where the binding deletes old libraries. */
    private static final String CLEANED_PROPERTY = "de.kherud.llama.tmpdir";

    /** Read by the library for whatever it was not told: it would not be measured as the report says. */
    private static final String VARIABLE_PREFIX = "LLAMA_ARG_";

    private static final String BINDING = "de.kherud.llama.LlamaModel";
    private static final String RESOURCE = "/de/kherud/llama/Linux/x86_64/";
    private static final String FILE_NAME = "libjllama.so";
    private static final String VERSION_RESOURCE = "/META-INF/maven/de.kherud/llama/pom.properties";
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final List<String> NEEDED_FLAGS = List.of("avx2", "bmi2", "f16c", "fma");

    private static boolean isLoaded;

    private LlamaCppLibrary() {
    }

    /** Does nothing after it has succeeded. @throws ToolException if the library cannot run here. */
    static synchronized void load() {
        if (isLoaded) {
            return;
        }
        checkVariables(System.getenv().keySet());
        final Path directory = createDirectory();
        try {
            if (System.getProperty(PATH_PROPERTY) == null) {
                checkMachine(System.getProperty("os.name"), System.getProperty("os.arch"), cpuFlags());
                extract(directory);
                initialise(directory, directory);
            } else {
                initialise(Path.of(System.getProperty(PATH_PROPERTY)), directory);
            }
            isLoaded = true;
        } finally {
            delete(directory);
        }
    }

    /** The binding's version, for a report. */
    static String version() {
        try (InputStream in = LlamaCppLibrary.class.getResourceAsStream(VERSION_RESOURCE)) {
            final Properties properties = new Properties();
            if (in != null) {
                properties.load(in);
            }
            return properties.getProperty("version", "unknown");
        } catch (final IOException ex) {
            throw ToolException.environment("cannot read the version of java-llama.cpp: " + ex, ex);
        }
    }

    static void checkVariables(final Set<String> names) {
        names.stream().filter(name -> name.startsWith(VARIABLE_PREFIX)).findFirst().ifPresent(name -> {
            throw ToolException.environment("the environment has " + name + ", which changes llama.cpp's settings");
        });
    }

    static void checkMachine(final String system, final String processor, final Set<String> cpuFlags) {
        if (!system.equals("Linux") || !processor.equals("amd64")) {
            throw ToolException.environment("llama.cpp's library was tried on os=Linux arch=amd64, and this is os="
                    + system + " arch=" + processor);
        }
        for (final String flag : NEEDED_FLAGS) {
            if (!cpuFlags.contains(flag)) {
                throw ToolException.environment("llama.cpp's library needs a processor with " + flag);
            }
        }
    }

    /** As Linux names them; none where it does not. */
    private static Set<String> cpuFlags() {
        if (!Files.isReadable(CPU_INFO)) {
            return Set.of();
        }
        try {
            return Files.readAllLines(CPU_INFO, StandardCharsets.UTF_8).stream()
                    .filter(line -> line.startsWith("flags"))
                    .findFirst()
                    .map(line -> (Set<String>) new HashSet<>(
                            Arrays.asList(line.substring(line.indexOf(':') + 1).trim().split(" "))))
                    .orElse(Set.of());
        } catch (final IOException ex) {
            throw ToolException.environment("cannot read file=" + CPU_INFO + ": " + ex, ex);
        }
    }

    /**
     * By the binding's own initialiser, which finds the library loaded already. Loaded here first because the binding
     * prints what is wrong instead of saying it.
     */
    private static void initialise(final Path libraryDirectory, final Path cleanedDirectory) {
        final String before = System.getProperty(PATH_PROPERTY);
        System.setProperty(PATH_PROPERTY, libraryDirectory.toString());
        System.setProperty(CLEANED_PROPERTY, cleanedDirectory.toString());
        try {
            System.load(libraryDirectory.resolve(FILE_NAME).toAbsolutePath().toString());
            Class.forName(BINDING);
        } catch (final LinkageError | ClassNotFoundException ex) {
            throw ToolException.environment("llama.cpp's library does not load: " + ex.getMessage(), ex);
        } finally {
            System.clearProperty(CLEANED_PROPERTY);
            if (before == null) {
                System.clearProperty(PATH_PROPERTY);
            }
        }
    }

    private static Path createDirectory() {
        try {
            return Files.createTempDirectory("tiercel-llama-");
        } catch (final IOException ex) {
            throw ToolException.environment("cannot create a temporary directory: " + ex, ex);
        }
    }

    private static void extract(final Path directory) {
        try (InputStream in = LlamaCppLibrary.class.getResourceAsStream(RESOURCE + FILE_NAME)) {
            if (in == null) {
                throw ToolException.environment("java-llama.cpp has no " + RESOURCE + FILE_NAME);
            }
            Files.copy(in, directory.resolve(FILE_NAME));
        } catch (final IOException ex) {
            throw ToolException.environment("cannot unpack llama.cpp's library into directory=" + directory + ": " + ex,
                    ex);
        }
    }

    /** Linux keeps a loaded library's content for as long as it is mapped. */
    private static void delete(final Path directory) {
        try {
            Files.deleteIfExists(directory.resolve(FILE_NAME));
            Files.deleteIfExists(directory);
        } catch (final IOException ex) {
            throw ToolException.environment("cannot delete directory=" + directory + ": " + ex, ex);
        }
    }
}
