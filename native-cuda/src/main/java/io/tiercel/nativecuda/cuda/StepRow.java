package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.StateHash;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.transformer.TransformerStateLayout;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Steps of one session in a row, which the GPU has made and whose records are there: the host's state has as many of
 * them as are kept, from the first one on. One thread; allocates in its constructor only.
 */
final class StepRow {

    private static final int HASHED_BYTES = TransformerStateLayout.CODED_OFFSET;
    private static final long NOBODY = 0;

    private final CudaTransformerModel model;
    private final TransformerWay way;
    /** Of each step what stood in the state before. */
    private final UnsafeBuffer undo;
    /** Of each step what is hashed of the header after it. */
    private final UnsafeBuffer headers;
    private final long recordBytes;
    private long stateAddress = NOBODY;
    private int count;
    private int keptCount;

    StepRow(final CudaTransformerModel model, final TransformerWay way) {
        this.model = model;
        this.way = way;
        recordBytes = model.size(CudaDriver.RECORD_BYTES);
        undo = allocate(Math.multiplyExact(TokenExecutor.MAX_DRAFT, Math.toIntExact(recordBytes)));
        headers = allocate(TokenExecutor.MAX_DRAFT * HASHED_BYTES);
    }

    /** A session's state is as before the row. */
    void begin(final long ofStateAddress, final int stepCount) {
        stateAddress = ofStateAddress;
        count = stepCount;
        keptCount = 0;
    }

    /** There is no row any more. */
    void end() {
        stateAddress = NOBODY;
    }

    boolean isOf(final long otherStateAddress) {
        return stateAddress == otherStateAddress;
    }

    boolean isWhole() {
        return keptCount == count;
    }

    /** Of the last step that is kept; 0 if none is. */
    long lastRecord() {
        return keptCount == 0 ? 0 : way.record(keptCount - 1);
    }

    /** As {@link TokenExecutor#keep}. */
    long keep(final int newCount, final long previousHash) {
        while (keptCount > newCount) {
            keptCount--;
            model.takeBack(stateAddress, undoAddress());
        }
        while (keptCount < newCount) {
            model.putTentatively(stateAddress, lastRecord(), way.record(keptCount), undoAddress());
            UnsafeApi.copyMemory(stateAddress, header(keptCount), HASHED_BYTES);
            keptCount++;
        }
        long hash = previousHash;
        for (int i = 0; i < keptCount; i++) {
            hash = StateHash.mix(hash, header(i), HASHED_BYTES);
        }
        return hash;
    }

    private long header(final int index) {
        return headers.addressOffset() + (long) index * HASHED_BYTES;
    }

    private long undoAddress() {
        return undo.addressOffset() + keptCount * recordBytes;
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(bytes, BitUtil.CACHE_LINE_LENGTH));
    }
}
