package io.tiercel.protocol;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.ChunkDecoder;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import java.lang.management.ManagementFactory;
import java.util.Set;
import java.util.TreeSet;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

class FrameValidatorTest {

    private static final int BLOCK_LENGTH = 0;
    private static final int TEMPLATE_ID = 2;
    private static final int SCHEMA_ID = 4;
    private static final int VERSION = 6;
    private static final int STEP_COUNT = 8 + 26;
    private static final int FEATURE_COUNT = 8 + 28;
    private static final int FLAGS = 8 + 30;
    private static final int FEATURES_LENGTH = 44;

    private final FrameValidator validator = new FrameValidator(128, 4);
    private UnsafeBuffer frame = SampleFrames.infer(77, 2, 3, 4, 2, true, 1, 2, 3, 4, 5, 6);

    @Test
    void shouldAcceptASoundFrame() {
        assertEquals(FrameValidator.OK, check());
        assertEquals(77, validator.correlationId());
        assertEquals(4, validator.templateId());
    }

    @Test
    void shouldRefuseWhenTheHeaderIsNotComplete() {
        frame = new UnsafeBuffer(new byte[7]);
        assertRefused(RejectCode.MALFORMED_FRAME, 7, 8);
        assertEquals(0, validator.correlationId());
        assertEquals(0, validator.templateId());
    }

    @Test
    void shouldRefuseWhenTheSchemaIsAnother() {
        put(SCHEMA_ID, 7002);
        assertRefused(RejectCode.UNKNOWN_SCHEMA, 7002, 7001);
        assertEquals(0, validator.correlationId());
    }

    @Test
    void shouldRefuseWhenTheVersionIsNotKnown() {
        put(VERSION, Frames.VERSION + 1);
        assertRefused(RejectCode.UNSUPPORTED_VERSION, Frames.VERSION + 1, Frames.VERSION);
        put(VERSION, 0);
        assertRefused(RejectCode.UNSUPPORTED_VERSION, 0, Frames.VERSION);
        assertEquals(77, validator.correlationId());
    }

    @Test
    void shouldRecogniseAHelloOfALaterVersionThatCanBeRead() {
        frame = SampleFrames.helloOfLaterVersion(1, 2, "desk-7", "aeron:ipc");
        assertRefused(RejectCode.UNSUPPORTED_VERSION, Frames.VERSION + 1, Frames.VERSION);
        assertTrue(validator.isHelloOfLaterVersion(frame, 0, frame.capacity()));
        for (int length = 0; length < frame.capacity() - 8; length++) {
            validator.checkFromClient(frame, 0, length);
            assertFalse(validator.isHelloOfLaterVersion(frame, 0, length), "length=" + length);
        }
        frame = SampleFrames.helloOfLaterVersion(1, 2, "desk 7", "aeron:ipc");
        check();
        assertFalse(validator.isHelloOfLaterVersion(frame, 0, frame.capacity()));
        frame = SampleFrames.hello(1, 2, "desk-7", "aeron:ipc");
        check();
        assertFalse(validator.isHelloOfLaterVersion(frame, 0, frame.capacity()));
    }

    @Test
    void shouldAcceptWhatEachVersionKnows() {
        put(VERSION, 1);
        assertEquals(FrameValidator.OK, check());
        frame = SampleFrames.result(1, 2, 3, 4, ResultStatus.CONTEXT_FULL);
        assertEquals(FrameValidator.OK, validator.checkFromAppliance(frame, 0, frame.capacity()));
        put(VERSION, 1);
        assertEquals(RejectCode.MALFORMED_FRAME.value(), validator.checkFromAppliance(frame, 0, frame.capacity()));
        assertEquals(3, validator.offendingValue());
        assertEquals(2, validator.allowedValue());
    }

    @Test
    void shouldWantEachVersionsLengthOfAModelInAWelcome() {
        frame = SampleFrames.welcomeOfVersion1(1, 2, 128, "flow");
        assertEquals(FrameValidator.OK, validator.checkFromAppliance(frame, 0, frame.capacity()));
        put(VERSION, 2);
        assertEquals(RejectCode.LENGTH_MISMATCH.value(), validator.checkFromAppliance(frame, 0, frame.capacity()));
        assertEquals(70, validator.offendingValue());
        assertEquals(78, validator.allowedValue());
    }

