package io.tiercel.appliance.session;

import io.tiercel.protocol.wire.ResultStatus;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

class RetryWindowTest {

    private static final int OUTPUTS = 3;

    private final RetryWindow window = new RetryWindow(2, 4, OUTPUTS);

    /** A known answer, to compare. */
    private record Copy(long principalId, long correlationId, long sequence, long sessionKey, int modelId,
            int frameChecksum, ResultStatus status, int batchSize, long applianceNs, int slotCount, int outputCount,
            List<Float> outputs) {

        static Copy of(final KnownAnswer answer) {
            final List<Float> outputs = new ArrayList<>();
            for (int index = 0; index < answer.outputCount * answer.frameCount(); index++) {
                outputs.add(answer.outputs.getFloat(index * Float.BYTES));
            }
            return new Copy(answer.principalId, answer.correlationId, answer.sequence, answer.sessionKey,
                    answer.modelId, answer.frameChecksum, answer.status, answer.batchSize, answer.applianceNs,
                    answer.slotCount, answer.outputCount, outputs);
        }
    }

    @AfterEach
    void tearDown() {
        window.close();
    }

    @Test
    void shouldFindTheFramesThatWerePutWhenARequestWasStreamed() {
        final KnownAnswer answer = answer(new Random(1), 9, 5, 17, ResultStatus.OK, 3);
        answer.applianceNs = 0xFFFF_FFFEL;
        answer.modelId = 0xFFFE;
        answer.batchSize = 0xFFFD;
        window.restore(answer);
        final long position = window.index().find(window.index().placeOf(9, -1), 5);
        final AnswerSlot first = window.answers().find(position, 17);
        assertEquals(5, first.correlationId());
        assertEquals(answer.sessionKey, first.sessionKey());
        assertEquals(9, first.principalId());
        assertEquals(answer.frameChecksum, first.frameChecksum());
        assertEquals(answer.applianceNs, first.applianceNs());
        assertEquals(0xFFFE, first.modelId());
        assertEquals(0xFFFD, first.batchSize());
        assertEquals(ResultStatus.OK, first.status());
        assertEquals(3, first.frameCount());
        for (int step = 0; step < 3; step++) {
            final AnswerSlot frame = window.answers().frame(position, step);
            assertEquals(step, frame.stepIndex());
            assertEquals(step == 2, frame.isResult());
            assertEquals(17, frame.sequence());
            assertEquals(OUTPUTS * Float.BYTES, frame.outputs().capacity());
            assertEquals(answer.outputs.getFloat((step * OUTPUTS + 1) * Float.BYTES), frame.outputs().getFloat(4));
        }
    }

    @Test
    void shouldFindNothingWhenTheSlotIsOfALaterRequest() {
        restore(9, 1, 10, ResultStatus.OK, 1);
        final long position = window.index().find(0, 1);
        assertNotNull(window.answers().find(position, 10));
        assertNull(window.answers().find(position, 11));
        for (int id = 2; id <= 5; id++) {
            restore(9, id, 10 + id, ResultStatus.OK, 1);
        }
        assertNull(window.answers().find(position, 10));
        assertNotNull(window.answers().find(position, 15));
    }

    @Test
    void shouldFindNothingWhenNothingWasEverPut() {
        assertNull(window.answers().find(AnswerPosition.of(1, 3), 0));
        restore(9, 1, 10, ResultStatus.OK, 1);
        assertNull(window.answers().find(AnswerPosition.of(0, 3), 0));
    }

    @Test
    void shouldTakeOneFrameAndAllSlotsWhenAStreamedRequestExpired() {
        restore(9, 1, 10, ResultStatus.OK, 1);
        restore(9, 2, 11, ResultStatus.EXPIRED, 3);
        final long position = window.index().find(0, 2);
        assertEquals(1, window.answers().find(position, 11).frameCount());
        assertTrue(window.answers().find(position, 11).isResult());
        assertEquals(List.of(10L, 11L), sequencesUpTo(11));
        restore(9, 3, 12, ResultStatus.RESET, 1);
        assertEquals(List.of(11L, 12L), sequencesUpTo(12));
        assertEquals(AnswerPosition.NONE, window.index().find(0, 1));
    }

