package io.tiercel.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The shipped {@code ops/install.sh} and what it installs, below a temporary root. The packages are real but for the
 * program, which does nothing; {@code ops/rehearse-upgrade.sh} does the same with a real one.
 */
class InstallTest {

    private static final String OPS = "../ops/";
    private static final String RUNS = "#!/bin/sh\n";
    private static final String FAILS = "#!/bin/sh\necho 'no such kernel' >&2\nexit 3\n";

    @TempDir
    private Path directory;

    private Path root;
    private Path java;

    @BeforeEach
    void makeRoot() throws IOException {
        root = Files.createDirectory(directory.toRealPath().resolve("root"));
        java = directory.resolve("jdk");
        executable(java.resolve("bin/java"), RUNS);
    }

    @Test
    void shouldPackWhatRunsAndWhatInstallsIt() throws Exception {
        final Path one = newPackage("1.0-one", RUNS);
        assertEquals("1.0-one\n", Files.readString(one.resolve("VERSION")));
        try (Stream<Path> files = Files.walk(one.resolve("tools/target"))) {
            assertEquals(List.of("built", "jvm.options", "tiercel-tools-1.jar"), files.filter(Files::isRegularFile)
                    .map(path -> path.getFileName().toString()).sorted().toList());
        }
        assertTrue(Files.isExecutable(one.resolve("ops/install.sh")));
        final Path script = directory.resolve("checkouts/1.0-one/tools/package.sh");
        assertRefused(run(List.of("bash", script.toString(), one.toString())), "is there already");
        assertEquals(2, run(List.of("bash", script.toString())).exitCode);
        final Path archive = directory.resolve("one.tar.gz");
        assertDone(run(List.of("bash", script.toString(), archive.toString())));
        final Result list = run(List.of("tar", "tzf", archive.toString()));
        assertTrue(list.output.contains("tiercel-1.0-one/tools/target/tiercel/lib/duck.so\n"), list.output);
    }

    @Test
    void shouldLayOutEverythingAndChangeNothingTheSecondTime() throws Exception {
        final Path one = newPackage("1.0-one", RUNS);
        assertDone(install(one));
        assertEquals("1.0-one", link("current"));
        assertFalse(Files.exists(versions().resolve("previous")));
        assertEquals("/opt/tiercel/current/tools/tiercel",
                Files.readSymbolicLink(root.resolve("usr/local/bin/tiercel")).toString());
        assertMode("rwx------", "etc/tiercel/keys");
        assertMode("rwx------", "var/lib/tiercel");
        assertMode("rw-r-----", "etc/tiercel/tiercel.yaml");
        assertTrue(text("etc/tiercel/environment").contains("JAVA_HOME=" + java + "\n"));
        for (final String unit : List.of("tiercel", "tiercel-exporter", "tiercel-probe")) {
            assertEquals(Files.readString(Path.of(OPS + "systemd/" + unit + ".service")),
                    text("etc/systemd/system/" + unit + ".service"));
        }
        assertTrue(Files.exists(root.resolve("etc/sysctl.d/60-tiercel.conf")));
        assertFalse(Files.exists(root.resolve("etc/default")), "without --isolate");

        final List<String> before = everything();
        assertDone(install(one));
        assertEquals(before, everything());
    }

