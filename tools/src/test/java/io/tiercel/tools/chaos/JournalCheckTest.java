package io.tiercel.tools.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.journal.RecordLog;
import io.tiercel.protocol.journal.Arithmetic;
import io.tiercel.protocol.journal.OutcomeEncoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A check that finds nothing is worth what it would find: so each thing that must not be is made here. */
class JournalCheckTest {

    private static final int FEATURES = 4;
    private static final int OUTPUTS = 2;

    @TempDir
    Path directory;

    private final Bundle bundle = RandomModels.lstm(1).features(FEATURES).outputs(OUTPUTS).bundle();
    private final UnsafeBuffer frame = new UnsafeBuffer(new byte[1024]);
    private final ChaosResult result = new ChaosResult();
    private ChaosLog log;
    private JournalDirectory journal;
    private long nextSequence;

    @BeforeEach
    void open() {
        log = new ChaosLog("chaos-0", directory.resolve("chaos-0.log"));
        journal = JournalDirectory.open(directory.resolve("journal"), new JournalSettings()
                .blockBytes(1 << 20)
                .populateAheadBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .minimumFreeBytes(0)
                .isDurable(false)
                .keeperThread(false));
    }

    @AfterEach
    void close() {
        log.close();
        journal.close();
    }

    @Test
    void shouldConfirmWhatIsInTheJournalAsItWasTold() {
        append(answered(1, 0), 7);
        append(answered(2, 1), 7);
        check();
        assertEquals(0, result.violationCount, result.violations::toString);
        assertEquals(2, result.confirmedCount);
        assertEquals(2, result.sentCount);
    }

    @Test
    void shouldFindALostRequestWhenItWasAnsweredAndIsNotThere() {
        append(answered(1, 0), 7);
        answered(2, 1);
        check();
        assertEquals(1, result.lostCount);
        assertEquals(1, result.confirmedCount);
    }

    @Test
    void shouldFindALostRequestWhenItIsElsewhereThanWasTold() {
        append(answered(1, 3), 7);
        check();
        assertEquals(1, result.lostCount);
    }

    @Test
    void shouldFindARequestThatIsThereTwice() {
        final ChaosRequest request = answered(1, 0);
        append(request, 7);
        append(request, 7);
        check();
        assertEquals(1, result.twiceCount);
        assertEquals(0, result.lostCount);
    }

    @Test
    void shouldFindAnOutcomeThatIsNotTheAnswer() {
        final ChaosRequest request = answered(1, 0);
        append(request, 7);
        request.outputs[1] ^= 1;
        check();
        assertEquals(1, result.lostCount);
        assertTrue(result.violations.get(0).startsWith("the journal has another outcome than was told"),
                result.violations::toString);
    }

    @Test
    void shouldFindARequestThatWasSentOtherwise() {
        append(new ChaosRequest(ChaosRequest.Kind.STEP, 5, 1234, 1, 0), 1, 7);
        log.sent(request(1, 99));
        answer(log.find(1), 0);
        check();
        assertEquals(1, result.lostCount);
        assertTrue(result.violations.get(0).startsWith("the journal has another request than was sent"),
                result.violations::toString);
    }

    @Test
    void shouldFindWhatNobodySentWhatWasRefusedAndWhatWasNeverAnswered() {
        append(request(4711, 1), 7);
        final ChaosRequest refused = request(2, 2);
        log.sent(refused);
        refused.refusal = RejectCode.OVERLOADED;
        append(refused, 7);
        log.sent(request(3, 3));
        check();
        assertEquals(3, result.violationCount, result.violations::toString);
        assertEquals(1, result.unansweredCount);
        assertFalse(result.holds());
    }

    private void check() {
        new JournalCheck(List.of(log), result).check(directory.resolve("journal"));
    }

    private static ChaosRequest request(final long correlationId, final long featuresSeed) {
        final ChaosRequest request = new ChaosRequest(ChaosRequest.Kind.STEP, 5, featuresSeed, 1, 0);
        request.correlationId = correlationId;
        return request;
    }

    private ChaosRequest answered(final long correlationId, final long sequence) {
        final ChaosRequest request = request(correlationId, correlationId);
        log.sent(request);
        answer(request, sequence);
        return request;
    }

    private static void answer(final ChaosRequest request, final long sequence) {
        request.sequence = sequence;
        request.status = ResultStatus.OK;
        request.outputs = new int[] {7, 8};
    }

    private void append(final ChaosRequest request, final int firstOutput) {
        append(request, request.correlationId, firstOutput);
    }

    /** Appends the request and its outcome at the next sequence. */
    private void append(final ChaosRequest request, final long correlationId, final int firstOutput) {
        final UnsafeBuffer features = new UnsafeBuffer(new byte[FEATURES * Float.BYTES]);
        request.writeFeatures(features, FEATURES);
        final InferEncoder infer = new InferEncoder().wrapAndApplyHeader(
                frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder());
        infer.correlationId(correlationId).sessionKey(request.sessionKey).budgetNs(request.budgetNs).modelId(0)
                .stepCount(request.stepCount).featureCount(FEATURES);
        infer.flags().clear();
        infer.putFeatures(features, 0, features.capacity());
        append(journal.requests(), infer.limit());

        final UnsafeBuffer outputs = new UnsafeBuffer(new byte[OUTPUTS * Float.BYTES]);
        outputs.putInt(0, firstOutput, ByteOrder.LITTLE_ENDIAN);
        outputs.putInt(Integer.BYTES, 8, ByteOrder.LITTLE_ENDIAN);
        final OutcomeEncoder outcome = new OutcomeEncoder().wrapAndApplyHeader(
                frame, 0, new io.tiercel.protocol.journal.MessageHeaderEncoder());
        outcome.flags().clear();
        outcome.correlationId(correlationId).sessionKey(request.sessionKey).stateHash(0)
                .journaledNs(0).inferStartNs(0).inferEndNs(0).egressNs(0)
                .modelId(0).batchSize(1).stepCount(1).outputCount(OUTPUTS).status(OutcomeStatus.OK)
                .arithmetic(Arithmetic.EXACT).putOutputs(outputs, 0, outputs.capacity());
        append(journal.outcomes(), outcome.limit());
        nextSequence++;
    }

    private void append(final RecordLog records, final int length) {
        final DirectBuffer version = new UnsafeBuffer(bundle.version());
        while (!records.append(nextSequence, 1, log.principalId(), version, frame, 0, length)) {
            journal.keeper().doWork();
        }
    }
}
