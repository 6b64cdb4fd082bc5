package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The journal's file system has no more room, or cannot be written at all. */
@Timeout(120)
class FullDiskSystemTest {

    /** The journal's own, so that the machine keeps room for what an operator has to do. */
    private static final long MIN_FREE_BYTES = 64 << 20;

    @RegisterExtension
    private final Workbench bench = new Workbench();

    @Test
    void shouldRefuseWithAReasonWhenSpaceRunsLow() throws IOException, InterruptedException {
        shouldRefuse(MIN_FREE_BYTES - (4 << 20));
    }

    @Test
    void shouldRefuseWithAReasonWhenNotAByteIsLeft() throws IOException, InterruptedException {
        shouldRefuse(0);
    }

    @Test
    void shouldRefuseWhileSpaceIsLowAndAnswerAgainAfterwards() throws IOException, InterruptedException {
        final Path disk = mount("320m");
        final ServeConfig config = bench.config(bench.model(6)).journal(disk.resolve("journal")).refuseFree("192m");
        final TiercelProcess appliance = bench.serve(config);
        final TiercelProcess client = bench.client("desk-1", "--until-refused", "true");
        client.awaitLine("answered=500 ");
        final Path taken = disk.resolve("somebody-elses-file");
        fill(taken, MIN_FREE_BYTES + (96 << 20)); // more than is journaled before somebody looks
        assertEquals(0, client.awaitExit(), client::toString);
        assertTrue(client.awaitLine("refused ").startsWith("refused code=JOURNAL_SPACE_LOW"), client::toString);
        Files.delete(taken);
        assertTrue(isAnsweredSoon(), appliance::toString);
        assertEquals(ExitCode.OK, appliance.terminate(), appliance::toString);
        assertTrue(appliance.awaitLine("stopped: ").endsWith("drained=true"), appliance::toString);
    }

    @Test
    void shouldNotStartWhenThereIsTooLittleSpace() throws IOException, InterruptedException {
        final Path disk = mount("16m");
        final ServeConfig config = bench.config(bench.model(8)).journal(disk.resolve("journal"));
        final TiercelProcess appliance = bench.run("serve", "--config", bench.write(config).toString());
        assertEquals(ExitCode.ENVIRONMENT, appliance.awaitExit(), appliance::toString);
        assertEquals(1, appliance.err().size(), appliance::toString);
        assertTrue(appliance.err().get(0).contains("journal cannot be written: the file system is full, or nearly"),
                appliance::toString);
    }

    @Test
    void shouldNotStartWhenTheFileSystemIsReadOnly() throws IOException, InterruptedException {
        final Path disk = mount("16m,ro");
        final ServeConfig config = bench.config(bench.model(9)).journal(disk.resolve("journal"));
        final TiercelProcess appliance = bench.run("serve", "--config", bench.write(config).toString());
        assertEquals(ExitCode.ENVIRONMENT, appliance.awaitExit(), appliance::toString);
        assertEquals(1, appliance.err().size(), appliance::toString);
        assertTrue(appliance.err().get(0).contains("Read-only file system"), appliance::toString);
        assertTrue(appliance.err().get(0).contains("directory=" + config.journal()), appliance::toString);
    }

    /** Somebody else's file takes the space, all but this. */
    private void shouldRefuse(final long leftBytes) throws IOException, InterruptedException {
        final Path disk = mount("128m");
        final ServeConfig config = bench.config(bench.model(6)).journal(disk.resolve("journal"));
        final TiercelProcess appliance = bench.serve(config);
        final TiercelProcess client = bench.client("desk-1", "--until-refused", "true");
        client.awaitLine("answered=500 ");
        fill(disk.resolve("somebody-elses-file"), leftBytes);
        assertRefuses(config, appliance, client);
    }

    /** The appliance looks at the space twice a second; a client takes about as long to start. */
    private boolean isAnsweredSoon() throws IOException, InterruptedException {
        for (int attempt = 0; attempt < 20; attempt++) {
            final TiercelProcess client =
                    bench.client("later-" + attempt, "--requests", "1", "--until-refused", "true");
            assertEquals(0, client.awaitExit(), client::toString);
            if (client.awaitLine("done ").startsWith("done answered=1 ")) {
                return true;
            }
        }
        return false;
    }

