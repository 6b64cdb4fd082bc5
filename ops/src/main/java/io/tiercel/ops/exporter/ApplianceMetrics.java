package io.tiercel.ops.exporter;

import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.tiercel.ops.desk.Counter;
import io.tiercel.ops.desk.DeskEvent;
import io.tiercel.ops.desk.DeskFeed;
import io.tiercel.ops.desk.DeskListener;
import io.tiercel.ops.desk.DeskState;
import io.tiercel.ops.desk.DeskStatus;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.HdrHistogram.Histogram;

/**
 * What an appliance tells its desk, as metrics. What is added up here (latencies, events) goes on over restarts of the
 * appliance and begins with this process; what the appliance says of its own standing is there while it lives, and not
 * after. {@link #poll} ten times a second, whether or not anybody scrapes: the appliance waits for no reader. Safe for
 * the threads of an HTTP server.
 */
public final class ApplianceMetrics implements MetricSource, DeskListener {

    private static final long RECENT_MS = 60_000;
    private static final double NS_PER_S = 1e9;
    private static final double MS_PER_S = 1e3;
    /** Those of the appliance's counters that go down too. */
    private static final Set<String> GAUGES = Set.of("clients", "sessions", "generations", "journal-free-bytes");
    /** Digits of a bundle's version that tell it from others. */
    private static final int VERSION_DIGITS = 12;

    private final DeskFeed feed;
    private final Map<Labels, LatencyHistogram> stages = new LinkedHashMap<>();
    private final Map<Labels, LatencyHistogram> hiccups = new LinkedHashMap<>();
    private final Map<EventKind, Long> eventCounts = new EnumMap<>(EventKind.class);
    private DeskEvent snapshotWritten;
    private DeskEvent snapshotCopied;
    private DeskStatus status = new DeskStatus(DeskStatus.Code.ABSENT, "");

    /** @param feed is owned by this object from now on. */
    public ApplianceMetrics(final DeskFeed feed) {
        this.feed = feed;
        feed.state().listen(this);
        Arrays.stream(EventKind.values()).filter(kind -> kind != EventKind.NULL_VAL)
                .forEach(kind -> eventCounts.put(kind, 0L));
    }

    /** Reads what there is to read. */
    public synchronized DeskStatus poll() {
        status = feed.poll();
        return status;
    }

    @Override
    public synchronized MetricSnapshots collect() {
        poll();
        final MetricPage page = new MetricPage();
        addFeed(page);
        if (status.code() == DeskStatus.Code.LIVE) {
            addModels(page);
            addStanding(page);
            addLimits(page);
            addCounters(page);
        }
        addLatencies(page);
        addEvents(page);
        return page.build();
    }

    @Override
    public void onHistogram(final DeskState.Source source, final Histogram histogramNs) {
        final boolean isOfThread = source.series() == Series.HICCUP;
        (isOfThread ? hiccups : stages)
                .computeIfAbsent(labelsOf(source), labels -> new LatencyHistogram())
                .add(histogramNs);
    }

    @Override
    public void onEvent(final DeskEvent event) {
        eventCounts.computeIfPresent(event.kind(), (kind, count) -> count + event.count());
        if (event.kind() == EventKind.SNAPSHOT_WRITTEN) {
            snapshotWritten = event;
        } else if (event.kind() == EventKind.SNAPSHOT_COPIED) {
            snapshotCopied = event;
        }
    }

    private void addFeed(final MetricPage page) {
        page.gauge("tiercel_up", "1 if the appliance lives and tells how it does, else 0.",
                status.code() == DeskStatus.Code.LIVE ? 1 : 0);
        final Map<Labels, Double> codes = new LinkedHashMap<>();
        for (final DeskStatus.Code code : DeskStatus.Code.values()) {
            codes.put(Labels.of("status", lower(code)), code == status.code() ? 1.0 : 0.0);
        }
        page.gauge("tiercel_feed_status", "1 for how the telemetry file of the appliance stands, 0 for the others.",
                codes);
        page.counter("tiercel_telemetry_lost_messages",
                "Messages that the appliance had overwritten before this exporter read them.",
                feed.state().lostCount());
    }

    private void addModels(final MetricPage page) {
        page.info("tiercel_appliance", "Which appliance it is.",
                List.of(Labels.of("name", feed.state().name())));
        page.info("tiercel_model", "Models that are served.", feed.state().models().stream()
                .map(model -> Labels.of("model", model.alias(), "version", versionOf(model), "family", model.family(),
                        "backend", model.backend()))
                .toList());
        final Map<Labels, Double> weights = new LinkedHashMap<>();
        final Map<Labels, Double> drained = new LinkedHashMap<>();
        for (final DeskState.Model model : feed.state().models()) {
            if (model.weight() != DeskState.Model.UNTOLD) {
                final Labels labels = Labels.of("model", model.alias(), "version", versionOf(model));
                weights.put(labels, (double) model.weight());
                drained.put(labels, model.isDrained() ? 1.0 : 0.0);
            }
        }
        page.gauge("tiercel_route_weight", "Of 10,000 new sessions of the model, how many come to the version.",
                weights);
        page.gauge("tiercel_version_drained",
                "1 if sessions that are with the version begin anew with another, else 0.", drained);
    }

