package io.tiercel.ops.desk;

import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * The last five minutes of an appliance, as a {@link DeskFeed} has read them. Times are the appliance's. One thread.
 */
public final class DeskState {

    public static final long KEEP_MS = 300_000;
    private static final int SHORT_VERSION_DIGITS = 8;
    private static final int MAX_EVENTS = 512;
    /** Of each kind that comes in floods, so that it pushes nothing out that is told once: a page shows 100. */
    private static final int MAX_SPARING_EVENTS = 32;
    private static final double MS_PER_S = 1_000;
    private static final double FULL_WEIGHT = 10_000;
    private static final DecimalFormatSymbols SYMBOLS = DecimalFormatSymbols.getInstance(Locale.ROOT);

    private final Map<Source, Deque<Histogram>> intervals = new LinkedHashMap<>();
    private final Deque<DeskEvent> events = new ArrayDeque<>();
    private final List<DeskListener> listeners = new ArrayList<>();
    private final Deque<Sample> samples = new ArrayDeque<>();
    private Map<String, Counter> counters = Map.of();
    private Facts facts;
    private List<Model> models = List.of();
    private List<Client> clients = List.of();
    private Standing standing;
    private String name = "";
    private long lostCount;

    /** What histograms are of: a stage of a model, or the hiccups of a thread. */
    public record Source(Series series, int modelIndex, String thread) {
    }

    /**
     * A version of a model that is served.
     *
     * @param weight    of 10,000 new sessions of the alias, how many come to it; {@link #UNTOLD} by an appliance of an
     *                  earlier version.
     * @param isDrained whether sessions that are with it begin anew with another.
     */
    public record Model(
            int modelIndex, String alias, String versionHex, String family, String backend, int weight,
            boolean isDrained) {

        public static final int UNTOLD = -1;

        /** Which new sessions come to it, for people. */
        public String share() {
            if (isDrained) {
                return "drained";
            }
            return weight == UNTOLD ? "" : new DecimalFormat("0.## %", SYMBOLS).format(weight / FULL_WEIGHT);
        }
    }

    /** A client that is connected. */
    public record Client(int sessionId, long sinceMs, String principal) {
    }

    /** The pipeline at the end of the last interval; its phase is {@code NULL_VAL} if it is one of a later version. */
    public record Standing(
            long startMs, long endMs, long takenSequence, long recordedSequence, long maxUnfinishedCount,
            long journalBytes, long rolledCount, Phase phase) {

        /** For people. */
        public String phaseName() {
            return phase == Phase.NULL_VAL ? "unknown" : phase.name().toLowerCase(Locale.ROOT);
        }
    }

    /** What the appliance said of itself, beside its models and clients. Of the clients, the first ones are named. */
    public record Facts(
            long startMs, long pid, long intervalMs, Limits limits, int clientCount, String layout,
            String journalDirectory) {
    }

    /** What it keeps to; sizes in bytes, 0 for a rate without a limit. */
    public record Limits(
            int clients, int sessions, int generations, int inFlight, int batch, int ratePerSecond, int ring,
            int inferWorkers, long warnFreeBytes, long refuseFreeBytes) {
    }

    /** The counters at the end of an interval. */
    private record Sample(long endMs, Map<String, Counter> counters) {
    }

    /** From now on a listener is told what comes. */
    public void listen(final DeskListener listener) {
        listeners.add(listener);
    }

    /** Everything that has been recorded in the last {@code windowMs}, in nanoseconds; empty if nothing was. */
    public Histogram histogram(final Source source, final long windowMs) {
        final Histogram sum = new Histogram(2);
        final long fromMs = standing == null ? 0 : standing.endMs() - windowMs;
        for (final Histogram interval : intervals.getOrDefault(source, new ArrayDeque<>())) {
            if (interval.getEndTimeStamp() > fromMs) {
                sum.add(interval);
            }
        }
        return sum;
    }

    /** Values a second of a histogram of the last interval. */
    public double perSecond(final Histogram ofLastInterval) {
        return standing == null
                ? 0
                : ofLastInterval.getTotalCount() * MS_PER_S / Math.max(1, standing.endMs() - standing.startMs());
    }

