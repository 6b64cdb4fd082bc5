package io.tiercel.appliance.journal;

import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import io.tiercel.appliance.cycle.CycleClock;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.sequencer.Sequencer;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.status.AtomicCounter;

import java.util.List;

/**
 * Appends each request to the journal, side by side with infer. Its sequence is what egress waits for: nothing is
 * answered before its request is in the journal.
 *
 * <p>Duty cycle: every request that is there, in order. Allocates nothing. A journal that fails is final: the
 * sequence stops where it is, the pipeline's state says so, and no later request is ever acknowledged.
 */
public final class JournalAgent implements Agent {

    private final Sequence journaled;
    private final Sequencer sequencer;
    private final SequenceBarrier published;
    private final RecordLog requests;
    private final List<LoadedModel> models;
    private final CycleClock clock;
    private final long epochOffsetNs;
    private final PipelineState state;
    private final AtomicCounter journaledCount;
    private final AtomicCounter waitCount;
    private long next;

    /**
     * @param epochOffsetNs added to a tick of {@code clock} gives nanoseconds since the epoch.
     */
    public JournalAgent(
            final Sequencer sequencer,
            final RecordLog requests,
            final List<LoadedModel> models,
            final CycleClock clock,
            final long epochOffsetNs,
            final PipelineState state,
            final Counters counters) {
        this.sequencer = sequencer;
        next = sequencer.firstSequence();
        journaled = sequencer.newSequence();
        this.published = sequencer.barrier();
        this.requests = requests;
        this.models = List.copyOf(models);
        this.clock = clock;
        this.epochOffsetNs = epochOffsetNs;
        this.state = state;
        journaledCount = counters.get(CounterId.JOURNALED);
        waitCount = counters.get(CounterId.JOURNAL_WAITS);
    }

    /** The last journaled sequence; egress and outcome follow it. */
    public Sequence sequence() {
        return journaled;
    }

    @Override
    public int doWork() {
        if (state.phase() == PipelineState.Phase.JOURNAL_FAILED) {
            state.journalStopped();
            return 0;
        }
        final long available = published.getCursor();
        try {
            if (available < next) {
                return requests.onIdle();
            }
            return appendUpTo(available);
        } catch (final JournalException ex) {
            state.journalFailed(ex);
            return 0;
        }
    }

    @Override
    public String roleName() {
        return "journal";
    }

    private int appendUpTo(final long available) {
        int work = 0;
        while (next <= available) {
            final RequestSlot slot = sequencer.get(next);
            if (!append(slot)) {
                waitCount.incrementRelease();
                break;
            }
            slot.journaledTickNs = clock.read();
            journaledCount.incrementRelease();
            journaled.set(next++);
            work++;
        }
        return work;
    }

    private boolean append(final RequestSlot slot) {
        return requests.append(
                next,
                slot.ingressTickNs + epochOffsetNs,
                slot.principalId,
                models.get(slot.modelIndex).version(),
                slot.frame,
                0,
                slot.frameLength);
    }
}
