package io.tiercel.appliance.journal;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Removes the oldest files of a journal. A file goes only as a whole, only if a later one of its queue has records, and
 * only if the first of those is not above the sequence that is to be kept: so every record in it is below that one, and
 * each queue keeps its newest records. {@code journal.yaml} says from where on the queues are whole before the first
 * file goes, and they go from the oldest on; so whoever reads, and whoever dies in between, finds queues without a gap.
 *
 * <p>One thread, not a hot one; beside writers and keeper, whose files it does not touch.
 */
final class Pruner {

    private static final RecordKind[] KINDS = RecordKind.values();
    private static final long NONE = Long.MAX_VALUE;

    private final Path directory;
    private final JournalView view;
    private final JournalSettings settings;

    /** A file, what it holds, and with what the next one goes on. */
    private record Candidate(Path file, long lengthBytes, long lastIngressNs, long nextSequence) {
    }

    /** Of a queue: the oldest file that its writer or the keeper has open, and how much is written of it. */
    record OpenFile(int cycle, long writtenBytes) {
    }

    Pruner(final Path directory, final JournalSettings settings) {
        this.directory = directory;
        this.settings = settings;
        view = new JournalView(directory, settings.roll());
    }

    /** @param openFiles for each queue, in the order of {@link RecordKind}. */
    PruneReport prune(final long keepFromSequence, final long nowNs, final OpenFile[] openFiles) throws IOException {
        final List<Deque<Candidate>> queues = new ArrayList<>();
        for (int kind = 0; kind < KINDS.length; kind++) {
            queues.add(candidates(KINDS[kind], keepFromSequence, openFiles[kind].cycle()));
        }
        final long sizeBytes = settings.keepBytes() == 0 ? 0 : sizeBytes(openFiles);
        final List<Candidate> chosen = choose(queues, nowNs, sizeBytes);
        long firstSequence = view.firstSequence();
        for (final Candidate candidate : chosen) {
            firstSequence = Math.max(firstSequence, candidate.nextSequence());
        }
        long removedBytes = 0;
        if (!chosen.isEmpty()) {
            JournalLayout.write(directory, new JournalLayout.Description(settings.roll(), firstSequence));
        }
        for (final Candidate candidate : chosen) {
            Files.deleteIfExists(candidate.file());
            removedBytes += candidate.lengthBytes();
        }
        return new PruneReport(chosen.size(), removedBytes, firstSequence);
    }

    /** Oldest first, of both queues, until the oldest one left is neither too old nor in the way. */
    private List<Candidate> choose(
            final List<Deque<Candidate>> queues, final long nowNs, final long totalBytes) {
        final List<Candidate> chosen = new ArrayList<>();
        long sizeBytes = totalBytes;
        Deque<Candidate> oldest = oldest(queues);
        while (oldest != null) {
            final Candidate candidate = oldest.getFirst();
            final boolean isTooOld =
                    settings.keepForNs() != 0 && nowNs - candidate.lastIngressNs() > settings.keepForNs();
            if (!isTooOld && (settings.keepBytes() == 0 || sizeBytes <= settings.keepBytes())) {
                break;
            }
            chosen.add(oldest.removeFirst());
            sizeBytes -= candidate.lengthBytes();
            oldest = oldest(queues);
        }
        return chosen;
    }

    private Deque<Candidate> oldest(final List<Deque<Candidate>> queues) {
        Deque<Candidate> oldest = null;
        for (final Deque<Candidate> queue : queues) {
            if (!queue.isEmpty() && (oldest == null ||
                    cycleOf(queue.getFirst().file()) < cycleOf(oldest.getFirst().file()))) {
                oldest = queue;
            }
        }
        return oldest;
    }

    private Deque<Candidate> candidates(final RecordKind kind, final long keepFromSequence, final int openCycle)
            throws IOException {
        final Deque<Candidate> candidates = new ArrayDeque<>();
        final List<Path> files = QueueFile.list(view.queuePath(kind));
        long nextSequence = NONE;
        try (RecordReader reader = new RecordReader(view, kind, false)) {
            for (int index = files.size() - 1; index >= 0; index--) {
                final Path file = files.get(index);
                if (cycleOf(file) < openCycle && nextSequence != NONE && nextSequence <= keepFromSequence) {
                    candidates.addFirst(new Candidate(
                            file, Files.size(file), reader.lastIngressNs(file), nextSequence));
                }
                if (cycleOf(file) <= openCycle) {
                    nextSequence = Math.min(nextSequence, reader.firstSequence(file));
                }
            }
        }
        return candidates;
    }

    /** Of the files that are open, what is written: they are longer. */
    long sizeBytes(final OpenFile[] openFiles) {
        long sizeBytes = sizeBytes(directory.toFile());
        for (int kind = 0; kind < KINDS.length; kind++) {
            for (final File file : list(view.queuePath(KINDS[kind]).toFile())) {
                if (cycleOf(file.toPath()) >= openFiles[kind].cycle()) {
                    sizeBytes -= file.length();
                }
            }
            sizeBytes += openFiles[kind].writtenBytes();
        }
        return sizeBytes;
    }

    /** Files come and go meanwhile: one that is gone counts nothing. */
    private static long sizeBytes(final File file) {
        long sizeBytes = file.isDirectory() ? 0 : file.length();
        for (final File child : list(file)) {
            sizeBytes += sizeBytes(child);
        }
        return sizeBytes;
    }

    private static File[] list(final File file) {
        final File[] children = file.listFiles();
        return children == null ? new File[0] : children;
    }

    private int cycleOf(final Path file) {
        return settings.roll().cycleOf(file.getFileName().toString());
    }
}
