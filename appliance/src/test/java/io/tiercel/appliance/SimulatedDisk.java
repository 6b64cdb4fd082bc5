package io.tiercel.appliance;

import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalEnd;
import io.tiercel.appliance.journal.JournalView;
import io.tiercel.appliance.journal.RecordReader;
import org.agrona.IoUtil;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * The files of a journal, and what is left of them when the process or the machine dies. A crash is a copy of the
 * directory as it stands: what is in the pages is what the next process finds. Then the copy is hurt as the crash may
 * have hurt it.
 */
final class SimulatedDisk {

    static final String REQUESTS = "requests";
    static final String OUTCOMES = "outcomes";

    private static final int WORD_LENGTH = Integer.BYTES;
    private static final int WRITE_POSITION_OFFSET = 64;

    private final Path root;
    private final SplittableRandom random;
    private int imageCount;
    private Path journal;
    private Path badSnapshot;

    SimulatedDisk(final Path root, final SplittableRandom random) {
        this.root = root;
        this.random = random;
        journal = root.resolve("journal-0");
    }

    /** The journal's directory as it is now. */
    Path journal() {
        return journal;
    }

    /** Nothing that is done with the old directory from here on has ever happened. @return the old directory. */
    Path crash() {
        final Path old = journal;
        journal = root.resolve("journal-" + ++imageCount);
        try {
            copy(old, journal);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
        return old;
    }

    /**
     * The last record was being appended when the process died: it is whole, or its length word is not there yet and
     * not all of its bytes are.
     *
     * @return whether it is not whole.
     */
    boolean tearLast(final String queue) {
        final JournalEnd end;
        try (RecordReader reader = reader(queue)) {
            while (reader.next()) {
                continue;
            }
            end = reader.end();
        }
        if (random.nextInt(3) == 0) {
            return false;
        }
        final int length = (int) (end.position() - end.lastPosition());
        final int keptLength = WORD_LENGTH + random.nextInt(length - WORD_LENGTH + 1);
        write(end.file(), channel -> {
            fill(channel, end.lastPosition() + keptLength, length - keptLength);
            fill(channel, end.lastPosition(), WORD_LENGTH);
        });
        return true;
    }

    /**
     * Records from this sequence on are not there, or not all of their bytes.
     *
     * @param isTorn       whether pages of the first one have reached the device in any order; else it is as if the
     *                     process had died while it was writing.
     * @param isHeaderLost whether the page has not that names the newest record, if it names one that is not there.
     */
    void loseFrom(final String queue, final long sequence, final boolean isTorn, final boolean isHeaderLost) {
        final JournalEnd last;
        long lastGoodPosition = 0;
        try (RecordReader reader = reader(queue)) {
            Path file = null;
            boolean hasNext = reader.next();
            while (hasNext && reader.sequence() < sequence) {
                file = reader.end().file();
                lastGoodPosition = reader.end().lastPosition();
                hasNext = reader.next();
            }
            if (!hasNext) {
                return;
            }
            last = reader.end();
            lastGoodPosition = last.file().equals(file) ? lastGoodPosition : 0;
        }
        final long goodPosition = lastGoodPosition;
        removeBehind(last.file());
        write(last.file(), channel -> {
            final ByteBuffer record = read(channel, last.lastPosition(), (int) (last.position() - last.lastPosition()));
            fill(channel, last.lastPosition(), channel.size() - last.lastPosition());
            if (isTorn) {
                tear(channel, last.lastPosition(), record);
            }
            if (isHeaderLost) {
                withdraw(channel, goodPosition);
            }
        });
    }

    /** A snapshot that was being written is left behind, or the newest one has gone bad. @return whether the latter. */
    boolean damageSnapshots() {
        final Path directory = journal.resolve("snapshots");
        final List<Path> files = list(directory, ".snapshot");
        if (files.isEmpty()) {
            return false;
        }
        final boolean hasOther = files.size() > 1 || JournalDirectory.openForRead(journal).firstSequence() == 0;
        final Path newest = files.get(files.size() - 1);
        try {
            final byte[] bytes = Files.readAllBytes(newest);
            final int keptLength = random.nextInt(bytes.length);
            if (!hasOther || random.nextBoolean()) {
                Files.write(newest.resolveSibling(newest.getFileName() + ".tmp"),
                        Arrays.copyOf(bytes, keptLength));
                return false;
            }
            bytes[keptLength] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            Files.write(newest, bytes);
            badSnapshot = journal.relativize(newest);
            return true;
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    /** Somebody has read the log, and removes the snapshot that has gone bad. */
    void removeBadSnapshot() {
        if (badSnapshot != null) {
            IoUtil.deleteIfExists(journal.resolve(badSnapshot).toFile());
            badSnapshot = null;
        }
    }

    /** What a run leaves, if nobody is to look at it. */
    void delete(final Path directory) {
        IoUtil.delete(directory.toFile(), true);
    }

    private RecordReader reader(final String queue) {
        final JournalView view = JournalDirectory.openForRead(journal);
        return queue.equals(REQUESTS) ? view.recoverRequests() : view.recoverOutcomes();
    }

    /** Of the record that was there: nothing, its word without its bytes, some of its bytes, or other bytes. */
    private void tear(final FileChannel channel, final long position, final ByteBuffer record) throws IOException {
        switch (random.nextInt(5)) {
            case 0 -> record.limit(WORD_LENGTH);
            case 1 -> record.limit(WORD_LENGTH + random.nextInt(record.capacity() - WORD_LENGTH));
            case 2 -> {
                final int at = WORD_LENGTH + random.nextInt(record.capacity() - WORD_LENGTH);
                record.put(at, (byte) (record.get(at) ^ 1 << random.nextInt(Byte.SIZE)));
            }
            case 3 -> record.clear().position(WORD_LENGTH + random.nextInt(record.capacity() - WORD_LENGTH));
            default -> record.limit(0);
        }
        channel.write(record, position + record.position());
    }

    private static void withdraw(final FileChannel channel, final long lastGoodPosition) throws IOException {
        final ByteBuffer pair = ByteBuffer.allocate(2 * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        channel.read(pair, WRITE_POSITION_OFFSET);
        if (pair.getLong(0) > lastGoodPosition) {
            channel.write(pair.clear().putLong(0, lastGoodPosition).putLong(Long.BYTES, 0), WRITE_POSITION_OFFSET);
        }
    }

    private void removeBehind(final Path file) {
        for (final Path other : list(file.getParent(), ".cq4")) {
            if (other.compareTo(file) > 0) {
                IoUtil.delete(other.toFile(), false);
            }
        }
    }

    private static ByteBuffer read(final FileChannel channel, final long position, final int length)
            throws IOException {
        final ByteBuffer bytes = ByteBuffer.allocate(length);
        channel.read(bytes, position);
        return bytes.clear();
    }

    private static void fill(final FileChannel channel, final long position, final long length) throws IOException {
        channel.write(ByteBuffer.allocate((int) length), position);
    }

    /** What is done to a file. */
    private interface Harm {
        void to(FileChannel channel) throws IOException;
    }

    private static void write(final Path file, final Harm harm) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            harm.to(channel);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    private static List<Path> list(final Path directory, final String suffix) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    private static void copy(final Path from, final Path to) throws IOException {
        final List<Path> sources;
        try (Stream<Path> walk = Files.walk(from)) {
            sources = walk.sorted().toList();
        }
        for (final Path source : sources) {
            final Path target = to.resolve(from.relativize(source));
            if (Files.isDirectory(source)) {
                Files.createDirectories(target);
            } else {
                Files.copy(source, target);
            }
        }
    }
}
