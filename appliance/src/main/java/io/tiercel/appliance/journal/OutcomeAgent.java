package io.tiercel.appliance.journal;

import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.sequencer.Sequencer;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.StageRecorder;
import io.tiercel.protocol.journal.MessageHeaderEncoder;
import io.tiercel.protocol.journal.OutcomeEncoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;

import java.util.List;

/**
 * Appends what became of each request to the outcome journal, and records its latencies. The last stage but for
 * an expired request, whose response follows: a slot is free when both have passed it.
 *
 * <p>Follows journal and infer (hash included). An outcome that can be computed again waits until its response has
 * left, so it costs the client nothing. One that the clock decided cannot, so it goes first and its response waits
 * for {@link #sequence()}. The two waits cannot block each other: each is for something that depends on earlier
 * requests only.
 *
 * <p>Allocates nothing. A journal that fails is final, as in {@link JournalAgent}.
 */
public final class OutcomeAgent implements Agent {

    private static final long MAX_STAMP_NS = OutcomeEncoder.egressNsMaxValue();

    private final Sequence recorded;
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final OutcomeEncoder outcome = new OutcomeEncoder();
    private final UnsafeBuffer frame;
    private final Sequencer sequencer;
    private final SequenceBarrier settled;
    private final Sequence sent;
    private final RecordLog outcomes;
    private final List<LoadedModel> models;
    private final long epochOffsetNs;
    private final StageRecorder stages;
    private final PipelineState state;
    private final AtomicCounter outcomeCount;
    private final AtomicCounter expiredCount;
    private final AtomicCounter waitCount;
    private long next;

    /**
     * @param sent     egress's sequence.
     * @param settled  the sequences of the journal and of each infer worker's settled requests.
     * @param recorded this stage's own sequence, which egress follows too.
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
            final StageRecorder stages,
            final PipelineState state,
            final Counters counters) {
        this.sequencer = sequencer;
        this.settled = sequencer.barrier(settled);
        this.sent = sent;
        this.recorded = recorded;
        this.outcomes = outcomes;
        this.models = List.copyOf(models);
        this.epochOffsetNs = epochOffsetNs;
        this.stages = stages;
        this.state = state;
        frame = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                MessageHeaderEncoder.ENCODED_LENGTH + OutcomeEncoder.BLOCK_LENGTH +
                        OutcomeEncoder.outputsHeaderLength() + maxOutputsLength,
                BitUtil.CACHE_LINE_LENGTH));
        outcomeCount = counters.get(CounterId.OUTCOMES);
        expiredCount = counters.get(CounterId.EXPIRED);
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
        int work = 0;
        while (next <= available) {
            final RequestSlot slot = sequencer.get(next);
            final boolean beforeResponse = slot.isDecidedByClock();
            if (!beforeResponse && next > sentSequence) {
                break;
            }
            if (!append(slot, beforeResponse)) {
                waitCount.incrementRelease();
                break;
            }
            if (beforeResponse) {
                expiredCount.incrementRelease();
            } else {
                stages.record(slot);
            }
            outcomeCount.incrementRelease();
            recorded.set(next++);
            work++;
        }
        return work;
    }

    private boolean append(final RequestSlot slot, final boolean beforeResponse) {
        final LoadedModel model = models.get(slot.modelIndex);
        outcome.wrapAndApplyHeader(frame, 0, header)
                .correlationId(slot.correlationId)
                .sessionKey(slot.sessionKey)
                .stateHash(slot.stateHash)
                .journaledNs(sinceIngress(slot, slot.journaledTickNs))
                .inferStartNs(sinceIngress(slot, slot.inferStartTickNs))
                .inferEndNs(sinceIngress(slot, slot.inferEndTickNs))
                .egressNs(beforeResponse ? 0 : sinceIngress(slot, slot.egressTickNs))
                .modelId(slot.modelIndex)
                .batchSize(slot.batchSize)
                .stepCount(slot.stepCount)
                .outputCount(slot.outputsLength == 0 ? 0 : model.model().shape().outputCount())
                .status(OutcomeStatus.get(slot.status.value()))
                .arithmetic(model.model().arithmetic())
                .reserved(0);
        outcome.putOutputs(slot.outputs, 0, slot.outputsLength);
        return outcomes.append(
                next,
                slot.ingressTickNs + epochOffsetNs,
                slot.principalId,
                model.version(),
                frame,
                0,
                MessageHeaderEncoder.ENCODED_LENGTH + outcome.encodedLength());
    }

    private static long sinceIngress(final RequestSlot slot, final long tickNs) {
        return Math.min(Math.max(tickNs - slot.ingressTickNs, 0), MAX_STAMP_NS);
    }
}
