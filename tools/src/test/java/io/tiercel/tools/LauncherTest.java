package io.tiercel.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shipped script in a checkout of its own, with a java and an mvn that only say how they were called. */
class LauncherTest {

    private static final String FAKE_JAVA = """
            #!/bin/sh
            for argument in "$@"; do
              case $argument in
                -XX:ArchiveClassesAtExit=*) echo archived >"${argument#*=}"; exit "${ARCHIVE_RESULT:-0}" ;;
              esac
            done
            echo "telemetry off: $ORT_DISABLE_TELEMETRY"
            echo "class path: $CLASSPATH"
            printf 'java <%s>\\n' "$@"
            exit 7
            """;
    private static final String FAKE_MVN = """
            #!/bin/sh
            echo "mvn $*"
            echo x >>mvn.calls
            [ -z "$MVN_FAILS" ] || { echo 'a reason'; exit 1; }
            mkdir -p tools/target/tiercel/lib
            : >tools/target/tiercel/lib/tiercel-tools-1.jar
            : >tools/target/tiercel/lib/a.jar
            """;

    @TempDir
    private Path directory;

    private Path root;
    private Path javaHome;
    private Path launcher;

    @BeforeEach
    void createCheckout() throws IOException {
        root = directory.toRealPath().resolve("check out");
        javaHome = directory.resolve("jdk");
        launcher = root.resolve("tools/tiercel");
        Files.createDirectories(root.resolve("tools/src/main"));
        Files.createDirectories(root.resolve("protocol/src/main"));
        Files.writeString(root.resolve("pom.xml"), "<project/>");
        Files.copy(Path.of("tiercel"), launcher);
        executable(directory.resolve("bin/mvn"), FAKE_MVN);
        executable(javaHome.resolve("bin/java"), FAKE_JAVA);
        executable(javaHome.resolve("bin/javac"), "");
        javaVersion("17.0.15");
    }

    @Test
    void shouldBuildWhatIsMissingThenBecomeTheCommand() throws Exception {
        final Result first = run("demo", "a b", "");
        assertEquals(7, first.exitCode, first.output);
        assertTrue(first.output.contains("tiercel: building"), first.output);
        assertTrue(first.output.contains("class path: " + root + "/tools/target/tiercel/lib/a.jar:" + root
                + "/tools/target/tiercel/lib/tiercel-tools-1.jar\n"), first.output);
        assertTrue(first.output.endsWith("java <io.tiercel.tools.TiercelCommand>\njava <demo>\njava <a b>\njava <>\n"),
                first.output);
        assertTrue(first.output.contains("<@" + root + "/tools/target/tiercel/jvm.options>"), first.output);
        assertFalse(first.output.contains("sun-misc-unsafe"), first.output);

        final Result second = run("demo");
        assertFalse(second.output.contains("tiercel:"), second.output);
        assertTrue(second.output.contains("java <-XX:SharedArchiveFile="), second.output);
        assertEquals(1, buildCount());
    }

    @Test
    void shouldBuildAgainWhenASourceIsNewer() throws Exception {
        run();
        final Path source = Files.createFile(root.resolve("protocol/src/main/A.java"));
        Files.setLastModifiedTime(source, FileTime.from(builtSeconds() + 10, TimeUnit.SECONDS));
        Files.setLastModifiedTime(source.getParent(), FileTime.from(builtSeconds() - 10, TimeUnit.SECONDS));
        assertEquals(7, run(Map.of("TIERCEL_NO_BUILD", "1")).exitCode);
        assertEquals(1, buildCount());
        assertEquals(7, run().exitCode);
        assertEquals(2, buildCount());
    }

    @Test
    void shouldShowTheLogWhenTheBuildFails() throws Exception {
        final Result result = run(Map.of("MVN_FAILS", "1"));
        assertEquals(3, result.exitCode, result.output);
        assertTrue(result.output.contains("a reason\ntiercel: the build failed; log="), result.output);
        assertEquals(7, run().exitCode);
    }

    @Test
    void shouldRunWithoutTheArchiveWhenItCannotBeMade() throws Exception {
        final Result result = run(Map.of("ARCHIVE_RESULT", "1"), "serve");
        assertEquals(7, result.exitCode, result.output);
        assertFalse(result.output.contains("SharedArchiveFile"), result.output);
        final Result second = run("serve");
        assertFalse(second.output.contains("tiercel:"), "not tried again: " + second.output);
    }

