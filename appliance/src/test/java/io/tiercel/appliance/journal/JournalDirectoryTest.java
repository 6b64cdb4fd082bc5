package io.tiercel.appliance.journal;

import static io.tiercel.appliance.journal.JournalFixture.appendMany;
import static io.tiercel.appliance.journal.JournalFixture.count;
import static io.tiercel.appliance.journal.JournalFixture.settings;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.queue.impl.single.TableStoreWriteLock;
import net.openhft.chronicle.threads.Pauser;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;

class JournalDirectoryTest {

    private static final String SOCKET_PREFIX = "socket:[";

    @TempDir
    private Path directory;
    private final JournalFixture.ManualClock clock = new JournalFixture.ManualClock();

    @Test
    void shouldMakeItsLayoutWhenDirectoryIsNew() throws IOException {
        final Path journalDirectory = directory.resolve("a").resolve("b");
        try (JournalDirectory journal = JournalDirectory.open(journalDirectory, settings(clock))) {
            for (final String name : new String[] {"requests", "outcomes", "bundles", "telemetry"}) {
                assertTrue(Files.isDirectory(journalDirectory.resolve(name)), name);
            }
            assertEquals("pid=" + ProcessHandle.current().pid(),
                    Files.readString(journalDirectory.resolve("lock")).trim());
            assertTrue(Files.readString(journalDirectory.resolve("journal.yaml")).contains("formatVersion: 1"));
            assertEquals(0, journal.report().requestCount());
        }
    }

    @Test
    void shouldRefuseASecondWriterWhenThisProcessWrites() {
        try (JournalDirectory journal = open()) {
            final JournalException ex = assertThrows(JournalException.class, this::open);
            assertTrue(ex.getMessage().contains("pid=" + ProcessHandle.current().pid()), ex.getMessage());
            appendMany(journal, 0, 1);
        }
        assertEquals(1, count(directory));
    }

