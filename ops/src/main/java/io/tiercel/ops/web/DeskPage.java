package io.tiercel.ops.web;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tiercel.ops.desk.DeskEvent;
import io.tiercel.ops.desk.DeskState;
import io.tiercel.ops.desk.DeskStatus;
import io.tiercel.protocol.telemetry.Series;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.agrona.concurrent.EpochClock;

/** What the page shows, as JSON. All latencies are nanoseconds. One thread at a time. */
final class DeskPage {

    /** The heat map's rows: this many for each factor of ten, from the first edge on. */
    static final int ROWS_PER_DECADE = 8;
    static final int HEAT_ROWS = 7 * ROWS_PER_DECADE;
    private static final double FIRST_EDGE_NS = 100;

    private static final long MINUTE_MS = 60_000;
    private static final int MAX_EVENTS = 100;
    private static final double[] CURVE = {
        0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.975, 99.99, 99.999, 100};

    private final JsonNodeFactory json = JsonNodeFactory.instance;
    private final DeskState state;
    private final EpochClock clock;
    private final Deque<ObjectNode> columns = new ArrayDeque<>();
    private long endMs;

    DeskPage(final DeskState state, final EpochClock clock) {
        this.state = state;
        this.clock = clock;
    }

    /** Whether an interval has ended since the last call. */
    boolean take() {
        final DeskState.Standing standing = state.standing();
        if (standing == null || standing.endMs() == endMs) {
            return false;
        }
        endMs = standing.endMs();
        columns.addLast(column());
        while (columns.getFirst().get("endMs").longValue() <= endMs - DeskState.KEEP_MS) {
            columns.removeFirst();
        }
        return true;
    }

    /** The heat map so far, for a page that has just been opened. */
    String history() {
        final ObjectNode root = json.objectNode();
        root.put("rowsPerDecade", ROWS_PER_DECADE).put("rows", HEAT_ROWS).put("firstEdgeNs", FIRST_EDGE_NS);
        final ArrayNode all = root.putArray("columns");
        columns.forEach(all::add);
        return root.toString();
    }

    /** Everything but the heat map's past. */
    String frame(final DeskStatus status) {
        final ObjectNode root = json.objectNode();
        root.put("nowMs", clock.time()).put("name", state.name());
        root.putObject("status").put("code", status.code().name()).put("detail", status.detail());
        addFacts(root);
        addStanding(root);
        final ObjectNode counters = root.putObject("counters");
        state.counters().values().forEach(counter -> {
            final ObjectNode node = counters.putObject(counter.name());
            node.put("value", counter.value()).put("about", counter.description())
                    .put("perSecond", state.perSecond(counter.name(), MINUTE_MS));
        });
        if (!columns.isEmpty()) {
            root.set("column", columns.getLast());
        }
        addLatencies(root);
        addClients(root);
        addEvents(root);
        return root.toString();
    }

    private void addFacts(final ObjectNode root) {
        final DeskState.Facts facts = state.facts();
        if (facts != null) {
            final DeskState.Limits limits = facts.limits();
            root.putObject("facts").put("startMs", facts.startMs()).put("pid", facts.pid())
                    .put("layout", facts.layout().toLowerCase(Locale.ROOT)).put("intervalMs", facts.intervalMs())
                    .put("journalDirectory", facts.journalDirectory()).put("clients", limits.clients())
                    .put("sessions", limits.sessions()).put("generations", limits.generations())
                    .put("ring", limits.ring()).put("warnFreeBytes", limits.warnFreeBytes());
        }
    }

    private void addStanding(final ObjectNode root) {
        final DeskState.Standing standing = state.standing();
        if (standing != null) {
            root.putObject("standing").put("phase", standing.phaseName())
                    .put("unfinished", standing.maxUnfinishedCount()).put("journalBytes", standing.journalBytes())
                    .put("rolled", standing.rolledCount())
                    .put("requestsPerSecond", state.perSecond("requests", 2 * (standing.endMs() - standing.startMs())));
        }
    }

