package io.tiercel.appliance.journal;

import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.sequencer.Sequencer;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.StageRecorder;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.status.AtomicCounter;

import java.util.List;

/**
 * Appends what became of each request to the outcome journal, and records its latencies. The last stage but for
 * a request that something was decided of, whose response follows: a slot is free when both have passed it.
 *
 * <p>Follows journal and infer (hash included). An outcome that can be computed again waits until its response has
 * left, so it costs the client nothing. One that was decided ({@link RequestSlot#outcomeGoesFirst}) cannot, so it goes
 * first and its response waits for {@link #sequence()}. The two waits cannot block each other: each is for something
 * that depends on earlier requests only.
 *
 * <p>With {@code journal.durability=disk} a batch that holds a decision is written through to the device before it is
 * published; what can be computed again does not have to be there. Allocates nothing. A journal that fails is final,
 * as in {@link JournalAgent}.
 */
public final class OutcomeAgent implements Agent {

    private final Sequence recorded;
    private final OutcomeFrame frame;
    private final Sequencer sequencer;
    private final SequenceBarrier settled;
    private final Sequence sent;
    private final RecordLog outcomes;
    private final long epochOffsetNs;
    private final boolean isWrittenThrough;
    private final StageRecorder stages;
    private final PipelineState state;
    private final AtomicCounter outcomeCount;
    private final AtomicCounter expiredCount;
    private final AtomicCounter contextFullCount;
    private final AtomicCounter waitCount;
    private long next;

    /**
     * @param sent             egress's sequence.
     * @param settled          the sequences of the journal and of each infer worker's settled requests.
     * @param recorded         this stage's own sequence, which egress follows too.
     * @param isWrittenThrough whether what was decided is synced before it is published.
     */
    public OutcomeAgent(
            final Sequencer sequencer,
            final Sequence sent,
            final Sequence[] settled,
            final Sequence recorded,
            final int maxOutputsLength,
            final RecordLog outcomes,
            final List<LoadedModel> models,
            final long epochOffsetNs,
            final boolean isWrittenThrough,
            final StageRecorder stages,
            final PipelineState state,
            final Counters counters) {
        this.sequencer = sequencer;
        next = sequencer.firstSequence();
        this.settled = sequencer.barrier(settled);
        this.sent = sent;
        this.recorded = recorded;
        this.outcomes = outcomes;
        this.epochOffsetNs = epochOffsetNs;
        this.isWrittenThrough = isWrittenThrough;
        this.stages = stages;
        this.state = state;
        frame = new OutcomeFrame(models, maxOutputsLength);
        outcomeCount = counters.get(CounterId.OUTCOMES);
        expiredCount = counters.get(CounterId.EXPIRED);
        contextFullCount = counters.get(CounterId.CONTEXT_FULL);
        waitCount = counters.get(CounterId.OUTCOME_WAITS);
    }

    /** The last sequence whose outcome is in the journal. */
    public Sequence sequence() {
        return recorded;
    }

    @Override
    public int doWork() {
        if (state.phase() == PipelineState.Phase.JOURNAL_FAILED) {
            return 0;
        }
        final long available = settled.getCursor();
        try {
            if (available < next) {
                return outcomes.onIdle();
            }
            return recordUpTo(available, sent.get());
        } catch (final JournalException ex) {
            state.journalFailed(ex);
            return 0;
        }
    }

    @Override
    public String roleName() {
        return "outcome";
    }

    private int recordUpTo(final long available, final long sentSequence) {
        final long first = next;
        boolean isSyncDue = false;
        while (next <= available) {
            final RequestSlot slot = sequencer.get(next);
            final boolean beforeResponse = slot.outcomeGoesFirst();
            if (!beforeResponse && next > sentSequence) {
                break;
            }
            if (!append(slot, beforeResponse)) {
                waitCount.incrementRelease();
                break;
            }
            isSyncDue |= beforeResponse && isWrittenThrough;
            if (!beforeResponse && slot.kind != RequestKind.ADMINISTER) {
                stages.record(slot);
            }
            if (slot.status == ResultStatus.EXPIRED) {
                expiredCount.incrementRelease();
            } else if (slot.status == ResultStatus.CONTEXT_FULL) {
                contextFullCount.incrementRelease();
            }
            outcomeCount.incrementRelease();
            next++;
            if (!isSyncDue) {
                recorded.set(next - 1);
            }
        }
        if (isSyncDue) {
            outcomes.sync();
            recorded.set(next - 1);
        }
        return (int) (next - first);
    }

    private boolean append(final RequestSlot slot, final boolean beforeResponse) {
        final int length = frame.encode(slot, beforeResponse);
        return outcomes.append(
                next,
                slot.ingressTickNs + epochOffsetNs,
                slot.principalId,
                frame.modelVersion(slot),
                frame.buffer(),
                0,
                length);
    }
}
