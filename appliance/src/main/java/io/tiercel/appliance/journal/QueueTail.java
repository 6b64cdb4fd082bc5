package io.tiercel.appliance.journal;

import net.openhft.chronicle.wire.Wires;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The end of a queue that is to be continued: first checked, then cleaned, before Chronicle opens it. Written through
 * a channel and not through a mapping, so that a full disk is an exception and not a SIGBUS.
 *
 * <p>The order of its writes is such that a process that dies between any two of them leaves a queue with the same end:
 * Chronicle's header stops naming a torn record before that record's word is cleared, and an end-of-file mark has its
 * note before its word.
 *
 * <p>One thread, once.
 */
final class QueueTail {

    /** What Chronicle writes behind its end-of-file mark, a length and three letters. */
    static final byte[] END_OF_FILE_NOTE = "\3EOF".getBytes(StandardCharsets.US_ASCII);

    private static final int ZEROS_LENGTH = 64 << 10;

    private final Path directory;
    private final JournalSettings settings;
    private final JournalEnd end;
    private final long nowMs;
    private final int cycle;
    private final ByteBuffer bytes = QueueFile.newBuffer();

    QueueTail(final Path directory, final JournalSettings settings, final JournalEnd end) {
        this.directory = directory;
        this.settings = settings;
        this.end = end;
        nowMs = TimeUnit.NANOSECONDS.toMillis(settings.clock().nanoTime());
        cycle = settings.roll().cycleAt(nowMs);
    }

    JournalEnd end() {
        return end;
    }

    /** What time it was when this was made: the queue is opened as of then. */
    long nowMs() {
        return nowMs;
    }

    /** Of the file to write now. */
    int cycle() {
        return cycle;
    }

    /** Whether the file to write now is the one that holds the last record. */
    boolean isInCycle() {
        return end.file() != null && cycleOf(end.file()) == cycle;
    }

    /** Whether the last record is in an older file, whose header Chronicle has not been told all of. */
    boolean isBeforeCycle() {
        return end.file() != null && cycleOf(end.file()) < cycle;
    }

    int endCycle() {
        return cycleOf(end.file());
    }

    /** @throws JournalException if the queue cannot be continued there, or not now. Changes nothing. */
    void check() {
        try {
            for (final Path file : files()) {
                check(file);
            }
        } catch (final IOException ex) {
            throw new JournalException("journal cannot be continued: directory=" + directory + " " + ex, ex);
        }
        if (end.file() != null && !Files.isRegularFile(end.file())) {
            throw new JournalException("journal cannot be continued: there is no file=" + end.file());
        }
    }

    /** Clears what a dead writer left behind the end, and ends the files that are not written any more. */
    void cut() throws IOException {
        if (end.file() != null) {
            clear();
        }
        for (final Path file : files()) {
            if (isAtOrBehindEnd(file) && cycleOf(file) < cycle) {
                leave(file);
            }
        }
    }

    private void check(final Path file) throws IOException {
        if (!isAtOrBehindEnd(file)) {
            return;
        }
        if (!isEnd(file) && isBegun(file)) {
            throw new JournalException("journal cannot be continued: there are records behind its end: file=" + file +
                    " end: " + end);
        }
        if (isEnd(file) && cycleOf(file) > cycle) {
            throw new JournalException("clock has gone backwards: file=" + file + " fileBegins=" + startOf(file) +
                    " clock=" + Instant.ofEpochMilli(nowMs));
        }
        if (cycleOf(file) == cycle && isEnded(file)) {
            throw new JournalException("journal file is ended, and its period is not: the clock has gone backwards, " +
                    "or was ahead: file=" + file + " fileBegins=" + startOf(file) +
                    " clock=" + Instant.ofEpochMilli(nowMs));
        }
    }

    private void clear() throws IOException {
        try (FileChannel channel = FileChannel.open(end.file(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            QueueFile.withdrawClaim(channel, end.position(), end.lastPosition());
            clear(channel);
            force(channel);
        }
    }

    private void clear(final FileChannel channel) throws IOException {
        final ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS_LENGTH);
        final long to = Math.min(end.position() + end.tornBytes(), channel.size());
        long at = end.position();
        while (at < to) {
            zeros.clear().limit((int) Math.min(ZEROS_LENGTH, to - at));
            at += channel.write(zeros, at);
        }
    }

    /** Tells readers to go on to the next file. One that was prepared, died and was never used is not in their way. */
    private void leave(final Path file) throws IOException {
        if (!isEnd(file) && TailScan.of(file, 0, 0).dirtyBytes() == 0) {
            Files.delete(file);
            return;
        }
        final long position = endOf(file);
        if (position >= 0) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                write(channel, ByteBuffer.wrap(END_OF_FILE_NOTE), position + Integer.BYTES);
                write(channel, ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(0, Wires.END_OF_DATA), position);
                force(channel);
            }
        }
    }

    /** @return where the end-of-file mark belongs, or -1 if there is one. */
    private long endOf(final Path file) throws IOException {
        try (QueueFile queueFile = QueueFile.open(file, bytes)) {
            if (isEnd(file)) {
                queueFile.moveTo(end.position());
            }
            return queueFile.next() == QueueFile.Found.END_OF_FILE ? -1 : queueFile.nextPosition();
        }
    }

    private boolean isEnded(final Path file) throws IOException {
        return endOf(file) < 0;
    }

    private boolean isBegun(final Path file) throws IOException {
        try (QueueFile queueFile = QueueFile.open(file, bytes)) {
            return queueFile.isBegun();
        }
    }

    private boolean isEnd(final Path file) {
        return file.equals(end.file());
    }

    private boolean isAtOrBehindEnd(final Path file) {
        return end.file() == null || cycleOf(file) >= cycleOf(end.file());
    }

    private int cycleOf(final Path file) {
        return settings.roll().cycleOf(file.getFileName().toString());
    }

    private Instant startOf(final Path file) {
        return Instant.ofEpochMilli(settings.roll().startMs(cycleOf(file)));
    }

    private List<Path> files() throws IOException {
        final List<Path> files = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            for (final Path file : QueueFile.list(directory)) {
                if (cycleOf(file) >= 0) {
                    files.add(file);
                }
            }
        }
        return files;
    }

    private void force(final FileChannel channel) throws IOException {
        if (settings.isDurable()) {
            channel.force(false);
        }
    }

    private static void write(final FileChannel channel, final ByteBuffer source, final long position)
            throws IOException {
        while (source.hasRemaining()) {
            channel.write(source, position + source.position());
        }
    }
}
