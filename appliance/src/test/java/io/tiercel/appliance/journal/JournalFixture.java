package io.tiercel.appliance.journal;

import io.tiercel.protocol.journal.OutcomeEncoder;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/** A journal in small: a clock that is set by hand, no thread, 1 MiB blocks; and frames with random contents. */
final class JournalFixture {

    static final long START_NS = TimeUnit.DAYS.toNanos(20_500);

    private static final int META_DATA = 1 << 30;
    private static final String QUEUE_SUFFIX = ".cq4";

    private JournalFixture() {
    }

    static final class ManualClock implements EpochNanoClock {
        private long nowNs = START_NS;

        void advance(final long amount, final TimeUnit unit) {
            nowNs += unit.toNanos(amount);
        }

        @Override
        public long nanoTime() {
            return nowNs;
        }
    }

    static JournalSettings settings(final EpochNanoClock clock) {
        return new JournalSettings()
                .blockBytes(JournalSettings.MIN_BLOCK_BYTES)
                .populateAheadBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .minimumFreeBytes(0)
                .clock(clock)
                .isDurable(false)
                .keeperThread(false);
    }

    static UnsafeBuffer randomModelVersion(final Random random) {
        final byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return new UnsafeBuffer(bytes);
    }

    /** An Infer frame's header and then any bytes. */
    static UnsafeBuffer randomRequest(final Random random, final int frameLength) {
        return randomFrame(
                random, frameLength, InferEncoder.TEMPLATE_ID, InferEncoder.SCHEMA_ID, InferEncoder.SCHEMA_VERSION);
    }

    static UnsafeBuffer randomOutcome(final Random random, final int frameLength) {
        return randomFrame(random, frameLength, OutcomeEncoder.TEMPLATE_ID, OutcomeEncoder.SCHEMA_ID,
                OutcomeEncoder.SCHEMA_VERSION);
    }

    static UnsafeBuffer randomFrame(
            final Random random, final int frameLength, final int templateId, final int schemaId, final int version) {
        final byte[] bytes = new byte[frameLength];
        random.nextBytes(bytes);
        final UnsafeBuffer frame = new UnsafeBuffer(bytes);
        header(frame, templateId, schemaId, version);
        return frame;
    }

    static void header(
            final MutableDirectBuffer frame, final int templateId, final int schemaId, final int version) {
        new MessageHeaderEncoder().wrap(frame, 0)
                .blockLength(InferEncoder.BLOCK_LENGTH)
                .templateId(templateId)
                .schemaId(schemaId)
                .version(version);
    }

    /** Appends, running the keeper whenever the memory ahead is used up. */
    static void append(
            final JournalDirectory journal, final RecordLog log, final long sequence, final UnsafeBuffer frame) {
        final UnsafeBuffer modelVersion = randomModelVersion(new Random(sequence));
        while (!log.append(sequence, 1_000 + sequence, 7, modelVersion, frame, 0, frame.capacity())) {
            journal.keeper().doWork();
        }
    }

    static void appendMany(final JournalDirectory journal, final long from, final int count) {
        final Random random = new Random(from);
        for (int i = 0; i < count; i++) {
            append(journal, journal.requests(), from + i, randomRequest(random, 8 + random.nextInt(400)));
        }
    }

    static void runKeeper(final JournalDirectory journal) {
        while (journal.keeper().doWork() > 0) {
            continue;
        }
    }

    static void appendOutcomes(final JournalDirectory journal, final long from, final int count) {
        final Random random = new Random(from);
        for (int i = 0; i < count; i++) {
            append(journal, journal.outcomes(), from + i, randomOutcome(random, 8 + random.nextInt(400)));
        }
    }

    /** Ends the day: rolls the requests, as a writer with nothing to do would. */
    static void rollToNextDay(final JournalDirectory journal, final ManualClock clock) {
        clock.advance(1, TimeUnit.DAYS);
        runKeeper(journal);
        runKeeper(journal);
        if (journal.requests().onIdle() != 1) {
            throw new AssertionError("there was no roll");
        }
        runKeeper(journal);
    }

    /** Continues a journal behind its last good records. */
    static JournalDirectory resume(final Path directory, final JournalSettings settings) {
        try (ClaimedJournal claimed = JournalDirectory.claim(directory, settings)) {
            final JournalEnd requests = endOf(claimed.view().recoverRequests());
            final JournalEnd outcomes = endOf(claimed.view().recoverOutcomes());
            return claimed.append(requests, outcomes);
        }
    }

    /** Reads all there is, and closes the reader. */
    static JournalEnd endOf(final RecordReader reader) {
        try (reader) {
            while (reader.next()) {
                continue;
            }
            return reader.end();
        }
    }

    /** What the death of its process leaves of a journal that is open: nothing in memory matters but the pages. */
    static void copyLive(final Path from, final Path to) throws IOException {
        for (final Path source : tree(from)) {
            final Path target = to.resolve(from.relativize(source));
            Files.createDirectories(target.getParent());
            Files.copy(source, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Size, time and checksum of each file but the lock, whose text is its holder's. */
    static Map<String, String> contents(final Path root) throws IOException {
        final Map<String, String> contents = new TreeMap<>();
        for (final Path file : tree(root)) {
            if (!file.endsWith(JournalLayout.LOCK)) {
                final CRC32C crc = new CRC32C();
                crc.update(Files.readAllBytes(file));
                contents.put(root.relativize(file).toString(),
                        Files.size(file) + " " + Files.getLastModifiedTime(file) + " " + crc.getValue());
            }
        }
        return contents;
    }

    private static List<Path> tree(final Path root) throws IOException {
        try (Stream<Path> walk = Files.walk(root)) {
            return walk.filter(Files::isRegularFile).collect(Collectors.toList());
        }
    }

    /** Requests that can be read. */
    static int count(final Path directory) {
        int count = 0;
        try (RecordReader reader = JournalDirectory.openForRead(directory).requests()) {
            while (reader.next()) {
                count++;
            }
        }
        return count;
    }

    static List<Path> files(final Path queue) throws IOException {
        try (Stream<Path> list = Files.list(queue)) {
            return list.filter(file -> file.toString().endsWith(QUEUE_SUFFIX)).sorted().collect(Collectors.toList());
        }
    }

    static Path onlyFile(final Path queue) throws IOException {
        final List<Path> files = files(queue);
        if (files.size() != 1) {
            throw new AssertionError(files);
        }
        return files.get(0);
    }

    /** Of the first header word that is not of metadata. */
    static long positionOfFirstRecord(final Path file) throws IOException {
        final UnsafeBuffer bytes = new UnsafeBuffer(Files.readAllBytes(file));
        int position = 0;
        int word = bytes.getInt(0, ByteOrder.LITTLE_ENDIAN);
        while ((word & META_DATA) != 0) {
            position = (int) JournalSegment.align(position + Integer.BYTES + (word & META_DATA - 1));
            word = bytes.getInt(position, ByteOrder.LITTLE_ENDIAN);
        }
        return position;
    }
}
