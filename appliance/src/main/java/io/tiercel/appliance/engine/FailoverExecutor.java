package io.tiercel.appliance.engine;

import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * An executor whose device can be lost, and one that then goes on for it, for good. Whatever was under way is computed
 * again from the state before it: no answer is missing, and none is other than it would have been.
 *
 * <p>A step that has been answered, but not hashed, may be lost too; so the features of a step must stay where they are
 * until its hash is returned, as {@link ModelExecutor#step} asks. One thread. Allocates in the constructor only, but
 * for what a loss throws.
 */
class FailoverExecutor implements ModelExecutor {

    static final long OF_PRIMARY = 1;
    static final long OF_STANDBY = 2;

    private final FailoverModel model;
    /** Null if it could not be made. */
    private final ModelExecutor primary;
    private final ModelExecutor standby;
    private final StepByStep stepByStep;
    private final StatePages pages;
    private final int ownerOffset;
    /** Positions of the last step, by the primary, of which it has neither returned the hash nor gone on from. */
    private final long[] unsettledFeatures;
    private final long[] unsettledStates;
    private int unsettledCount;
    private final StepBatch again = new StepBatch(1);
    /** Outputs of a step that was answered before. */
    private final UnsafeBuffer outputs;
    private boolean isOnStandby;

    FailoverExecutor(
            final FailoverModel model, final ModelExecutor primary, final ModelExecutor standby, final int maxBatch) {
        this.model = model;
        this.primary = primary;
        this.standby = standby;
        isOnStandby = primary == null;
        pages = model.pages();
        ownerOffset = model.ownerOffset();
        stepByStep = new StepByStep(this, model.shape().featureCount());
        unsettledFeatures = new long[maxBatch];
        unsettledStates = new long[maxBatch];
        outputs = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                BitUtil.align(model.shape().outputCount() * Float.BYTES, BitUtil.CACHE_LINE_LENGTH),
                BitUtil.CACHE_LINE_LENGTH));
    }

    @Override
    public final boolean isOnStandby() {
        return isOnStandby;
    }

    @Override
    public final boolean hasRoom(final long stateAddress, final int stepCount) {
        return standby.hasRoom(stateAddress, stepCount);
    }

    @Override
    public void initialise(final long stateAddress) {
        settle(stateAddress);
        if (!isOnStandby) {
            try {
                primary.initialise(stateAddress);
                setOwner(stateAddress, OF_PRIMARY);
                return;
            } catch (final DeviceLostException ex) {
                fail(ex);
            }
        }
        standby.initialise(stateAddress);
        setOwner(stateAddress, OF_STANDBY);
    }

    @Override
    public void restore(final long stateAddress) {
        settle(stateAddress);
        if (!isOnStandby) {
            try {
                primary.restore(stateAddress);
                setOwner(stateAddress, OF_PRIMARY);
                return;
            } catch (final DeviceLostException ex) {
                fail(ex);
            }
        }
        standby.restore(stateAddress);
        setOwner(stateAddress, OF_STANDBY);
    }

    @Override
    public void step(final StepBatch batch) {
        if (!isOnStandby) {
            try {
                own(batch, primary, OF_PRIMARY);
                primary.step(batch);
                noteUnsettled(batch);
                return;
            } catch (final DeviceLostException ex) {
                fail(ex);
            }
        }
        own(batch, standby, OF_STANDBY);
        standby.step(batch);
    }

    @Override
    public long hash(final long stateAddress, final long previousHash) {
        if (!isOnStandby) {
            try {
                final long hash = primary.hash(stateAddress, previousHash);
                settle(stateAddress);
                return hash;
            } catch (final DeviceLostException ex) {
                fail(ex);
            }
        }
        return standby.hash(stateAddress, previousHash);
    }

    @Override
    public void ahead(final StepBatch batch) {
        if (!isOnStandby) {
            try {
                primary.ahead(batch);
                for (int i = 0, size = batch.size(); i < size; i++) {
                    settle(batch.stateAddress(i));
                }
                return;
            } catch (final DeviceLostException ex) {
                fail(ex);
            }
        }
        own(batch, standby, OF_STANDBY);
        standby.ahead(batch);
    }

    @Override
    public long steps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        return stepByStep.steps(stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
    }

    @Override
    public void close() {
        if (primary != null) {
            primary.close();
        }
        standby.close();
    }

    /** Steps that were answered and not settled are made again, by the standby, for their states alone. */
    final void fail(final DeviceLostException ex) {
        isOnStandby = true;
        model.onLost(ex);
        for (int i = 0; i < unsettledCount; i++) {
            again.clear();
            again.add(unsettledFeatures[i], unsettledStates[i], outputs.addressOffset());
            own(again, standby, OF_STANDBY);
            standby.step(again);
        }
        unsettledCount = 0;
    }

    private void noteUnsettled(final StepBatch batch) {
        unsettledCount = batch.size();
        for (int i = 0; i < unsettledCount; i++) {
            unsettledFeatures[i] = batch.featuresAddress(i);
            unsettledStates[i] = batch.stateAddress(i);
        }
    }

    /** Is not to be made again. Mostly the first one: hashes are asked for in the order of the batch. */
    private void settle(final long stateAddress) {
        for (int i = 0; i < unsettledCount; i++) {
            if (unsettledStates[i] == stateAddress) {
                unsettledCount--;
                System.arraycopy(unsettledStates, i + 1, unsettledStates, i, unsettledCount - i);
                System.arraycopy(unsettledFeatures, i + 1, unsettledFeatures, i, unsettledCount - i);
                return;
            }
        }
    }

    private void own(final StepBatch batch, final ModelExecutor executor, final long owner) {
        for (int i = 0, size = batch.size(); i < size; i++) {
            own(batch.stateAddress(i), executor, owner);
        }
    }

    /** What another executor has derived of a state is of no use to this one; pages that others have are copied. */
    final void own(final long stateAddress, final ModelExecutor executor, final long owner) {
        if (UnsafeApi.getLong(stateAddress + ownerOffset) != owner) {
            for (int page = 0; page < pages.count(); page++) {
                pages.own(stateAddress, page);
            }
            executor.restore(stateAddress);
            setOwner(stateAddress, owner);
        }
    }

    private void setOwner(final long stateAddress, final long owner) {
        UnsafeApi.putLong(stateAddress + ownerOffset, owner);
    }
}
