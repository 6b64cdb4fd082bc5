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
 */
public final class Counters implements AutoCloseable {

    private final Map<CounterId, AtomicCounter> counters = new EnumMap<>(CounterId.class);
    private final Happenings happenings = new Happenings();

    private Counters() {
    }

    /** Counters in the media driver's file. Blocks for a moment while the driver makes them. */
    public static Counters inDriver(final Aeron aeron) {
        final Counters result = new Counters();
        for (final CounterId id : CounterId.values()) {
            result.counters.put(id, aeron.addCounter(id.typeId(), id.label()));
        }
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

    public AtomicCounter get(final CounterId id) {
        return counters.get(id);
    }

    public long value(final CounterId id) {
        return counters.get(id).get();
    }

    /** What is told one by one, beside what is counted. */
    public Happenings happenings() {
        return happenings;
    }

    @Override
    public void close() {
        counters.values().forEach(AtomicCounter::close);
    }
}
