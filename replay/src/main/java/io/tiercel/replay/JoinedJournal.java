package io.tiercel.replay;

import java.nio.file.Path;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;

/**
 * A journal's requests and outcomes side by side, in sequence order: each call of {@link #next} moves both queues to
 * the same sequence. Opened for reading only, and beside a running appliance too: the outcome is looked for before its
 * request, so an outcome that is there always finds its request there.
 *
 * <p>Outcomes may end before requests do (a crash, or answers not yet given): {@link #hasOutcome} is false from there
 * on. Anything else that is out of step is {@link Damage}.
 */
public final class JoinedJournal implements AutoCloseable {

    public static final String REQUESTS = "requests";
    public static final String OUTCOMES = "outcomes";

    /** Which queues to read. Each can be read without the other, as when one is damaged. */
    public enum Queues {
        REQUESTS, OUTCOMES, BOTH
    }

    private final RecordSource requests;
    private final RecordSource outcomes;
    private final RequestFrame requestFrame = new RequestFrame();
    private final OutcomeFrame outcomeFrame = new OutcomeFrame();
    private boolean hasRequest;
    private boolean hasOutcome;
    private boolean areOutcomesAtEnd;

    /** Either may be null: not read. */
    JoinedJournal(final RecordSource requests, final RecordSource outcomes) {
        this.requests = requests;
        this.outcomes = outcomes;
    }

    /** Opens both queues. */
    public static JoinedJournal open(final Path journalDirectory) {
        return open(journalDirectory, Queues.BOTH);
    }

    /**
     * Opens some of the queues.
     *
     * @throws io.tiercel.appliance.journal.JournalException if there is no journal or it cannot be read.
     */
    public static JoinedJournal open(final Path journalDirectory, final Queues queues) {
        return QueueRecordSource.open(journalDirectory, queues);
    }

    /**
     * Moves to the next sequence.
     *
     * @return false when no queue has more.
     * @throws DamageException at the first record that is not good, or that its partner contradicts.
     */
    public boolean next() {
        hasOutcome = outcomes != null && !areOutcomesAtEnd && outcomes.next();
        areOutcomesAtEnd = !hasOutcome;
        take();
        return hasRequest || hasOutcome;
    }

    /** The request beside the outcome, or the one that has none. */
    private void take() {
        hasRequest = requests != null && requests.next();
        if (hasOutcome && requests != null && !hasRequest) {
            throw new DamageException(DamageKind.OUTCOME_WITHOUT_REQUEST, OUTCOMES, outcomes.sequence(),
                    "requests end at sequence=" + (outcomes.sequence() - 1));
        }
        if (hasRequest) {
            requestFrame.wrap(
                    requests.sequence(), requests.frame(), requests.frameOffset(), requests.frameLength());
        }
        if (hasOutcome) {
            outcomeFrame.wrap(
                    outcomes.sequence(), outcomes.frame(), outcomes.frameOffset(), outcomes.frameLength());
        }
        if (hasRequest && hasOutcome && requests.sequence() != outcomes.sequence()) {
            throw new DamageException(DamageKind.GAP, OUTCOMES, outcomes.sequence(),
                    "the request beside it has sequence=" + requests.sequence());
        }
    }

    /**
     * Moves to the next sequence that has an outcome, of a journal that is being written; it may be asked again. Needs
     * both queues.
     *
     * @return false if there is none as yet; nothing has moved then.
     * @throws DamageException as {@link #next} does.
     */
    boolean nextWhole() {
        hasOutcome = outcomes.next();
        if (!hasOutcome) {
            return false;
        }
        take();
        return true;
    }

    /**
     * Moves to just before a sequence, so that {@link #next} reads it; what is before it is not checked.
     *
     * @return false if there is no such sequence; then there is nothing to read.
     * @throws DamageException if a record ought to be there and is not.
     */
    public boolean seek(final long sequence) {
        areOutcomesAtEnd = outcomes == null || !outcomes.seek(sequence);
        return requests == null ? !areOutcomesAtEnd : requests.seek(sequence);
    }

    /** Where {@link #next} begins: above 0 if older records have been removed. */
    public long firstSequence() {
        return requests == null ? outcomes.firstSequence() : requests.firstSequence();
    }

    public boolean hasRequest() {
        return hasRequest;
    }

    public boolean hasOutcome() {
        return hasOutcome;
    }

    public long sequence() {
        return hasRequest ? requests.sequence() : outcomes.sequence();
    }

    /** Of whichever record is there; both hold it. */
    public long ingressNs() {
        return hasRequest ? requests.ingressNs() : outcomes.ingressNs();
    }

    /** Of whichever record is there; both hold it. */
    public long principalId() {
        return hasRequest ? requests.principalId() : outcomes.principalId();
    }

    /** Of whichever record is there; both hold it. */
    public DirectBuffer modelVersion() {
        return hasRequest ? requests.modelVersion() : outcomes.modelVersion();
    }

    public RequestFrame requestFrame() {
        return requestFrame;
    }

    public OutcomeFrame outcomeFrame() {
        return outcomeFrame;
    }

    /** The request's place in its queue: one more than the last one's, but for the first record of a file. */
    public long requestIndex() {
        return requests.index();
    }

    long requestIngressNs() {
        return requests.ingressNs();
    }

    long outcomeIngressNs() {
        return outcomes.ingressNs();
    }

    long requestPrincipalId() {
        return requests.principalId();
    }

    long outcomePrincipalId() {
        return outcomes.principalId();
    }

    DirectBuffer requestModelVersion() {
        return requests.modelVersion();
    }

    DirectBuffer outcomeModelVersion() {
        return outcomes.modelVersion();
    }

    /** The sequence behind the last outcome that there is now; a lower one where damage is in the way. */
    public long outcomesEndSequence() {
        return outcomes.endSequence();
    }

    @Override
    public void close() {
        hasRequest = false;
        hasOutcome = false;
        CloseHelper.closeAll(requests, outcomes);
    }
}