    @Test
    @Timeout(60)
    void shouldRefuseASecondWriterWhenAnotherProcessWritesAndNotWhenItIsDead() throws Exception {
        final Process holder = launchHolder(0);
        try {
            final BufferedReader out =
                    new BufferedReader(new InputStreamReader(holder.getInputStream(), StandardCharsets.US_ASCII));
            assertEquals("open", out.readLine());
            final JournalException ex = assertThrows(JournalException.class, this::open);
            assertTrue(ex.getMessage().contains("pid=" + holder.pid()), ex.getMessage());
        } finally {
            holder.destroyForcibly();
            holder.waitFor();
        }
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
        }
        assertEquals(10, count(directory));
    }

    @Test
    void shouldHandOnTheLastLineThatWasLeftWhenOtherHoldersHaveLeftNone() {
        try (JournalDirectory journal = open()) {
            journal.leaveNote("an earlier line");
            journal.leaveNote("a line, with ümlaut");
        }
        assertEquals("a line, with ümlaut", noteOf(directory));
        assertEquals("a line, with ümlaut", noteOf(directory));
        assertEquals("", noteOf(directory.resolve("new")));
    }

    private String noteOf(final Path journalDirectory) {
        try (ClaimedJournal claimed = JournalDirectory.claim(journalDirectory, settings(clock))) {
            return claimed.note();
        }
    }

    /** The header of the file lags behind the records then, and no reader may mind. */
    @Test
    @Timeout(60)
    void shouldHoldEverythingThatWasAppendedWhenTheWriterIsKilled() throws Exception {
        final int count = 2_000;
        final Process holder = launchHolder(count);
        final BufferedReader out =
                new BufferedReader(new InputStreamReader(holder.getInputStream(), StandardCharsets.US_ASCII));
        assertEquals("open", out.readLine());
        holder.destroyForcibly();
        holder.waitFor();
        assertEquals(count, count(directory));
        try (SingleChronicleQueue queue = SingleChronicleQueueBuilder.binary(directory.resolve("requests"))
                .rollCycle(RollPeriod.DAILY.rollCycle())
                .readOnly(true)
                .build()) {
            assertEquals(count - 1, queue.rollCycle().toSequenceNumber(queue.lastIndex()));
            assertEquals(count, queue.entryCount());
        }
    }

    @Test
    void shouldRefuseAJournalThatHoldsRecords() {
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 1);
        }
        final JournalException ex = assertThrows(JournalException.class, this::open);
        assertTrue(ex.getMessage().contains("holds records already"), ex.getMessage());
        assertTrue(ex.getMessage().contains(directory.toString()), ex.getMessage());
        assertFalse(ex.getMessage().contains("\n"));
    }

    @Test
    void shouldOpenAJournalAgainWhenItHoldsNoRecords() {
        open().close();
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 5);
        }
        assertEquals(5, count(directory));
    }

    @Test
    void shouldRefuseWhenFormatRollOrDirectoryIsNotOurs() throws IOException {
        open().close();
        assertThrows(JournalException.class,
                () -> JournalDirectory.open(directory, settings(clock).roll(RollPeriod.HOURLY)));
        Files.writeString(directory.resolve("journal.yaml"), "formatVersion: 2\nroll: daily\n");
        final JournalException version = assertThrows(JournalException.class, this::open);
        assertTrue(version.getMessage().contains("formatVersion=2"), version.getMessage());
        assertThrows(JournalException.class, () -> JournalDirectory.openForRead(directory));
        Files.writeString(directory.resolve("journal.yaml"), "formatVersion: [1\n");
        assertThrows(JournalException.class, this::open);
        Files.delete(directory.resolve("journal.yaml"));
        final JournalException stranger = assertThrows(JournalException.class, this::open);
        assertTrue(stranger.getMessage().contains("not a journal"), stranger.getMessage());
    }

    /** In a container the next process has the id of the dead one, so that the mark it left looks alive. */
    @Test
    @Timeout(5)
    void shouldOpenWhenChroniclesLocksAreMarkedAsHeldByAProcessOfTheSameId() {
        open().close();
        try (SingleChronicleQueue queue =
                SingleChronicleQueueBuilder.binary(directory.resolve("requests")).build()) {
            for (final String key : new String[] {"chronicle.write.lock", TableStoreWriteLock.APPEND_LOCK_KEY}) {
                new TableStoreWriteLock(queue.metaStore(), Pauser::balanced, 1_000L, key).lock();
            }
        }
        try (JournalDirectory journal = open()) {
            appendMany(journal, 0, 10);
        }
        assertEquals(10, count(directory));
    }

    @Test
    void shouldKeepACheckedCopyOfEachBundle() throws Exception {
        final byte[] contents = new byte[100_000];
        new Random(1).nextBytes(contents);
        final Path bundle = directory.resolve("model.safetensors");
        Files.write(bundle, contents);
        final String versionHex = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(contents));
        final Path journalDirectory = directory.resolve("journal");
        try (JournalDirectory journal = JournalDirectory.open(journalDirectory, settings(clock))) {
            journal.addBundle(bundle, versionHex);
            journal.addBundle(bundle, versionHex);
            assertThrows(JournalException.class, () -> journal.addBundle(bundle, "00".repeat(32)));
        }
        final JournalView view = JournalDirectory.openForRead(journalDirectory);
        assertArrayEquals(contents, Files.readAllBytes(view.bundle(versionHex)));
        final JournalException ex = assertThrows(JournalException.class, () -> view.bundle("00".repeat(32)));
        assertTrue(ex.getMessage().contains("00".repeat(32)), ex.getMessage());
        try (Stream<Path> list = Files.list(journalDirectory.resolve("bundles"))) {
            assertEquals(1, list.count());
        }
    }

    @Test
    @Timeout(60)
    void shouldPrepareMemoryOnItsOwnThreadWhenTold() {
        final UnsafeBuffer frame = JournalFixture.randomRequest(new Random(2), 500);
        final int count = 30_000;
        try (JournalDirectory journal = JournalDirectory.open(directory, settings(clock).keeperThread(true))) {
            for (int i = 0; i < count; i++) {
                while (!journal.requests().append(i, i, i, frame, frame, 0, frame.capacity())) {
                    Thread.onSpinWait();
                }
            }
        }
        assertEquals(count, count(directory));
    }

    /** In a process of its own, whose home is empty and whose sockets and files can be counted. */
    @Test
    @Timeout(60)
    void shouldOpenNoSocketAndWriteNothingAtHome() throws Exception {
        final Path home = Files.createDirectory(directory.resolve("home"));
        final Process process = launch(home, QuietProcess.class, directory.resolve("journal").toString());
        final List<String> lines = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII)).lines()
                .collect(Collectors.toList());
        assertEquals(0, process.waitFor(), () -> String.join("\n", lines));
        assertEquals(List.of("asked=[] sockets=0"), lines);
        try (Stream<Path> list = Files.list(home)) {
            assertEquals(0, list.count());
        }
    }

    private JournalDirectory open() {
        return JournalDirectory.open(directory, settings(clock));
    }

    private Process launchHolder(final int recordCount) throws IOException {
        return launch(directory, HolderProcess.class, directory.toString(), Integer.toString(recordCount));
    }

    private static Process launch(final Path home, final Class<?> main, final String... arguments)
            throws IOException {
        final List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (final String jvmArgument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (jvmArgument.startsWith("--")) {
                command.add(jvmArgument);
            }
        }
        command.addAll(List.of("-Duser.home=" + home, "-Xmx128m", "-XX:-UsePerfData",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                "-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        final ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put("HOME", home.toString());
        return builder.start();
    }

    /** Writes records, the keeper working after the first only, and holds the journal open until it is killed. */
    static final class HolderProcess {

        private HolderProcess() {
        }

        public static void main(final String[] arguments) throws IOException {
            try (JournalDirectory journal = JournalDirectory.open(
                    Path.of(arguments[0]), settings(new JournalFixture.ManualClock()))) {
                final int recordCount = Integer.parseInt(arguments[1]);
                appendMany(journal, 0, Math.min(1, recordCount));
                JournalFixture.runKeeper(journal);
                appendMany(journal, 1, recordCount - 1);
                System.out.println("open");
                System.out.flush();
                System.in.read();
                System.out.println(journal.report());
            }
        }
    }

    /** Opens, writes, rolls, closes and reads a journal; says what connections it asked for and which it has. */
    static final class QuietProcess {

        private QuietProcess() {
        }

        public static void main(final String[] arguments) throws IOException {
            final List<URI> asked = new CopyOnWriteArrayList<>();
            ProxySelector.setDefault(new RecordingProxySelector(asked));
            final JournalFixture.ManualClock clock = new JournalFixture.ManualClock();
            final Path path = Path.of(arguments[0]);
            try (JournalDirectory journal = JournalDirectory.open(path, settings(clock))) {
                appendMany(journal, 0, 10);
                JournalFixture.rollToNextDay(journal, clock);
                appendMany(journal, 10, 10);
            }
            if (count(path) != 20) {
                System.exit(1);
            }
            System.out.println("asked=" + asked + " sockets=" + internetSocketCount());
        }

        private static long internetSocketCount() throws IOException {
            final List<String> connections = new ArrayList<>();
            for (final String table : new String[] {"tcp", "tcp6", "udp", "udp6"}) {
                final Path file = Path.of("/proc/self/net", table);
                if (Files.exists(file)) {
                    connections.addAll(Files.readAllLines(file));
                }
            }
            long count = 0;
            try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
                for (final Path descriptor : (Iterable<Path>) descriptors::iterator) {
                    final String target =
                            Files.isSymbolicLink(descriptor) ? Files.readSymbolicLink(descriptor).toString() : "";
                    if (target.startsWith(SOCKET_PREFIX)) {
                        final String inode = target.substring(SOCKET_PREFIX.length(), target.length() - 1);
                        count += connections.stream().filter(line -> line.contains(" " + inode + " ")).count();
                    }
                }
            }
            return count;
        }
    }

    /** Every URL connection and every socket asks a proxy selector where to go. */
    private static final class RecordingProxySelector extends ProxySelector {

        private final List<URI> asked;

        private RecordingProxySelector(final List<URI> asked) {
            this.asked = asked;
        }

        @Override
        public List<Proxy> select(final URI uri) {
            asked.add(uri);
            return List.of(Proxy.NO_PROXY);
        }

        @Override
        public void connectFailed(final URI uri, final SocketAddress address, final IOException ex) {
            asked.add(uri);
        }
    }
}
