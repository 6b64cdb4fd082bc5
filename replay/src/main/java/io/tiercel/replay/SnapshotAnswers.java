package io.tiercel.replay;

import io.tiercel.appliance.journal.ChronicleRecordLog;
import io.tiercel.appliance.session.FrameChecksum;
import io.tiercel.appliance.session.KnownAnswer;
import io.tiercel.appliance.snapshot.SnapshotReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Holds the answers that a snapshot keeps for retries against the journal: each is to be the outcome of its request,
 * bit for bit, with the checksum of its request's frame. How long the answer took is not compared: the one that was
 * sent says less than its outcome, which was written later.
 *
 * <p>One way through the part of the journal that the answers are of, and nothing is computed. Answers to requests that
 * have been removed from the journal are left out. All answers of the snapshot are in memory meanwhile.
 */
final class SnapshotAnswers {

    private final SnapshotReader snapshot;
    private final List<Kept> answers = new ArrayList<>();
    private final FrameChecksum checksum = new FrameChecksum(ChronicleRecordLog.MAX_FRAME_LENGTH);
    private SnapshotDifference difference;
    private int comparedCount;

    /** What is compared of a {@link KnownAnswer}. */
    private record Kept(
            long principalId,
            long correlationId,
            long sequence,
            long sessionKey,
            int modelId,
            int frameChecksum,
            int status,
            int batchSize,
            boolean hasSessionBegun,
            int outputCount,
            byte[] outputs) {

        static Kept of(final KnownAnswer answer) {
            final byte[] outputs = new byte[answer.outputsLength()];
            answer.outputs.getBytes(0, outputs);
            return new Kept(answer.principalId, answer.correlationId, answer.sequence, answer.sessionKey,
                    answer.modelId, answer.frameChecksum, answer.status.value(), answer.batchSize,
                    answer.hasSessionBegun, answer.outputCount, outputs);
        }
    }

    /** Reads them; none of them must have been read before. */
    SnapshotAnswers(final SnapshotReader snapshot) {
        this.snapshot = snapshot;
        final KnownAnswer answer = new KnownAnswer();
        while (snapshot.nextAnswer(answer)) {
            answers.add(Kept.of(answer));
        }
        answers.sort(Comparator.comparingLong(Kept::sequence));
    }

    /** The first answer that is another one in the journal, or null. */
    SnapshotDifference compare(final Path journalDirectory) {
        try (JoinedJournal journal = JoinedJournal.open(journalDirectory)) {
            final long firstSequence = journal.firstSequence();
            answers.removeIf(answer -> answer.sequence() < firstSequence);
            boolean isThere = !answers.isEmpty() && journal.seek(answers.get(0).sequence()) && journal.next();
            for (final Kept answer : answers) {
                while (isThere && journal.sequence() < answer.sequence()) {
                    isThere = journal.next();
                }
                compare(answer, isThere && journal.hasOutcome() ? journal : null);
                if (difference != null) {
                    return difference;
                }
                comparedCount++;
            }
        }
        return null;
    }

    int comparedCount() {
        return comparedCount;
    }

    /** @param journal at the answer's request; null if there is none. */
    private void compare(final Kept answer, final JoinedJournal journal) {
        if (journal == null) {
            difference = of(answer, "", "there", "not in the journal");
            return;
        }
        final RequestFrame request = journal.requestFrame();
        final OutcomeFrame outcome = journal.outcomeFrame();
        check(answer, "principalId", answer.principalId(), journal.principalId());
        check(answer, "correlationId", answer.correlationId(), outcome.correlationId());
        check(answer, "sessionKey", answer.sessionKey(), outcome.sessionKey());
        check(answer, "modelId", answer.modelId(), outcome.modelId());
        check(answer, "frameChecksum", answer.frameChecksum(),
                checksum.of(request.buffer(), request.offset(), request.length()));
        check(answer, "status", answer.status(), outcome.status().value());
        check(answer, "batchSize", answer.batchSize(), outcome.batchSize());
        if (snapshot.hasFlags()) {
            check(answer, "sessionBegan", answer.hasSessionBegun() ? 1 : 0, outcome.hasSessionBegun() ? 1 : 0);
        }
        check(answer, "outputCount", answer.outputCount(), outcome.outputCount());
        check(answer, "outputsLength", answer.outputs().length, outcome.outputsLength());
        for (int index = 0; difference == null && index < answer.outputs().length; index++) {
            check(answer, "outputs[" + index + "]", answer.outputs()[index],
                    outcome.buffer().getByte(outcome.outputsOffset() + index));
        }
    }

    private void check(final Kept answer, final String field, final long kept, final long journaled) {
        if (difference == null && kept != journaled) {
            difference = of(answer, "." + field, "0x" + Long.toHexString(kept), "0x" + Long.toHexString(journaled));
        }
    }

    private SnapshotDifference of(
            final Kept answer, final String field, final String expected, final String actual) {
        return new SnapshotDifference(snapshot.file(), snapshot.sequence(), answer.principalId(), answer.sessionKey(),
                answer.modelId(), "answers[" + answer.sequence() + "]" + field, expected, actual);
    }
}
