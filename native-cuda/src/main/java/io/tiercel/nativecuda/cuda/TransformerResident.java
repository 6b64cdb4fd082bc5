package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.StatePages;
import io.tiercel.appliance.engine.TokenExecutor;
import java.util.Arrays;
import org.agrona.BitUtil;
import org.agrona.UnsafeApi;

/**
 * A transformer's steps by a kernel that stays, and the memory in which it and the host speak, as
 * {@code transformer_link.h} says: requests of tagged words behind a doorbell, and for each a done word with what is
 * there of its answer. A team of blocks makes a position's step; of a batch with more positions than teams each has
 * several requests under way. No call of the driver stands between.
 *
 * <p>Outputs come first, then the record, then the codes of the work ahead, which follows each step by itself; each is
 * waited for where it is wanted. A request to do anything else comes after all that is settled: so a copy of a state
 * may go from one team to another.
 *
 * <p>One thread. Allocates in its constructor only, but for what a loss throws: {@link DeviceLostException}.
 */
final class TransformerResident implements TransformerWay {

    static final int FIRST_SEQUENCE = 1;

    /** Unsigned. A tag of the last round must not be taken for one of this: before they come again, all are zeroed. */
    private static final int LAST_SEQUENCE = -1;

    /** As {@code TransformerOperation}. */
    private static final int STOP = 0;
    private static final int GREET = 1;
    private static final int STEP = 2;
    private static final int ROW = 3;
    private static final int AHEAD = 4;
    private static final int BRING = 5;
    private static final int COPY = 6;

    /** As {@code TransformerPhase}. */
    private static final int ANSWERED = 1;
    private static final int RECORDED = 2;
    private static final int SETTLED = 3;

    /** As {@code TRANSFORMER_REQUEST_HEADER_WORDS}; of them so many are used. */
    private static final int HEADER_WORDS = 8;
    private static final int USED_HEADER_WORDS = 5;

    /** Positions of a batch beyond these wait for each other: each takes multiprocessors that do nothing else. */
    private static final int MOST_TEAMS = 16;
    private static final int ROW_TEAM = 0;
    private static final int NOTHING = 0;
    private static final long NO_INPUT = 0;
    private static final int VECTOR_ALIGNMENT = 16;
    private static final long BITS = 0xFFFF_FFFFL;

    private final CudaTransformerModel model;
    private final CudaDevice device;
    private final StatePages pages;
    private final int canonicalBytes;
    private final int inputWords;
    private final int outputBytes;
    private final int outputStride;
    private final long recordBytes;
    private final int placeBytes;
    private final int answeredPhase;
    private final int blocks;
    private final int teams;
    private final int places;
    /** Steps whose records there is room for, of a batch or of a row; behind them is one more. */
    private final int capacity;
    private final long[] link = new long[CudaDriver.TRANSFORMER_LINK_VALUES];
    /** Of each team, the number of its last request. */
    private final int[] sequences;
    /** Of each position of a batch. */
    private final long[] inputAddresses;
    private final int[] copyOf;
    private final int[] asked;
    private CudaDevice.Memory requests;
    private CudaDevice.Memory done;
    private CudaDevice.Memory inputs;
    private CudaDevice.Memory bringing;
    private CudaDevice.Memory outputs;
    private CudaDevice.Memory hostRecords;
    private CudaDevice.Memory records;
    private CudaDevice.Memory states;
    private CudaDevice.Memory exchange;
    /** Null where vectors are in shared memory. */
    private CudaDevice.Memory vectors;
    /** Null where a team is a block. */
    private CudaDevice.Memory common;
    private KernelWatch watch;
    /** Positions of a batch that may not be settled yet. */
    private int openCount;
    private boolean isClosed;

    /**
     * Begins the kernel, and has all of it answer.
     *
     * @throws CudaException       if the driver fails; then nothing is left behind.
     * @throws DeviceLostException if the kernel does not answer.
     */
    TransformerResident(
            final CudaTransformerModel model, final int maxBatch, final int copyCount, final int firstSequence) {
        this.model = model;
        device = model.device();
        pages = model.pages();
        canonicalBytes = model.shape().canonicalBytes();
        inputWords = model.shape().featureCount();
        outputBytes = model.shape().outputCount() * Float.BYTES;
        outputStride = BitUtil.align(outputBytes, VECTOR_ALIGNMENT);
        recordBytes = model.size(CudaDriver.RECORD_BYTES);
        placeBytes = (int) model.size(CudaDriver.TRANSFORMER_REQUEST_WORDS) * Long.BYTES;
        // A token is drawn of its logits, with nothing between that a standby could take over in.
        answeredPhase = model.shape().vocabularySize() > 0 ? RECORDED : ANSWERED;
        blocks = model.team().blocks();
        // Half of what is free is left for others.
        teams = Math.max(1, Math.min(Math.min(maxBatch, MOST_TEAMS), model.roomForTeams() / 2));
        places = BitUtil.findNextPositivePowerOfTwo((maxBatch + teams - 1) / teams);
        capacity = Math.max(maxBatch, TokenExecutor.MAX_DRAFT);
        sequences = new int[teams];
        inputAddresses = new long[maxBatch];
        copyOf = new int[maxBatch];
        asked = new int[maxBatch];
        try {
            allocate(copyCount);
            begin(firstSequence);
        } catch (final CudaException | DeviceLostException ex) {
            close();
            throw ex;
        }
    }

