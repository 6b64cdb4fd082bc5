package io.tiercel.tools.journal;

import io.tiercel.replay.DamageException;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.RequestFrame;
import io.tiercel.replay.RowText;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ModelInputException;
import io.tiercel.tools.ToolException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.agrona.collections.IntArrayList;

/**
 * The tokens that the sessions of one model stepped through, out of a journal, which is only read. A session's are a
 * sequence; a {@code ResetSession} begins another, and so does a session that had been evicted; a {@code ForkSession}
 * begins one with the tokens of its source. Sequences are in the order of their first tokens. What was not computed
 * ({@code EXPIRED}, {@code CONTEXT_FULL}, or not answered yet) does not count. One thread.
 */
public final class JournalTokens {

    private static final int VERSION_BYTES = 32;

    private final Path directory;
    private final String version;
    private final int vocabularySize;
    private final Map<Session, IntArrayList> open = new HashMap<>();
    private final List<IntArrayList> sequences = new ArrayList<>();

    private record Session(long principalId, int modelId, long sessionKey) {
    }

    private JournalTokens(final Path directory, final String version, final int vocabularySize) {
        this.directory = directory;
        this.version = version;
        this.vocabularySize = vocabularySize;
    }

    /**
     * Reads all of a journal.
     *
     * @param modelVersion the first digits of the model's version, or all; null where the journal has but one model.
     * @throws ModelInputException if there is no journal, or none of its tokens can be had.
     * @throws io.tiercel.appliance.journal.JournalException if it cannot be read.
     * @throws ToolException at the first damage.
     */
    public static List<int[]> read(final Path directory, final String modelVersion, final int vocabularySize) {
        final String problem = JournalArguments.problem(directory);
        if (problem != null) {
            throw new ModelInputException(directory + " " + problem);
        }
        try {
            final JournalTokens tokens =
                    new JournalTokens(directory, chosen(directory, modelVersion), vocabularySize);
            try (JoinedJournal journal = JoinedJournal.open(directory)) {
                while (journal.next() && journal.hasOutcome()) {
                    if (version(journal).equals(tokens.version)) {
                        tokens.add(journal);
                    }
                }
            }
            return tokens.result();
        } catch (final DamageException ex) {
            throw new ToolException(ExitCode.CHECK_FAILED, ex.getMessage(), ex);
        }
    }

    private static String chosen(final Path directory, final String modelVersion) {
        final List<String> versions = new ArrayList<>();
        try (JoinedJournal journal = JoinedJournal.open(directory, JoinedJournal.Queues.REQUESTS)) {
            while (journal.next()) {
                final String version = version(journal);
                if (!versions.contains(version)) {
                    versions.add(version);
                }
            }
        }
        if (versions.isEmpty()) {
            throw new ModelInputException(directory + " has no requests");
        }
        final List<String> matching = versions.stream()
                .filter(version -> modelVersion == null || version.startsWith(modelVersion))
                .toList();
        if (matching.size() != 1) {
            throw new ModelInputException("--model-version=" + (modelVersion == null ? "" : modelVersion) +
                    " has to name one of the models in " + directory + ": " + String.join(", ", versions));
        }
        return matching.get(0);
    }

    private static String version(final JoinedJournal journal) {
        return RowText.hex(journal.modelVersion(), VERSION_BYTES);
    }

    private void add(final JoinedJournal journal) {
        final RequestFrame request = journal.requestFrame();
        final Session session = new Session(journal.principalId(), request.modelId(), request.sessionKey());
        if (journal.outcomeFrame().hasSessionBegun()) {
            open.remove(session);
        }
        switch (journal.outcomeFrame().status()) {
            case RESET -> open.remove(session);
            case FORKED -> fork(session, new Session(session.principalId(), session.modelId(), request.sourceKey()));
            case OK -> add(journal.sequence(), request, session);
            default -> {
                // Not computed: the session has not moved.
            }
        }
    }

    private void add(final long sequence, final RequestFrame request, final Session session) {
        if (request.featureCount() != 1) {
            throw new ModelInputException(directory + ": sequence=" + sequence + " featureCount=" +
                    request.featureCount() + ": the model takes no tokens");
        }
        final IntArrayList tokens = open.computeIfAbsent(session, any -> begin());
        for (int step = 0; step < request.stepCount(); step++) {
            final long token = RowText.tokenAt(request.buffer(), request.featuresOffset(), step);
            if (token >= vocabularySize) {
                throw new ModelInputException(directory + ": sequence=" + sequence + " token=" + token +
                        " is not in 0.." + (vocabularySize - 1));
            }
            tokens.addInt((int) token);
        }
    }

    private void fork(final Session copy, final Session source) {
        final IntArrayList tokens = open.get(source);
        if (tokens == null) {
            open.remove(copy);
        } else if (!copy.equals(source)) {
            final IntArrayList begun = begin();
            begun.addAll(tokens);
            open.put(copy, begun);
        }
    }

    private IntArrayList begin() {
        final IntArrayList tokens = new IntArrayList();
        sequences.add(tokens);
        return tokens;
    }

    private List<int[]> result() {
        if (sequences.isEmpty()) {
            throw new ModelInputException(directory + ": no request of model=" + version + " was computed");
        }
        return sequences.stream().map(IntArrayList::toIntArray).toList();
    }
}
