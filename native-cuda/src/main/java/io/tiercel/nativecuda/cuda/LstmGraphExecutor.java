package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.lstm.LstmStateLayout;
import org.agrona.BitUtil;
import org.agrona.UnsafeApi;

/**
 * Steps of one model by graphs of launches, each prepared once for batches up to a power of two: nothing of the GPU is
 * taken between two batches, and a batch's positions are computed side by side. For a batch two of them stand in the
 * stream: the steps, and what follows the answer, which is the way of the new states to the host and the work ahead.
 * Before them comes a third for sessions of which the GPU has no copy ({@link StateCopies}).
 *
 * <p>Graphs never change. What does, stands in tables in pinned memory that kernels read, as they read features and
 * write outputs there; positions beyond a batch are zeros. The host writes them when the batch before is through.
 * <pre>
 *   positions   maxBatch of: features | copy of the state | outputs          addresses of the GPU's
 *   brought     as many, of those positions alone whose sessions are brought: 0 | copy | 0
 *   settled     maxBatch of: the state in pinned memory | copy
 *   bringing    as many, as "brought"
 * </pre>
 *
 * <p>One thread. Allocates in its constructor only, but for what a loss throws. Not usable after {@link #close}.
 */
final class LstmGraphExecutor extends DueStateExecutor {

    private static final int POSITION_BYTES = 3 * Long.BYTES;
    private static final int POSITION_STATE = Long.BYTES;
    private static final int SESSION_BYTES = 2 * Long.BYTES;
    private static final int SESSION_STATE = Long.BYTES;
    private static final int VECTOR_ALIGNMENT = 16;
    private static final int FIRST_COPY = 0;

    private final CudaLstmModel model;
    private final CudaDevice device;
    private final StateCopies copies;
    private final int maxBatch;
    private final int featureBytes;
    private final int outputBytes;
    private final int featureStride;
    private final int stateStride;
    private final int outputStride;
    private final int broughtOffset;
    private final int settledOffset;
    private final int bringingOffset;
    private final int tableBytes;
    /** Of the host, read and written by the GPU; of each position. */
    private CudaDevice.Memory features;
    private CudaDevice.Memory states;
    private CudaDevice.Memory outputs;
    private CudaDevice.Memory tables;
    /** Of the GPU: of each copy, a state with the work ahead. */
    private CudaDevice.Memory copyStates;
    private LaunchStream stream;
    private LaunchEvent answered;
    /** Of each power of two. */
    private final LaunchGraph[] bringGraphs;
    private final LaunchGraph[] stepGraphs;
    private final LaunchGraph[] settleGraphs;
    private boolean isSettling;
    private boolean isClosed;

    /** @throws CudaException if the driver fails; then nothing is left behind. */
    LstmGraphExecutor(final CudaLstmModel model, final int maxBatch) {
        this(model, maxBatch, StateCopies.countFor(model.size(CudaDriver.STATE_BYTES), maxBatch));
    }

    /** With so many copies of states, more than the batch has positions. */
    LstmGraphExecutor(final CudaLstmModel model, final int maxBatch, final int copyCount) {
        super(model, maxBatch);
        this.model = model;
        this.maxBatch = maxBatch;
        device = model.device();
        featureBytes = model.shape().featureCount() * Float.BYTES;
        outputBytes = model.shape().outputCount() * Float.BYTES;
        featureStride = BitUtil.align(featureBytes, VECTOR_ALIGNMENT);
        stateStride = BitUtil.align(model.size(CudaDriver.STATE_BYTES), LstmStateLayout.ALIGNMENT);
        outputStride = BitUtil.align(outputBytes, VECTOR_ALIGNMENT);
        broughtOffset = maxBatch * POSITION_BYTES;
        settledOffset = broughtOffset + maxBatch * POSITION_BYTES;
        bringingOffset = settledOffset + maxBatch * SESSION_BYTES;
        tableBytes = bringingOffset + maxBatch * SESSION_BYTES;
        copies = new StateCopies(FIRST_COPY, copyCount);
        final int sizes = LaunchGraph.sizeIndex(maxBatch) + 1;
        bringGraphs = new LaunchGraph[sizes];
        stepGraphs = new LaunchGraph[sizes];
        settleGraphs = new LaunchGraph[sizes];
        try {
            allocate(copyCount);
            fillTables();
            recordGraphs();
        } catch (final CudaException ex) {
            close();
            throw ex;
        }
    }

    /** There is no copy of it; the next step brings it. */
    @Override
    public void restore(final long stateAddress) {
        super.restore(stateAddress);
        StateCopies.erase(stateAddress + canonicalBytes);
    }

    @Override
    public void step(final StepBatch batch) {
        final int size = batch.size();
        due.begin(size, isClosed);
        if (size == 0) {
            return;
        }
        try {
            awaitSettled();
            final int broughtCount = prepare(batch);
            if (broughtCount > 0) {
                bringGraphs[LaunchGraph.sizeIndex(broughtCount)].launch(stream);
            }
            final int graph = LaunchGraph.sizeIndex(size);
            stepGraphs[graph].launch(stream);
            answered.record(stream);
            isSettling = true;
            settleGraphs[graph].launch(stream);
            stream.await(answered);
        } catch (final CudaException ex) {
            throw stream.lost(ex.getMessage(), ex);
        }
        for (int i = 0; i < size; i++) {
            UnsafeApi.copyMemory(outputs.hostAddress() + (long) i * outputStride, batch.outputsAddress(i),
                    outputBytes);
            due.add(batch.stateAddress(i));
        }
    }