    @Override
    public void put(final int position, final long inputAddress, final int copy) {
        inputAddresses[position] = inputAddress;
        copyOf[position] = copy;
    }

    @Override
    public void bring(final long stateAddress, final int copy) {
        settleAll();
        final long to = bringing.hostAddress();
        UnsafeApi.copyMemory(stateAddress, to, pages.offset());
        for (int page = 0; page < pages.count(); page++) {
            UnsafeApi.copyMemory(pages.address(stateAddress, page),
                    to + pages.offset() + (long) page * pages.bytes(), pages.bytes());
        }
        askAndAwait(BRING, copy, NOTHING, NOTHING, false);
    }

    @Override
    public void copy(final int from, final int to) {
        settleAll();
        askAndAwait(COPY, to, from, NOTHING, false);
    }

    /** All requests are under way before the first answer is waited for. */
    @Override
    public void step(final int count) {
        settleAll();
        for (int i = 0; i < count; i++) {
            asked[i] = ask(teamOf(i), STEP, copyOf[i], NOTHING, i, false, inputAddresses[i]);
        }
        openCount = count;
        for (int i = 0; i < count; i++) {
            await(teamOf(i), asked[i], answeredPhase);
        }
    }

    @Override
    public void settle(final int count) {
        settleAll();
    }

    @Override
    public void ahead(final int copy) {
        settleAll();
        askAndAwait(AHEAD, copy, NOTHING, capacity, false);
    }

    @Override
    public void row(final int copy, final long inputsAddress, final int count, final boolean areAllWanted) {
        settleAll();
        UnsafeApi.copyMemory(inputsAddress, inputs.hostAddress(), (long) count * inputWords * Integer.BYTES);
        askAndAwait(ROW, copy, count, NOTHING, areAllWanted);
    }

    @Override
    public void giveOutputs(final int index, final long outputsAddress) {
        UnsafeApi.copyMemory(outputs.hostAddress() + (long) index * outputStride, outputsAddress, outputBytes);
    }

    @Override
    public long record(final int index) {
        if (index < openCount) {
            await(teamOf(index), asked[index], RECORDED);
        }
        return hostRecords.hostAddress() + index * recordBytes;
    }

    @Override
    public long spareRecord() {
        return record(capacity);
    }

    /** Ends the kernel and gives everything back. A second call does nothing. */
    @Override
    public void close() {
        if (isClosed || watch != null && watch.isLost()) {
            return;
        }
        isClosed = true;
        device.leaveOnFailure(() -> {
            if (watch != null) {
                if (watch.isRunning()) {
                    end();
                }
                watch.destroy();
            }
            device.freeAll(requests, done, inputs, bringing, outputs, hostRecords, records, states, exchange, vectors,
                    common);
        });
    }

    private void allocate(final int copyCount) {
        final int all = capacity + 1;
        final long vectorBytes = model.size(CudaDriver.VECTOR_BYTES);
        requests = device.newSharedMemory((long) teams * places * placeBytes, "requests");
        done = device.newSharedMemory((long) teams * places * Long.BYTES, "what is done");
        inputs = device.newSharedMemory((long) TokenExecutor.MAX_DRAFT * inputWords * Integer.BYTES, "inputs of a row");
        bringing = device.newSharedMemory(canonicalBytes, "a state on its way");
        outputs = device.newSharedMemory((long) all * outputStride, "outputs");
        hostRecords = device.newSharedMemory(all * recordBytes, "records on their way");
        records = device.newMemory(all * recordBytes, "records");
        states = device.newMemory(copyCount * model.size(CudaDriver.TRANSFORMER_STATE_BYTES),
                "copies of " + copyCount + " states");
        exchange = device.newMemory(exchangeBytes(), "what blocks say to each other");
        vectors = vectorBytes == 0 ? null : device.newMemory((long) teams * blocks * vectorBytes, "vectors");
        common = blocks == 1
                ? null
                : device.newMemory(teams * model.size(CudaDriver.COMMON_BYTES), "vectors that blocks have in common");
        watch = new KernelWatch(model);
        fillLink();
        model.prepareToStay();
        zero(records, all * recordBytes);
    }

    private void fillLink() {
        link[CudaDriver.LINK_REQUESTS] = requests.deviceAddress();
        link[CudaDriver.LINK_DONE] = done.deviceAddress();
        link[CudaDriver.LINK_INPUTS] = inputs.deviceAddress();
        link[CudaDriver.LINK_BRINGING] = bringing.deviceAddress();
        link[CudaDriver.LINK_OUTPUTS] = outputs.deviceAddress();
        link[CudaDriver.LINK_HOST_RECORDS] = hostRecords.deviceAddress();
        link[CudaDriver.LINK_RECORDS] = records.deviceAddress();
        link[CudaDriver.LINK_STATES] = states.deviceAddress();
        link[CudaDriver.LINK_EXCHANGE] = exchange.deviceAddress();
        link[CudaDriver.LINK_VECTORS] = vectors == null ? 0 : vectors.deviceAddress();
        link[CudaDriver.LINK_COMMON] = common == null ? 0 : common.deviceAddress();
        link[CudaDriver.LINK_OUTPUT_STRIDE] = outputStride;
        link[CudaDriver.LINK_BLOCKS] = blocks;
        link[CudaDriver.LINK_PLACES] = places;
        link[CudaDriver.LINK_IS_CLUSTER] = model.team().isCluster() ? 1 : 0;
    }

