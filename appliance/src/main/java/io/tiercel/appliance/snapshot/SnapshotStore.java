package io.tiercel.appliance.snapshot;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.SessionHeader;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The snapshots of a journal: one file each, named by its sequence. A file is written under another name, written
 * through to the device and only then renamed, so what has the name is whole.
 *
 * <p>Not on a hot thread. One process writes, any may read.
 */
public final class SnapshotStore {

    /** The directory's name, beside the journal's queues. */
    public static final String DIRECTORY = "snapshots";

    private static final String SUFFIX = ".snapshot";
    private static final String DRAFT_SUFFIX = ".tmp";
    private static final int NAME_DIGITS = 20;

    private final Path directory;

    /** A file and the sequence that its name says. */
    public record Entry(Path file, long sequence) {
    }

    /** @param journalDirectory the journal's; nothing is made there until a snapshot is written. */
    public SnapshotStore(final Path journalDirectory) {
        directory = journalDirectory.resolve(DIRECTORY);
    }

    public Path directory() {
        return directory;
    }

    /** Those that there are, the newest first. */
    public List<Entry> list() {
        final List<Entry> entries = new ArrayList<>();
        for (final Path file : files(SUFFIX)) {
            final String name = file.getFileName().toString();
            final String digits = name.substring(0, name.length() - SUFFIX.length());
            if (digits.length() == NAME_DIGITS && digits.chars().allMatch(Character::isDigit)) {
                entries.add(new Entry(file, Long.parseLong(digits)));
            }
        }
        entries.sort(Comparator.comparingLong(Entry::sequence).reversed());
        return entries;
    }

    /** Opens one and checks all of it, its name too. */
    public SnapshotReader open(final Entry entry) {
        final SnapshotReader reader = SnapshotReader.open(entry.file());
        if (reader.sequence() != entry.sequence()) {
            reader.close();
            throw new SnapshotException(entry.file(), "its name is not its sequence=" + reader.sequence());
        }
        return reader;
    }

    /** Writes a complete image. @return the file. */
    Path write(final SnapshotImage image, final List<LoadedModel> models, final RetryWindow retries) {
        final Path file = directory.resolve(String.format("%0" + NAME_DIGITS + "d", image.sequence()) + SUFFIX);
        final Path draft = file.resolveSibling(file.getFileName() + DRAFT_SUFFIX);
        try {
            Files.createDirectories(directory);
            try (SnapshotWriter writer = new SnapshotWriter(draft)) {
                write(writer, image, models);
                writeAnswers(writer, image.sequence(), retries);
                writer.finish();
            }
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            syncDirectory();
            return file;
        } catch (final IOException ex) {
            throw new SnapshotException("snapshot cannot be written: file=" + draft +
                    " freeBytes=" + directory.toFile().getUsableSpace() + " " + ex, ex);
        }
    }

    /** Removes all but the newest {@code keepCount}. @return the sequence of the oldest that is left, or -1. */
    long retain(final int keepCount) {
        final List<Entry> entries = list();
        for (int index = keepCount; index < entries.size(); index++) {
            delete(entries.get(index).file());
        }
        return entries.isEmpty() ? -1 : entries.get(Math.min(keepCount, entries.size()) - 1).sequence();
    }

    /** Removes what a process that died left half-written. @return how many files. */
    public int removeDrafts() {
        final List<Path> drafts = files(SUFFIX + DRAFT_SUFFIX);
        drafts.forEach(SnapshotStore::delete);
        return drafts.size();
    }

    private static void write(
            final SnapshotWriter writer, final SnapshotImage image, final List<LoadedModel> models)
            throws IOException {
        final int[] indices = inOrderOfLastUse(image);
        final List<LoadedModel> cut = models.subList(0, image.versionCount());
        writer.header(image.sequence(), cut.size(), indices.length);
        writer.models(cut, image.routes());
        final UnsafeBuffer state = new UnsafeBuffer(0, 0);
        for (final int index : indices) {
            final long header = image.place(index);
            image.wrapState(index, state);
            writer.session(SessionHeader.principalId(header), SessionHeader.sessionKey(header),
                    image.modelIndex(index), SessionHeader.hash(header), state);
        }
    }

    /** No two sessions were used last at the same time. */
    private static int[] inOrderOfLastUse(final SnapshotImage image) {
        final long[] uses = IntStream.range(0, image.sessionCount()).filter(image::holds)
                .mapToLong(index -> SessionHeader.lastUse(image.place(index))).sorted().toArray();
        final int[] indices = new int[uses.length];
        for (int index = 0; index < image.sessionCount(); index++) {
            if (image.holds(index)) {
                indices[Arrays.binarySearch(uses, SessionHeader.lastUse(image.place(index)))] = index;
            }
        }
        return indices;
    }

    private static void writeAnswers(final SnapshotWriter writer, final long sequence, final RetryWindow retries)
            throws IOException {
        try {
            retries.forEachUpTo(sequence, answer -> {
                try {
                    writer.answer(answer);
                } catch (final IOException ex) {
                    throw new UncheckedIOException(ex);
                }
            });
        } catch (final UncheckedIOException ex) {
            throw ex.getCause();
        }
    }

    private List<Path> files(final String suffix) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().endsWith(suffix)).toList();
        } catch (final IOException ex) {
            throw new SnapshotException("snapshots cannot be listed: directory=" + directory + " " + ex, ex);
        }
    }

    private void syncDirectory() throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void delete(final Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (final IOException ex) {
            throw new SnapshotException("snapshot cannot be removed: file=" + file + " " + ex, ex);
        }
    }
}
