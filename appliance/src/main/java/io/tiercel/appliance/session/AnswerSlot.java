package io.tiercel.appliance.session;

import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.BitUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * One frame of a kept answer, where it lies: a chunk, or the result, which is the last. A flyweight over
 * {@link AnswerStore}'s memory; little-endian as all machines that this runs on.
 *
 * <pre>
 *   0               8               16              24              32
 *   +---------------+---------------+---------------+---------------+
 *   | sequence      | correlationId | sessionKey    | principalId   |
 *   +-------+-------+-------+-------+---+---+---+---+---------------+
 *   |chcksum| step  | slots | app.ns|mod|bat|out|s|b| outputs ...
 *   +-------+-------+-------+-------+---+---+---+-+-+---------------+
 *   32      36      40      44      48  50  52  54  56
 * </pre>
 *
 * <p>The sequence is a seqlock too. The one writer sets it to {@link #NOTHING}, writes, and stores it again (release).
 * A reader on another thread loads it before (acquire) and after its own reading: if it was the same and not
 * {@code NOTHING}, what was read is of that sequence.
 */
public final class AnswerSlot {

    /** Of a slot that has no answer, or is being written. */
    static final long NOTHING = -1;

    private static final int CORRELATION_ID_OFFSET = 8;
    private static final int SESSION_KEY_OFFSET = 16;
    private static final int PRINCIPAL_ID_OFFSET = 24;
    private static final int CHECKSUM_OFFSET = 32;
    private static final int STEP_INDEX_OFFSET = 36;
    private static final int SLOT_COUNT_OFFSET = 40;
    private static final int APPLIANCE_NS_OFFSET = 44;
    private static final int MODEL_ID_OFFSET = 48;
    private static final int BATCH_SIZE_OFFSET = 50;
    private static final int OUTPUT_COUNT_OFFSET = 52;
    private static final int STATUS_OFFSET = 54;
    private static final int BEGAN_OFFSET = 55;
    private static final int OUTPUTS_OFFSET = 56;

    private final UnsafeBuffer outputs = new UnsafeBuffer(0, 0);
    private final int maxOutputCount;
    private long address;

    AnswerSlot(final int maxOutputCount) {
        this.maxOutputCount = maxOutputCount;
    }

    /** Bytes of a slot: whole cache lines. */
    static int length(final int maxOutputCount) {
        return BitUtil.align(Math.addExact(OUTPUTS_OFFSET, Math.multiplyExact(maxOutputCount, Float.BYTES)),
                BitUtil.CACHE_LINE_LENGTH);
    }

    AnswerSlot wrap(final long slotAddress) {
        address = slotAddress;
        return this;
    }

    void write(final KnownAnswer answer, final int stepIndex) {
        erase();
        UnsafeApi.putLong(address + CORRELATION_ID_OFFSET, answer.correlationId);
        UnsafeApi.putLong(address + SESSION_KEY_OFFSET, answer.sessionKey);
        UnsafeApi.putLong(address + PRINCIPAL_ID_OFFSET, answer.principalId);
        UnsafeApi.putInt(address + CHECKSUM_OFFSET, answer.frameChecksum);
        UnsafeApi.putInt(address + STEP_INDEX_OFFSET, stepIndex);
        UnsafeApi.putInt(address + SLOT_COUNT_OFFSET, answer.slotCount);
        UnsafeApi.putInt(address + APPLIANCE_NS_OFFSET, (int) answer.applianceNs);
        UnsafeApi.putShort(address + MODEL_ID_OFFSET, (short) answer.modelId);
        UnsafeApi.putShort(address + BATCH_SIZE_OFFSET, (short) answer.batchSize);
        UnsafeApi.putShort(address + OUTPUT_COUNT_OFFSET, (short) answer.outputCount);
        UnsafeApi.putByte(address + STATUS_OFFSET, (byte) answer.status.value());
        UnsafeApi.putByte(address + BEGAN_OFFSET, (byte) (answer.hasSessionBegun ? 1 : 0));
        final int outputsLength = answer.outputCount * Float.BYTES;
        answer.outputs.getBytes(stepIndex * outputsLength, outputs(answer.outputCount), 0, outputsLength);
        UnsafeApi.putLongRelease(null, address, answer.sequence);
    }

    /** Marks the slot empty; nothing that is written after it is seen before it. */
    void erase() {
        UnsafeApi.putLong(address, NOTHING);
        UnsafeApi.storeFence();
    }

    /** Sequence of the request, or {@link #NOTHING}; its partner is the release store at the end of a write. */
    public long sequence() {
        return UnsafeApi.getLongAcquire(null, address);
    }

    /** Whether what was read since {@link #sequence()} gave this sequence is of it. */
    boolean isStill(final long sequence) {
        UnsafeApi.loadFence();
        return UnsafeApi.getLong(address) == sequence;
    }

    public long correlationId() {
        return UnsafeApi.getLong(address + CORRELATION_ID_OFFSET);
    }

    public long sessionKey() {
        return UnsafeApi.getLong(address + SESSION_KEY_OFFSET);
    }

    long principalId() {
        return UnsafeApi.getLong(address + PRINCIPAL_ID_OFFSET);
    }

    public int frameChecksum() {
        return UnsafeApi.getInt(address + CHECKSUM_OFFSET);
    }

    public int stepIndex() {
        return UnsafeApi.getInt(address + STEP_INDEX_OFFSET);
    }

    int slotCount() {
        return UnsafeApi.getInt(address + SLOT_COUNT_OFFSET);
    }

    public long applianceNs() {
        return UnsafeApi.getInt(address + APPLIANCE_NS_OFFSET) & 0xFFFF_FFFFL;
    }

    public int modelId() {
        return UnsafeApi.getShort(address + MODEL_ID_OFFSET) & 0xFFFF;
    }

    public int batchSize() {
        return UnsafeApi.getShort(address + BATCH_SIZE_OFFSET) & 0xFFFF;
    }

    public int outputCount() {
        return UnsafeApi.getShort(address + OUTPUT_COUNT_OFFSET) & 0xFFFF;
    }

    public ResultStatus status() {
        return ResultStatus.get((short) (UnsafeApi.getByte(address + STATUS_OFFSET) & 0xFF));
    }

    /** Whether the session was not in memory and began with the request. */
    public boolean hasSessionBegun() {
        return UnsafeApi.getByte(address + BEGAN_OFFSET) != 0;
    }

    /** Chunks and result of the answer. */
    public int frameCount() {
        return KnownAnswer.frameCount(status(), slotCount());
    }

    /** Whether this frame is the answer's result, not one of its chunks. */
    public boolean isResult() {
        return stepIndex() == frameCount() - 1;
    }

    /** The outputs of this step, from the buffer's beginning. */
    public UnsafeBuffer outputs() {
        return outputs(outputCount());
    }

    /** A reader that lost a race may ask for any count; it never gets more than the slot has. */
    private UnsafeBuffer outputs(final int outputCount) {
        outputs.wrap(address + OUTPUTS_OFFSET, Math.min(outputCount, maxOutputCount) * Float.BYTES);
        return outputs;
    }
}
