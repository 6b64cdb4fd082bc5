package io.tiercel.replay.timeline;

import io.tiercel.protocol.journal.OutcomeStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Requests through a made-up appliance with one infer thread, which computes one at a time and stands still when it is
 * told to: so whoever waits, waits for a reason that the test has planted. Times are nanoseconds since
 * {@link #BASE_NS}.
 */
public final class TimelineFixture {

    public static final long BASE_NS = 1_700_000_000_000_000_000L;
    public static final long JOURNAL_NS = 200;
    public static final long COMPUTE_NS = 2_000;
    public static final long EGRESS_NS = 300;
    public static final long PRINCIPAL_ID = 7;
    /** One byte of the version of the model that answers, as are the others. */
    private static final byte VERSION_BYTE = (byte) 0xAB;

    private final List<long[]> halts = new ArrayList<>();
    private final RequestTimeline timeline = new RequestTimeline();
    private final boolean isSerial;
    private long freeNs;
    private long journalHaltNs;
    private boolean isRollDue;

    /** @param isSerial whether requests are journaled by the thread that computes them, before that. */
    public TimelineFixture(final boolean isSerial) {
        this.isSerial = isSerial;
        final byte[] version = new byte[32];
        Arrays.fill(version, VERSION_BYTE);
        timeline.nextVersion(new UnsafeBuffer(version));
    }

    /** The infer thread stands still between two times. In the order of begin. */
    public TimelineFixture halt(final long fromNs, final long toNs) {
        halts.add(new long[] {fromNs, toNs});
        return this;
    }

    /** The next request is the first of a file, and is journaled so much later. */
    public TimelineFixture roll(final long delayNs) {
        journalHaltNs = delayNs;
        isRollDue = true;
        return this;
    }

    public TimelineFixture request(final long arrivalNs) {
        return request(arrivalNs, 1, COMPUTE_NS);
    }

    public TimelineFixture request(final long arrivalNs, final int stepCount, final long computeNs) {
        return batch(arrivalNs, 1, stepCount, computeNs);
    }

    /** So many requests of as many sessions that arrive at once and are computed in one step. */
    public TimelineFixture batch(final long arrivalNs, final int size, final int stepCount, final long computeNs) {
        final long journaledNs = arrivalNs + JOURNAL_NS + journalHaltNs;
        journalHaltNs = 0;
        final long startNs = afterHalt(Math.max(isSerial ? journaledNs : arrivalNs, freeNs));
        final long endNs = worked(startNs, computeNs);
        freeNs = endNs;
        final long readyNs = Math.max(endNs, journaledNs);
        for (int member = 0; member < size; member++) {
            timeline.add(new RequestTimeline.Row(timeline.size() + 1_000L, BASE_NS + arrivalNs, asked(member),
                    journaledNs - arrivalNs, startNs - arrivalNs, endNs - arrivalNs,
                    readyNs + (member + 1) * EGRESS_NS - arrivalNs, size, stepCount, OutcomeStatus.OK), isRollDue);
            isRollDue = false;
        }
        return this;
    }

    /** An outcome that the clock decided: its answer has no time. */
    public TimelineFixture expired(final long arrivalNs) {
        timeline.add(new RequestTimeline.Row(timeline.size() + 1_000L, BASE_NS + arrivalNs, asked(0), JOURNAL_NS,
                isSerial ? JOURNAL_NS : 100, 400, 0, 1, 1, OutcomeStatus.EXPIRED), false);
        return this;
    }

    /** So many requests from a time on, some {@code gapNs} apart. */
    public TimelineFixture traffic(final long fromNs, final int count, final long gapNs) {
        final SplittableRandom random = new SplittableRandom(count);
        long arrivalNs = fromNs;
        for (int i = 0; i < count; i++) {
            request(arrivalNs);
            arrivalNs += gapNs / 2 + random.nextLong(gapNs);
        }
        return this;
    }

    /** Whatever fits together: bursts, batches, halts, rolls, long ones. */
    public static RequestTimeline random(final long seed, final int count) {
        final SplittableRandom random = new SplittableRandom(seed);
        final TimelineFixture fixture = new TimelineFixture(random.nextBoolean());
        long arrivalNs = 0;
        for (int halt = 0; halt < 5; halt++) {
            final long fromNs = random.nextLong(count * 5_000L);
            fixture.halts.add(new long[] {fromNs, fromNs + random.nextLong(500_000)});
        }
        fixture.halts.sort(Comparator.comparingLong(halt -> halt[0]));
        while (fixture.timeline.size() < count) {
            if (random.nextInt(50) == 0) {
                fixture.roll(random.nextLong(100_000));
            }
            final int stepCount = 1 + random.nextInt(3);
            fixture.batch(arrivalNs, 1 + random.nextInt(4), stepCount, stepCount * COMPUTE_NS + random.nextLong(500));
            arrivalNs += random.nextLong(10_000);
        }
        return fixture.timeline;
    }

    public RequestTimeline timeline() {
        return timeline;
    }

    /** With a correlation id that is 5 behind the sequence. */
    private RequestTimeline.Asked asked(final int sessionKey) {
        return new RequestTimeline.Asked(PRINCIPAL_ID, sessionKey, timeline.size() + 1_005L, 0);
    }

    private long afterHalt(final long timeNs) {
        long nowNs = timeNs;
        for (final long[] halt : halts) {
            if (halt[0] <= nowNs && nowNs < halt[1]) {
                nowNs = halt[1];
            }
        }
        return nowNs;
    }

    private long worked(final long startNs, final long workNs) {
        long endNs = startNs + workNs;
        for (final long[] halt : halts) {
            if (startNs < halt[0] && halt[0] < endNs) {
                endNs += halt[1] - halt[0];
            }
        }
        return endNs;
    }
}