    @Test
    void shouldMendModesAndUnitsAndLeaveConfigurationsAlone() throws Exception {
        final Path one = newPackage("1.0-one", RUNS);
        assertDone(install(one));
        Files.setPosixFilePermissions(root.resolve("etc/tiercel/keys"), PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(root.resolve("etc/systemd/system/tiercel.service"), "[Service]\n");
        Files.writeString(root.resolve("etc/tiercel/tiercel.yaml"), "name: mine\n");
        assertDone(install(one, "--isolate", "2-5,7"));
        assertMode("rwx------", "etc/tiercel/keys");
        assertTrue(text("etc/systemd/system/tiercel.service").contains("ExecStart=/opt/tiercel/current/"));
        assertEquals("name: mine\n", text("etc/tiercel/tiercel.yaml"));
        final String commandLine = text("etc/default/grub.d/60-tiercel.cfg");
        assertTrue(commandLine.contains("isolcpus=managed_irq,domain,2-5,7\""), commandLine);
        assertTrue(commandLine.contains("nohz_full=2-5,7 rcu_nocbs=2-5,7\""), commandLine);
        assertFalse(commandLine.contains("@"), commandLine);
    }

    @Test
    void shouldSwitchToTheNewVersionAndBackAndForward() throws Exception {
        assertDone(install(newPackage("1.0-one", RUNS)));
        final Path two = newPackage("1.0-two", RUNS);
        assertRefused(install(two), "current=1.0-one: install.sh --upgrade");
        assertEquals("1.0-one", link("current"));

        assertDone(install(two, "--upgrade"));
        assertEquals(List.of("1.0-two", "1.0-one"), List.of(link("current"), link("previous")));
        assertDone(install(two, "--upgrade"));
        assertEquals(List.of("1.0-two", "1.0-one"), List.of(link("current"), link("previous")), "once more");

        final Path installed = versions().resolve("current");
        assertDone(install(installed, "--roll-back"));
        assertEquals(List.of("1.0-one", "1.0-two"), List.of(link("current"), link("previous")));
        assertDone(install(installed, "--roll-back"));
        assertEquals(List.of("1.0-two", "1.0-one"), List.of(link("current"), link("previous")));
    }

    @Test
    void shouldGoOnWithTheOldVersionWhenTheNewOneDoesNotRun() throws Exception {
        assertDone(install(newPackage("1.0-one", RUNS)));
        assertRefused(install(newPackage("1.0-two", FAILS), "--upgrade"), "version=1.0-two does not run with java=");
        assertEquals("1.0-one", link("current"));
        try (Stream<Path> versions = Files.list(versions())) {
            assertEquals(List.of("1.0-one", "current"),
                    versions.map(path -> path.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void shouldNotGoBackToAVersionThatDoesNotRunAnyMore() throws Exception {
        final Path one = newPackage("1.0-one", RUNS);
        executable(one.resolve("jre/bin/java"), RUNS);
        assertDone(run(List.of("bash", one.resolve("ops/install.sh").toString(), "--root", root.toString(), "--java",
                "/opt/tiercel/current/jre")));
        final Path two = newPackage("1.0-two", RUNS);
        final List<String> upgrade = List.of(
                "bash", two.resolve("ops/install.sh").toString(), "--root", root.toString(), "--upgrade");
        assertRefused(run(upgrade), "version=1.0-two finds no java in /opt/tiercel/current/jre ");
        executable(two.resolve("jre/bin/java"), RUNS);
        assertDone(run(upgrade));
        Files.delete(versions().resolve("1.0-one/jre/bin/java"));
        assertRefused(run(List.of("bash", two.resolve("ops/install.sh").toString(), "--root", root.toString(),
                "--roll-back")), "version=1.0-one finds no java in /opt/tiercel/current/jre ");
        assertEquals(List.of("1.0-two", "1.0-one"), List.of(link("current"), link("previous")));
    }

    @Test
    void shouldSayWhyThereIsNothingToInstallOrToGoBackTo() throws Exception {
        final Path one = newPackage("1.0-one", RUNS);
        assertRefused(install(one, "--upgrade"), "nothing is installed in ");
        assertDone(install(one));
        assertRefused(install(one, "--roll-back"), "there is no version before 1.0-one");
        Files.delete(one.resolve("VERSION"));
        assertRefused(install(one), "is no package: make one with tools/package.sh");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--isolate two", "--isolate", "--nonsense", "--root /nowhere", "--java"})
    void shouldRefuseBadArguments(final String arguments) throws Exception {
        final Result result = install(newPackage("1.0-one", RUNS), arguments.split(" "));
        assertEquals(2, result.exitCode, result.output);
        assertEquals(List.of(), everything());
    }

    /** A warning is a directive that systemd would ignore. */
    @Test
    void shouldInstallUnitsThatSystemdUnderstands() throws Exception {
        if (Stream.of(System.getenv("PATH").split(":"))
                .noneMatch(folder -> Files.isExecutable(Path.of(folder, "systemd-analyze")))) {
            System.out.println("not run: systemd-analyze verify: it is not on this machine");
            Assumptions.abort("not run: systemd-analyze is not on this machine");
        }
        assertDone(install(newPackage("1.0-one", RUNS)));
        final Path units = Files.createDirectory(directory.resolve("units"));
        final List<String> command = new ArrayList<>(List.of("systemd-analyze", "verify", "--man=no"));
        for (final String unit : List.of("tiercel", "tiercel-exporter", "tiercel-probe")) {
            final Path copy = units.resolve(unit + ".service");
            // It looks for the program where the unit says that it is.
            Files.writeString(copy, text("etc/systemd/system/" + unit + ".service")
                    .replace("=/opt/tiercel/", "=" + versions() + "/"));
            command.add(copy.toString());
        }
        final Result result = run(command);
        assertEquals(0, result.exitCode, result.output);
        assertEquals("", result.output);
    }

    /** Packed by the shipped script, in a checkout of its own. */
    private Path newPackage(final String version, final String program) throws Exception {
        final Path checkout = directory.resolve("checkouts").resolve(version);
        executable(checkout.resolve("tools/tiercel"), "#!/bin/sh\necho tiercel " + version.replace("-", " commit ") +
                "\necho OpenJDK\n");
        final Path built = checkout.resolve("tools/target/tiercel");
        for (final String file : List.of("jvm.options", "built", "build.log", "lib/tiercel-tools-1.jar",
                "lib/duck.so")) {
            Files.createDirectories(built.resolve(file).getParent());
            Files.writeString(built.resolve(file), file);
        }
        copy(Path.of("package.sh"), checkout.resolve("tools/package.sh"));
        Files.writeString(checkout.resolve("LICENSE"), "free");
        for (final String part : List.of("install.sh", "INSTALL.md", "systemd", "host", "etc")) {
            copy(Path.of(OPS + part), checkout.resolve("ops").resolve(part));
        }
        final Path made = Files.createDirectories(directory.resolve("packages")).resolve(version);
        assertDone(run(List.of("bash", checkout.resolve("tools/package.sh").toString(), "--without", "duck",
                made.toString())));
        executable(made.resolve("tools/tiercel"), program);
        return made;
    }

    private static void copy(final Path from, final Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (final Path file : files.toList()) {
                final Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                if (Files.isRegularFile(file)) {
                    Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
    }

    private Result install(final Path from, final String... arguments) throws Exception {
        final List<String> command = new ArrayList<>(
                List.of("bash", from.resolve("ops/install.sh").toString(), "--root", root.toString(), "--java",
                        java.toString()));
        command.addAll(List.of(arguments));
        return run(command);
    }

    private Result run(final List<String> command) throws Exception {
        final Path output = directory.resolve("output");
        final ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        final Process process = builder.start();
        process.getOutputStream().close();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), command + " hangs");
        return new Result(process.exitValue(), Files.readString(output));
    }

    private static void assertDone(final Result result) {
        assertEquals(0, result.exitCode, result.output);
    }

    private static void assertRefused(final Result result, final String why) {
        assertEquals(3, result.exitCode, result.output);
        assertTrue(result.output.contains(why), result.output);
    }

    private void assertMode(final String permissions, final String path) throws IOException {
        assertEquals(permissions, PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve(path))));
    }

    private Path versions() {
        return root.resolve("opt/tiercel");
    }

    private String link(final String name) throws IOException {
        return Files.readSymbolicLink(versions().resolve(name)).toString();
    }

    private String text(final String path) throws IOException {
        return Files.readString(root.resolve(path));
    }

    /** Each path with its mode, and when it was written if it is a file. */
    private List<String> everything() throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            final List<String> found = new ArrayList<>();
            for (final Path file : files.filter(path -> !path.equals(root)).sorted().toList()) {
                found.add(root.relativize(file) + " " + (Files.isSymbolicLink(file)
                        ? Files.readSymbolicLink(file)
                        : Files.getPosixFilePermissions(file) +
                                (Files.isRegularFile(file) ? " " + Files.getLastModifiedTime(file) : "")));
            }
            return found;
        }
    }

    private static void executable(final Path file, final String content) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private record Result(int exitCode, String output) {
    }
}
