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
 * <p>Duty cycle: every request that is there, in order. With {@code journal.durability=disk} all of them are appended,
 * then written through to the device at once, and only then is any of them acknowledged. Looks at the space that is
 * left, too. Allocates nothing. A journal that fails is final: the sequence stops where it is, the pipeline's state
 * says so, and no later request is ever acknowledged.
 */
public final class JournalAgent implements Agent {

    private final Sequence journaled;
    private final Sequencer sequencer;
    private final SequenceBarrier published;
    private final RecordLog requests;
    private final List<LoadedModel> models;
    private final CycleClock clock;
    private final long epochOffsetNs;
    private final boolean isWrittenThrough;
    private final PipelineState state;
    private final AtomicCounter journaledCount;
    private final AtomicCounter waitCount;
    private final AtomicCounter freeBytesGauge;
    private long next;
    private long freeBytes = -1;
    private boolean isSpaceLow;

    /**
     * @param models           may grow.
     * @param epochOffsetNs    added to a tick of {@code clock} gives nanoseconds since the epoch.
     * @param isWrittenThrough whether each batch is synced before it is acknowledged.
     */
    public JournalAgent(
            final Sequencer sequencer,
            final RecordLog requests,
            final List<LoadedModel> models,
            final CycleClock clock,
            final long epochOffsetNs,
            final boolean isWrittenThrough,
            final PipelineState state,
            final Counters counters) {
        this.sequencer = sequencer;
        next = sequencer.firstSequence();
        journaled = sequencer.newSequence();
        this.published = sequencer.barrier();
        this.requests = requests;
        this.models = models;
        this.clock = clock;
        this.epochOffsetNs = epochOffsetNs;
        this.isWrittenThrough = isWrittenThrough;
        this.state = state;
        journaledCount = counters.get(CounterId.JOURNALED);
        waitCount = counters.get(CounterId.JOURNAL_WAITS);
        freeBytesGauge = counters.get(CounterId.JOURNAL_FREE_BYTES);
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
        watchSpace();
        final long available = published.getCursor();
        try {
            if (available < next) {
                return requests.onIdle();
            }
            return isWrittenThrough ? appendAndSyncUpTo(available) : appendUpTo(available);
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

    /** One sync for all that is there: while the device is at it, the next batch gathers. */
    private int appendAndSyncUpTo(final long available) {
        final long first = next;
        while (next <= available && append(sequencer.get(next))) {
            next++;
        }
        if (next <= available) {
            waitCount.incrementRelease();
        }
        final int work = (int) (next - first);
        if (work > 0) {
            requests.sync();
            acknowledge(first);
        }
        return work;
    }

    private void acknowledge(final long first) {
        final long nowNs = clock.read();
        for (long sequence = first; sequence < next; sequence++) {
            sequencer.get(sequence).journaledTickNs = nowNs;
            journaledCount.incrementRelease();
        }
        journaled.set(next - 1);
    }

    private void watchSpace() {
        final long nowFreeBytes = requests.freeBytes();
        final boolean isNowLow = requests.isSpaceLow();
        if (nowFreeBytes != freeBytes || isNowLow != isSpaceLow) {
            freeBytes = nowFreeBytes;
            isSpaceLow = isNowLow;
            freeBytesGauge.setRelease(nowFreeBytes);
            state.space(nowFreeBytes, isNowLow);
        }
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
