package io.tiercel.tools.journal;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.protocol.journal.Arithmetic;
import io.tiercel.protocol.journal.OutcomeEncoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.ForkSessionEncoder;
import io.tiercel.protocol.wire.GenerateEncoder;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.ResetSessionEncoder;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.agrona.concurrent.UnsafeBuffer;

/** Writes a journal of requests that carry tokens. */
public final class TokenJournal implements AutoCloseable {

    private static final int HEADER_BYTES = 8;
    private static final int FRAME_BYTES = 512;

    private final JournalDirectory journal;
    private final UnsafeBuffer version = new UnsafeBuffer(new byte[32]);
    private long principalId = 77;
    private long egressNs;
    private long sequence;

    public TokenJournal(final Path directory) {
        journal = JournalDirectory.open(directory, new JournalSettings()
                .blockBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .populateAheadBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .minimumFreeBytes(0)
                .clock(() -> 1_700_000_000_000_000_000L)
                .keeperThread(false));
    }

    /** Of the requests to come. */
    public TokenJournal version(final byte... bytes) {
        version.putBytes(0, bytes);
        return this;
    }

    /** Of the requests to come. */
    public TokenJournal principal(final long id) {
        principalId = id;
        return this;
    }

    /** Of the outcomes to come: when their answers left. */
    public TokenJournal egressNs(final long ns) {
        egressNs = ns;
        return this;
    }

    /** A request of one step of features with an outcome whose cells are given. */
    public void answer(final long sessionKey, final int[] cells, final int... outputs) {
        final UnsafeBuffer outcome = new UnsafeBuffer(new byte[FRAME_BYTES]);
        final int length = outcome(outcome, (int) sessionKey, 1, OutcomeStatus.OK, outputs);
        infer((int) sessionKey, cells.length, cells);
        append(outcome, length);
    }

    /** A request of tokens with an outcome whose cells are given. */
    public void infer(final int sessionKey, final int[] tokens, final int... outputs) {
        final UnsafeBuffer outcome = new UnsafeBuffer(new byte[FRAME_BYTES]);
        final int length = outcome(outcome, sessionKey, tokens.length, OutcomeStatus.OK, outputs);
        infer(sessionKey, 1, tokens);
        append(outcome, length);
    }

    public void notComputed(final int sessionKey, final OutcomeStatus status, final int... tokens) {
        final UnsafeBuffer outcome = new UnsafeBuffer(new byte[FRAME_BYTES]);
        final int length = outcome(outcome, sessionKey, tokens.length, status);
        infer(sessionKey, 1, tokens);
        append(outcome, length);
    }

    /** A request of one step that is no token. */
    public void features(final int sessionKey, final int... cells) {
        final UnsafeBuffer outcome = new UnsafeBuffer(new byte[FRAME_BYTES]);
        final int length = outcome(outcome, sessionKey, 1, OutcomeStatus.OK, 0);
        infer(sessionKey, cells.length, cells);
        append(outcome, length);
    }

    public void reset(final int sessionKey) {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[FRAME_BYTES]);
        final ResetSessionEncoder reset = new ResetSessionEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder())
                .correlationId(1 + sequence).sessionKey(sessionKey).modelId(0);
        appendRequest(frame, HEADER_BYTES + reset.encodedLength());
        final UnsafeBuffer outcome = new UnsafeBuffer(new byte[FRAME_BYTES]);
        append(outcome, outcome(outcome, sessionKey, 0, OutcomeStatus.RESET));
    }

    public void fork(final int sessionKey, final int sourceKey) {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[FRAME_BYTES]);
        final ForkSessionEncoder fork = new ForkSessionEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder())
                .correlationId(1 + sequence).sessionKey(sessionKey).sourceKey(sourceKey).modelId(0);
        appendRequest(frame, HEADER_BYTES + fork.encodedLength());
        final UnsafeBuffer outcome = new UnsafeBuffer(new byte[FRAME_BYTES]);
        append(outcome, outcome(outcome, sessionKey, 0, OutcomeStatus.FORKED));
    }

    /** The second of three tokens, drawn, unless 8 or 9 ends it before. */
    public void generate(final int sessionKey, final int token, final int... outputs) {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[FRAME_BYTES]);
        final GenerateEncoder generate = new GenerateEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder())
                .correlationId(1 + sequence).sessionKey(sessionKey).budgetNs(0).seed(-1).temperature(0.5f).modelId(0)
                .tokenCount(1).maxTokens(3).madeTokens(1).topTokens(4).stopCount(2);
        generate.putTokens(cells(token), 0, Integer.BYTES);
        generate.putStopTokens(cells(8, 9), 0, 2 * Integer.BYTES);
        appendRequest(frame, HEADER_BYTES + generate.encodedLength());
        final UnsafeBuffer outcome = new UnsafeBuffer(new byte[FRAME_BYTES]);
        append(outcome, outcome(outcome, sessionKey, 1, OutcomeStatus.OK, outputs));
    }

    /** A request without an outcome; nothing can come behind it. */
    public void unanswered(final int sessionKey, final int... tokens) {
        infer(sessionKey, 1, tokens);
    }

    @Override
    public void close() {
        journal.close();
    }

    private void infer(final int sessionKey, final int featureCount, final int... cells) {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[FRAME_BYTES]);
        final InferEncoder infer = new InferEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder())
                .correlationId(1 + sequence).sessionKey(sessionKey).budgetNs(0).modelId(0)
                .stepCount(cells.length / featureCount).featureCount(featureCount);
        infer.flags().clear();
        infer.putFeatures(cells(cells), 0, cells.length * Integer.BYTES);
        appendRequest(frame, HEADER_BYTES + infer.encodedLength());
    }

    private int outcome(
            final UnsafeBuffer frame, final int sessionKey, final int stepCount, final OutcomeStatus status,
            final int... outputs) {
        final OutcomeEncoder outcome = new OutcomeEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.journal.MessageHeaderEncoder())
                .correlationId(1 + sequence).sessionKey(sessionKey).modelId(0).batchSize(1).stepCount(stepCount)
                .egressNs(egressNs)
                .outputCount(outputs.length).status(status).arithmetic(Arithmetic.EXACT);
        outcome.flags().clear();
        outcome.putOutputs(cells(outputs), 0, outputs.length * Integer.BYTES);
        return HEADER_BYTES + outcome.encodedLength();
    }

    private void appendRequest(final UnsafeBuffer frame, final int length) {
        assertTrue(journal.requests().append(sequence, 1 + sequence, principalId, version, frame, 0, length));
    }

    private void append(final UnsafeBuffer outcome, final int length) {
        assertTrue(journal.outcomes().append(sequence, 1 + sequence, principalId, version, outcome, 0, length));
        sequence++;
    }

    private static UnsafeBuffer cells(final int... values) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[values.length * Integer.BYTES]);
        for (int i = 0; i < values.length; i++) {
            buffer.putInt(i * Integer.BYTES, values[i], ByteOrder.LITTLE_ENDIAN);
        }
        return buffer;
    }
}