    /** The appliance's counters now, by name; empty while they cannot be read. */
    public Map<String, Counter> counters() {
        return counters;
    }

    /** What a counter says now; 0 if there is none of that name. */
    public long counter(final String counterName) {
        return valueOf(counters, counterName);
    }

    /** Whether two intervals have been read, which rates need. */
    public boolean hasRates() {
        return samples.size() > 1;
    }

    /** How much a counter has grown in the last {@code windowMs}, for one second. */
    public double perSecond(final String counterName, final long windowMs) {
        if (samples.isEmpty()) {
            return 0;
        }
        final Sample last = samples.getLast();
        for (final Sample first : samples) {
            if (first != last && first.endMs() >= last.endMs() - windowMs) {
                final long grown = valueOf(last.counters(), counterName) - valueOf(first.counters(), counterName);
                return grown * MS_PER_S / (last.endMs() - first.endMs());
            }
        }
        return 0;
    }

    private static long valueOf(final Map<String, Counter> all, final String counterName) {
        final Counter counter = all.get(counterName);
        return counter == null ? 0 : counter.value();
    }

    /** What there are histograms of. */
    public List<Source> sources() {
        return List.copyOf(intervals.keySet());
    }

    /** The newest last. */
    public List<DeskEvent> events() {
        return List.copyOf(events);
    }

    public List<Model> models() {
        return models;
    }

    /** What to call a model: its alias, and the first digits of its version where the alias has several. */
    public String nameOf(final Model model) {
        final long versionCount = models.stream().filter(other -> other.alias().equals(model.alias())).count();
        return versionCount == 1
                ? model.alias()
                : model.alias() + ' ' + model.versionHex().substring(0, SHORT_VERSION_DIGITS);
    }

    public List<Client> clients() {
        return clients;
    }

    /** Null before they were read. */
    public Facts facts() {
        return facts;
    }

    /** Null before the first interval has been read. */
    public Standing standing() {
        return standing;
    }

    /** The appliance's name; empty before it was read. */
    public String name() {
        return name;
    }

    /** Messages that the appliance has overwritten before they were read. */
    public long lostCount() {
        return lostCount;
    }

    /** Another appliance, or another run of it. */
    void begin(final String applianceName) {
        name = applianceName;
        intervals.clear();
        samples.clear();
        counters = Map.of();
        facts = null;
        models = List.of();
        clients = List.of();
        standing = null;
    }

    void onLost(final long count) {
        lostCount += count;
    }

    void onCounters(final Map<String, Counter> now) {
        counters = Collections.unmodifiableMap(now);
    }

    void onFacts(final Facts told, final List<Model> served, final List<Client> connected) {
        facts = told;
        models = Collections.unmodifiableList(new ArrayList<>(served));
        clients = Collections.unmodifiableList(new ArrayList<>(connected));
    }

    void onHistogram(final Source source, final Histogram histogramNs) {
        intervals.computeIfAbsent(source, key -> new ArrayDeque<>()).addLast(histogramNs);
        listeners.forEach(listener -> listener.onHistogram(source, histogramNs));
    }

    void onStanding(final Standing now) {
        standing = now;
        samples.addLast(new Sample(now.endMs(), counters));
        while (samples.getFirst().endMs() <= now.endMs() - KEEP_MS) {
            samples.removeFirst();
        }
        for (final Deque<Histogram> kept : intervals.values()) {
            while (!kept.isEmpty() && kept.getFirst().getEndTimeStamp() <= now.endMs() - KEEP_MS) {
                kept.removeFirst();
            }
        }
    }

    void onEvent(final DeskEvent event) {
        if (event.isSparing()) {
            forgetOldestOf(event.kind());
        }
        events.addLast(event);
        if (events.size() > MAX_EVENTS) {
            events.removeFirst();
        }
        listeners.forEach(listener -> listener.onEvent(event));
    }

    /** If there are as many of them as are kept. */
    private void forgetOldestOf(final EventKind kind) {
        if (events.stream().filter(each -> each.kind() == kind).count() >= MAX_SPARING_EVENTS) {
            final Iterator<DeskEvent> oldest = events.iterator();
            while (oldest.next().kind() != kind) {
                continue;
            }
            oldest.remove();
        }
    }
}
