package io.tiercel.replay.latency;

import io.tiercel.appliance.telemetry.Stage;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.OutcomeFrame;
import io.tiercel.replay.StageTimes;
import io.tiercel.replay.report.LatencyGrid;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.HdrHistogram.Histogram;
import org.agrona.DirectBuffer;

/**
 * Everything that a journal's outcomes say about latency, in one pass that keeps no request. Outcomes that were
 * journaled before their answer left (expired ones) do not know when it left; they are counted, and are in no
 * histogram.
 */
public final class JournalLatency {

    private static final long HIGHEST_NS = 60_000_000_000L;
    private static final int DIGITS = 3;
    private static final int VERSION_BYTES = 32;
    private static final long PROGRESS_MASK = 0xffff;

    private final Map<Stage, Histogram> stages = new EnumMap<>(Stage.class);
    private final Map<String, Histogram> models = new LinkedHashMap<>();
    private final Map<Long, String> versions = new TreeMap<>();
    private final Map<Long, ClientLatency> clients = new TreeMap<>();
    private final Map<OutcomeStatus, Long> statuses = new EnumMap<>(OutcomeStatus.class);
    private final Map<Integer, Long> batches = new TreeMap<>();
    private final StageShares shares = new StageShares();
    private final LatencyGrid totals = new LatencyGrid();
    private final LatencyGrid arrivals = new LatencyGrid();
    private long firstSequence = -1;
    private long lastSequence = -1;
    private long firstNs;
    private long lastNs;

    private JournalLatency() {
        for (final Stage stage : Stage.values()) {
            stages.put(stage, newHistogram());
        }
    }

    static Histogram newHistogram() {
        final Histogram histogram = new Histogram(DIGITS);
        histogram.setAutoResize(true);
        return histogram;
    }

    /**
     * Reads a journal's outcomes.
     *
     * @param progress is told how many have been read, now and then.
     * @throws io.tiercel.appliance.journal.JournalException if there is no journal or it cannot be read.
     * @throws io.tiercel.replay.DamageException at the first record that is not good.
     */
    public static JournalLatency read(
            final Path directory, final long fromSequence, final long toSequence, final LongConsumer progress) {
        final JournalLatency latency = new JournalLatency();
        try (JoinedJournal journal = JoinedJournal.open(directory, JoinedJournal.Queues.OUTCOMES)) {
            if (fromSequence > journal.firstSequence() && !journal.seek(fromSequence)) {
                return latency;
            }
            while (journal.next() && journal.sequence() <= toSequence) {
                latency.add(journal);
                if ((journal.sequence() & PROGRESS_MASK) == 0) {
                    progress.accept(journal.sequence() - latency.firstSequence);
                }
            }
        }
        return latency;
    }

    private void add(final JoinedJournal journal) {
        final OutcomeFrame outcome = journal.outcomeFrame();
        if (firstSequence < 0) {
            firstSequence = journal.sequence();
            firstNs = journal.ingressNs();
        }
        lastSequence = journal.sequence();
        lastNs = Math.max(lastNs, journal.ingressNs());
        statuses.merge(outcome.status(), 1L, Long::sum);
        batches.merge(outcome.batchSize(), 1L, Long::sum);
        arrivals.add(journal.ingressNs() - firstNs, 1, 1);
        final ClientLatency client =
                clients.computeIfAbsent(journal.principalId(), ignored -> new ClientLatency());
        client.addRequest(outcome.modelId(), outcome.sessionKey());
        if (StageTimes.isKnown(outcome)) {
            addTimes(journal, outcome, client);
        }
    }

    private void addTimes(final JoinedJournal journal, final OutcomeFrame outcome, final ClientLatency client) {
        for (final Stage stage : Stage.values()) {
            stages.get(stage).recordValue(Math.min(HIGHEST_NS, StageTimes.ns(outcome, stage)));
        }
        final long totalNs = Math.min(HIGHEST_NS, StageTimes.ns(outcome, Stage.TOTAL));
        models.computeIfAbsent(version(journal.modelVersion()), ignored -> newHistogram()).recordValue(totalNs);
        client.addTotal(totalNs);
        shares.add(outcome);
        totals.add(journal.ingressNs() - firstNs, totalNs, 1);
    }

    /** As hex; made once for each, and told apart by the first bytes of the hash. */
    private String version(final DirectBuffer buffer) {
        return versions.computeIfAbsent(buffer.getLong(0), ignored -> {
            final byte[] bytes = new byte[VERSION_BYTES];
            buffer.getBytes(0, bytes);
            return HexFormat.of().formatHex(bytes);
        });
    }

    public boolean isEmpty() {
        return firstSequence < 0;
    }

    public long firstSequence() {
        return firstSequence;
    }

    public long lastSequence() {
        return lastSequence;
    }

    public long outcomeCount() {
        return statuses.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Outcomes whose times are known. */
    public long timedCount() {
        return stages.get(Stage.TOTAL).getTotalCount();
    }

    /** When the first request came, in nanoseconds since the epoch. */
    public long firstNs() {
        return firstNs;
    }

    /** From the first request to the last. */
    public double durationS() {
        return (lastNs - firstNs) / 1e9;
    }

    public Map<Stage, Histogram> stages() {
        return stages;
    }

    /** From arrival to the response sent, by the SHA-256 of the bundle. */
    public Map<String, Histogram> models() {
        return models;
    }

    /** By principal id. */
    public Map<Long, ClientLatency> clients() {
        return clients;
    }

    public Map<OutcomeStatus, Long> statuses() {
        return statuses;
    }

    /** Outcomes by the size of the batch that they were computed in. */
    public Map<Integer, Long> batches() {
        return batches;
    }

    public StageShares shares() {
        return shares;
    }

    /** From arrival to the response sent, by the time of arrival. */
    public LatencyGrid totals() {
        return totals;
    }

    /** Requests by the time of arrival. */
    public LatencyGrid arrivals() {
        return arrivals;
    }
}
