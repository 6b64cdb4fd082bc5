package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.StatePages;
import io.tiercel.appliance.engine.TokenExecutor;
import org.agrona.BitUtil;
import org.agrona.UnsafeApi;

/**
 * A transformer's kernels, launched for a batch or for a row of steps, and the memory that they work in: copies of
 * states, and of each step a record of all that it makes of its state, which comes back. Inputs, outputs, the table
 * of positions and the row stand in pinned memory, where the GPU reads and writes them itself.
 *
 * <p>A launch is a graph's, recorded once for each power of two of positions, or of a row's steps, with the way back of
 * as many records; positions beyond a batch have no state. Graphs never change. What is not in one are the copies of
 * states, whose addresses are a session's.
 *
 * <p>Every call waits for what it has launched, so nothing that the GPU reads is written meanwhile. One thread.
 * Allocates in its constructor only, but for what a loss throws: {@link DeviceLostException}, from all but it.
 */
final class TransformerLaunches implements TransformerWay {

    /** As {@code TransformerPosition}: addresses of input, state and outputs. */
    private static final int POSITION_BYTES = 3 * Long.BYTES;
    private static final int POSITION_STATE = Long.BYTES;
    private static final long NO_STATE = 0;
    /** As {@code TransformerRow}: those, then strides of outputs and of records, and the count. */
    private static final int ROW_BYTES = 6 * Long.BYTES;
    private static final int ROW_OUTPUTS_STRIDE = 24;
    private static final int ROW_RECORD_STRIDE = 32;
    private static final int ROW_COUNT = 40;
    private static final int VECTOR_ALIGNMENT = 16;

    private final CudaTransformerModel model;
    private final CudaDevice device;
    private final StatePages pages;
    private final int canonicalBytes;
    private final int inputBytes;
    private final int inputStride;
    private final int outputBytes;
    private final int outputStride;
    private final long stateStride;
    private final long recordBytes;
    private final long codesOffset;
    /** Steps whose records there is room for, of a batch or of a row; behind them is one more. */
    private final int capacity;
    private final int maxBatch;
    /** Of each power of two of positions. */
    private final LaunchGraph[] stepGraphs;
    /** As many; none where a token is coded in its own step. */
    private final LaunchGraph[] aheadGraphs;
    /** Of each power of two of a row's steps. */
    private final LaunchGraph[] rowGraphs;
    private LaunchGraph spareAheadGraph;
    private CudaDevice.Memory inputs;
    private CudaDevice.Memory outputs;
    private CudaDevice.Memory positions;
    private CudaDevice.Memory row;
    private CudaDevice.Memory hostRecords;
    private CudaDevice.Memory records;
    /** Null where vectors are in shared memory. */
    private CudaDevice.Memory vectors;
    private CudaDevice.Memory states;
    private LaunchStream stream;

    /** @throws CudaException if the driver fails; then nothing is left behind. */
    TransformerLaunches(final CudaTransformerModel model, final int maxBatch, final int copyCount) {
        this.model = model;
        device = model.device();
        pages = model.pages();
        canonicalBytes = model.shape().canonicalBytes();
        inputBytes = model.shape().featureCount() * Float.BYTES;
        inputStride = BitUtil.align(inputBytes, VECTOR_ALIGNMENT);
        outputBytes = model.shape().outputCount() * Float.BYTES;
        outputStride = BitUtil.align(outputBytes, VECTOR_ALIGNMENT);
        stateStride = model.size(CudaDriver.TRANSFORMER_STATE_BYTES);
        recordBytes = model.size(CudaDriver.RECORD_BYTES);
        codesOffset = model.size(CudaDriver.RECORD_CODES);
        capacity = Math.max(maxBatch, TokenExecutor.MAX_DRAFT);
        this.maxBatch = maxBatch;
        stepGraphs = new LaunchGraph[LaunchGraph.sizeIndex(maxBatch) + 1];
        aheadGraphs = new LaunchGraph[model.hasWindow() ? stepGraphs.length : 0];
        rowGraphs = new LaunchGraph[LaunchGraph.sizeIndex(TokenExecutor.MAX_DRAFT) + 1];
        try {
            allocate(copyCount);
            recordGraphs();
        } catch (final CudaException ex) {
            close();
            throw ex;
        }
    }

