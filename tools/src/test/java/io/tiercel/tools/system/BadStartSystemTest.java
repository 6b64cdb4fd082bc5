package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What cannot work ends at once, with one line that says what is wrong and where. Journals that something has happened
 * to are in {@link BadJournalSystemTest}.
 */
@Timeout(120)
class BadStartSystemTest {

    @RegisterExtension
    private final Workbench bench = new Workbench();

    private Path bundle;

    @BeforeEach
    void writeBundle() {
        bundle = bench.model(3);
    }

    @Test
    void shouldNameFileLineAndKeyWhenAKeyIsUnknown() {
        final ServeConfig config = config().more("limts:\n  clients: 3\n");
        final String text = config.toString();
        final long line = text.substring(0, text.indexOf("limts:")).lines().count() + 1;
        assertRefused(ExitCode.BAD_ARGUMENTS, serve(config), ".yaml:" + line + ": unknown key limts", "limits");
    }

    @Test
    void shouldNameTheKeyWhenTheLayoutIsUnknown() {
        assertRefused(ExitCode.BAD_ARGUMENTS, serve(config().layout("sideways")), ".yaml:2: layout=sideways",
                "compact");
    }

    @Test
    void shouldNameTheFileWhenThereIsNoConfiguration() {
        final Path file = bench.directory().resolve("nowhere.yaml");
        assertRefused(ExitCode.BAD_ARGUMENTS, bench.run("serve", "--config", file.toString()), file.toString());
    }

    @Test
    void shouldNameTheFileWhenTheBundleIsMissing() throws IOException {
        Files.delete(bundle);
        assertRefused(null, serve(config()), bundle.toString(), "no such file");
    }

    @Test
    void shouldNameTheFileWhenTheBundleIsTruncated() throws IOException {
        final byte[] bytes = Files.readAllBytes(bundle);
        final Path truncated = bench.directory().resolve("truncated.safetensors");
        Files.write(truncated, Arrays.copyOf(bytes, bytes.length / 2));
        assertRefused(ExitCode.ENVIRONMENT, serve(bench.config(truncated)), truncated.toString());
    }

    @Test
    void shouldNameTheHolderWhenTheJournalIsInUse() {
        final ServeConfig config = config().journal(bench.directory().resolve("busy"));
        final TiercelProcess first = bench.serve(config);
        assertRefused(ExitCode.ENVIRONMENT, serve(config),
                "journal is in use by another appliance", config.journal().toString(), "pid=" + first.pid());

        final ServeConfig otherJournal = config().journal(bench.directory().resolve("beside"));
        assertRefused(ExitCode.ENVIRONMENT, serve(otherJournal),
                "aeron.directory=" + bench.aeronDirectory() + " is in use", "pid=" + first.pid());

        assertTrue(first.isAlive(), first::toString);
        assertEquals(0, first.terminate(), first::toString);
    }

    @Test
    void shouldNameTheDirectoryWhenTheJournalIsAFile() throws IOException {
        final Path file = Files.createFile(bench.directory().resolve("plain-file"));
        assertRefused(ExitCode.ENVIRONMENT, serve(config().journal(file)), file.toString());
    }

    @Test
    void shouldNameTheDirectoryWhenTheJournalCannotBeWritten() throws IOException {
        Workbench.assumeThat(!"root".equals(System.getProperty("user.name")), "running as root");
        final Path locked = Files.createDirectory(bench.directory().resolve("locked"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-xr-xr-x")));
        assertRefused(ExitCode.ENVIRONMENT, serve(config().journal(locked.resolve("journal"))), locked.toString());
    }

    @Test
    void shouldNameTheChannelWhenItsPortIsBad() {
        final ServeConfig config = config().channel("aeron:udp?endpoint=localhost:99999");
        assertRefused(null, serve(config), "aeron.request-channel", "99999");
    }

    @Test
    void shouldNameTheArgumentWhenACommandLineIsBad() {
        assertRefused(ExitCode.BAD_ARGUMENTS, bench.run("load", "--rate", "abc"), "--rate", "abc");
        assertRefused(ExitCode.BAD_ARGUMENTS, bench.run("demo", "--layout", "sideways"), "--layout=sideways");
        assertRefused(ExitCode.BAD_ARGUMENTS, bench.run("serve"), "--config");
        assertRefused(ExitCode.BAD_ARGUMENTS, bench.run("serv"), "serv");
        assertRefused(ExitCode.ENVIRONMENT,
                bench.run("load", "--aeron-dir", "/nonexistent/aeron"), "/nonexistent/aeron");
    }

    private ServeConfig config() {
        return bench.config(bundle);
    }

    private TiercelProcess serve(final ServeConfig config) {
        return bench.run("serve", "--config", bench.write(config).toString());
    }

    /** @param exitCode null for any that is not 0. */
    private static void assertRefused(final Integer exitCode, final TiercelProcess process, final String... parts) {
        final int actual = process.awaitExit();
        assertTrue(exitCode == null ? actual != ExitCode.OK : actual == exitCode, process::toString);
        final List<String> missing = new ArrayList<>(List.of(parts));
        assertEquals(1, process.err().size(), () -> "one line on standard error\n" + process);
        missing.removeIf(part -> process.err().get(0).contains(part));
        assertEquals(List.of(), missing, () -> "not in the message\n" + process);
    }
}
