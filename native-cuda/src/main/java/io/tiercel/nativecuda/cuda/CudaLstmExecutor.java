package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.lstm.LstmStateLayout;
import org.agrona.UnsafeApi;

/**
 * Steps of one model by a kernel that stays on the GPU. Features go from where they are into the request, outputs and
 * the state after the step from the response to where they belong; no call of the driver stands between.
 *
 * <p>The host has every session's canonical state, and it is the one that counts: it is replaced when all of the new
 * one is there. Of some sessions the GPU has a copy, with the work ahead of the next step; of any other, a request
 * brings the state. Which is the case is said by a note in the derived part of the state: {@link StateCopies}.
 *
 * <p>One thread. Allocates in its constructor only, but for what a loss throws. The work ahead follows each step by
 * itself. Not usable after {@link #close}.
 */
final class CudaLstmExecutor extends DueStateExecutor {

    private static final long BITS = 0xFFFF_FFFFL;

    private final PersistentKernel kernel;
    private final LstmStateLayout layout;
    private final int layerCount;
    private final int hiddenCount;
    private final int featureCount;
    private final int outputCount;
    private final int layerWords;
    private final int stateWords;
    private final int requestStateOffset;
    private final int responseStateOffset;
    private final StateCopies copies;
    private int firstDueSequence;
    private boolean isClosed;

    /**
     * With so many copies of states, at least two more than the batch has positions. Exceptions are those of
     * {@link PersistentKernel}.
     */
    CudaLstmExecutor(
            final CudaLstmModel model, final int maxBatch, final int copyCount, final int firstSequence) {
        super(model, maxBatch);
        layout = model.layout();
        layerCount = model.layerCount();
        hiddenCount = model.hiddenCount();
        featureCount = model.shape().featureCount();
        outputCount = model.shape().outputCount();
        layerWords = model.size(CudaDriver.LAYER_WORDS);
        stateWords = layerCount * layerWords;
        requestStateOffset = model.size(CudaDriver.REQUEST_STATE) * Long.BYTES;
        responseStateOffset = model.size(CudaDriver.RESPONSE_STATE) * Long.BYTES;
        copies = new StateCopies(PersistentKernel.OWN_SESSION + 1, copyCount);
        kernel = new PersistentKernel(model, maxBatch, copyCount, firstSequence);
    }

    /** There is no copy of it; the next step brings it. */
    @Override
    public void restore(final long stateAddress) {
        super.restore(stateAddress);
        StateCopies.erase(stateAddress + canonicalBytes);
    }

    /** All requests are under way before the first answer is waited for. */
    @Override
    public void step(final StepBatch batch) {
        final int size = batch.size();
        due.begin(size, isClosed);
        kernel.reserve(size);
        copies.beginBatch();
        for (int i = 0; i < size; i++) {
            final int sequence = kernel.nextSequence();
            if (i == 0) {
                firstDueSequence = sequence;
            }
            ask(sequence, batch.featuresAddress(i), batch.stateAddress(i));
        }
        for (int i = 0; i < size; i++) {
            takeOutputs(firstDueSequence + i, batch.outputsAddress(i));
            due.add(batch.stateAddress(i));
        }
    }

    @Override
    public void close() {
        if (!isClosed) {
            isClosed = true;
            kernel.close();
        }
    }

    private void ask(final int sequence, final long featuresAddress, final long stateAddress) {
        final long request = kernel.requestAddress(sequence);
        final long tag = PersistentKernel.tag(sequence);
        final long features = request + (long) PersistentKernel.HEADER_WORDS * Long.BYTES;
        for (int i = 0; i < featureCount; i++) {
            final int bits = UnsafeApi.getInt(featuresAddress + (long) i * Integer.BYTES);
            UnsafeApi.putLong(features + (long) i * Long.BYTES, tag | bits & BITS);
        }
        final long note = stateAddress + canonicalBytes;
        int copy = copies.find(note);
        final boolean hasCopy = copy != StateCopies.NONE;
        if (!hasCopy) {
            copy = copies.take();
            bringState(request + requestStateOffset, tag, stateAddress);
        }
        copies.note(note, copy);
        kernel.send(sequence, copy, !hasCopy);
    }

    private void bringState(final long to, final long tag, final long stateAddress) {
        long word = to;
        for (int layer = 0; layer < layerCount; layer++) {
            word = bring(word, tag, stateAddress + layout.cellOffset(layer), hiddenCount);
            word = bring(word, tag, stateAddress + layout.hiddenOffset(layer), layerWords - hiddenCount);
        }
    }

    private static long bring(final long to, final long tag, final long from, final int count) {
        for (int i = 0; i < count; i++) {
            UnsafeApi.putLong(to + (long) i * Long.BYTES,
                    tag | UnsafeApi.getInt(from + (long) i * Integer.BYTES) & BITS);
        }
        return to + (long) count * Long.BYTES;
    }

    private void takeOutputs(final int sequence, final long outputsAddress) {
        final long response = kernel.responseAddress(sequence);
        for (int i = 0; i < outputCount; i++) {
            UnsafeApi.putInt(outputsAddress + (long) i * Integer.BYTES,
                    kernel.await(response + (long) i * Long.BYTES, sequence));
        }
    }

    @Override
    void takeState(final int position, final long stateAddress) {
        final int sequence = firstDueSequence + position;
        final long words = kernel.responseAddress(sequence) + responseStateOffset;
        for (int i = 0; i < stateWords; i++) {
            kernel.await(words + (long) i * Long.BYTES, sequence);
        }
        long word = words;
        for (int layer = 0; layer < layerCount; layer++) {
            word = take(word, stateAddress + layout.cellOffset(layer), hiddenCount);
            word = take(word, stateAddress + layout.hiddenOffset(layer), layerWords - hiddenCount);
        }
    }

    /** Words that are known to be there. */
    private static long take(final long from, final long to, final int count) {
        for (int i = 0; i < count; i++) {
            UnsafeApi.putInt(to + (long) i * Integer.BYTES, (int) UnsafeApi.getLong(from + (long) i * Long.BYTES));
        }
        return from + (long) count * Long.BYTES;
    }
}