    /** All blocks are there, and all teams answer. */
    private void begin(final int firstSequence) {
        device.makeCurrent();
        UnsafeApi.setMemory(requests.hostAddress(), (long) teams * places * placeBytes, (byte) 0);
        UnsafeApi.setMemory(done.hostAddress(), (long) teams * places * Long.BYTES, (byte) 0);
        zero(exchange, exchangeBytes());
        link[CudaDriver.LINK_FIRST_SEQUENCE] = firstSequence;
        model.stay(watch.stream(), link, teams);
        watch.onBegun(teams * blocks);
        Arrays.fill(sequences, firstSequence - 1);
        for (int team = 0; team < teams; team++) {
            ask(team, GREET, NOTHING, NOTHING, NOTHING, false, NO_INPUT);
        }
        for (int team = 0; team < teams; team++) {
            await(team, sequences[team], SETTLED);
        }
    }

    /** @throws CudaException if it does not end. */
    private void end() {
        for (int team = 0; team < teams; team++) {
            ask(team, STOP, NOTHING, NOTHING, NOTHING, false, NO_INPUT);
        }
        watch.awaitEnd();
    }

    private void zero(final CudaDevice.Memory memory, final long bytes) {
        CudaDriver.check(CudaDriver.memsetD8Async(memory.deviceAddress(), (byte) 0, bytes, watch.stream()),
                "cuMemsetD8Async(" + bytes + " bytes)");
    }

    /** Nothing is under way then, and there are numbers for what is asked next. */
    private void settleAll() {
        for (int i = 0; i < openCount; i++) {
            await(teamOf(i), asked[i], SETTLED);
        }
        openCount = 0;
        for (final int sequence : sequences) {
            if (Integer.compareUnsigned(LAST_SEQUENCE - sequence, places + 1) < 0) {
                beginAgain();
                return;
            }
        }
    }

    private void beginAgain() {
        try {
            end();
            begin(FIRST_SEQUENCE);
        } catch (final CudaException ex) {
            throw watch.lost(ex.getMessage(), ex);
        }
    }

    private void askAndAwait(
            final int operation, final int copy, final int fromOrCount, final int index, final boolean areAllWanted) {
        await(ROW_TEAM, ask(ROW_TEAM, operation, copy, fromOrCount, index, areAllWanted, NO_INPUT), SETTLED);
    }

    /** Returns the request's number. Its first word is written behind everything else of it. */
    private int ask(
            final int team, final int operation, final int copy, final int fromOrCount, final int index,
            final boolean areAllWanted, final long inputAddress) {
        final int sequence = ++sequences[team];
        final long request = requests.hostAddress() + placeOf(team, sequence) * placeBytes;
        final long tag = (long) sequence << Integer.SIZE;
        UnsafeApi.putLong(request + Long.BYTES, tag | copy);
        UnsafeApi.putLong(request + 2 * Long.BYTES, tag | fromOrCount);
        UnsafeApi.putLong(request + 3 * Long.BYTES, tag | index);
        UnsafeApi.putLong(request + 4 * Long.BYTES, tag | (areAllWanted ? 1 : 0));
        for (int i = USED_HEADER_WORDS; i < HEADER_WORDS; i++) {
            UnsafeApi.putLong(request + (long) i * Long.BYTES, tag);
        }
        final long words = request + HEADER_WORDS * Long.BYTES;
        for (int i = 0; i < inputWords; i++) {
            final int bits = inputAddress == NO_INPUT
                    ? 0
                    : UnsafeApi.getInt(inputAddress + (long) i * Integer.BYTES);
            UnsafeApi.putLong(words + (long) i * Long.BYTES, tag | bits & BITS);
        }
        UnsafeApi.putLongRelease(null, request, tag | operation);
        return sequence;
    }

    private void await(final int team, final int sequence, final int phase) {
        final long address = done.hostAddress() + placeOf(team, sequence) * Long.BYTES;
        for (int looks = 1;; looks++) {
            final long word = UnsafeApi.getLongVolatile(null, address);
            if ((int) (word >>> Integer.SIZE) == sequence && (int) word >= phase) {
                return;
            }
            watch.onLook(looks, sequence);
        }
    }

    private int teamOf(final int position) {
        return position % teams;
    }

    private long placeOf(final int team, final int sequence) {
        return (long) team * places + (sequence & places - 1);
    }

    private long exchangeBytes() {
        return teams * model.size(CudaDriver.TRANSFORMER_EXCHANGE_WORDS) * Long.BYTES;
    }
}