    @Test
    void shouldTakeTheTokensOfAnyVocabularyForFiniteFloats() {
        frame = SampleFrames.inferTokens(1, 2, 0, 1, (1 << 18) - 1, 0x7F7F_FFFF);
        assertEquals(FrameValidator.OK, check());
    }

    @Test
    void shouldRefuseWhenOnlyTheOtherSideMaySendTheTemplate() {
        put(TEMPLATE_ID, 5);
        assertRefused(RejectCode.UNKNOWN_TEMPLATE, 5, 0);
        frame = SampleFrames.infer(77, 2, 3, 4, 1, true, 1);
        final int code = validator.checkFromAppliance(frame, 0, frame.capacity());
        assertEquals(RejectCode.UNKNOWN_TEMPLATE.value(), code);
        assertEquals(4, validator.offendingValue());
    }

    @Test
    void shouldRefuseWhenTheBlockLengthLies() {
        put(BLOCK_LENGTH, 40);
        assertRefused(RejectCode.LENGTH_MISMATCH, 40, 36);
    }

    @Test
    void shouldRefuseAResultWhenItsTemplateIdBecameAChunks() {
        frame = SampleFrames.result(1, 2, 3, 4, ResultStatus.OK, 1, 2);
        put(TEMPLATE_ID, ChunkDecoder.TEMPLATE_ID);
        assertEquals(
                RejectCode.LENGTH_MISMATCH.value(), validator.checkFromAppliance(frame, 0, frame.capacity()));
        assertEquals(ResultDecoder.BLOCK_LENGTH, validator.offendingValue());
        assertEquals(ChunkDecoder.BLOCK_LENGTH, validator.allowedValue());
    }

    /** Two that share one would be taken for each other when a templateId is corrupted. */
    @Test
    void shouldWantABlockLengthOfItsOwnForEachTemplateThatOneSideMaySend() {
        assertEquals(Set.of(1L, 8L, 16L, 20L, 28L, 36L, 44L, 52L, 60L, 64L), blockLengthsOfAllTemplates(true));
        assertEquals(Set.of(1L, 8L, 16L, 28L, 32L, 36L, 40L, 44L, 48L), blockLengthsOfAllTemplates(false));
    }

    @Test
    void shouldRefuseWhenTheDataLengthLies() {
        frame.putInt(FEATURES_LENGTH, -4, LITTLE_ENDIAN);
        assertRefused(RejectCode.LENGTH_MISMATCH, 0xFFFF_FFFCL, 24);
        frame.putInt(FEATURES_LENGTH, 28, LITTLE_ENDIAN);
        assertRefused(RejectCode.LENGTH_MISMATCH, 28, 24);
        assertEquals(77, validator.correlationId());
    }

    @Test
    void shouldRefuseWhenTheFrameIsTooLong() {
        frame = SampleFrames.infer(77, 2, 3, 4, 1, false, new float[21]);
        assertRefused(RejectCode.FRAME_TOO_LONG, 132, 128);
        assertEquals(77, validator.correlationId());
    }

    @Test
    void shouldRefuseWhenAFlagIsNotKnown() {
        put(FLAGS, 3);
        assertRefused(RejectCode.UNKNOWN_FLAGS, 3, 1);
    }

    @Test
    void shouldRefuseWhenTheStepCountIsOutOfRange() {
        put(STEP_COUNT, 0);
        assertRefused(RejectCode.STEP_COUNT_OUT_OF_RANGE, 0, 4);
        put(STEP_COUNT, 5);
        assertRefused(RejectCode.STEP_COUNT_OUT_OF_RANGE, 5, 4);
    }

    @Test
    void shouldRefuseWhenTheCountsAndTheDataDisagree() {
        put(FEATURE_COUNT, 4);
        assertRefused(RejectCode.FEATURE_COUNT_MISMATCH, 6, 8);
        put(FEATURE_COUNT, 65535);
        assertRefused(RejectCode.FEATURE_COUNT_MISMATCH, 6, 131070);
    }

    @Test
    void shouldTellTheIndexWhenAFeatureIsNotFinite() {
        frame.putFloat(48 + 5 * 4, Float.NaN, LITTLE_ENDIAN);
        assertRefused(RejectCode.NON_FINITE_FEATURE, 5, 0);
        frame.putFloat(48 + 2 * 4, Float.NEGATIVE_INFINITY, LITTLE_ENDIAN);
        assertRefused(RejectCode.NON_FINITE_FEATURE, 2, 0);
    }