    @Override
    void takeState(final int position, final long stateAddress) {
        try {
            awaitSettled();
        } catch (final CudaException ex) {
            throw stream.lost(ex.getMessage(), ex);
        }
        UnsafeApi.copyMemory(states.hostAddress() + (long) position * canonicalBytes, stateAddress, canonicalBytes);
    }

    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        if (stream != null && stream.isLost()) {
            return;
        }
        device.leaveOnFailure(() -> {
            if (answered != null) {
                device.makeCurrent();
                answered.destroy();
            }
            if (stream != null) {
                stream.destroy();
            }
            LaunchGraph.free(device, bringGraphs);
            LaunchGraph.free(device, stepGraphs);
            LaunchGraph.free(device, settleGraphs);
            device.freeAll(features, states, outputs, tables, copyStates);
        });
    }

    private void allocate(final int copyCount) {
        features = device.newSharedMemory((long) maxBatch * featureStride, "features");
        states = device.newSharedMemory((long) maxBatch * canonicalBytes, "states on their way");
        outputs = device.newSharedMemory((long) maxBatch * outputStride, "outputs");
        tables = device.newSharedMemory(tableBytes, "positions of a batch");
        copyStates = device.newMemory((long) copyCount * stateStride, "copies of " + copyCount + " states");
        stream = new LaunchStream(device, model.clock(), model.answerLimitNs());
        answered = new LaunchEvent();
        model.prepareBatches();
    }

    /** What is the same for each batch. */
    private void fillTables() {
        UnsafeApi.setMemory(tables.hostAddress(), tableBytes, (byte) 0);
        for (int i = 0; i < maxBatch; i++) {
            final long position = tables.hostAddress() + (long) i * POSITION_BYTES;
            UnsafeApi.putLong(position, features.deviceAddress() + (long) i * featureStride);
            UnsafeApi.putLong(position + 2 * Long.BYTES, outputs.deviceAddress() + (long) i * outputStride);
            UnsafeApi.putLong(tables.hostAddress() + settledOffset + (long) i * SESSION_BYTES, onItsWay(i));
        }
    }

    private void recordGraphs() {
        final long positions = tables.deviceAddress();
        for (int i = 0; i < stepGraphs.length; i++) {
            final int room = LaunchGraph.room(i, maxBatch);
            final String ofSize = " of up to " + room;
            bringGraphs[i] = new LaunchGraph(stream, "states brought" + ofSize, () -> {
                model.launchBring(stream, positions + bringingOffset, room);
                model.launchAhead(stream, positions + broughtOffset, room);
            });
            stepGraphs[i] = new LaunchGraph(stream, "steps" + ofSize, () -> model.launchStep(stream, positions, room));
            settleGraphs[i] = new LaunchGraph(stream, "states settled" + ofSize, () -> {
                model.launchSettle(stream, positions + settledOffset, room);
                model.launchAhead(stream, positions, room);
            });
        }
    }

    /** Features and tables of a batch; returns how many of its sessions are to be brought. */
    private int prepare(final StepBatch batch) {
        final int size = batch.size();
        copies.beginBatch();
        int broughtCount = 0;
        for (int i = 0; i < size; i++) {
            UnsafeApi.copyMemory(batch.featuresAddress(i), features.hostAddress() + (long) i * featureStride,
                    featureBytes);
            final long stateAddress = batch.stateAddress(i);
            final long note = stateAddress + canonicalBytes;
            int copy = copies.find(note);
            if (copy == StateCopies.NONE) {
                copy = copies.take();
                UnsafeApi.copyMemory(stateAddress, states.hostAddress() + (long) i * canonicalBytes, canonicalBytes);
                putBrought(broughtCount++, onItsWay(i), addressOf(copy));
            }
            copies.note(note, copy);
            putPosition(i, addressOf(copy));
        }
        for (int i = size, end = LaunchGraph.room(LaunchGraph.sizeIndex(size), maxBatch); i < end; i++) {
            putPosition(i, 0);
        }
        if (broughtCount > 0) {
            for (int i = broughtCount, end = LaunchGraph.room(LaunchGraph.sizeIndex(broughtCount), maxBatch); i < end;
                    i++) {
                putBrought(i, 0, 0);
            }
        }
        return broughtCount;
    }

    private void putPosition(final int position, final long copyAddress) {
        final long tablesAddress = tables.hostAddress();
        UnsafeApi.putLong(tablesAddress + (long) position * POSITION_BYTES + POSITION_STATE, copyAddress);
        UnsafeApi.putLong(tablesAddress + settledOffset + (long) position * SESSION_BYTES + SESSION_STATE, copyAddress);
    }

    private void putBrought(final int index, final long hostState, final long copyAddress) {
        final long tablesAddress = tables.hostAddress();
        final long session = tablesAddress + bringingOffset + (long) index * SESSION_BYTES;
        UnsafeApi.putLong(session, hostState);
        UnsafeApi.putLong(session + SESSION_STATE, copyAddress);
        UnsafeApi.putLong(
                tablesAddress + broughtOffset + (long) index * POSITION_BYTES + POSITION_STATE, copyAddress);
    }

    /** For the GPU, where a position's state is in pinned memory. */
    private long onItsWay(final int position) {
        return states.deviceAddress() + (long) position * canonicalBytes;
    }

    private long addressOf(final int copy) {
        return copyStates.deviceAddress() + (long) copy * stateStride;
    }

    /** The last batch is through: its states are in pinned memory, and nothing reads the tables any more. */
    private void awaitSettled() {
        device.makeCurrent();
        if (isSettling) {
            stream.await();
            isSettling = false;
        }
    }
}