    @Test
    void shouldWorkThroughSymbolicLinksAndFromAnyFolder() throws Exception {
        final Path bin = Files.createDirectories(directory.resolve("links"));
        Files.createSymbolicLink(bin.resolve("one"), launcher);
        Files.createSymbolicLink(bin.resolve("two"), Path.of("one"));
        launcher = bin.resolve("two");
        final Result result = run();
        assertEquals(7, result.exitCode, result.output);
        assertTrue(result.output.contains(root + "/tools/target/tiercel/lib/a.jar"), result.output);
    }

    @Test
    void shouldNameTheJavaWhenItIsTooOldOrNotThere() throws Exception {
        javaVersion("11.0.2");
        final Result old = run();
        assertEquals(3, old.exitCode);
        assertEquals("tiercel: java=" + javaHome + "/bin/java version=11: Java 17 or later is needed\n", old.output);
        javaVersion("1.8.0_402");
        assertTrue(run().output.contains("version=8:"));
        final Result none = run(Map.of("JAVA_HOME", "/nowhere"));
        assertEquals("tiercel: JAVA_HOME=/nowhere has no bin/java\n", none.output);
    }

    @Test
    void shouldTakeThePackagesOwnJavaWhenNoOtherIsNamed() throws Exception {
        final Path own = root.resolve("jre");
        executable(own.resolve("bin/java"), FAKE_JAVA.replace("exit 7", "exit 9"));
        executable(own.resolve("bin/javac"), "");
        Files.writeString(own.resolve("release"), "JAVA_VERSION=\"17.0.15\"\n");
        assertEquals(9, run(Map.of("JAVA_HOME", "")).exitCode);
        assertEquals(7, run().exitCode, "JAVA_HOME comes first");
    }

    @Test
    void shouldForbidThePeerToSendUsageDataWhateverTheCallerSays() throws Exception {
        final Result result = run(Map.of("ORT_DISABLE_TELEMETRY", "0"), "bench");
        assertTrue(result.output.contains("telemetry off: 1\n"), result.output);
    }

    @Test
    void shouldGiveTheEngineBenchmarkALargeHeapAndTheOthersATouchedOne() throws Exception {
        final Result engine = run("bench", "engine");
        assertTrue(engine.output.contains("java <-Xmx1g>\n"), engine.output);
        assertFalse(engine.output.contains("AlwaysPreTouch"), engine.output);
        for (final String command : List.of("bench journal", "bench", "demo", "serve --config x", "load")) {
            final Result other = run(command.split(" "));
            assertTrue(other.output.contains("java <-Xmx256m>\njava <-XX:+AlwaysPreTouch>\n"), other.output);
        }
        assertFalse(run("backends").output.contains("-Xmx"), "of a command that takes no part in a measurement");
    }

    @Test
    void shouldQuietenAJavaThatWarns() throws Exception {
        javaVersion("25");
        final Result result = run();
        assertTrue(result.output.contains("java <--sun-misc-unsafe-memory-access=allow>"), result.output);
    }

    private Result run(final String... arguments) throws Exception {
        return run(Map.of(), arguments);
    }

    private Result run(final Map<String, String> environment, final String... arguments) throws Exception {
        final List<String> command = new ArrayList<>(List.of("bash", launcher.toString()));
        command.addAll(List.of(arguments));
        final Path output = directory.resolve("output");
        final ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("TIERCEL_") || name.startsWith("GIT_"));
        builder.environment().put("JAVA_HOME", javaHome.toString());
        builder.environment().put("PATH", directory.resolve("bin") + ":" + System.getenv("PATH"));
        builder.environment().putAll(environment);
        final Process process = builder.start();
        process.getOutputStream().close();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the launcher hangs");
        return new Result(process.exitValue(), Files.readString(output));
    }

    private void javaVersion(final String version) throws IOException {
        Files.writeString(javaHome.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
    }

    private long buildCount() throws IOException {
        return Files.readAllLines(root.resolve("mvn.calls")).size();
    }

    private long builtSeconds() throws IOException {
        return Files.getLastModifiedTime(root.resolve("tools/target/tiercel/built")).to(TimeUnit.SECONDS);
    }

    private static void executable(final Path file, final String content) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private record Result(int exitCode, String output) {
    }
}
