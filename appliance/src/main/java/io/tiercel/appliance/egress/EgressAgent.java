package io.tiercel.appliance.egress;

import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import io.tiercel.appliance.cycle.CycleClock;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.sequencer.Sequencer;
import io.tiercel.appliance.session.ClientCommands;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.Happenings;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.wire.ResultEncoder;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.status.AtomicCounter;

import java.util.Arrays;

/**
 * Sends results, and what ingress asks it to say. Follows journal and every infer worker: a response leaves when its
 * request is in the journal and its outputs are there; one that was decided ({@link RequestSlot#outcomeGoesFirst}) also
 * waits for its outcome record.
 *
 * <p>Each client has a buffer of its own. A client whose buffer is full has stopped reading: it is disconnected, and
 * no other client waits for it. Allocates nothing, except when a client comes or goes, or a principal is new.
 *
 * <p>Answers are kept after all that were ready have left, and before {@link #sequence()} passes their requests. A
 * repeat is answered from what is kept. It always finds its answer, if there was one:
 * <ul>
 * <li>If the sequence has not passed its first request, it waits, and is answered when the sequence passes that
 * request and before the next answer is kept.
 * <li>Else the answer has been kept, and only a later request's answer can have taken its slots. Ingress offers no
 * repeat of a request once it has published such a later one, so the repeat was offered before that: and egress reads
 * every repeat that was offered before a request was published before it keeps that request's answer
 * ({@link #readRepeats}).
 * </ul>
 */
public final class EgressAgent implements Agent {

    private static final int COMMAND_BURST = 32;
    /** Ingress may refuse as many requests in a round. */
    private static final int COMMAND_LIMIT = 1_024;
    private static final int MAX_WAITING_REPEATS = 1024;
    private static final long MAX_STAMP_NS = ResultEncoder.applianceNsMaxValue();

    private final Sequence sent;
    private final Sequencer sequencer;
    private final SequenceBarrier ready;
    private final SequenceBarrier published;
    private final Sequence journaled;
    private final Sequence recorded;
    private final ClientCommands commands;
    private final ClientConnection[] clients;
    private final ResponseWriter writer;
    private final KeptAnswers kept;
    private final MadeTokens madeTokens;
    private final WaitingRepeats waiting = new WaitingRepeats(MAX_WAITING_REPEATS);
    private final Repeat repeat = new Repeat();
    private final CycleClock clock;
    private final PipelineState state;
    private final ClientCommands.Handler commandHandler = this::onCommand;
    private final AtomicCounter resultCount;
    private final AtomicCounter undeliveredCount;
    private final AtomicCounter slowCount;
    private final Happenings happenings;
    private long next;
    /** A request that something was decided of was refused: what came behind it is not what a recovery will compute. */
    private boolean refusesAll;
    /** Whether somebody's log may have pages that have not been touched. */
    private boolean isTouching;

    /**
     * @param journaled the sequence of the journal.
     * @param inferred the sequence of each infer worker.
     * @param recorded the sequence of the outcome journal.
     */
    public EgressAgent(
            final Sequencer sequencer,
            final Sequence journaled,
            final Sequence[] inferred,
            final Sequence recorded,
            final ClientCommands commands,
            final ClientConnection[] clients,
            final ResponseWriter writer,
            final KeptAnswers kept,
            final MadeTokens madeTokens,
            final CycleClock clock,
            final PipelineState state,
            final Counters counters) {
        this.sequencer = sequencer;
        next = sequencer.firstSequence();
        sent = sequencer.newSequence();
        this.journaled = journaled;
        final Sequence[] followed = Arrays.copyOf(inferred, inferred.length + 1);
        followed[inferred.length] = journaled;
        this.ready = sequencer.barrier(followed);
        this.published = sequencer.barrier();
        this.recorded = recorded;
        this.commands = commands;
        this.clients = clients;
        this.writer = writer;
        this.kept = kept;
        this.madeTokens = madeTokens;
        this.clock = clock;
        this.state = state;
        resultCount = counters.get(CounterId.RESULTS);
        undeliveredCount = counters.get(CounterId.RESULTS_UNDELIVERED);
        slowCount = counters.get(CounterId.CLIENTS_SLOW);
        happenings = counters.happenings();
    }

    /** The last sequence whose response has left, or had nobody to go to, and is kept. */
    public Sequence sequence() {
        return sent;
    }