    private void addStanding(final MetricPage page) {
        final DeskState.Standing standing = feed.state().standing();
        if (standing == null) {
            return;
        }
        final Map<Labels, Double> phases = new LinkedHashMap<>();
        Arrays.stream(Phase.values()).filter(phase -> phase != Phase.NULL_VAL).forEach(
                phase -> phases.put(Labels.of("phase", lower(phase)), phase == standing.phase() ? 1.0 : 0.0));
        page.gauge("tiercel_phase", "1 for the phase that the pipeline is in, 0 for the others.", phases);
        page.gauge("tiercel_requests_unfinished", "Requests in the ring at the end of the last interval.",
                Math.max(0, standing.takenSequence() - standing.recordedSequence()));
        page.gauge("tiercel_requests_unfinished_peak",
                "The most requests that were seen in the ring during the last interval.",
                standing.maxUnfinishedCount());
        page.gauge("tiercel_journal_size_bytes", "All that is in the journal's directory.", standing.journalBytes());
        page.counter("tiercel_journal_rolls", "Files that the journal has gone on from, both queues.",
                standing.rolledCount());
    }

    private void addLimits(final MetricPage page) {
        final DeskState.Facts facts = feed.state().facts();
        if (facts == null) {
            return;
        }
        final DeskState.Limits limits = facts.limits();
        page.gauge("tiercel_start_timestamp_seconds", "When the appliance started.", facts.startMs() / MS_PER_S);
        page.gauge("tiercel_ring_capacity", "Requests that the ring has room for.", limits.ring());
        page.gauge("tiercel_clients_limit", "Clients that may be connected.", limits.clients());
        page.gauge("tiercel_sessions_limit", "Sessions that there is memory for.", limits.sessions());
        page.gauge("tiercel_generations_limit", "Generations that may be under way.", limits.generations());
        page.gauge("tiercel_journal_warn_free_bytes", "Free space below which the appliance warns.",
                limits.warnFreeBytes());
        page.gauge("tiercel_journal_refuse_free_bytes", "Free space below which the appliance takes no request.",
                limits.refuseFreeBytes());
    }

    /** All of them, whatever their names, so that a new one needs no change here; but for a gauge. */
    private void addCounters(final MetricPage page) {
        for (final Counter counter : feed.state().counters().values()) {
            final String name = "tiercel_" + counter.name().replace('-', '_');
            final String help = counter.description() + ".";
            if (GAUGES.contains(counter.name())) {
                page.gauge(name, help, counter.value());
            } else if (name.endsWith("_ns")) {
                page.counter(name.substring(0, name.length() - 2) + "seconds", help.replace("nanoseconds", "seconds"),
                        counter.value() / NS_PER_S);
            } else {
                page.counter(name, help, counter.value());
            }
        }
    }

    private void addLatencies(final MetricPage page) {
        page.histogram("tiercel_stage_duration_seconds",
                "Latencies of the stages of each model; stage=total is from arrival to the response sent.", stages);
        page.histogram("tiercel_hiccup_duration_seconds",
                "Idle rounds of the hot threads: what the host takes from them.", hiccups);
        final Map<Labels, Histogram> recentStages = new LinkedHashMap<>();
        final Map<Labels, Histogram> recentHiccups = new LinkedHashMap<>();
        for (final DeskState.Source source : feed.state().sources()) {
            final Labels labels = labelsOf(source);
            if (stages.containsKey(labels) || hiccups.containsKey(labels)) {
                (source.series() == Series.HICCUP ? recentHiccups : recentStages)
                        .put(labels, feed.state().histogram(source, RECENT_MS));
            }
        }
        page.summary("tiercel_stage_recent_seconds",
                "Latencies of the last minute, as the appliance has measured them, within 0.8 %; quantile=1 is the "
                        + "largest.",
                recentStages, stages);
        page.summary("tiercel_hiccup_recent_seconds", "Idle rounds of the last minute; quantile=1 is the longest.",
                recentHiccups, hiccups);
    }

    private void addEvents(final MetricPage page) {
        final Map<Labels, Double> counts = new LinkedHashMap<>();
        eventCounts.forEach((kind, count) -> counts.put(Labels.of("kind", lower(kind)), (double) count));
        page.counter("tiercel_events", "What the appliance told one by one, or counted as left out.", counts);
        if (snapshotWritten != null) {
            page.gauge("tiercel_snapshot_written_timestamp_seconds", "When the newest snapshot was there.",
                    (snapshotWritten.startNs() + snapshotWritten.durationNs()) / NS_PER_S);
            page.gauge("tiercel_snapshot_write_seconds", "How long the newest snapshot took to be written.",
                    snapshotWritten.durationNs() / NS_PER_S);
        }
        if (snapshotCopied != null) {
            page.gauge("tiercel_snapshot_copy_seconds",
                    "How long it took until all workers had copied their sessions for the newest snapshot.",
                    snapshotCopied.durationNs() / NS_PER_S);
        }
    }

    private Labels labelsOf(final DeskState.Source source) {
        if (source.series() == Series.HICCUP) {
            return Labels.of("thread", source.thread());
        }
        final DeskState.Model served = feed.state().models().stream()
                .filter(model -> model.modelIndex() == source.modelIndex())
                .findFirst()
                .orElse(new DeskState.Model(source.modelIndex(), "model-" + source.modelIndex(), "", "", "",
                        DeskState.Model.UNTOLD, false));
        return Labels.of("stage", lower(source.series()), "model", served.alias(), "version", versionOf(served));
    }

    private static String versionOf(final DeskState.Model model) {
        return model.versionHex().substring(0, Math.min(VERSION_DIGITS, model.versionHex().length()));
    }

    private static String lower(final Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