    @Test
    void shouldRefuseAHelloWhenItsTextWillNotDo() {
        frame = SampleFrames.hello(1, 2, "", "aeron:ipc");
        assertRefused(RejectCode.BAD_HELLO, 0, 64);
        frame = SampleFrames.hello(1, 2, "desk 7", "aeron:ipc");
        assertRefused(RejectCode.BAD_HELLO, 6, 64);
        frame = SampleFrames.hello(1, 2, "desk-7", "");
        assertRefused(RejectCode.BAD_HELLO, 0, 512);
        frame = SampleFrames.hello(1, 2, "desk-7", "aeron:\nipc");
        assertRefused(RejectCode.BAD_HELLO, 10, 512);
        frame = SampleFrames.hello(1, 2, "desk-7", "aeron:ipc");
        assertEquals(FrameValidator.OK, check());
    }

    @Test
    void shouldRefuseAnAnswerWhenAFlagIsNotKnown() {
        frame = SampleFrames.result(1, 2, 3, 4, ResultStatus.OK, 1);
        frame.putByte(8 + 35, (byte) 1);
        assertEquals(FrameValidator.OK, validator.checkFromAppliance(frame, 0, frame.capacity()));
        frame.putByte(8 + 35, (byte) 3);
        assertEquals(RejectCode.UNKNOWN_FLAGS.value(), validator.checkFromAppliance(frame, 0, frame.capacity()));
        assertEquals(3, validator.offendingValue());
        put(VERSION, 3);
        assertEquals(FrameValidator.OK, validator.checkFromAppliance(frame, 0, frame.capacity()));

        frame = SampleFrames.chunk(1, 2, 3, 4, 1);
        frame.putByte(8 + 32, (byte) 2);
        assertEquals(RejectCode.UNKNOWN_FLAGS.value(), validator.checkFromAppliance(frame, 0, frame.capacity()));
        put(VERSION, 3);
        assertEquals(FrameValidator.OK, validator.checkFromAppliance(frame, 0, frame.capacity()));
    }

    @Test
    void shouldRefuseAResultWhenItsStatusIsNotKnown() {
        frame = SampleFrames.result(1, 2, 3, 4, ResultStatus.OK, 1);
        frame.putByte(8 + 34, (byte) 7);
        assertEquals(RejectCode.MALFORMED_FRAME.value(), validator.checkFromAppliance(frame, 0, frame.capacity()));
        assertEquals(7, validator.offendingValue());
    }

    @Test
    void shouldWantOfACommandWhatItNeedsAndNothingElse() {
        assertCommand(RejectCode.NULL_VAL, 0, 0, AdminCommand.ROUTE, "", 9_000, 1_000);
        assertCommand(RejectCode.MALFORMED_FRAME, 0, Frames.MAX_ROUTES, AdminCommand.ROUTE, "");
        assertCommand(RejectCode.MALFORMED_FRAME, Frames.MAX_ROUTES + 1L, Frames.MAX_ROUTES, AdminCommand.ROUTE, "",
                new int[Frames.MAX_ROUTES + 1]);
        assertCommand(RejectCode.MALFORMED_FRAME, 1, 0, AdminCommand.DRAIN, "", 10_000);
        assertCommand(RejectCode.NULL_VAL, 0, 0, AdminCommand.LOAD, "/models/flow-2");
        assertCommand(RejectCode.MALFORMED_FRAME, 0, Frames.MAX_BUNDLE_LENGTH, AdminCommand.LOAD, "");
        assertCommand(RejectCode.MALFORMED_FRAME, 9, Frames.MAX_BUNDLE_LENGTH, AdminCommand.LOAD, "two words");
        assertCommand(RejectCode.MALFORMED_FRAME, 14, 0, AdminCommand.PROMOTE, "/models/flow-2");
        frame = SampleFrames.administer(1, AdminCommand.SNAPSHOT, 0, "");
        frame.putByte(8 + 10, (byte) 7);
        assertRefused(RejectCode.MALFORMED_FRAME, 7, AdminCommand.SNAPSHOT.value());
    }

