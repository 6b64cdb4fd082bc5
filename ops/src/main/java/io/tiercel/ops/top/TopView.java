package io.tiercel.ops.top;

import io.tiercel.ops.desk.DeskEvent;
import io.tiercel.ops.desk.DeskState;
import io.tiercel.ops.desk.DeskStatus;
import io.tiercel.ops.desk.Figures;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jline.utils.AttributedString;

/**
 * An appliance on a terminal of any size from 80 by 24. Where there is little room, the rows of threads go first, then
 * all stages but the totals. One thread.
 */
public final class TopView {

    /** From this width on there are three windows of time, and the clients beside the events. */
    private static final int WIDE = 132;
    private static final int MIN_EVENTS = 4;
    private static final long MINUTE_MS = 60_000;
    private static final long NS_PER_MS = 1_000_000;
    private static final int VERSION_DIGITS = 12;
    private static final double NEARLY_FULL = 0.9;
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter TIME_MS =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneOffset.UTC);
    private static final List<Series> STAGES =
            List.of(Series.TOTAL, Series.JOURNAL, Series.QUEUE, Series.INFER, Series.EGRESS);

    private final DeskState state;

    public TopView(final DeskState state) {
        this.state = state;
    }

    /**
     * A frame of at most {@code rows} lines, none wider than {@code columns}.
     *
     * @param nowMs of this host, since the epoch.
     */
    public List<AttributedString> draw(
            final DeskStatus status, final long nowMs, final int columns, final int rows) {
        final List<AttributedString> lines = new ArrayList<>();
        lines.add(header(status, nowMs));
        if (state.standing() == null) {
            lines.add(new Line().faint("  " + (status.code() == DeskStatus.Code.LIVE
                    ? "waiting for the end of an interval"
                    : "nothing to show yet: " + status.detail())).build());
        } else {
            addStanding(lines);
            addLatencies(lines, columns, rows);
            addEvents(lines, columns, rows);
        }
        return lines.stream().limit(rows).map(line -> line.columnSubSequence(0, columns)).toList();
    }

    private AttributedString header(final DeskStatus status, final long nowMs) {
        final Line line = new Line().strong("tiercel ").strong(state.name()).plain("  ");
        if (status.code() == DeskStatus.Code.LIVE) {
            line.good(status.code().name());
        } else {
            line.bad(status.code().name()).plain(" ").plain(status.detail());
        }
        final DeskState.Facts facts = state.facts();
        if (facts != null) {
            line.plain("  up " + Figures.duration(TimeUnit.MILLISECONDS.toSeconds(nowMs - facts.startMs())))
                    .faint("  pid " + facts.pid() + "  " + facts.layout().toLowerCase(Locale.ROOT));
        }
        line.faint("  " + TIME.format(Instant.ofEpochMilli(nowMs)) + " UTC");
        if (state.lostCount() > 0) {
            line.plain("  ").warnIf(true, Figures.count(state.lostCount()) + " messages missed");
        }
        return line.build();
    }

    private void addStanding(final List<AttributedString> lines) {
        final DeskState.Standing standing = state.standing();
        final DeskState.Facts facts = state.facts();
        final DeskState.Limits limits = facts == null ? null : facts.limits();
        final Line first = new Line().label("phase");
        first.styled(standing.phase() == Phase.SERVING, standing.phaseName());
        first.label("unfinished").of(standing.maxUnfinishedCount(), limits == null ? 0 : limits.ring(), NEARLY_FULL)
                .label("clients").of(state.clients().size(), limits == null ? 0 : limits.clients(), NEARLY_FULL)
                .label("sessions").of(state.counter("sessions"), limits == null ? 0 : limits.sessions(), NEARLY_FULL);
        lines.add(first.build());

        lines.add(new Line().label("requests").plain(rate("requests") + "/s")
                .label("generations").of(state.counter("generations"), limits == null ? 0 : limits.generations(), 1)
                .label("refused").warnIf(isGrowing("frames-refused"), rate("frames-refused") + "/s")
                .label("shed").warnIf(isGrowing("shed"), rate("shed") + "/s")
                .label("slow").warnIf(isGrowing("clients-slow"), Figures.count(state.counter("clients-slow")))
                .label("denied").warnIf(isGrowing("access-denied"), Figures.count(state.counter("access-denied")))
                .build());

        final long freeBytes = state.counter("journal-free-bytes");
        lines.add(new Line().label("journal").plain(Figures.bytes(standing.journalBytes()))
                .label("free").warnIf(limits != null && freeBytes < limits.warnFreeBytes(), Figures.bytes(freeBytes))
                .label("expired").warnIf(isGrowing("expired"), rate("expired") + "/s")
                .label("rolls").plain(Figures.count(standing.rolledCount()))
                .label("snapshots").plain(Figures.count(state.counter("snapshots")))
                .label("failed").warnIf(state.counter("snapshots-failed") > 0,
                        Figures.count(state.counter("snapshots-failed")))
                .build());

        final double hits = state.perSecond("foreseen-hits", MINUTE_MS);
        final double misses = state.perSecond("foreseen-misses", MINUTE_MS);
        final Line last = new Line().label("foreseen hits")
                .plain(hits + misses == 0 ? "-" : Figures.fixed(100 * hits / (hits + misses), 1) + " %");
        if (hits > 0) {
            last.label("saved each")
                    .plain(Figures.micros(state.perSecond("foreseen-saved-ns", MINUTE_MS) / hits) + " µs");
        }
        lines.add(last
                .label("stalls > 1 ms").warnIf(isGrowing("stalls-over-1ms"), rate("stalls-over-1ms") + "/s")
                .label("failovers").warnIf(state.counter("failovers") > 0, Figures.count(state.counter("failovers")))
                .build());
        lines.add(AttributedString.EMPTY);
    }

    private void addLatencies(final List<AttributedString> lines, final int columns, final int rows) {
        final long intervalMs = state.facts() == null ? 1_000 : state.facts().intervalMs();
        final List<Window> windows = new ArrayList<>();
        windows.add(new Window("last " + Figures.fixed(intervalMs / 1_000.0, intervalMs % 1_000 == 0 ? 0 : 1) + " s",
                intervalMs));
        windows.add(new Window("last minute", MINUTE_MS));
        if (columns >= WIDE) {
            windows.add(new Window("last 5 minutes", DeskState.KEEP_MS));
        }
        lines.add(LatencyRows.title(windows));
        lines.add(LatencyRows.names(windows));

        final List<DeskState.Source> sources = state.sources();
        final List<DeskState.Source> threads =
                sources.stream().filter(source -> source.series() == Series.HICCUP).toList();
        final List<DeskState.Model> models = state.models();
        final int room = rows - lines.size() - MIN_EVENTS;
        final boolean hasStages = models.size() * (STAGES.size() + 1) <= room;
        final boolean hasThreads = models.size() * (hasStages ? STAGES.size() + 1 : 1) + threads.size() <= room;
        for (final DeskState.Model model : models) {
            if (hasStages) {
                lines.add(new Line().strong(model.alias()).faint("  " + model.versionHex().substring(0, VERSION_DIGITS)
                        + "  " + model.family() + "  " + model.backend() + "  " + model.share()).build());
            }
            for (final Series stage : hasStages ? STAGES : List.of(Series.TOTAL)) {
                final DeskState.Source source = new DeskState.Source(stage, model.modelIndex(), "");
                final String name = hasStages
                        ? "  " + stage.name().toLowerCase(Locale.ROOT)
                        : state.nameOf(model);
                lines.add(LatencyRows.row(state, source, name, windows, stage == Series.TOTAL));
            }
        }
        if (hasThreads) {
            threads.forEach(thread -> lines.add(
                    LatencyRows.row(state, thread, "idle " + thread.thread(), windows, false)));
        }
        lines.add(AttributedString.EMPTY);
    }

    private void addEvents(final List<AttributedString> lines, final int columns, final int rows) {
        final List<DeskEvent> events = state.events();
        final int room = rows - lines.size();
        final List<DeskState.Client> clients = columns >= WIDE ? state.clients() : List.of();
        final int eventColumns = columns >= WIDE ? columns * 2 / 3 : columns;
        for (int row = 0; row < room; row++) {
            final int index = events.size() - 1 - row;
            if (index < 0 && row > clients.size()) {
                return;
            }
            final Line line = new Line();
            if (index >= 0) {
                final DeskEvent event = events.get(index);
                line.faint(TIME_MS.format(Instant.ofEpochMilli(event.startNs() / NS_PER_MS)) + "  ");
                line.of(event.severity(), event.describe());
            }
            if (columns >= WIDE) {
                line.cutTo(eventColumns);
                if (row == 0) {
                    line.faint("clients");
                } else if (row <= clients.size()) {
                    final DeskState.Client client = clients.get(row - 1);
                    line.plain(client.principal())
                            .faint("  session " + client.sessionId() + "  since "
                                    + TIME.format(Instant.ofEpochMilli(client.sinceMs())));
                }
            }
            lines.add(line.build());
        }
    }

    private boolean isGrowing(final String counter) {
        return state.perSecond(counter, MINUTE_MS) > 0;
    }

    private String rate(final String counter) {
        return Figures.rate(state.perSecond(counter, 2 * (state.facts() == null ? 1_000 : state.facts().intervalMs())));
    }

    /** A time that figures are of. */
    record Window(String name, long lengthMs) {
    }
}
