package io.tiercel.appliance.telemetry;

import io.aeron.Aeron;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;
import org.agrona.concurrent.status.CountersManager;
import org.agrona.concurrent.status.CountersReader;

import java.util.EnumMap;
import java.util.Map;

/**
 * The appliance's {@link CounterId}s as Agrona counters. A stage looks its counters up once, in its constructor;
 * an increment is a plain load and a release store by the counter's one writer.
 *
 * <p>They lie in a file that Aeron maps, and the thread that finds the driver or the client dead unmaps it: a thread
 * that touches a counter after that takes the process down, its snapshot half written and its last words unsaid.
 * Threads that sleep beside the stages, and so may outlast the mapping by long, use {@link #value} and
 * {@link #increment}: these hold a lock that Aeron needs before it unmaps, as its close handlers come first, and go on
 * in memory after that. No stage takes it.
 */
public final class Counters implements AutoCloseable {

    private final Map<CounterId, AtomicCounter> counters = new EnumMap<>(CounterId.class);
    private final Happenings happenings = new Happenings();
    /** Guarded by this object's lock, as the mapping is for those who take it. */
    private final long[] unmappedValues = new long[CounterId.values().length];
    private boolean isMapped = true;

    private Counters() {
    }

    /** Counters in the media driver's file. Blocks for a moment while the driver makes them. */
    public static Counters inDriver(final Aeron aeron) {
        final Counters result = new Counters();
        for (final CounterId id : CounterId.values()) {
            result.counters.put(id, aeron.addCounter(id.typeId(), id.label()));
        }
        aeron.addCloseHandler(result::letGo);
        return result;
    }

    /** Counters that nobody else sees: for the warm-up and for tests. */
    public static Counters inMemory() {
        final int count = CounterId.values().length + 1;
        final CountersManager manager = new CountersManager(
                new UnsafeBuffer(BufferUtil.allocateDirectAligned(count * CountersReader.METADATA_LENGTH, 64)),
                new UnsafeBuffer(BufferUtil.allocateDirectAligned(count * CountersReader.COUNTER_LENGTH, 64)));
        final Counters result = new Counters();
        for (final CounterId id : CounterId.values()) {
            result.counters.put(id, manager.newCounter(id.label(), id.typeId()));
        }
        return result;
    }

    /** For the threads of the stages. */
    public AtomicCounter get(final CounterId id) {
        return counters.get(id);
    }

    /** What it says now, or said last. Any thread that may wait a moment, at any time. */
    public synchronized long value(final CounterId id) {
        return isMapped ? counters.get(id).get() : unmappedValues[id.ordinal()];
    }

    /** One more, from the counter's one writer. Any thread that may wait a moment, at any time. */
    public synchronized void increment(final CounterId id) {
        if (isMapped) {
            counters.get(id).incrementRelease();
        } else {
            unmappedValues[id.ordinal()]++;
        }
    }

    /** What is told one by one, beside what is counted. */
    public Happenings happenings() {
        return happenings;
    }

    @Override
    public void close() {
        letGo(); // The driver gives the places of closed counters to others.
        counters.values().forEach(AtomicCounter::close);
    }

    private synchronized void letGo() {
        if (isMapped) {
            isMapped = false;
            counters.forEach((id, counter) -> unmappedValues[id.ordinal()] = counter.get());
        }
    }
}