    @Override
    public void put(final int position, final long inputAddress, final int copy) {
        UnsafeApi.copyMemory(inputAddress, inputs.hostAddress() + (long) position * inputStride, inputBytes);
        put(position, copy);
    }

    @Override
    public void bring(final long stateAddress, final int copy) {
        final long to = state(copy);
        final boolean isWhole = areAllOwn(stateAddress);
        try {
            device.makeCurrent();
            stream.copyTo(to, stateAddress, isWhole ? canonicalBytes : pages.offset(), "cuMemcpyHtoDAsync, of a state");
            for (int page = 0; !isWhole && page < pages.count(); page++) {
                stream.copyTo(to + pages.offset() + (long) page * pages.bytes(), pages.address(stateAddress, page),
                        pages.bytes(), "cuMemcpyHtoDAsync, of a page");
            }
        } catch (final CudaException ex) {
            throw stream.lost(ex.getMessage(), ex);
        }
    }

    @Override
    public void copy(final int from, final int to) {
        try {
            device.makeCurrent();
            CudaDriver.check(CudaDriver.memcpyDtoDAsync(state(to), state(from), canonicalBytes, stream.handle()),
                    "cuMemcpyDtoDAsync, of a state");
        } catch (final CudaException ex) {
            throw stream.lost(ex.getMessage(), ex);
        }
    }

    /** Records are there too. */
    @Override
    public void step(final int count) {
        final int graph = LaunchGraph.sizeIndex(count);
        for (int i = count, end = LaunchGraph.room(graph, maxBatch); i < end; i++) {
            UnsafeApi.putLong(positions.hostAddress() + (long) i * POSITION_BYTES + POSITION_STATE, NO_STATE);
        }
        launch(stepGraphs[graph]);
    }

    @Override
    public void settle(final int count) {
        if (model.hasWindow()) {
            launch(aheadGraphs[LaunchGraph.sizeIndex(count)]);
        }
    }

    @Override
    public void ahead(final int copy) {
        put(capacity, copy);
        launch(spareAheadGraph);
    }

    @Override
    public void row(final int copy, final long inputsAddress, final int count, final boolean areAllWanted) {
        UnsafeApi.copyMemory(inputsAddress, inputs.hostAddress(), (long) count * inputBytes);
        final long address = row.hostAddress();
        UnsafeApi.putLong(address, inputs.deviceAddress());
        UnsafeApi.putLong(address + Long.BYTES, state(copy));
        UnsafeApi.putLong(address + 2 * Long.BYTES, outputs.deviceAddress());
        UnsafeApi.putLong(address + ROW_OUTPUTS_STRIDE, areAllWanted ? outputStride : 0);
        UnsafeApi.putLong(address + ROW_RECORD_STRIDE, recordBytes);
        UnsafeApi.putInt(address + ROW_COUNT, count);
        launch(rowGraphs[LaunchGraph.sizeIndex(count)]);
    }

    @Override
    public void giveOutputs(final int index, final long outputsAddress) {
        UnsafeApi.copyMemory(outputs.hostAddress() + (long) index * outputStride, outputsAddress, outputBytes);
    }

    @Override
    public long record(final int index) {
        return hostRecords.hostAddress() + index * recordBytes;
    }

    @Override
    public long spareRecord() {
        return record(capacity);
    }

    @Override
    public void close() {
        if (stream != null && stream.isLost()) {
            return;
        }
        device.leaveOnFailure(() -> {
            if (stream != null) {
                stream.destroy();
            }
            LaunchGraph.free(device, stepGraphs);
            LaunchGraph.free(device, aheadGraphs);
            LaunchGraph.free(device, rowGraphs);
            LaunchGraph.free(device, spareAheadGraph);
            device.freeAll(inputs, outputs, positions, row, hostRecords, records, vectors, states);
        });
    }