    @Test
    void shouldLeaveOutWhatAnExpiredStreamTookTheSlotsOf() {
        for (int id = 1; id <= 4; id++) {
            restore(9, id, id, ResultStatus.OK, 1);
        }
        restore(9, 5, 5, ResultStatus.EXPIRED, 3);
        assertEquals(List.of(4L, 5L), sequencesUpTo(9));
    }

    @Test
    void shouldReadNothingWhenTheSlotIsBeingWritten() {
        restore(9, 1, 10, ResultStatus.OK, 1);
        restore(9, 2, 11, ResultStatus.OK, 1);
        slotAt(0).erase();
        assertEquals(List.of(11L), sequencesUpTo(11));
    }

    @Test
    void shouldSeeTheChangeWhenTheSlotIsWrittenWhileItIsRead() {
        restore(9, 1, 10, ResultStatus.OK, 1);
        final AnswerSlot reader = slotAt(0);
        final AnswerSlot writer = slotAt(0);
        assertEquals(10, reader.sequence());
        assertTrue(reader.isStill(10));
        writer.erase();
        assertFalse(reader.isStill(10));
        writer.write(answer(new Random(3), 9, 2, 14, ResultStatus.OK, 1), 0);
        assertFalse(reader.isStill(10));
        assertEquals(14, reader.sequence());
        assertTrue(reader.isStill(14));
    }

    @Test
    void shouldLeaveOutOnlyTheOverwrittenWhenEgressWritesDuringTheVisit() {
        for (int id = 1; id <= 4; id++) {
            restore(9, id, id, ResultStatus.OK, 1);
        }
        final List<Long> visited = new ArrayList<>();
        window.forEachUpTo(4, answer -> {
            visited.add(answer.sequence);
            if (answer.sequence == 1) {
                restore(9, 5, 5, ResultStatus.OK, 1);
                restore(9, 6, 6, ResultStatus.OK, 1);
            }
        });
        assertEquals(List.of(1L, 3L, 4L), visited);
    }

    @Test
    void shouldReadUpToTheSequenceWhenThereIsMore() {
        for (int id = 1; id <= 6; id++) {
            restore(9, id, id, ResultStatus.OK, 1);
        }
        assertEquals(List.of(3L, 4L, 5L), sequencesUpTo(5));
        assertEquals(List.of(), sequencesUpTo(2));
    }

    @Test
    void shouldReadTheLongestSilentPrincipalFirst() {
        restore(8, 1, 1, ResultStatus.OK, 1);
        restore(9, 1, 2, ResultStatus.OK, 1);
        restore(8, 2, 3, ResultStatus.OK, 1);
        assertEquals(List.of(2L, 1L, 3L), sequencesUpTo(3));
    }

    @Test
    void shouldReadNothingOfThePrincipalWhosePlaceIsAnothers() {
        restore(7, 1, 1, ResultStatus.OK, 1);
        restore(7, 2, 2, ResultStatus.OK, 1);
        restore(8, 1, 3, ResultStatus.OK, 1);
        restore(9, 1, 4, ResultStatus.OK, 1);
        assertEquals(List.of(3L, 4L), sequencesUpTo(4));
        restore(7, 3, 5, ResultStatus.OK, 1);
        restore(9, 2, 6, ResultStatus.OK, 1);
        assertEquals(List.of(5L, 4L, 6L), sequencesUpTo(6));
    }

    @Test
    void shouldKnowTheLaterOneWhenAnIdIsRestoredTwice() {
        restore(9, 1, 10, ResultStatus.OK, 1);
        restore(9, 1, 11, ResultStatus.OK, 1);
        assertEquals(11, window.index().sequence(window.index().find(0, 1)));
        for (int id = 2; id <= 4; id++) {
            restore(9, id, 10 + id, ResultStatus.OK, 1);
        }
        assertEquals(11, window.index().sequence(window.index().find(0, 1)));
        restore(9, 5, 15, ResultStatus.OK, 1);
        assertEquals(AnswerPosition.NONE, window.index().find(0, 1));
    }