    private static void assertCommand(
            final RejectCode code, final long offendingValue, final long allowedValue, final AdminCommand command,
            final String bundle, final int... weights) {
        final FrameValidator roomy = new FrameValidator(4_096, 4);
        final UnsafeBuffer sample = SampleFrames.administer(1, command, 0, bundle, weights);
        final int found = roomy.checkFromClient(sample, 0, sample.capacity());
        assertEquals(code == RejectCode.NULL_VAL ? FrameValidator.OK : code.value(), found);
        assertEquals(1, roomy.correlationId());
        if (found != FrameValidator.OK) {
            assertEquals(offendingValue, roomy.offendingValue());
            assertEquals(allowedValue, roomy.allowedValue());
        }
    }

    @Test
    void shouldKnowNoCommandsInAnEarlierVersion() {
        frame = SampleFrames.administer(1, AdminCommand.VERSIONS, 0, "");
        put(VERSION, 5);
        assertRefused(RejectCode.UNKNOWN_TEMPLATE, 20, 0);
        frame = SampleFrames.result(1, 2, 3, 4, ResultStatus.APPLIED);
        assertEquals(FrameValidator.OK, validator.checkFromAppliance(frame, 0, frame.capacity()));
        put(VERSION, 5);
        assertEquals(RejectCode.MALFORMED_FRAME.value(), validator.checkFromAppliance(frame, 0, frame.capacity()));
    }

    @Test
    void shouldRefuseAResultWhenItHasOutputsThoughNothingWasComputed() {
        frame = SampleFrames.result(1, 2, 3, 4, ResultStatus.EXPIRED, 1);
        assertEquals(RejectCode.LENGTH_MISMATCH.value(), validator.checkFromAppliance(frame, 0, frame.capacity()));
    }

    @Test
    void shouldAllocateNothingWhateverItJudges() {
        final UnsafeBuffer[] frames = {
            frame,
            SampleFrames.infer(77, 2, 3, 4, 1, false, Float.NaN),
            SampleFrames.hello(1, 2, "desk-7", "aeron:ipc"),
            SampleFrames.resetSession(1, 2, 3),
            SampleFrames.generate(1, 2, 3, new int[] {4, 5}, new int[] {6}),
            SampleFrames.goodbye(GoodbyeReason.IDLE),
            SampleFrames.result(1, 2, 3, 4, ResultStatus.OK, 1, 2, 3),
            SampleFrames.reject(1, 2, 3, RejectCode.BAD_HELLO, 1, "value=1"),
            SampleFrames.welcome(1, 2, 3, "a", "b"),
            new UnsafeBuffer(new byte[3])
        };
        final UnsafeBuffer detail = new UnsafeBuffer(new byte[RejectDetail.MAX_LENGTH]);
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long leastBytes = Long.MAX_VALUE;
        long written = 0;
        for (int round = 0; round < 10; round++) {
            final long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 2_000; i++) {
                for (final UnsafeBuffer each : frames) {
                    validator.checkFromAppliance(each, 0, each.capacity());
                    if (validator.checkFromClient(each, 0, each.capacity()) != FrameValidator.OK) {
                        written += RejectDetail.put(RejectCode.LENGTH_MISMATCH, i, round, detail, 0);
                    }
                }
            }
            leastBytes = Math.min(leastBytes, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(written > 0);
        assertEquals(0, leastBytes);
    }

    private int check() {
        return validator.checkFromClient(frame, 0, frame.capacity());
    }

    /** Asked of the validator itself, so that a template which is added later is held to it as well. */
    private Set<Long> blockLengthsOfAllTemplates(final boolean isFromClient) {
        final Set<Long> blockLengths = new TreeSet<>();
        put(BLOCK_LENGTH, 0xFFFF);
        for (int templateId = 0; templateId <= 0xFFFF; templateId++) {
            put(TEMPLATE_ID, templateId);
            final int code = isFromClient ? check() : validator.checkFromAppliance(frame, 0, frame.capacity());
            if (code != RejectCode.UNKNOWN_TEMPLATE.value()) {
                assertEquals(RejectCode.LENGTH_MISMATCH.value(), code);
                assertEquals(0xFFFF, validator.offendingValue());
                assertTrue(blockLengths.add(validator.allowedValue()), "templateId=" + templateId);
            }
        }
        return blockLengths;
    }

    private void put(final int index, final int value) {
        frame.putShort(index, (short) value, LITTLE_ENDIAN);
    }

    private void assertRefused(final RejectCode code, final long offendingValue, final long allowedValue) {
        assertEquals(code, RejectCode.get(check()));
        assertEquals(offendingValue, validator.offendingValue());
        assertEquals(allowedValue, validator.allowedValue());
    }
}