    private void assertRefuses(
            final ServeConfig config, final TiercelProcess appliance, final TiercelProcess client) {
        assertEquals(0, client.awaitExit(), client::toString);
        assertTrue(client.awaitLine("refused ").startsWith("refused code=JOURNAL_UNAVAILABLE"), client::toString);
        assertTrue(appliance.awaitErrorLine("failed: ").contains("journal cannot be written"), appliance::toString);

        final TiercelProcess next = bench.client("desk-2", "--until-refused", "true");
        assertEquals(0, next.awaitExit(), next::toString);
        assertEquals(List.of("done answered=0 sequence=-1"), next.out("done "), "nothing is answered from here on");

        assertTrue(appliance.isAlive(), appliance::toString);
        assertEquals(ExitCode.ENVIRONMENT, appliance.terminate(), appliance::toString);
        assertSaysWhetherItDrained(appliance);
        assertEquals(1, ownErrors(appliance).count(), () -> "one line\n" + appliance);
        assertAnsweredIsJournaled(config, SystemClient.valueOf(client.awaitLine("done "), "sequence="));
    }

    /** The JVM's own log is on the full file system too; whether it had anything to say meanwhile is chance. */
    private static Stream<String> ownErrors(final TiercelProcess appliance) {
        return appliance.err().stream().filter(line -> !(line.startsWith("Could not ") && line.contains("jvm.log")));
    }

    /** Whether a request was under way at the moment of the failure is chance; what is said of it is not. */
    private static void assertSaysWhetherItDrained(final TiercelProcess appliance) {
        final String stopped = appliance.awaitLine("stopped: ");
        final boolean isAllRecorded =
                SystemClient.valueOf(stopped, "taken=") == SystemClient.valueOf(stopped, "recorded=");
        assertTrue(stopped.endsWith("drained=" + isAllRecorded), appliance::toString);
    }

    private void assertAnsweredIsJournaled(final ServeConfig config, final long answeredSequence) {
        final String journal = config.journal().toString();
        final TiercelProcess replay = bench.run("replay", "verify", "--journal", journal, "--allow-open-tail");
        assertEquals(ExitCode.OK, replay.awaitExit(), replay::toString);
        final TiercelProcess dump = bench.run("journal", "dump", "--journal", journal, "--queue", "requests",
                "--format", "csv", "--from", Long.toString(answeredSequence), "--limit", "1");
        assertEquals(ExitCode.OK, dump.awaitExit(), dump::toString);
        assertTrue(dump.out().get(1).startsWith(answeredSequence + ","), dump::toString);
    }

    private Path mount(final String options) throws IOException, InterruptedException {
        final Path folder = Files.createDirectory(bench.directory().resolve("disk"));
        Workbench.assumeThat(command("mount", "-t", "tmpfs", "-o", "size=" + options, "tmpfs", folder.toString()),
                "a small file system cannot be mounted here (root may)");
        bench.atEnd(() -> {
            try {
                assertTrue(command("umount", folder.toString()), "cannot unmount " + folder);
            } catch (final IOException | InterruptedException ex) {
                throw new AssertionError(ex);
            }
        });
        return folder;
    }

    private static boolean command(final String... words) throws IOException, InterruptedException {
        try {
            final Process process = new ProcessBuilder(words)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (final IOException ex) {
            return false; // there is no such command
        }
    }

    private static void fill(final Path file, final long leftBytes) throws IOException {
        final byte[] bytes = new byte[1 << 16];
        try (var out = Files.newOutputStream(file)) {
            while (file.toFile().getUsableSpace() > leftBytes) {
                out.write(bytes);
            }
        } catch (final IOException ex) {
            assertTrue(leftBytes == 0 && ex.getMessage().contains("No space left"), ex.toString());
        }
    }
}
