package io.tiercel.appliance.telemetry;

import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.protocol.TelemetryFile;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.EpochClock;
import org.agrona.concurrent.NanoClock;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Tells the operator's desk, through a {@link TelemetryFile}, how the appliance does: histograms and standing of each
 * interval, what happens one by one, and what it is. On the telemetry thread, which sleeps 0.1 s between its rounds; it
 * waits for no reader, and no hot thread waits for it. It reads none of Aeron's counters: their file is unmapped by the
 * thread that finds the driver or the client dead, and whoever else reads it then takes the process down.
 */
public final class DeskAgent implements Agent, TelemetryWriter.Listener {

    private static final long SIZE_INTERVAL_MS = 10_000;

    private final TelemetryFile file;
    private final TelemetryStream stream;
    private final Sources sources;
    private final Happenings happenings;
    private final EpochClock epochClock;
    private final long intervalMs;
    private final Map<Long, TelemetryStream.ConnectedClient> clients = new LinkedHashMap<>();
    private PipelineState.Phase phase = PipelineState.Phase.SERVING;
    private int maxUnfinishedCount;
    private long rolledCount;
    private long lostCount;
    private long journalBytes;
    private long nextSizeMs;

    /**
     * What is looked at.
     *
     * @param takenSequence    the last request in the ring.
     * @param recordedSequence the last one with an outcome in the journal.
     * @param journalBytes     what the journal takes; asked every ten seconds.
     * @param rolledCount      files that the journal has gone on from.
     * @param clock            which the threads read.
     * @param epochOffsetNs    added to its ticks gives nanoseconds since the epoch.
     */
    public record Sources(
            PipelineState state,
            LongSupplier takenSequence,
            LongSupplier recordedSequence,
            LongSupplier journalBytes,
            LongSupplier rolledCount,
            NanoClock clock,
            long epochOffsetNs) {
    }

    /** @param file is written by this agent only, and closed with it. */
    public DeskAgent(
            final TelemetryFile file,
            final TelemetryFacts facts,
            final Sources sources,
            final Happenings happenings,
            final EpochClock epochClock,
            final long intervalMs) {
        this.file = file;
        this.sources = sources;
        this.happenings = happenings;
        this.epochClock = epochClock;
        this.intervalMs = intervalMs;
        stream = new TelemetryStream(file, facts);
        nextSizeMs = file.startMs();
    }

    @Override
    public void onStart() {
        tellFacts();
        stream.event(EventKind.APPLIANCE_STARTED, nowNs(), 0, sources.takenSequence().getAsLong() + 1, "");
    }

    @Override
    public int doWork() {
        file.heartbeat(epochClock.time());
        final long taken = sources.takenSequence().getAsLong();
        final long unfinished = Math.max(0, taken - sources.recordedSequence().getAsLong());
        maxUnfinishedCount = (int) Math.max(maxUnfinishedCount, unfinished);
        happenings.drain(this::onHappening);
        tellChanges();
        return 0;
    }

    @Override
    public void onClose() {
        doWork();
        file.stopped();
        file.close();
    }

    @Override
    public String roleName() {
        return "desk";
    }

    @Override
    public void onStage(final Stage stage, final int modelIndex, final Histogram histogramNs) {
        stream.stage(seriesOf(stage), modelIndex, histogramNs);
    }

    @Override
    public void onHiccups(final String thread, final Histogram histogramNs) {
        stream.hiccups(thread, histogramNs);
    }

    @Override
    public void onIntervalEnd(final long startMs, final long endMs) {
        if (endMs >= nextSizeMs) {
            nextSizeMs = endMs + SIZE_INTERVAL_MS;
            journalBytes = sources.journalBytes().getAsLong();
        }
        stream.intervalEnd(startMs, endMs, new TelemetryStream.Standing(
                sources.takenSequence().getAsLong(), sources.recordedSequence().getAsLong(), maxUnfinishedCount,
                journalBytes, rolledCount, phaseOf(phase)));
        maxUnfinishedCount = 0;
        tellFacts();
    }

    private void tellFacts() {
        stream.facts(file.startMs(), file.pid(), intervalMs, new ArrayList<>(clients.values()));
    }

    private void onHappening(
            final EventKind kind, final long startTickNs, final long durationNs, final long value,
            final String subject) {
        if (kind == EventKind.CLIENT_WELCOMED) {
            clients.put(value, new TelemetryStream.ConnectedClient((int) value, epochClock.time(), subject));
        } else if (kind == EventKind.CLIENT_GONE) {
            clients.remove(value);
        }
        final long startNs = startTickNs == Happenings.NO_TIME ? nowNs() : startTickNs + sources.epochOffsetNs();
        stream.event(kind, startNs, durationNs, value, subject);
    }

    private void tellChanges() {
        final PipelineState.Phase now = sources.state().phase();
        if (now != phase) {
            phase = now;
            stream.event(EventKind.PHASE_CHANGED, nowNs(), 0, phaseOf(now).value(), now.name());
        }
        final long rolled = sources.rolledCount().getAsLong();
        if (rolled != rolledCount) {
            rolledCount = rolled;
            stream.event(EventKind.JOURNAL_ROLLED, nowNs(), 0, rolled, "");
        }
        final long lost = happenings.lostCount();
        if (lost != lostCount) {
            stream.event(EventKind.EVENTS_LOST, nowNs(), 0, lost - lostCount, "");
            lostCount = lost;
        }
    }

    private long nowNs() {
        return sources.clock().nanoTime() + sources.epochOffsetNs();
    }

    private static Series seriesOf(final Stage stage) {
        return switch (stage) {
            case JOURNAL -> Series.JOURNAL;
            case QUEUE -> Series.QUEUE;
            case INFER -> Series.INFER;
            case EGRESS -> Series.EGRESS;
            case TOTAL -> Series.TOTAL;
        };
    }

    private static Phase phaseOf(final PipelineState.Phase phase) {
        return switch (phase) {
            case SERVING -> Phase.SERVING;
            case SPACE_LOW -> Phase.SPACE_LOW;
            case DRAINING -> Phase.DRAINING;
            case JOURNAL_FAILED -> Phase.JOURNAL_FAILED;
        };
    }
}
