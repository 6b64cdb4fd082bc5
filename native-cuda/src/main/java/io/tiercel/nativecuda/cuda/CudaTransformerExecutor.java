package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.Footprint;
import io.tiercel.appliance.engine.StateHash;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.transformer.TransformerStateLayout;
import org.agrona.UnsafeApi;

/**
 * Steps of one transformer, for each batch and for each row of a session's steps, by a {@link TransformerWay}. The
 * answer is there first; what follows a step, and the work ahead of the next, are asked for behind it.
 *
 * <p>The host has every session's canonical state, and it is the one that counts. Of a step comes back a record of all
 * that it makes of its state, which is not touched until all of that is there. Of some states the GPU has copies, on
 * which it computes; which ones is said by a note in the derived part ({@link StateCopies}), with the position and the
 * digest of the state that it is of: for a state may be led further by other ways than a step of this executor, as a
 * step that was foreseen is.
 *
 * <p>A row that may be taken back is computed on a copy of the copy. If all of it stands the two change places; if none
 * does the first copy is still the state's.
 *
 * <p>One thread. Allocates in its constructor only, but for what a loss throws, {@link DeviceLostException}. Of a row
 * of more than {@link TokenExecutor#MAX_DRAFT} steps it may then have made some. Not usable after {@link #close}.
 */
final class CudaTransformerExecutor implements TokenExecutor {

    private static final int NOTED_POSITION = StateCopies.OWN_OFFSET;
    private static final int NOTED_DIGEST = StateCopies.OWN_OFFSET + Long.BYTES;

    private final CudaTransformerModel model;
    private final TransformerStateLayout layout;
    private final int inputBytes;
    private final int noteOffset;
    private final TransformerWay way;
    private final StateCopies copies;
    /** States of the last batch that are still those from before it; and those whose copy is not settled. */
    private final DueStates due;
    private final DueStates unsettled;
    /** Of each position of the last batch. */
    private final int[] copyOf;
    private int stepCount;
    private boolean isSettled;
    private final StepRow row;
    /** The copy that the row's session had before it. */
    private int rowCopy;
    private int firstLogits;
    private boolean isClosed;

    /** @throws CudaException if the driver fails; then nothing is left behind. */
    CudaTransformerExecutor(
            final CudaTransformerModel model, final int maxBatch, final int copyCount, final int firstSequence) {
        this.model = model;
        layout = model.layout();
        inputBytes = model.shape().featureCount() * Float.BYTES;
        noteOffset = layout.stateBytes();
        due = new DueStates(maxBatch);
        unsettled = new DueStates(maxBatch);
        copyOf = new int[maxBatch];
        copies = new StateCopies(0, copyCount);
        copies.takeSpare();
        way = model.newWay(maxBatch, copyCount, firstSequence);
        row = new StepRow(model, way);
    }

    @Override
    public Footprint footprint() {
        return layout.footprint();
    }

    @Override
    public void initialise(final long stateAddress) {
        UnsafeApi.setMemory(stateAddress, layout.stateBytes(), (byte) 0);
        restore(stateAddress);
    }

    /** What a step would have made of the state before counts no more, and there is no copy of it. */
    @Override
    public void restore(final long stateAddress) {
        due.take(stateAddress);
        unsettled.take(stateAddress);
        if (row.isOf(stateAddress)) {
            row.end();
        }
        layout.statePages().clear(stateAddress);
        StateCopies.erase(note(stateAddress));
    }

    @Override
    public boolean hasRoom(final long stateAddress, final int steps) {
        return TransformerStateLayout.hasRoom(stateAddress, model.shape().contextTokens(), steps);
    }

    @Override
    public void step(final StepBatch batch) {
        final int size = batch.size();
        begin(size);
        if (size == 0) {
            return;
        }
        for (int i = 0; i < size; i++) {
            copyOf[i] = findCopy(batch.stateAddress(i));
            if (copyOf[i] != StateCopies.NONE) {
                // From here on it is no state's until it is settled: nor that of another session with the same note.
                copies.forget(copyOf[i]);
            }
        }
        for (int i = 0; i < size; i++) {
            if (copyOf[i] == StateCopies.NONE) {
                copyOf[i] = bring(batch.stateAddress(i));
            }
            way.put(i, batch.featuresAddress(i), copyOf[i]);
        }
        way.step(size);
        stepCount = size;
        for (int i = 0; i < size; i++) {
            way.giveOutputs(i, batch.outputsAddress(i));
            due.add(batch.stateAddress(i));
            unsettled.add(batch.stateAddress(i));
        }
    }

    /** By the host alone: the record came with the answer. */
    @Override
    public long hash(final long stateAddress, final long previousHash) {
        putStep(stateAddress);
        return StateHash.mix(previousHash, stateAddress, TransformerStateLayout.CODED_OFFSET);
    }

    /** No state of the batch is touched before all that the GPU has to do for it is done. */
    @Override
    public void ahead(final StepBatch batch) {
        boolean isAnyUnsettled = false;
        for (int i = 0, size = batch.size(); i < size; i++) {
            final long stateAddress = batch.stateAddress(i);
            if (unsettled.find(stateAddress) >= 0) {
                isAnyUnsettled = true;
            } else if (!isOfRow(stateAddress) && model.isAheadDue(stateAddress)) {
                aheadOfOther(stateAddress);
            }
        }
        if (isAnyUnsettled && !isSettled) {
            way.settle(stepCount);
            isSettled = true;
        }
        for (int i = 0, size = batch.size(); i < size; i++) {
            settle(batch.stateAddress(i));
        }
    }

