package io.tiercel.protocol;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.protocol.wire.RejectCode;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import org.agrona.concurrent.UnsafeBuffer;

class FrameValidatorProperties {

    private final FrameValidator validator =
            new FrameValidator(WireFrames.MAX_FRAME_LENGTH, WireFrames.MAX_STEPS);

    @Property(tries = 500)
    void shouldAcceptEveryFrameThatAnEncoderMakes(
            @ForAll("fromClient") final UnsafeBuffer fromClient,
            @ForAll("fromAppliance") final UnsafeBuffer fromAppliance,
            @ForAll @IntRange(max = 17) final int offset) {
        assertEquals(FrameValidator.OK, checkAt(true, fromClient, offset, fromClient.capacity()));
        assertEquals(FrameValidator.OK, checkAt(false, fromAppliance, offset, fromAppliance.capacity()));
    }

    @Property(tries = 200)
    void shouldRefuseAFrameWhenItIsCutAnywhere(
            @ForAll("fromClient") final UnsafeBuffer fromClient,
            @ForAll("fromAppliance") final UnsafeBuffer fromAppliance) {
        for (int length = 0; length < fromClient.capacity(); length++) {
            assertRefusedAsLength(checkCut(true, fromClient, length), length);
        }
        for (int length = 0; length < fromAppliance.capacity(); length++) {
            assertRefusedAsLength(checkCut(false, fromAppliance, length), length);
        }
    }

    @Property(tries = 200)
    void shouldRefuseAFrameWhenBytesFollowIt(
            @ForAll("fromClient") final UnsafeBuffer fromClient,
            @ForAll("fromAppliance") final UnsafeBuffer fromAppliance,
            @ForAll @IntRange(min = 1, max = 100) final int extraBytes) {
        assertRefusedAsLength(checkAt(true, fromClient, 0, fromClient.capacity() + extraBytes), Integer.MAX_VALUE);
        assertRefusedAsLength(
                checkAt(false, fromAppliance, 0, fromAppliance.capacity() + extraBytes), Integer.MAX_VALUE);
    }

    /** Whatever one byte becomes, either the frame is refused, or that byte's field has changed and no other. */
    @Property(tries = 300)
    void shouldRefuseOrIdentifyEveryCorruptedByteWhenAClientSent(
            @ForAll("fromClient") final UnsafeBuffer frame, @ForAll @IntRange(min = 1, max = 255) final int mask) {
        assertEachByteRefusedOrIdentified(true, frame, mask);
    }

    @Property(tries = 300)
    void shouldRefuseOrIdentifyEveryCorruptedByteWhenAnApplianceSent(
            @ForAll("fromAppliance") final UnsafeBuffer frame, @ForAll @IntRange(min = 1, max = 255) final int mask) {
        assertEachByteRefusedOrIdentified(false, frame, mask);
    }

    @Property(tries = 2000)
    void shouldSurviveGarbage(@ForAll final byte[] garbage) {
        final UnsafeBuffer buffer = new UnsafeBuffer(garbage);
        final int fromClient = validator.checkFromClient(buffer, 0, garbage.length);
        final int fromAppliance = validator.checkFromAppliance(buffer, 0, garbage.length);
        assertTrue(fromClient != FrameValidator.OK || new DecodedFrame(buffer).values.size() > 4);
        assertTrue(fromAppliance != FrameValidator.OK || new DecodedFrame(buffer).values.size() > 4);
    }

