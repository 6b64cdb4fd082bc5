package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import org.agrona.UnsafeApi;

/**
 * A kernel that stays on the GPU, and the memory in which it and the host speak, as {@code lstm_link.h} says. Whoever
 * has it writes requests and reads responses there; this begins and ends the kernel, which {@link KernelWatch} watches.
 *
 * <p>One thread at a time. Allocates nothing between its beginning and its end, and calls the driver only where an
 * answer is late. Each word is written by one store and read by one load; it says itself which request it belongs to,
 * so no order between words is needed.
 */
final class PersistentKernel implements AutoCloseable {

    static final int FIRST_SEQUENCE = 1;

    /** Words of a request before its features: the session, and whether it brings a state. */
    static final int HEADER_WORDS = 2;

    /** The kernel's own session; those of the host begin behind it. */
    static final int OWN_SESSION = 0;

    private static final int STOP_SESSION = -1;
    /** Unsigned. A tag of the last round must not be taken for one of this: before they come again, all are zeroed. */
    private static final int LAST_SEQUENCE = -1;

    private final CudaLstmModel model;
    private final CudaDevice device;
    private final int places;
    private final int requestBytes;
    private final int responseBytes;
    private CudaDevice.Memory requests;
    private CudaDevice.Memory responses;
    private CudaDevice.Memory exchange;
    private CudaDevice.Memory sessions;
    private KernelWatch watch;
    private int sequence;
    private boolean isClosed;

    /**
     * Begins the kernel, and has it make a step.
     *
     * @param minPlaces    of requests that can be under way at once.
     * @param sessionCount states of which the GPU can have copies.
     * @throws CudaException       if the driver fails; then nothing is left behind.
     * @throws DeviceLostException if the kernel does not answer.
     */
    PersistentKernel(
            final CudaLstmModel model, final int minPlaces, final int sessionCount, final int firstSequence) {
        this.model = model;
        device = model.device();
        places = Integer.highestOneBit(2 * minPlaces - 1);
        requestBytes = model.size(CudaDriver.REQUEST_WORDS) * Long.BYTES;
        responseBytes = model.size(CudaDriver.RESPONSE_WORDS) * Long.BYTES;
        model.checkRoom();
        try {
            requests = device.newSharedMemory((long) places * requestBytes, "requests");
            responses = device.newSharedMemory((long) places * responseBytes, "responses");
            exchange = device.newMemory(exchangeBytes(), "what blocks say to each other");
            sessions = device.newMemory(
                    (1L + sessionCount) * model.size(CudaDriver.STATE_BYTES), "copies of " + sessionCount + " states");
            watch = new KernelWatch(model);
            begin(firstSequence);
        } catch (final CudaException | DeviceLostException ex) {
            close();
            throw ex;
        }
    }

    /** Before so many requests, while no other is under way: there are numbers for them. */
    void reserve(final int count) {
        if (Integer.compareUnsigned(LAST_SEQUENCE - sequence, count + 1) < 0) {
            try {
                end();
                begin(FIRST_SEQUENCE);
            } catch (final CudaException ex) {
                throw watch.lost(ex.getMessage(), ex);
            }
        }
    }

    /** The number of a request that is about to be written. */
    int nextSequence() {
        return ++sequence;
    }

    long requestAddress(final int ofSequence) {
        return requests.hostAddress() + (long) (ofSequence & places - 1) * requestBytes;
    }

    long responseAddress(final int ofSequence) {
        return responses.hostAddress() + (long) (ofSequence & places - 1) * responseBytes;
    }

    /** The bits that stand above the content of each word of a request. */
    static long tag(final int sequence) {
        return (long) sequence << Integer.SIZE;
    }

    /** Writes a request's header, behind everything else of it. */
    void send(final int ofSequence, final int session, final boolean bringsState) {
        final long address = requestAddress(ofSequence);
        final long tag = tag(ofSequence);
        UnsafeApi.putLong(address, tag | session & 0xFFFF_FFFFL);
        UnsafeApi.putLongRelease(null, address + Long.BYTES, tag | (bringsState ? 1 : 0));
    }

    /**
     * The content of a word, once it belongs to a request.
     *
     * @throws DeviceLostException if that takes too long.
     */
    int await(final long address, final int ofSequence) {
        for (int looks = 1;; looks++) {
            final long word = UnsafeApi.getLongVolatile(null, address);
            if ((int) (word >>> Integer.SIZE) == ofSequence) {
                return (int) word;
            }
            watch.onLook(looks, ofSequence);
        }
    }

    /** Ends the kernel and gives everything back; of a lost one nothing. A second call does nothing. */
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
            device.freeAll(requests, responses, exchange, sessions);
        });
    }

    /** A step of a session that nobody sees: all blocks are there, and all of them answer. */
    private void begin(final int firstSequence) {
        device.makeCurrent();
        UnsafeApi.setMemory(requests.hostAddress(), (long) places * requestBytes, (byte) 0);
        UnsafeApi.setMemory(responses.hostAddress(), (long) places * responseBytes, (byte) 0);
        CudaDriver.check(
                CudaDriver.memsetD8Async(exchange.deviceAddress(), (byte) 0, exchangeBytes(), watch.stream()),
                "cuMemsetD8Async(" + exchangeBytes() + " bytes)");
        model.launch(watch.stream(), requests.deviceAddress(), responses.deviceAddress(), places, firstSequence,
                exchange.deviceAddress(), sessions.deviceAddress());
        watch.onBegun(model.size(CudaDriver.BLOCKS));
        sequence = firstSequence - 1;
        final int first = nextSequence();
        writeEmpty(first);
        send(first, OWN_SESSION, true);
        for (int i = 0; i < model.shape().outputCount(); i++) {
            await(responseAddress(first) + (long) i * Long.BYTES, first);
        }
        final long state = responseAddress(first) + (long) model.size(CudaDriver.RESPONSE_STATE) * Long.BYTES;
        for (int i = 0; i < stateWords(); i++) {
            await(state + (long) i * Long.BYTES, first);
        }
    }

    /** @throws CudaException if it does not end. */
    private void end() {
        final int last = nextSequence();
        writeEmpty(last);
        send(last, STOP_SESSION, false);
        watch.awaitEnd();
    }

    /** Zeros for features and a state. */
    private void writeEmpty(final int ofSequence) {
        final long address = requestAddress(ofSequence);
        for (int word = HEADER_WORDS; word < model.size(CudaDriver.REQUEST_STATE) + stateWords(); word++) {
            UnsafeApi.putLong(address + (long) word * Long.BYTES, tag(ofSequence));
        }
    }

    private int stateWords() {
        return model.layerCount() * model.size(CudaDriver.LAYER_WORDS);
    }

    private long exchangeBytes() {
        return (long) model.size(CudaDriver.EXCHANGE_WORDS) * Long.BYTES;
    }
}