    /** Some at a time, each of which is made as a whole. */
    @Override
    public long steps(
            final long stateAddress, final long featuresAddress, final int count, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        long hash = previousHash;
        for (int first = 0; first < count; first += MAX_DRAFT) {
            final int some = Math.min(MAX_DRAFT, count - first);
            begin(0);
            final int found = findCopy(stateAddress);
            final int copy = found == StateCopies.NONE ? bring(stateAddress) : found;
            copies.forget(copy);
            way.row(copy, featuresAddress + (long) first * inputBytes, some, outputsStride > 0);
            giveOutputs(some, outputsAddress + (long) first * outputsStride, outputsStride);
            row.begin(stateAddress, some);
            hash = row.keep(some, hash);
            model.putAhead(stateAddress, row.lastRecord());
            row.end();
            note(stateAddress, copy);
            firstLogits = some - 1;
        }
        return hash;
    }

    @Override
    public void stepTentatively(
            final long stateAddress, final long tokensAddress, final int tokenCount, final long outputsAddress,
            final int outputsStride) {
        begin(0);
        rowCopy = findCopy(stateAddress);
        if (rowCopy == StateCopies.NONE) {
            rowCopy = bring(stateAddress);
            note(stateAddress, rowCopy);
        }
        way.copy(rowCopy, copies.spare());
        way.row(copies.spare(), tokensAddress, tokenCount, true);
        if (outputsStride > 0) {
            giveOutputs(tokenCount, outputsAddress, outputsStride);
        } else {
            way.giveOutputs(tokenCount - 1, outputsAddress);
        }
        row.begin(stateAddress, tokenCount);
    }

    @Override
    public long keep(final long stateAddress, final int keptCount, final long previousHash) {
        return row.keep(keptCount, previousHash);
    }

    @Override
    public int vocabularySize() {
        return model.logitCount();
    }

    @Override
    public long logitsAddress(final int position) {
        return way.record(firstLogits + position);
    }

    @Override
    public void close() {
        if (!isClosed) {
            isClosed = true;
            way.close();
        }
    }

    private void begin(final int size) {
        due.begin(size, isClosed);
        unsettled.clear();
        row.end();
        copies.beginBatch();
        isSettled = false;
        firstLogits = 0;
    }

    /** Outputs of a row, of each step or of the last alone, which stand first then. */
    private void giveOutputs(final int count, final long outputsAddress, final int outputsStride) {
        for (int i = 0; i < (outputsStride > 0 ? count : 1); i++) {
            way.giveOutputs(i, outputsAddress + (long) i * outputsStride);
        }
    }

    private void putStep(final long stateAddress) {
        final int position = due.take(stateAddress);
        if (position >= 0) {
            model.putStep(stateAddress, way.record(position));
        }
    }

    /** The work ahead, which the GPU has done. */
    private void settle(final long stateAddress) {
        final int position = unsettled.take(stateAddress);
        if (position >= 0) {
            putStep(stateAddress);
            model.putAhead(stateAddress, way.record(position));
            note(stateAddress, copyOf[position]);
        } else if (isOfRow(stateAddress)) {
            settleRow(stateAddress);
        }
    }

    /** Whether the state is as a row has left it, of which some steps stand. */
    private boolean isOfRow(final long stateAddress) {
        return row.isOf(stateAddress) && row.lastRecord() != 0;
    }

    /** The codes of the work ahead of each step of a row came with it. */
    private void settleRow(final long stateAddress) {
        model.putAhead(stateAddress, row.lastRecord());
        if (row.isWhole()) {
            final int whole = copies.spare();
            copies.exchangeSpare(rowCopy);
            note(stateAddress, whole);
        }
        row.end();
    }

    /** Of a state that was led further by another way. */
    private void aheadOfOther(final long stateAddress) {
        final int found = findCopy(stateAddress);
        final int copy = found == StateCopies.NONE ? bring(stateAddress) : found;
        copies.forget(copy);
        way.ahead(copy);
        copies.release(copy);
        model.putAhead(stateAddress, way.spareRecord());
        note(stateAddress, copy);
    }

    private int findCopy(final long stateAddress) {
        final long note = note(stateAddress);
        final boolean isAsNoted = UnsafeApi.getLong(note + NOTED_POSITION) == position(stateAddress) &&
                UnsafeApi.getLong(note + NOTED_DIGEST) == digest(stateAddress);
        return isAsNoted ? copies.find(note) : StateCopies.NONE;
    }

    private int bring(final long stateAddress) {
        final int copy = copies.take();
        way.bring(stateAddress, copy);
        return copy;
    }

    private void note(final long stateAddress, final int copy) {
        final long note = note(stateAddress);
        copies.note(note, copy);
        UnsafeApi.putLong(note + NOTED_POSITION, position(stateAddress));
        UnsafeApi.putLong(note + NOTED_DIGEST, digest(stateAddress));
    }

    private long note(final long stateAddress) {
        return stateAddress + noteOffset;
    }

    private static long position(final long stateAddress) {
        return UnsafeApi.getLong(stateAddress + TransformerStateLayout.POSITION_OFFSET);
    }

    private static long digest(final long stateAddress) {
        return UnsafeApi.getLong(stateAddress + TransformerStateLayout.DIGEST_OFFSET);
    }
}