    @Override
    public int doWork() {
        int work = sendResults();
        if (state.isJournalStopped()) {
            work += refuseUnjournaled();
        }
        work += runCommands();
        if (work == 0 && isTouching) {
            touchSome();
        }
        return work;
    }

    @Override
    public String roleName() {
        return "egress";
    }

    @Override
    public void onClose() {
        for (final ClientConnection client : clients) {
            release(client);
        }
    }

    /** Of the logs of those who have been welcomed lately. */
    private void touchSome() {
        isTouching = false;
        for (final ClientConnection client : clients) {
            if (client.responsePages.hasMore()) {
                client.responsePages.touchSome();
                isTouching = true;
                return;
            }
        }
    }

    /** Under overload there are many refusals; a result that is ready meanwhile waits for a burst of them at most. */
    private int runCommands() {
        int work = 0;
        int read = commands.poll(commandHandler, COMMAND_BURST);
        for (int total = read; read > 0 && total < COMMAND_LIMIT; total += read) {
            work += read + sendResults();
            read = commands.poll(commandHandler, COMMAND_BURST);
        }
        return work + read;
    }

    private int sendResults() {
        if (refusesAll) {
            return 0;
        }
        final long available = ready.getCursor();
        final long first = next;
        while (next <= available) {
            final RequestSlot slot = sequencer.get(next);
            if (!canBeAnswered(slot)) {
                break;
            }
            slot.applianceNs = Math.min(lastTickNs(slot) - slot.ingressTickNs, MAX_STAMP_NS);
            send(slot);
            slot.egressTickNs = clock.read();
            next++;
        }
        if (first < next) {
            keep(first);
        }
        return (int) (next - first);
    }

    /** Keeps what has left, up to {@code next}, and lets go of the slots. */
    private void keep(final long first) {
        readRepeats();
        for (long sequence = first; sequence < next; sequence++) {
            kept.keep(sequencer.get(sequence), sequence);
            letGo(sequence);
        }
    }

    /** Reads the repeats that have been offered so far, and whatever stands before them. */
    private void readRepeats() {
        final long goal = commands.offeredRepeatCount();
        while (commands.readRepeatCount() < goal) {
            commands.poll(commandHandler, COMMAND_LIMIT);
        }
    }

    private void letGo(final long sequence) {
        sent.set(sequence);
        for (int index = 0; index < waiting.count();) {
            if (waiting.get(index).sequence == sequence) {
                answer(waiting.get(index));
                waiting.remove(index);
            } else {
                index++;
            }
        }
    }

    /** The newest time that is known without a reading: on a thread of its own, egress's last one may be older. */
    private long lastTickNs(final RequestSlot slot) {
        return Math.max(clock.nanoTime(), Math.max(slot.journaledTickNs, slot.inferEndTickNs));
    }

    /** Of the next request, which is journaled and computed: whether its outcome has to be recorded first. */
    private boolean canBeAnswered(final RequestSlot slot) {
        return !slot.outcomeGoesFirst() || recorded.get() >= next;
    }

    private void send(final RequestSlot slot) {
        final ClientConnection client = clients[slot.clientIndex];
        if (client.openGeneration == slot.clientGeneration) {
            final int result = slot.kind == RequestKind.GENERATE
                    ? madeTokens.send(client, slot, next)
                    : writer.answer(client, slot, next);
            if (result == ResponseWriter.SENT) {
                resultCount.incrementRelease();
            } else {
                undeliveredCount.incrementRelease();
                drop(client, result);
            }
        } else {
            undeliveredCount.incrementRelease();
            madeTokens.end(slot.generationIndex);
        }
        client.onAnswered();
    }

    /**
     * The journal has failed: what is in it is answered once it is computed, the rest is refused, so that no client
     * waits in vain. A request that was decided is refused too, because its outcome cannot be recorded; and with
     * it all that follow, because a recovery will compute it, and they were computed as if it had not been there.
     */
    private int refuseUnjournaled() {
        final long available = published.getCursor();
        final long first = next;
        while (next <= available) {
            final RequestSlot slot = sequencer.get(next);
            if (next <= journaled.get() && !refusesAll) {
                if (next > ready.getCursor() || canBeAnswered(slot)) {
                    break;
                }
                refusesAll = true;
            }
            final ClientConnection client = clients[slot.clientIndex];
            if (client.openGeneration == slot.clientGeneration) {
                final int result = refuseUnjournaled(client, slot);
                if (result != ResponseWriter.SENT) {
                    drop(client, result);
                }
            }
            madeTokens.end(slot.generationIndex);
            client.onAnswered();
            readRepeats();
            kept.keepNone(slot, next);
            letGo(next++);
        }
        return (int) (next - first);
    }

