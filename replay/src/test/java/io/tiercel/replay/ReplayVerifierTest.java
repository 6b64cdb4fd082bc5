package io.tiercel.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.protocol.journal.OutcomeDecoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.InferDecoder;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayVerifierTest {

    private static final int COUNT = 400;
    private static final int BLOCK = 8;
    private static final int VERSION_OFFSET = 6;
    private static final int OUTPUTS_OFFSET = BLOCK + OutcomeDecoder.BLOCK_LENGTH + 4;
    private static final int FEATURES_OFFSET = BLOCK + InferDecoder.BLOCK_LENGTH + 4;

    @TempDir
    Path directory;

    private JournalFixture journal;

    @BeforeEach
    void setUp() {
        journal = JournalFixture.of(42, COUNT);
        journal.writeBundles(directory);
    }

    @Test
    void shouldFindEveryOutcomeIdenticalWhenNothingWasChanged() {
        final ReplayReport report = verify(options());

        assertTrue(report.isIdentical(), () -> report.divergence() + " " + report.damage());
        assertEquals(COUNT, report.comparedCount());
        assertEquals(COUNT, report.identicalCount());
        assertEquals(COUNT - 1, report.lastSequence());
        assertEquals(0, report.openTailCount());
        assertEquals(2, report.models().size());
        assertEquals("lstm", report.models().get(0).family());
        assertEquals(30, report.sessionCount());
        assertTrue(report.expiredCount() > 0);
        assertTrue(report.stepCount() > COUNT);
    }

    /** An appliance that was upgraded goes on with its journal; clients of two versions write into one. */
    @Test
    void shouldFindEveryOutcomeIdenticalWhenFramesAreOfAnEarlierVersion() {
        for (int sequence = 0; sequence < COUNT; sequence += 2) {
            journal.requests.get(sequence).frame[VERSION_OFFSET] = 1;
        }
        for (int sequence = 0; sequence < COUNT / 2; sequence++) {
            journal.outcomes.get(sequence).frame[VERSION_OFFSET] = 1;
        }

        final ReplayReport report = verify(options());

        assertTrue(report.isIdentical(), () -> report.divergence() + " " + report.damage());
        assertEquals(COUNT, report.identicalCount());
    }

    @Test
    void shouldFindAnEmptyJournalIdentical() {
        journal.requests.clear();
        journal.outcomes.clear();

        final ReplayReport report = verify(options());

        assertTrue(report.isIdentical());
        assertEquals(0, report.comparedCount());
        assertEquals(-1, report.lastSequence());
    }

    @Test
    void shouldNameTheOutputAndBothValuesWhenOneBitOfAnOutputDiffers() {
        final int sequence = journal.computedFrom(100);
        final UnsafeBuffer frame = journal.outcomes.get(sequence).buffer();
        final int offset = OUTPUTS_OFFSET + 2 * Float.BYTES;
        final int actualBits = frame.getInt(offset, ByteOrder.LITTLE_ENDIAN);
        frame.putInt(offset, actualBits ^ 1, ByteOrder.LITTLE_ENDIAN);

        final ReplayReport report = verify(options());

        final Divergence divergence = report.divergence();
        assertEquals(sequence, divergence.sequence());
        assertEquals("outputs[2]", divergence.field());
        assertEquals(String.format("0x%08x", actualBits ^ 1), divergence.expectedHex());
        assertEquals(String.format("0x%08x", actualBits), divergence.actualHex());
        assertEquals(Float.toString(Float.intBitsToFloat(actualBits ^ 1)), divergence.expected());
        assertEquals(Float.toString(Float.intBitsToFloat(actualBits)), divergence.actual());
        assertEquals(1_000 + sequence, divergence.correlationId());
        assertEquals(journal.requests.get(sequence).principalId, divergence.principalId());
        assertEquals(sequence, report.identicalCount());
        assertEquals(sequence + 1, report.comparedCount());
        assertNull(report.damage());
    }

    @Test
    void shouldNameEveryFieldOfTheOutcomeThatDiffers() {
        assertField("correlationId", OutcomeDecoder.correlationIdEncodingOffset());
        assertField("sessionKey", OutcomeDecoder.sessionKeyEncodingOffset());
        assertField("stateHash", OutcomeDecoder.stateHashEncodingOffset() + 7);
        assertField("modelId", OutcomeDecoder.modelIdEncodingOffset());
        assertField("stepCount", OutcomeDecoder.stepCountEncodingOffset());
        assertField("outputCount", OutcomeDecoder.outputCountEncodingOffset());
        assertField("arithmetic", OutcomeDecoder.arithmeticEncodingOffset());
    }

    private void assertField(final String field, final int offset) {
        journal = JournalFixture.of(42, COUNT);
        final int sequence = journal.computedFrom(200);
        flip(journal.outcomes.get(sequence).buffer(), BLOCK + offset);

        final Divergence divergence = verify(options()).divergence();

        assertEquals(field, divergence.field());
        assertEquals(sequence, divergence.sequence());
    }

    @Test
    void shouldNameHeaderFieldsOfTheOutcomeThatDifferFromTheRequests() {
        assertHeaderField("principalId", i -> journal.outcomes.get(i).principalId++);
        assertHeaderField("ingressNs", i -> journal.outcomes.get(i).ingressNs++);
        assertHeaderField("modelVersion", i -> journal.outcomes.get(i).modelVersion[31]++);
    }

    private void assertHeaderField(final String field, final IntConsumer change) {
        journal = JournalFixture.of(42, COUNT);
        change.accept(50);

        final Divergence divergence = verify(options()).divergence();

        assertEquals(field, divergence.field());
        assertEquals(50, divergence.sequence());
    }

    @Test
    void shouldDivergeAtTheRequestWhoseFeatureWasChanged() {
        final int sequence = journal.computedFrom(100);
        flip(journal.requests.get(sequence).buffer(), FEATURES_OFFSET + 3);

        final Divergence divergence = verify(options()).divergence();

        assertEquals(sequence, divergence.sequence());
        assertTrue(divergence.field().startsWith("outputs[") || divergence.field().equals("stateHash"),
                divergence::field);
    }

    @Test
    void shouldTakeAnExpiryFromTheJournalAndLeaveTheStateAlone() {
        final int sequence = journal.firstWith(OutcomeStatus.EXPIRED);
        flip(journal.requests.get(sequence).buffer(), FEATURES_OFFSET);

        assertTrue(verify(options()).isIdentical());
    }

    @Test
    void shouldDivergeWhenARequestWithoutABudgetIsSaidToHaveExpired() {
        final int sequence = journal.firstWith(OutcomeStatus.EXPIRED);
        journal.requests.get(sequence).buffer().putLong(
                BLOCK + InferDecoder.budgetNsEncodingOffset(), 0, ByteOrder.LITTLE_ENDIAN);

        final Divergence divergence = verify(options()).divergence();

        assertEquals("status", divergence.field());
        assertEquals("EXPIRED", divergence.expected());
        assertEquals("OK", divergence.actual());
    }

    @Test
    void shouldDivergeWhenAnAnsweredRequestIsSaidToHaveExpired() {
        int sequence = journal.computedFrom(0);
        while (budgetNs(sequence) == 0) {
            sequence = journal.computedFrom(sequence + 1);
        }
        journal.outcomes.get(sequence).buffer().putByte(
                BLOCK + OutcomeDecoder.statusEncodingOffset(), (byte) OutcomeStatus.EXPIRED.value());

        assertEquals(sequence, verify(options()).divergence().sequence());
    }

    private long budgetNs(final int sequence) {
        return journal.requests.get(sequence).buffer().getLong(
                BLOCK + InferDecoder.budgetNsEncodingOffset(), ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void shouldCompareOnlyTheRangeAndRebuildWhatIsBeforeIt() {
        corruptOutput(journal.computedFrom(10));
        corruptOutput(journal.computedFrom(350));

        final ReplayReport report = verify(options().fromSequence(100).toSequence(299));

        assertTrue(report.isIdentical());
        assertEquals(200, report.comparedCount());
        assertEquals(200, report.identicalCount());
        assertEquals(100, report.rebuiltCount());
        assertEquals(299, report.lastSequence());
    }

    @Test
    void shouldFindADivergenceAtEitherEndOfTheRange() {
        final int sequence = journal.computedFrom(100);
        corruptOutput(sequence);

        assertEquals(sequence, verify(options().fromSequence(sequence)).divergence().sequence());
        assertEquals(sequence, verify(options().toSequence(sequence)).divergence().sequence());
        assertTrue(verify(options().fromSequence(sequence + 1)).isIdentical());
        assertTrue(verify(options().toSequence(sequence - 1)).isIdentical());
    }

    @Test
    void shouldFailWhenTheJournalDoesNotReachTheRange() {
        final Damage beyondTo = verify(options().toSequence(COUNT)).damage();
        final Damage beyondFrom = verify(options().fromSequence(COUNT)).damage();

        assertEquals(DamageKind.RANGE_OUTSIDE_JOURNAL, beyondTo.kind());
        assertEquals("to=400 is beyond the last outcome, sequence=399", beyondTo.detail());
        assertEquals("from=400 is beyond the last outcome, sequence=399", beyondFrom.detail());
    }

    @Test
    void shouldRefuseAnOpenTailUnlessItIsAllowed() {
        journal.outcomes.subList(COUNT - 3, COUNT).clear();

        final ReplayReport strict = verify(options());
        final ReplayReport lenient = verify(options().allowOpenTail(true));

        assertEquals(DamageKind.OPEN_TAIL, strict.damage().kind());
        assertEquals(COUNT - 3, strict.damage().sequence());
        assertEquals("3 requests at the end have no outcome yet", strict.damage().detail());
        assertEquals(COUNT - 3, strict.identicalCount());
        assertEquals(3, strict.openTailCount());
        assertTrue(lenient.isIdentical());
        assertEquals(3, lenient.openTailCount());
        assertEquals(COUNT - 3, lenient.comparedCount());
    }

    @Test
    void shouldNotLookAtTheTailWhenTheRangeEndsBeforeIt() {
        journal.outcomes.subList(COUNT - 3, COUNT).clear();

        assertTrue(verify(options().toSequence(COUNT - 4)).isIdentical());
    }

    @Test
    void shouldReportADivergenceRatherThanTheOpenTailBehindIt() {
        final int sequence = journal.computedFrom(10);
        corruptOutput(sequence);
        journal.outcomes.subList(COUNT - 3, COUNT).clear();

        final ReplayReport report = verify(options());

        assertEquals(sequence, report.divergence().sequence());
        assertNull(report.damage());
    }

    @Test
    void shouldFindEveryOutcomeIdenticalWhenSessionsMadeRoomForOthers() {
        final JournalFixture evicting = JournalFixture.of(7, COUNT, 6);
        evicting.writeBundles(directory);

        final ReplayReport report = new ReplayVerifier(options()).verify(evicting.inMemory());

        assertTrue(report.isIdentical(), () -> report.divergence() + " " + report.damage());
        assertEquals(COUNT, report.identicalCount());
        assertEquals(12, report.sessionCount(), "twice as many as the appliance had");
    }

    @Test
    void shouldDivergeWhenAnOutcomeDoesNotSayThatItsSessionBegan() {
        final JournalFixture evicting = JournalFixture.of(7, COUNT, 1);
        evicting.writeBundles(directory);
        for (final TestRecord outcome : evicting.outcomes) {
            outcome.buffer().putShort(BLOCK + OutcomeDecoder.flagsEncodingOffset(), (short) 0);
        }

        assertNotNull(new ReplayVerifier(options()).verify(evicting.inMemory()).divergence());
    }

    @Test
    void shouldRefuseAnOutcomeWithoutARequest() {
        journal.requests.remove(COUNT - 1);

        final Damage damage = verify(options().allowOpenTail(true)).damage();

        assertEquals(DamageKind.OUTCOME_WITHOUT_REQUEST, damage.kind());
        assertEquals(COUNT - 1, damage.sequence());
    }

    @Test
    void shouldRefuseQueuesOutOfStep() {
        journal.outcomes.remove(17);

        final Damage damage = verify(options()).damage();

        assertEquals(DamageKind.GAP, damage.kind());
        assertEquals("outcomes", damage.queue());
        assertEquals(18, damage.sequence());
    }

    @Test
    void shouldRefuseAnUnknownSchemaVersionAndSayWhich() {
        assertUnknown(journal.requests.get(20), 6, "schemaId=7001 version=7, known are schemaId=7001 version=1 to 6");
        assertUnknown(journal.requests.get(19), 4, "schemaId=7000 version=6, known are schemaId=7001 version=1 to 6");
        assertUnknown(journal.outcomes.get(18), 6, "schemaId=7002 version=6, known are schemaId=7002 version=1 to 5");
    }

    private void assertUnknown(final TestRecord record, final int offset, final String detail) {
        final UnsafeBuffer frame = record.buffer();
        final int change = offset == 6 ? 1 : -1;
        frame.putShort(
                offset,
                (short) (frame.getShort(offset, ByteOrder.LITTLE_ENDIAN) + change),
                ByteOrder.LITTLE_ENDIAN);

        final Damage damage = verify(options()).damage();

        assertEquals(DamageKind.UNKNOWN_SCHEMA, damage.kind());
        assertEquals(record.sequence, damage.sequence());
        assertEquals(detail, damage.detail());
    }

    @Test
    void shouldRefuseEveryFrameThatWasCutShort() {
        final TestRecord request = journal.requests.get(journal.computedFrom(30));
        final TestRecord outcome = journal.outcomes.get(journal.computedFrom(30));
        for (final TestRecord record : List.of(request, outcome)) {
            final byte[] whole = record.frame;
            for (int length = 0; length < whole.length; length++) {
                record.frame = Arrays.copyOf(whole, length);
                final Damage damage = verify(options()).damage();
                assertEquals(DamageKind.MALFORMED_FRAME, damage.kind());
                assertEquals(record.sequence, damage.sequence());
            }
            record.frame = whole;
        }
    }

    @Test
    void shouldNeverPassOverAByteOfARequestThatMattersAndNeverBreak() {
        final int sequence = journal.computedFrom(5);
        final TestRecord request = journal.requests.get(sequence);
        for (int offset = 0; offset < FEATURES_OFFSET; offset++) {
            for (int bit = 0; bit < 8; bit++) {
                request.frame[offset] ^= (byte) (1 << bit);
                final boolean hasNoEffect = isBudget(offset) || isPadding(offset) ||
                        offset == VERSION_OFFSET && isKnown(request.frame[offset]);
                final ReplayReport report = verify(options().toSequence(sequence));
                assertEquals(hasNoEffect, report.isIdentical(), "offset=" + offset + " bit=" + bit);
                request.frame[offset] ^= (byte) (1 << bit);
            }
        }
    }

    /** An Infer reads the same in every version so far. */
    private static boolean isKnown(final int version) {
        return version >= 1 && version <= InferDecoder.SCHEMA_VERSION;
    }

    /** An answered request's: it was computed, so when it would have expired is of no account. */
    private static boolean isBudget(final int offset) {
        return offset >= BLOCK + InferDecoder.budgetNsEncodingOffset() &&
                offset < BLOCK + InferDecoder.budgetNsEncodingOffset() + InferDecoder.budgetNsEncodingLength();
    }

    /** After the block's last field: there for alignment, and no part of the message. */
    private static boolean isPadding(final int offset) {
        return offset >= BLOCK + InferDecoder.flagsEncodingOffset() + InferDecoder.flagsEncodingLength() &&
                offset < BLOCK + InferDecoder.BLOCK_LENGTH;
    }

    @Test
    void shouldNameTheBundleAndThePlaceWhenItIsMissing() throws IOException {
        final Path missing = journal.bundlePath(directory, 1);
        Files.delete(missing);

        final Damage damage = verify(options()).damage();

        assertEquals(DamageKind.MISSING_BUNDLE, damage.kind());
        assertEquals("bundles", damage.queue());
        assertEquals("modelVersion=" + journal.bundles.get(1).versionHex() + " is not at " + missing, damage.detail());
    }

    @Test
    void shouldNameTheOtherHashWhenABundleWasReplaced() throws IOException {
        final Path replaced = journal.bundlePath(directory, 0);
        Files.copy(journal.bundlePath(directory, 1), replaced, StandardCopyOption.REPLACE_EXISTING);

        final Damage damage = verify(options()).damage();

        assertEquals(DamageKind.WRONG_BUNDLE, damage.kind());
        assertEquals(replaced + " has SHA-256 " + journal.bundles.get(1).versionHex(), damage.detail());
    }

    @Test
    void shouldStopAtTheFirstOfTwoDivergences() {
        final int first = journal.computedFrom(60);
        corruptOutput(journal.computedFrom(first + 1));
        corruptOutput(first);

        assertEquals(first, verify(options()).divergence().sequence());
    }

    @Test
    void shouldGrowWhenThereAreMoreSessionsThanItBeganWith() {
        final JournalFixture many = JournalFixture.of(7, 1);
        final TestRecord request = many.requests.get(0);
        final TestRecord outcome = many.outcomes.get(0);
        for (int i = 1; i < 5_000; i++) {
            many.requests.add(copy(request, i));
            many.outcomes.add(copy(outcome, i));
        }
        journal = many;
        many.writeBundles(directory);

        final ReplayReport report = verify(options());

        assertTrue(report.isIdentical(), () -> report.divergence() + " " + report.damage());
        assertEquals(5_000, report.sessionCount());
    }

    /** The same record of another principal, whose session is therefore new. */
    private static TestRecord copy(final TestRecord record, final int sequence) {
        return new TestRecord(
                sequence, record.ingressNs, record.principalId + sequence, record.modelVersion, record.frame);
    }

    @Test
    void shouldTellHowFarItIs() {
        final List<Long> done = new ArrayList<>();
        final List<Long> totals = new ArrayList<>();

        verify(options().toSequence(299).progress((doneCount, totalCount) -> {
            done.add(doneCount);
            totals.add(totalCount);
        }));

        assertEquals(300L, done.get(done.size() - 1));
        assertTrue(totals.stream().allMatch(total -> total == 300L));
    }

    @Test
    void shouldMeasureWithTheClockItIsGiven() {
        final long[] nowNs = {0};

        final ReplayReport report = verify(options().nanoClock(() -> nowNs[0] += 1_000_000_000L));

        assertEquals(1_000_000_000L, report.elapsedNs());
        assertEquals(COUNT, report.requestsPerSecond());
    }

    /** Each of the other threads has taken what its own clock says at its end. */
    @Test
    void shouldAddUpTheProcessorTimeOfAllThreads() {
        final AtomicLong processorNs = new AtomicLong();
        final long reader = Thread.currentThread().getId();
        final ReplayReport report = verify(options().threads(3).processorClock(
                () -> Thread.currentThread().getId() == reader ? processorNs.addAndGet(1_000) : 50));
        assertEquals(1_000 + 2 * 50, report.processorNs());
    }

    @Test
    void shouldRefuseOptionsOutOfRange() {
        assertRefused("journal is not given", new ReplayOptions());
        assertRefused("from=-1 is below 0", options().fromSequence(-1));
        assertRefused("to=4 is below from=5", options().fromSequence(5).toSequence(4));
    }

    private static void assertRefused(final String message, final ReplayOptions options) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, () -> new ReplayVerifier(options)).getMessage());
    }

    @Test
    void shouldCloseBothQueuesWhenTheJournalIsClosed() {
        final MemoryRecords requests = new MemoryRecords(journal.requests);
        final MemoryRecords outcomes = new MemoryRecords(journal.outcomes);
        final JoinedJournal joined = new JoinedJournal(requests, outcomes);
        assertFalse(requests.isClosed());

        joined.close();

        assertTrue(requests.isClosed());
        assertTrue(outcomes.isClosed());
    }

    private ReplayOptions options() {
        return new ReplayOptions().journalDirectory(directory);
    }

    private ReplayReport verify(final ReplayOptions options) {
        return new ReplayVerifier(options).verify(journal.inMemory());
    }

    private void corruptOutput(final int sequence) {
        flip(journal.outcomes.get(sequence).buffer(), OUTPUTS_OFFSET);
    }

    private static void flip(final UnsafeBuffer buffer, final int offset) {
        buffer.putByte(offset, (byte) (buffer.getByte(offset) ^ 1));
    }
}