    /** Garbage behind a good header gets further in. */
    @Property(tries = 2000)
    void shouldSurviveGarbageBehindAHeader(
            @ForAll @IntRange(min = 0, max = 13) final int templateId,
            @ForAll @IntRange(min = 0, max = 9) final int blockIndex,
            @ForAll final byte[] garbage) {
        final int[] blockLengths = {12, 40, 1, 36, 20, 28, 44, 52, 16, 8};
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[8 + garbage.length]);
        buffer.putShort(0, (short) blockLengths[blockIndex], LITTLE_ENDIAN);
        buffer.putShort(2, (short) templateId, LITTLE_ENDIAN);
        buffer.putShort(4, (short) Frames.SCHEMA_ID, LITTLE_ENDIAN);
        buffer.putShort(6, (short) Frames.VERSION, LITTLE_ENDIAN);
        buffer.putBytes(8, garbage);
        if (validator.checkFromClient(buffer, 0, buffer.capacity()) == FrameValidator.OK) {
            assertTrue(new DecodedFrame(buffer).values.size() > 4);
        }
        if (validator.checkFromAppliance(buffer, 0, buffer.capacity()) == FrameValidator.OK) {
            assertTrue(new DecodedFrame(buffer).values.size() > 4);
        }
    }

    @Property(tries = 2000)
    void shouldRefuseExactlyTheFramesWithAFloatThatIsNotFinite(@ForAll("anyFloats") final float[] features) {
        final UnsafeBuffer frame = SampleFrames.infer(1, 2, 3, 4, 1, false, features);
        int firstIndex = 0;
        while (firstIndex < features.length && Float.isFinite(features[firstIndex])) {
            firstIndex++;
        }
        final int code = validator.checkFromClient(frame, 0, frame.capacity());
        if (firstIndex == features.length) {
            assertEquals(FrameValidator.OK, code);
        } else {
            assertEquals(RejectCode.NON_FINITE_FEATURE.value(), code);
            assertEquals(firstIndex, validator.offendingValue());
            assertEquals(1, validator.correlationId());
        }
    }

    @Provide
    Arbitrary<UnsafeBuffer> fromClient() {
        return WireFrames.fromClient();
    }

    @Provide
    Arbitrary<UnsafeBuffer> fromAppliance() {
        return WireFrames.fromAppliance();
    }

    @Provide
    Arbitrary<float[]> anyFloats() {
        final Arbitrary<Float> bad = Arbitraries.integers().map(bits -> Float.intBitsToFloat(bits | 0x7F80_0000));
        final Arbitrary<Float> any = Arbitraries.frequencyOf(
                Tuple.of(40, WireFrames.finiteFloats()), Tuple.of(1, bad));
        return any.array(float[].class).ofMinSize(1).ofMaxSize(33);
    }

    private void assertEachByteRefusedOrIdentified(
            final boolean isFromClient, final UnsafeBuffer frame, final int mask) {
        final DecodedFrame before = new DecodedFrame(frame);
        for (int i = 0; i < frame.capacity(); i++) {
            final byte original = frame.getByte(i);
            frame.putByte(i, (byte) (original ^ mask));
            if (check(isFromClient, frame) == FrameValidator.OK) {
                final Set<String> changed = changedFields(before, new DecodedFrame(frame));
                changed.remove(before.fieldAt(i));
                assertEquals(Set.of(), changed, "byte " + i + " of " + before.fieldAt(i));
            }
            frame.putByte(i, original);
        }
    }

    private static Set<String> changedFields(final DecodedFrame before, final DecodedFrame after) {
        final Set<String> changed = new TreeSet<>(before.values.keySet());
        changed.addAll(after.values.keySet());
        changed.removeIf(name -> before.values.containsKey(name) &&
                before.values.get(name).equals(after.values.get(name)));
        return changed;
    }

    private int check(final boolean isFromClient, final UnsafeBuffer frame) {
        return isFromClient
                ? validator.checkFromClient(frame, 0, frame.capacity())
                : validator.checkFromAppliance(frame, 0, frame.capacity());
    }

    /** The frame's first bytes in a buffer that ends with them: a read beyond the end would throw. */
    private int checkCut(final boolean isFromClient, final UnsafeBuffer frame, final int length) {
        final byte[] bytes = new byte[length];
        frame.getBytes(0, bytes);
        return check(isFromClient, new UnsafeBuffer(bytes));
    }

    private int checkAt(final boolean isFromClient, final UnsafeBuffer frame, final int offset, final int length) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[offset + length]);
        buffer.putBytes(offset, frame, 0, frame.capacity());
        return isFromClient
                ? validator.checkFromClient(buffer, offset, length)
                : validator.checkFromAppliance(buffer, offset, length);
    }

    private static void assertRefusedAsLength(final int code, final int length) {
        assertNotEquals(FrameValidator.OK, code);
        final RejectCode expected =
                length < Frames.HEADER_LENGTH ? RejectCode.MALFORMED_FRAME : RejectCode.LENGTH_MISMATCH;
        assertEquals(expected, RejectCode.get(code));
    }
}
