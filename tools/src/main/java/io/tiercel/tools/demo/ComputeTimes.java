package io.tiercel.tools.demo;

import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.RecordReader;
import io.tiercel.protocol.journal.MessageHeaderDecoder;
import io.tiercel.protocol.journal.OutcomeDecoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import org.HdrHistogram.Histogram;

/**
 * How long the model computed for each request, as the journal's outcomes say. So the compute can be taken off each
 * request's own round trip, and what is left has percentiles too; a difference of two medians would have none.
 */
final class ComputeTimes {

    private static final long HIGHEST_NS = 3_600_000_000_000L;

    private final long[] bySequenceNs;
    private final BitSet foreseen;

    /** @param foreseen sequences of the requests whose step had been computed before they came. */
    private ComputeTimes(final long[] bySequenceNs, final BitSet foreseen) {
        this.bySequenceNs = bySequenceNs;
        this.foreseen = foreseen;
    }

    /** Requests whose step had been computed before they came: they were in no batch. */
    int foreseenCount() {
        return foreseen.cardinality();
    }

    /** Reads all outcomes. */
    static ComputeTimes read(final Path journalDirectory, final int expectedCount) {
        long[] times = new long[Math.max(1, expectedCount)];
        int count = 0;
        final BitSet foreseen = new BitSet(times.length);
        final MessageHeaderDecoder header = new MessageHeaderDecoder();
        final OutcomeDecoder outcome = new OutcomeDecoder();
        try (RecordReader reader = JournalDirectory.openForRead(journalDirectory).outcomes()) {
            while (reader.next()) {
                if (count == times.length) {
                    times = Arrays.copyOf(times, 2 * count);
                }
                outcome.wrapAndApplyHeader(reader.frame(), 0, header);
                foreseen.set(count, outcome.batchSize() == 0 && outcome.status() == OutcomeStatus.OK);
                times[count++] = outcome.inferEndNs() - outcome.inferStartNs();
            }
        }
        return new ComputeTimes(Arrays.copyOf(times, count), foreseen);
    }

    static Histogram newHistogram() {
        return new Histogram(HIGHEST_NS, 3);
    }

    /** Adds round trips of the answered events in a range, to one histogram or the other. */
    void addByForesight(
            final Histogram ofForeseen,
            final Histogram ofComputed,
            final long[] roundTripsNs,
            final Answers answers,
            final int fromEvent,
            final int toEvent) {
        for (int event = fromEvent; event < toEvent; event++) {
            if (answers.isAnswered(event)) {
                final boolean isForeseen = foreseen.get((int) answers.sequence(event));
                (isForeseen ? ofForeseen : ofComputed).recordValue(Math.min(roundTripsNs[event], HIGHEST_NS));
            }
        }
    }

    /** Adds round trips less each one's compute, of the answered events in a range. */
    void addLessCompute(
            final Histogram histogram,
            final long[] roundTripsNs,
            final Answers answers,
            final int fromEvent,
            final int toEvent) {
        for (int event = fromEvent; event < toEvent; event++) {
            if (answers.isAnswered(event) && answers.sequence(event) < bySequenceNs.length) {
                final long computeNs = bySequenceNs[(int) answers.sequence(event)];
                histogram.recordValue(Math.max(0, Math.min(roundTripsNs[event] - computeNs, HIGHEST_NS)));
            }
        }
    }
}
