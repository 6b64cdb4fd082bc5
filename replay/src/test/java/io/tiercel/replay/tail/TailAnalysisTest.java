package io.tiercel.replay.tail;

import static io.tiercel.replay.timeline.TimelineFixture.COMPUTE_NS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.TimelineFixture;
import io.tiercel.replay.timeline.TrackFiles;
import io.tiercel.replay.timeline.Tracks;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each cause is planted once, and the ranking has to name it. */
class TailAnalysisTest {

    private static final int COUNT = 4_000;
    private static final long GAP_NS = 10_000;
    private static final long HALT_FROM_NS = 5_000_000;
    private static final long HALT_NS = 1_000_000;
    private static final TailOptions PAST = new TailOptions(0, 98);

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "COLLECTION, false", "SAFEPOINT, false", "SNAPSHOT, false", "PREEMPTION, false", "STALL, false",
        "LONG_ROUND, false", "COLLECTION, true", "STALL, true"
    })
    void shouldNameWhatHeldUpTheThreadWhenTheTracksHaveIt(final Cause planted, final boolean isSerial) {
        final RequestTimeline requests = new TimelineFixture(isSerial)
                .halt(HALT_FROM_NS, HALT_FROM_NS + HALT_NS).traffic(0, COUNT, GAP_NS).timeline();
        final Tracks tracks = plant(planted, files(isSerial), HALT_FROM_NS, HALT_FROM_NS + HALT_NS).read();

        final TailReport report = new TailAnalysis(requests, tracks).report(PAST);

        final CauseShare first = report.causes().get(0);
        assertEquals(planted, first.cause(), report.causes()::toString);
        assertTrue(first.share() > 0.9, report.causes()::toString);
        assertTrue(first.withoutNs() < report.percentiles().percentileNs() / 10, report.causes()::toString);
        assertTrue(first.inheritedNs() > 0, "those who came behind it owe it their waiting");
        final SlowRequest slowest = report.slowest().get(0);
        assertEquals(planted, slowest.blames().get(0).cause());
        assertEquals(1, slowest.beside().size(), slowest.beside()::toString);
        assertEquals(Leg.WAITING, report.slowest().get(1).legs().longest(), "the first one may have been computed");
    }

    @Test
    void shouldBlameAStallForAllWhoWaitUntilTheQueueBehindItIsWorkedOff() {
        final TimelineFixture fixture = new TimelineFixture(false).halt(HALT_FROM_NS, HALT_FROM_NS + HALT_NS)
                .traffic(0, COUNT, 3_000);
        final Tracks tracks = plant(Cause.STALL, files(false), HALT_FROM_NS, HALT_FROM_NS + HALT_NS).read();

        final TailReport report = new TailAnalysis(fixture.timeline(), tracks).report(new TailOptions(0, 80));

        final SlowRequest late = report.slowest().stream()
                .filter(each -> each.ingressNs() > TimelineFixture.BASE_NS + HALT_FROM_NS + HALT_NS + HALT_NS / 3)
                .findFirst().orElseThrow();
        assertEquals(Cause.STALL, late.blames().get(0).cause(), late::toString);
        assertEquals(List.of(), late.beside(), "it was over when the request came");
    }

    @Test
    void shouldLeaveItUnexplainedWhenNothingIsKnown() {
        final RequestTimeline requests = new TimelineFixture(false)
                .halt(HALT_FROM_NS, HALT_FROM_NS + HALT_NS).traffic(0, COUNT, GAP_NS).timeline();

        final TailReport report = new TailAnalysis(requests, noTracks()).report(PAST);

        assertTrue(report.causes().get(0).cause().isUnexplained(), report.causes()::toString);
        assertEquals(0, report.tracks().runCount());
    }

    @Test
    void shouldNotBlameAStallOfAThreadThatDidNotHoldTheRequestUp() {
        final RequestTimeline requests = new TimelineFixture(false)
                .halt(HALT_FROM_NS, HALT_FROM_NS + HALT_NS).traffic(0, COUNT, GAP_NS).timeline();
        final Tracks tracks = new TrackFiles(directory, "io,journal,infer-0,egress,outcome", 1)
                .stall(HALT_FROM_NS, HALT_FROM_NS + HALT_NS, "outcome", 0, "").read();

        final TailReport report = new TailAnalysis(requests, tracks).report(PAST);

        assertTrue(report.causes().get(0).cause().isUnexplained(), report.causes()::toString);
    }

    @Test
    void shouldGiveEachNanosecondToTheFirstOfTheCausesThatLieOverIt() {
        final RequestTimeline requests = new TimelineFixture(false).traffic(0, 1_000, GAP_NS)
                .halt(20_000_000, 21_000_000).request(20_000_000).timeline();
        final Tracks tracks = files(false).collection(20_000_000, 20_400_000)
                .stall(20_300_000, 21_000_000, "infer", 0, "700000").read();

        final SlowRequest slowest =
                new TailAnalysis(requests, tracks).report(new TailOptions(1, 99)).slowest().get(0);

        assertEquals(List.of(new SlowRequest.Blamed(Cause.PREEMPTION, 600_000),
                new SlowRequest.Blamed(Cause.COLLECTION, 400_000)), slowest.blames());
        assertEquals(List.of("SerialCollectForAllocation Pause Young (Allocation Failure) 66M->1M(247M) 1.234ms " +
                "400.0 µs", "preemption of infer 700.0 µs"), slowest.beside());
    }

    @Test
    void shouldNameTheRollWhenTheFirstOfAFileIsJournaledLate() {
        final RequestTimeline requests = new TimelineFixture(false).traffic(0, 1_000, GAP_NS)
                .roll(500_000).request(20_000_000).timeline();

        final TailReport report = new TailAnalysis(requests, noTracks()).report(new TailOptions(1, 99));

        assertEquals(Cause.ROLL, report.causes().get(0).cause());
        assertEquals(1, report.tracks().rollCount());
        assertEquals(Leg.JOURNAL, report.slowest().get(0).legs().longest());
    }

    @Test
    void shouldTellARequestsOwnWorkFromThatOfTheOneBeforeIt() {
        final TimelineFixture fixture = new TimelineFixture(false).traffic(0, COUNT, GAP_NS);
        for (int i = 0; i < 50; i++) {
            fixture.request(300_000_000 + i * 1_000_000L, 40, 40 * COMPUTE_NS);
            fixture.request(300_000_000 + i * 1_000_000L + 1_000, 1, COMPUTE_NS);
        }

        final TailReport report = new TailAnalysis(fixture.timeline(), noTracks()).report(new TailOptions(100, 99));

        assertEquals(Cause.WORK, causeOf(report, 40));
        assertEquals(Cause.LONG_BEFORE, causeOf(report, 1));
        assertTrue(report.causes().stream().allMatch(
                share -> share.cause() == Cause.WORK || share.cause() == Cause.LONG_BEFORE || share.share() < 0.05),
                report.causes()::toString);
    }

    @Test
    void shouldNameTheCompanyWhenABatchTakesLonger() {
        final TimelineFixture fixture = new TimelineFixture(false).traffic(0, 1_000, GAP_NS);
        for (int i = 0; i < 20; i++) {
            fixture.batch(20_000_000 + i * 100_000L, 8, 1, 5 * COMPUTE_NS);
        }

        final TailReport report = new TailAnalysis(fixture.timeline(), noTracks()).report(new TailOptions(160, 99));

        assertEquals(Cause.BATCH, report.causes().get(0).cause(), report.causes()::toString);
        final SlowRequest slowest = report.slowest().get(0);
        assertEquals(8, slowest.batchSequences().size());
        assertTrue(slowest.batchSequences().contains(slowest.sequence()));
    }

    @Test
    void shouldNameTheQueueWhenRequestsOnlyCameTogether() {
        final TimelineFixture fixture = new TimelineFixture(false).traffic(0, 1_000, GAP_NS);
        for (int i = 0; i < 100; i++) {
            fixture.request(20_000_000);
        }

        final TailReport report = new TailAnalysis(fixture.timeline(), noTracks()).report(new TailOptions(50, 99));

        assertEquals(Cause.QUEUE, report.causes().get(0).cause(), report.causes()::toString);
        assertEquals(99, report.slowest().get(0).queueDepth());
        assertEquals(0, report.slowest().get(0).gapNs());
    }

    @Test
    void shouldSuspectTheQuietWhenTheFirstOneAfterItIsSlow() {
        final RequestTimeline requests = new TimelineFixture(false).traffic(0, 1_000, GAP_NS)
                .request(2_000_000_000, 1, 7 * COMPUTE_NS).timeline();

        final TailReport report = new TailAnalysis(requests, noTracks()).report(new TailOptions(1, 99));

        assertEquals(Cause.QUIET, report.causes().get(0).cause(), report.causes()::toString);
        assertEquals(Leg.COMPUTE, report.slowest().get(0).legs().longest());
    }

    @Test
    void shouldSayByHowMuchAnArrivalMayHaveBeenSeenLate() {
        final RequestTimeline requests = new TimelineFixture(true).traffic(0, 1_000, GAP_NS)
                .request(20_000_000).request(20_000_000).timeline();
        final Tracks tracks = new TrackFiles(directory, "io", 1).stall(19_000_000, 20_000_000, "io", 0, "").read();

        final TailReport report = new TailAnalysis(requests, tracks).report(new TailOptions(1_002, 99));

        assertEquals(2, report.tracks().lateStampCount());
        assertEquals(1_000_000, report.tracks().lateStampMaxNs());
        assertEquals(2, report.slowest().stream().filter(each -> each.lateStampNs() == 1_000_000).count());
    }

    @Test
    void shouldLeaveOutWhatHasNoTimeOfAnswer() {
        final RequestTimeline requests =
                new TimelineFixture(false).traffic(0, 100, GAP_NS).expired(5_000_000).timeline();

        final TailReport report = new TailAnalysis(requests, noTracks()).report(new TailOptions(200, 99));

        assertEquals(100, report.requestCount());
        assertEquals(1, report.untimedCount());
        assertEquals(100, report.slowest().size());
        final TailAnalysis nothing = new TailAnalysis(new TimelineFixture(false).expired(0).timeline(), noTracks());
        assertThrows(IllegalArgumentException.class, () -> nothing.report(PAST));
    }

    @Test
    void shouldTakeTheValueAtTheRankWhenAPercentileIsAskedFor() {
        final long[] values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        assertEquals(5, TailAnalysis.percentile(values, 50));
        assertEquals(9, TailAnalysis.percentile(values, 90));
        assertEquals(10, TailAnalysis.percentile(values, 90.1));
        assertEquals(1, TailAnalysis.percentile(values, 0.001));
    }

    private static Cause causeOf(final TailReport report, final int stepCount) {
        return report.slowest().stream().filter(each -> each.stepCount() == stepCount).findFirst().orElseThrow()
                .blames().get(0).cause();
    }

    private static TrackFiles plant(final Cause cause, final TrackFiles files, final long fromNs, final long toNs) {
        final String thread = cause == Cause.LONG_ROUND || cause == Cause.STALL || cause == Cause.PREEMPTION
                ? files.inferThread()
                : null;
        return switch (cause) {
            case COLLECTION -> files.collection(fromNs, toNs);
            case SAFEPOINT -> files.safepoint(fromNs, toNs);
            case SNAPSHOT -> files.snapshot(fromNs, toNs);
            case PREEMPTION -> files.stall(fromNs, toNs, thread, 3, String.valueOf(toNs - fromNs));
            case STALL -> files.stall(fromNs, toNs, thread, 0, "0");
            case LONG_ROUND -> files.stall(fromNs, toNs, thread, 3, "");
            default -> throw new IllegalArgumentException("cause=" + cause);
        };
    }

    private TrackFiles files(final boolean isSerial) {
        return new TrackFiles(directory, isSerial ? "io" : "io,infer", 1);
    }

    private Tracks noTracks() {
        return Tracks.read(directory.resolve("none"), 0, Long.MAX_VALUE);
    }
}