    private void allocate(final int copyCount) {
        final int all = capacity + 1;
        inputs = device.newSharedMemory((long) all * inputStride, "inputs");
        outputs = device.newSharedMemory((long) all * outputStride, "outputs");
        positions = device.newSharedMemory((long) all * POSITION_BYTES, "positions of a batch");
        row = device.newSharedMemory(ROW_BYTES, "a row of steps");
        hostRecords = device.newSharedMemory(all * recordBytes, "records on their way");
        records = device.newMemory(all * recordBytes, "records");
        final long vectorBytes = model.size(CudaDriver.VECTOR_BYTES);
        vectors = vectorBytes == 0 ? null : device.newMemory(maxBatch * vectorBytes, "vectors");
        states = device.newMemory(copyCount * stateStride, "copies of " + copyCount + " states");
        stream = new LaunchStream(device, model.clock(), model.answerLimitNs());
        model.prepareLaunches();
        UnsafeApi.setMemory(row.hostAddress(), ROW_BYTES, (byte) 0);
        CudaDriver.check(
                CudaDriver.memsetD8Async(records.deviceAddress(), (byte) 0, all * recordBytes, stream.handle()),
                "cuMemsetD8Async(" + all * recordBytes + " bytes)");
    }

    private void recordGraphs() {
        final long handle = stream.handle();
        final long table = positions.deviceAddress();
        for (int i = 0; i < stepGraphs.length; i++) {
            final int room = LaunchGraph.room(i, maxBatch);
            stepGraphs[i] = new LaunchGraph(stream, "steps of up to " + room, () -> {
                model.launchStep(handle, table, records.deviceAddress(), vectorsAddress(), room);
                takeRecords(0, room * recordBytes);
            });
            if (model.hasWindow()) {
                aheadGraphs[i] = new LaunchGraph(stream, "the work ahead of up to " + room, () -> {
                    model.launchAhead(handle, table, records.deviceAddress(), room);
                    takeRecords(codesOffset, room * recordBytes);
                });
            }
        }
        for (int i = 0; i < rowGraphs.length; i++) {
            final int room = LaunchGraph.room(i, TokenExecutor.MAX_DRAFT);
            rowGraphs[i] = new LaunchGraph(stream, "a row of up to " + room, () -> {
                model.launchRow(handle, row.deviceAddress(), records.deviceAddress(), vectorsAddress());
                takeRecords(0, room * recordBytes);
            });
        }
        spareAheadGraph = new LaunchGraph(stream, "the work ahead of one", () -> {
            model.launchAhead(handle, table + (long) capacity * POSITION_BYTES,
                    records.deviceAddress() + capacity * recordBytes, 1);
            takeRecords(capacity * recordBytes, (capacity + 1) * recordBytes);
        });
    }

    /** It is through then. */
    private void launch(final LaunchGraph graph) {
        try {
            device.makeCurrent();
            graph.launch(stream);
            stream.await();
        } catch (final CudaException ex) {
            throw stream.lost(ex.getMessage(), ex);
        }
    }

    private void put(final int position, final int copy) {
        final long address = positions.hostAddress() + (long) position * POSITION_BYTES;
        UnsafeApi.putLong(address, inputs.deviceAddress() + (long) position * inputStride);
        UnsafeApi.putLong(address + Long.BYTES, state(copy));
        UnsafeApi.putLong(address + 2 * Long.BYTES, outputs.deviceAddress() + (long) position * outputStride);
    }

    /** Bytes of the records from one offset to another. */
    private void takeRecords(final long from, final long to) {
        stream.copyFrom(records.deviceAddress() + from, hostRecords.hostAddress() + from, to - from,
                "cuMemcpyDtoHAsync, of records");
    }

    private boolean areAllOwn(final long stateAddress) {
        for (int page = 0; page < pages.count(); page++) {
            if (pages.sharedAddress(stateAddress, page) != 0) {
                return false;
            }
        }
        return true;
    }

    private long vectorsAddress() {
        return vectors == null ? 0 : vectors.deviceAddress();
    }

    private long state(final int copy) {
        return states.deviceAddress() + copy * stateStride;
    }
}
