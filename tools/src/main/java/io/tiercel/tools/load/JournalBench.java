package io.tiercel.tools.load;

import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.journal.RecordLog;
import io.tiercel.appliance.journal.RecordReader;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.tools.ToolException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Appends records at a fixed rate, each from its due time, and records what every append took. Between them the thread
 * spins, and what it then finds between two clock reads is what the machine takes away by itself: an append can be no
 * better. Half-way the clock that decides rolls jumps to the next period.
 */
final class JournalBench {

    static final int MIN_SIZE = 64 + MessageHeaderEncoder.ENCODED_LENGTH;

    private static final int HEADER_LENGTH = 64;
    private static final long LONG_NS = HiccupRecorder.LONG_GAP_NS;
    private static final int WORST_COUNT = 12;
    private static final int VERSION_LENGTH = 32;

    private final NanoClock clock;
    private final long recordCount;
    private final long warmUpCount;
    private final double rate;
    private final boolean rolls;
    private final UnsafeBuffer frame;
    private final UnsafeBuffer modelVersion = new UnsafeBuffer(new byte[VERSION_LENGTH]);
    private final Histogram appends = LatencyRecorder.newHistogram();
    private final Histogram fromDue = LatencyRecorder.newHistogram();
    private final HiccupRecorder hiccups = new HiccupRecorder();
    private final WorstAppends worst = new WorstAppends(WORST_COUNT);
    private long longAppendCount;
    private long waitCount;
    private long idleRollNs;
    private long sequence;

    JournalBench(
            final NanoClock clock, final long recordCount, final long warmUpCount, final int size, final double rate,
            final boolean rolls) {
        this.clock = clock;
        this.recordCount = recordCount;
        this.warmUpCount = warmUpCount;
        this.rate = rate;
        this.rolls = rolls;
        frame = new UnsafeBuffer(new byte[size - HEADER_LENGTH]);
        new MessageHeaderEncoder().wrap(frame, 0)
                .blockLength(InferEncoder.BLOCK_LENGTH)
                .templateId(InferEncoder.TEMPLATE_ID)
                .schemaId(InferEncoder.SCHEMA_ID)
                .version(InferEncoder.SCHEMA_VERSION);
    }

    /** The time of day, with jumps on request: how a roll is made to fall due. */
    private static final class JumpingClock implements EpochNanoClock {
        private final EpochNanoClock clock;
        private volatile long offsetNs;

        private JumpingClock(final EpochNanoClock clock) {
            this.clock = clock;
        }

        void jump(final long ns) {
            offsetNs += ns;
        }

        @Override
        public long nanoTime() {
            return clock.nanoTime() + offsetNs;
        }
    }

    Map<String, Object> run(final Path directory, final JournalSettings settings) {
        final JumpingClock rollClock = new JumpingClock(settings.clock());
        final Map<String, Object> result = new LinkedHashMap<>();
        try (JournalDirectory journal = JournalDirectory.open(directory, settings.clock(rollClock))) {
            for (long i = 0; i < warmUpCount; i++) {
                appendWhenReady(journal.requests());
            }
            waitCount = 0;
            final WriterThreadUsage before = WriterThreadUsage.ofCurrentThread();
            final long startNs = clock.nanoTime();
            appendPaced(journal.requests(), rollClock, startNs);
            final long tookNs = clock.nanoTime() - startNs;
            final WriterThreadUsage usage = WriterThreadUsage.ofCurrentThread().since(before);
            report(result, journal, startNs, tookNs, usage);
        }
        readBack(directory, result);
        return result;
    }

    private void appendPaced(final RecordLog log, final JumpingClock rollClock, final long startNs) {
        final double intervalNs = TimeUnit.SECONDS.toNanos(1) / rate;
        final long jumpAt = rolls ? recordCount / 2 : -1;
        long nowNs = startNs;
        for (long i = 0; i < recordCount; i++) {
            if (i == jumpAt) {
                rollClock.jump(TimeUnit.DAYS.toNanos(1));
            }
            final long dueNs = startNs + (long) (i * intervalNs);
            nowNs = idleUntil(dueNs, log, clock.nanoTime());
            appendWhenReady(log);
            final long doneNs = clock.nanoTime();
            record(startNs, dueNs, nowNs, doneNs);
        }
    }