    @Test
    void shouldKeepNothingWhenThereIsNoWindow() {
        try (RetryWindow none = new RetryWindow(2, 0, OUTPUTS)) {
            none.restore(answer(new Random(1), 9, 1, 1, ResultStatus.OK, 1));
            none.forEachUpTo(9, answer -> {
                throw new AssertionError("sequence=" + answer.sequence);
            });
        }
    }

    @Property(tries = 100)
    void shouldComeToTheSameWindowWhenASnapshotIsRestored(
            @ForAll final long seed, @ForAll @IntRange(min = 1, max = 20) final int slotCount) {
        final Random random = new Random(seed);
        try (RetryWindow live = new RetryWindow(4, slotCount, OUTPUTS);
                RetryWindow restored = new RetryWindow(4, slotCount, OUTPUTS)) {
            for (int sequence = 0; sequence < 200; sequence++) {
                live.restore(answer(random, random.nextInt(6), sequence, sequence, randomStatus(random),
                        1 + random.nextInt(slotCount)));
            }
            final List<Copy> expected = copies(live, 150);
            live.forEachUpTo(Long.MAX_VALUE, restored::restore);
            assertEquals(copies(live, Long.MAX_VALUE), copies(restored, Long.MAX_VALUE));
            assertEquals(expected, copies(restored, 150));
            for (int principal = 0; principal < 6; principal++) {
                for (int id = 0; id < 200; id++) {
                    assertEquals(sequenceOf(live, principal, id), sequenceOf(restored, principal, id));
                }
            }
        }
    }

    private static long sequenceOf(final RetryWindow window, final long principalId, final long id) {
        final RetryIndex index = window.index();
        final long position = index.find(index.placeOf(principalId, RetryIndex.NO_PLACE), id);
        return position == AnswerPosition.NONE ? -1 : index.sequence(position);
    }

    private static ResultStatus randomStatus(final Random random) {
        return random.nextInt(4) == 0 ? ResultStatus.EXPIRED : ResultStatus.OK;
    }

    private static List<Copy> copies(final RetryWindow window, final long upTo) {
        final List<Copy> copies = new ArrayList<>();
        window.forEachUpTo(upTo, answer -> copies.add(Copy.of(answer)));
        return copies;
    }

    private List<Long> sequencesUpTo(final long sequence) {
        return copies(window, sequence).stream().map(Copy::sequence).toList();
    }

    private AnswerSlot slotAt(final int slotIndex) {
        final AnswerStore store = window.answers();
        return store.newSlot().wrap(store.address(store.place(0), slotIndex));
    }

    private void restore(
            final long principalId, final long correlationId, final long sequence, final ResultStatus status,
            final int slotCount) {
        window.restore(answer(new Random(sequence), principalId, correlationId, sequence, status, slotCount));
    }

    private static KnownAnswer answer(
            final Random random, final long principalId, final long correlationId, final long sequence,
            final ResultStatus status, final int slotCount) {
        final KnownAnswer answer = new KnownAnswer();
        answer.principalId = principalId;
        answer.correlationId = correlationId;
        answer.sequence = sequence;
        answer.sessionKey = random.nextLong();
        answer.modelId = random.nextInt(4);
        answer.frameChecksum = random.nextInt();
        answer.status = status;
        answer.batchSize = random.nextInt(32);
        answer.applianceNs = random.nextInt(1_000_000);
        answer.slotCount = slotCount;
        answer.outputCount = status == ResultStatus.OK ? OUTPUTS : 0;
        answer.outputs.wrap(new UnsafeBuffer(new byte[slotCount * OUTPUTS * Float.BYTES]));
        for (int index = 0; index < slotCount * OUTPUTS; index++) {
            answer.outputs.putFloat(index * Float.BYTES, random.nextFloat());
        }
        return answer;
    }
}