    private void addLatencies(final ObjectNode root) {
        final long lastMs = state.facts() == null ? 1 : state.facts().intervalMs();
        final ArrayNode models = root.putArray("models");
        for (final DeskState.Model model : state.models()) {
            final ObjectNode node = models.addObject();
            node.put("alias", model.alias()).put("name", state.nameOf(model)).put("version", model.versionHex())
                    .put("family", model.family())
                    .put("backend", model.backend())
                    .put("share", model.share());
            final ObjectNode stages = node.putObject("stages");
            for (final Series series : Series.values()) {
                if (series != Series.HICCUP && series != Series.NULL_VAL) {
                    addSource(stages, series.name().toLowerCase(Locale.ROOT),
                            new DeskState.Source(series, model.modelIndex(), ""), lastMs);
                }
            }
        }
        final ObjectNode threads = root.putObject("threads");
        state.sources().stream().filter(source -> source.series() == Series.HICCUP)
                .forEach(source -> addSource(threads, source.thread(), source, lastMs));
        final ObjectNode all = root.putObject("total");
        addWindow(all, "last", total(lastMs)).put("perSecond", state.perSecond(total(lastMs)));
        final Histogram minuteNs = total(MINUTE_MS);
        addWindow(all, "minute", minuteNs);
        addCurve(all, "minuteCurve", minuteNs);
        addCurve(all, "longCurve", total(DeskState.KEEP_MS));
    }

    private void addSource(
            final ObjectNode parent, final String name, final DeskState.Source source, final long lastMs) {
        final ObjectNode node = parent.putObject(name);
        final Histogram lastNs = state.histogram(source, lastMs);
        addWindow(node, "last", lastNs).put("perSecond", state.perSecond(lastNs));
        addWindow(node, "minute", state.histogram(source, MINUTE_MS));
    }

    private static ObjectNode addWindow(final ObjectNode parent, final String name, final Histogram histogramNs) {
        final ObjectNode node = parent.putObject(name).put("count", histogramNs.getTotalCount());
        if (histogramNs.getTotalCount() > 0) {
            node.put("p50", histogramNs.getValueAtPercentile(50)).put("p99", histogramNs.getValueAtPercentile(99))
                    .put("p999", histogramNs.getValueAtPercentile(99.9)).put("max", histogramNs.getMaxValue());
        }
        return node;
    }

    /** Pairs of a percentile and its value, as far as there are enough values to tell one. */
    private static void addCurve(final ObjectNode parent, final String name, final Histogram histogramNs) {
        final ArrayNode points = parent.putArray(name);
        final long count = histogramNs.getTotalCount();
        for (final double percentile : CURVE) {
            if (count * (100 - percentile) >= 100 || percentile == 100 && count > 0) {
                points.addArray().add(percentile).add(histogramNs.getValueAtPercentile(percentile));
            }
        }
    }

    private void addClients(final ObjectNode root) {
        final ArrayNode clients = root.putArray("clients");
        state.clients().forEach(client -> clients.addObject().put("principal", client.principal())
                .put("session", client.sessionId()).put("sinceMs", client.sinceMs()));
        root.put("clientCount", state.facts() == null ? 0 : state.facts().clientCount());
        root.put("missed", state.lostCount());
    }

    private void addEvents(final ObjectNode root) {
        final ArrayNode events = root.putArray("events");
        final List<DeskEvent> all = state.events();
        for (int index = all.size() - 1; index >= Math.max(0, all.size() - MAX_EVENTS); index--) {
            final DeskEvent event = all.get(index);
            events.addObject().put("ms", event.startNs() / 1_000_000)
                    .put("severity", event.severity().name().toLowerCase(Locale.ROOT)).put("text", event.describe());
        }
    }

    /** The totals of all models. */
    private Histogram total(final long windowMs) {
        final Histogram sum = new Histogram(2);
        state.sources().stream().filter(source -> source.series() == Series.TOTAL)
                .forEach(source -> sum.add(state.histogram(source, windowMs)));
        return sum;
    }

    /** How many answers of the last interval lie in each row. */
    private ObjectNode column() {
        final long[] counts = new long[HEAT_ROWS];
        for (final HistogramIterationValue value : total(1).recordedValues()) {
            final double row = ROWS_PER_DECADE * Math.log10(value.getValueIteratedTo() / FIRST_EDGE_NS);
            counts[(int) Math.max(0, Math.min(HEAT_ROWS - 1, Math.floor(row)))] += value.getCountAtValueIteratedTo();
        }
        final ObjectNode node = json.objectNode().put("endMs", endMs);
        final ArrayNode array = node.putArray("counts");
        for (final long count : counts) {
            array.add(count);
        }
        return node;
    }
}