    private int refuseUnjournaled(final ClientConnection client, final RequestSlot slot) {
        final long correlationId = slot.generationIndex == RequestSlot.NO_GENERATION
                ? slot.correlationId
                : madeTokens.firstCorrelationId(slot.generationIndex);
        return writer.journalUnavailable(client, correlationId, slot, next);
    }

    private void onCommand(
            final int type,
            final int clientIndex,
            final int generation,
            final long first,
            final long second,
            final long third,
            final short code,
            final short templateId,
            final int detail) {
        final ClientConnection client = clients[clientIndex];
        final DirectBuffer frame = type == ClientCommands.FRAME ? commands.takeFrame() : null;
        if (type == ClientCommands.OPEN || type == ClientCommands.CHALLENGE) {
            client.openGeneration = generation;
        }
        if (type == ClientCommands.CLOSE) {
            release(client);
            client.onReleased(generation);
            return;
        }
        if (client.openGeneration != generation) {
            if (type == ClientCommands.REPEAT) {
                madeTokens.end(code);
            }
            return;
        }
        final int result = switch (type) {
            case ClientCommands.OPEN -> code == 0
                    ? writer.welcome(client, first)
                    : writer.reject(client, 0, second, third, code, templateId);
            case ClientCommands.CHALLENGE -> writer.challenge(client, first);
            case ClientCommands.ADMIT -> writer.admit(client, first);
            case ClientCommands.REJECT -> writer.reject(
                    client, first, second, third, code, templateId, detail);
            case ClientCommands.HEARTBEAT -> writer.heartbeat(client, first);
            case ClientCommands.GOODBYE -> writer.goodbye(client, code);
            case ClientCommands.REPEAT -> onRepeat(client, first, second, third, templateId, detail, code);
            case ClientCommands.FRAME -> writer.frame(client, frame);
            case ClientCommands.CANCELLED -> writer.cancelled(client, first, second, third, templateId & 0xFFFF);
            default -> throw new IllegalStateException("client command type=" + type);
        };
        isTouching |= client.responsePages.hasMore();
        if (result != ResponseWriter.SENT) {
            drop(client, result);
        }
    }

    private int onRepeat(
            final ClientConnection client,
            final long correlationId,
            final long sequence,
            final long position,
            final short templateId,
            final int checksum,
            final int generationIndex) {
        repeat.generationIndex = generationIndex;
        repeat.clientIndex = client.index;
        repeat.generation = client.openGeneration;
        repeat.correlationId = correlationId;
        repeat.sequence = sequence;
        repeat.position = position;
        repeat.templateId = templateId;
        repeat.frameChecksum = checksum;
        if (sequence <= sent.get()) {
            return kept.answer(client, repeat);
        }
        return waiting.add(repeat)
                ? ResponseWriter.SENT
                : kept.refuseToWait(client, repeat, waiting.capacity());
    }

    /** Answers a repeat that has waited, if its client is still there. */
    private void answer(final Repeat waited) {
        final ClientConnection client = clients[waited.clientIndex];
        if (client.openGeneration == waited.generation) {
            final int result = kept.answer(client, waited);
            if (result != ResponseWriter.SENT) {
                drop(client, result);
            }
        } else {
            madeTokens.end(waited.generationIndex);
        }
    }

    /** Closes a client's publication at once; ingress sees the mark in its next round and gives up the place. */
    private void drop(final ClientConnection client, final int result) {
        if (result == ResponseWriter.FULL) {
            slowCount.incrementRelease();
            happenings.tell(EventKind.CLIENT_SLOW, client.aeronSessionId, client.principal);
        }
        client.onDropped(client.openGeneration);
        release(client);
    }

    private static void release(final ClientConnection client) {
        client.openGeneration = -1;
        client.responsePages.forget();
        if (client.publication != null) {
            client.publication.close();
            client.publication = null;
        }
    }
}
