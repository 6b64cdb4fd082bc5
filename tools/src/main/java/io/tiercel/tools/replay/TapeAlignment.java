package io.tiercel.tools.replay;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.replay.BundleStore;
import io.tiercel.replay.DamageException;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.OutcomeFrame;
import io.tiercel.replay.RequestFrame;
import io.tiercel.replay.RowText;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.market.AnswerDirection;
import io.tiercel.tools.market.ModelTape;
import io.tiercel.tools.market.PlayedTape;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.agrona.DirectBuffer;

/**
 * A journal beside the tape that was played to it: request {@code k} is event {@code k}. That is not believed but
 * shown: the tape's features are computed again, and session and every cell of every request have to be the event's,
 * bit for bit.
 */
final class TapeAlignment {

    private static final int VERSION_BYTES = 32;
    /** What stands where an event was not answered, or its answer's time of leaving is not known. */
    private static final long NO_LATENCY = -1;
    private static final String OTHER_TAPE = "; was it another --tape, or played in other --sessions?";

    private final String modelVersion;
    private final PlayedTape tape;
    private final int[] directions;
    private final long[] latenciesNs;
    private int count;

    private TapeAlignment(final String modelVersion, final PlayedTape tape) {
        this.modelVersion = modelVersion;
        this.tape = tape;
        directions = new int[tape.eventCount()];
        latenciesNs = new long[tape.eventCount()];
        Arrays.fill(latenciesNs, NO_LATENCY);
    }

    /**
     * Reads all of a journal.
     *
     * @param input    the tape: {@code bitstamp}, or the path of a LOBSTER zip.
     * @param sessions instruments that it was played as, or 0 for the default.
     * @throws ToolException if they do not line up, if the model names no direction, or at the first damage.
     */
    static TapeAlignment read(final Path journalDirectory, final String input, final int sessions) {
        try (JoinedJournal journal = JoinedJournal.open(journalDirectory)) {
            if (!journal.next()) {
                throw ToolException.badArgument("--journal=" + journalDirectory + " has no requests");
            }
            if (journal.sequence() > 0) {
                throw ToolException.badArgument("--journal=" + journalDirectory + " begins at sequence=" +
                        journal.sequence() + ", and a tape begins at 0");
            }
            final String version = RowText.hex(journal.modelVersion(), VERSION_BYTES);
            final Bundle bundle = new BundleStore(journalDirectory).open(version, journal.sequence());
            final AnswerDirection direction = AnswerDirection.of(bundle);
            final TapeAlignment alignment =
                    new TapeAlignment(version, ModelTape.open(bundle, input, sessions, 0));
            do {
                alignment.add(journal, direction);
            } while (journal.next());
            return alignment;
        } catch (final DamageException ex) {
            throw new ToolException(ExitCode.CHECK_FAILED, ex.getMessage(), ex);
        }
    }

    private void add(final JoinedJournal journal, final AnswerDirection direction) {
        check(journal);
        if (journal.hasOutcome()) {
            final OutcomeFrame outcome = journal.outcomeFrame();
            if (outcome.status() == OutcomeStatus.OK && outcome.egressNs() > 0) {
                directions[count] = direction.of(cells(
                        outcome.buffer(), outcome.outputsOffset(), outcome.outputsLength()));
                latenciesNs[count] = outcome.egressNs();
            }
        }
        count++;
    }

    private void check(final JoinedJournal journal) {
        final RequestFrame request = journal.requestFrame();
        final String version = RowText.hex(journal.modelVersion(), VERSION_BYTES);
        if (!version.equals(modelVersion)) {
            throw misaligned(journal, "modelVersion=" + version + ", at sequence 0 it was " + modelVersion);
        }
        if (!request.isInfer() || request.stepCount() != 1) {
            throw misaligned(journal, "template=" + request.templateName() + " stepCount=" + request.stepCount() +
                    ", and a tape is played as an Infer of one step for each event");
        }
        if (count == tape.eventCount()) {
            throw misaligned(journal, "the tape ends at event " + (tape.eventCount() - 1));
        }
        if (request.sessionKey() != tape.sessionKey(count)) {
            throw misaligned(journal, "sessionKey=" + request.sessionKey() + ", the event's is " +
                    tape.sessionKey(count) + OTHER_TAPE);
        }
        if (request.featureCount() != tape.featureCount()) {
            throw misaligned(journal, "featureCount=" + request.featureCount() + ", the event's is " +
                    tape.featureCount());
        }
        for (int i = 0; i < tape.featureCount(); i++) {
            final int cell = cell(request.buffer(), request.featuresOffset(), i);
            if (cell != tape.cell(count, i)) {
                throw misaligned(journal, "cell=" + i + " has bits " + Integer.toHexString(cell) +
                        ", the event's are " + Integer.toHexString(tape.cell(count, i)) + OTHER_TAPE);
            }
        }
    }

    private ToolException misaligned(final JoinedJournal journal, final String detail) {
        return ToolException.badArgument("sequence=" + journal.sequence() + " does not line up with event=" + count +
                " of " + tape.tapeName() + ": " + detail);
    }

    private static int[] cells(final DirectBuffer buffer, final int offset, final int length) {
        final int[] cells = new int[length / Integer.BYTES];
        for (int i = 0; i < cells.length; i++) {
            cells[i] = cell(buffer, offset, i);
        }
        return cells;
    }

    private static int cell(final DirectBuffer buffer, final int offset, final int index) {
        return buffer.getInt(offset + index * Integer.BYTES, ByteOrder.LITTLE_ENDIAN);
    }

    String modelVersion() {
        return modelVersion;
    }

    PlayedTape tape() {
        return tape;
    }

    /** Requests, which are the tape's first events. */
    int count() {
        return count;
    }

    /** Whether the event was answered, and it is known when. */
    boolean isAnswered(final int event) {
        return latenciesNs[event] != NO_LATENCY;
    }

    /** 1 up, -1 down, 0 neither. */
    int direction(final int event) {
        return directions[event];
    }

    /** From the request's arrival at the appliance to its answer's leaving. */
    long latencyNs(final int event) {
        return latenciesNs[event];
    }
}