    private long idleUntil(final long dueNs, final RecordLog log, final long fromNs) {
        long lastNs = fromNs;
        while (lastNs < dueNs) {
            final int rolled = log.onIdle();
            final long nowNs = clock.nanoTime();
            if (rolled == 0) {
                hiccups.onIdleTurn(lastNs, nowNs);
            } else {
                idleRollNs = Math.max(idleRollNs, nowNs - lastNs);
            }
            lastNs = nowNs;
        }
        return lastNs;
    }

    private void appendWhenReady(final RecordLog log) {
        while (!log.append(sequence, sequence, 1, modelVersion, frame, 0, frame.capacity())) {
            waitCount++;
            Thread.onSpinWait();
        }
        sequence++;
    }

    private void record(final long startNs, final long dueNs, final long beganNs, final long doneNs) {
        final long tookNs = doneNs - beganNs;
        appends.recordValue(Math.min(tookNs, LatencyRecorder.MAX_NS));
        fromDue.recordValue(Math.min(doneNs - dueNs, LatencyRecorder.MAX_NS));
        worst.record(beganNs - startNs, tookNs);
        if (tookNs > LONG_NS) {
            longAppendCount++;
        }
    }

    private void report(
            final Map<String, Object> result, final JournalDirectory journal, final long startNs, final long tookNs,
            final WriterThreadUsage usage) {
        result.put("records", recordCount);
        result.put("ratePerSecond", rate);
        result.put("tookMs", TimeUnit.NANOSECONDS.toMillis(tookNs));
        result.put("appendUs", LatencySummary.of(appends).toJson());
        result.put("appendFromDueUs", LatencySummary.of(fromDue).toJson());
        result.put("appendsOver1Ms", longAppendCount);
        result.put("hiccupUs", LatencySummary.of(hiccups.histogram()).toJson());
        result.put("hiccupsOver1Ms", hiccups.longGapCount());
        result.put("waitsForMemory", waitCount);
        result.put("rolls", journal.report().rolledCount());
        result.put("rollWhenIdleUs", idleRollNs / 1_000.0);
        result.put("writerMinorFaults", usage.minorFaults());
        result.put("writerMajorFaults", usage.majorFaults());
        result.put("writerInvoluntarySwitches", usage.involuntarySwitches());
        result.put("writerVoluntarySwitches", usage.voluntarySwitches());
        final Map<String, Object> worstUs = new LinkedHashMap<>();
        for (int i = 0; i < worst.count(); i++) {
            worstUs.put("at " + TimeUnit.NANOSECONDS.toMillis(worst.atNs(i)) + " ms #" + i,
                    worst.durationNs(i) / 1_000.0);
        }
        result.put("worstAppendsUs", worstUs);
        print(result);
    }

    private void print(final Map<String, Object> result) {
        System.out.print(new LatencyTable()
                .add("append", appends)
                .add("append from due", fromDue)
                .add("hiccup", hiccups.histogram()));
        for (final Map.Entry<String, Object> entry : result.entrySet()) {
            if (!(entry.getValue() instanceof Map)) {
                System.out.println(entry.getKey() + "=" + entry.getValue());
            }
        }
        System.out.println("worstAppendsUs=" + result.get("worstAppendsUs"));
    }

    private void readBack(final Path directory, final Map<String, Object> result) {
        long count = 0;
        try (RecordReader reader = JournalDirectory.openForRead(directory).requests()) {
            while (reader.next()) {
                count++;
            }
        }
        if (count != sequence) {
            throw ToolException.environment("appended=" + sequence + " readBack=" + count + " journal=" + directory,
                    null);
        }
        result.put("readBack", count);
        System.out.println("readBack=" + count);
    }
}
