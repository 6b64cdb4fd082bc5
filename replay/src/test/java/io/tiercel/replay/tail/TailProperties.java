package io.tiercel.replay.tail;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.TimelineFixture;
import io.tiercel.replay.timeline.Tracks;
import java.nio.file.Path;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class TailProperties {

    private static final int COUNT = 400;

    /** Whatever happens, causes get the excess, all of it and no more. */
    @Property(tries = 40)
    void shouldGiveAwayTheExcessAndNoMore(@ForAll final long seed) {
        final RequestTimeline requests = TimelineFixture.random(seed, COUNT);

        final TailReport report = new TailAnalysis(requests, Tracks.read(Path.of("none"), 0, 1))
                .report(new TailOptions(COUNT, 99));

        long excessNs = 0;
        for (final SlowRequest request : report.slowest()) {
            assertEquals(request.excessNs(), request.blames().stream().mapToLong(SlowRequest.Blamed::ns).sum());
            assertTrue(request.batchSequences().contains(request.sequence()));
            assertEquals(requests.totalNs(requests.indexOf(request.sequence())), request.legs().totalNs());
            excessNs += request.excessNs();
        }
        assertEquals(excessNs, report.chosen().excessNs());
        assertEquals(1.0, report.causes().stream().mapToDouble(CauseShare::share).sum(), excessNs == 0 ? 1 : 1e-9);
        for (final CauseShare share : report.causes()) {
            assertTrue(share.withoutNs() <= report.percentiles().percentileNs());
            assertTrue(share.inheritedNs() <= share.explainedNs());
        }
    }

    /** Where intervals of several causes overlap, each nanosecond counts for the first of them, and once. */
    @Property(tries = 40)
    void shouldCountEachNanosecondOnceWhenCausesOverlap(@ForAll final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final int lengthNs = 200;
        final Cause[] owners = new Cause[lengthNs];
        final CauseIntervals.Builder builder = new CauseIntervals.Builder();
        for (int i = 0; i < 20; i++) {
            final Cause cause = Cause.values()[random.nextInt(Cause.COUNT)];
            final int fromNs = random.nextInt(lengthNs);
            final int toNs = fromNs + random.nextInt(lengthNs - fromNs + 1);
            builder.add(cause, fromNs, toNs);
            for (int ns = fromNs; ns < toNs; ns++) {
                owners[ns] = owners[ns] == null || cause.compareTo(owners[ns]) < 0 ? cause : owners[ns];
            }
        }
        final int fromNs = random.nextInt(lengthNs);
        final int toNs = fromNs + random.nextInt(lengthNs - fromNs + 1);
        final long[] expectedNs = new long[Cause.COUNT];
        for (int ns = fromNs; ns < toNs; ns++) {
            if (owners[ns] != null) {
                expectedNs[owners[ns].ordinal()]++;
            }
        }

        final long[] overlapNs = new long[Cause.COUNT];
        builder.build().addOverlap(fromNs, toNs, overlapNs);

        for (final Cause cause : Cause.values()) {
            assertEquals(expectedNs[cause.ordinal()], overlapNs[cause.ordinal()], cause::words);
        }
    }
}
