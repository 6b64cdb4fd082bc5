package io.tiercel.appliance.recovery;

import io.tiercel.appliance.engine.ModelVersions;
import io.tiercel.appliance.journal.ClaimedJournal;
import io.tiercel.appliance.journal.JournalDamageException;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalEnd;
import io.tiercel.appliance.journal.JournalView;
import io.tiercel.appliance.journal.RecordReader;
import io.tiercel.appliance.recovery.RecoveryException.Code;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.appliance.snapshot.SnapshotStore;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.NanoClock;

/**
 * Continues a journal: the newest snapshot that can be used, then every request behind it through the engine again,
 * comparing each outcome that is there, bit for bit (outputs of a model that is not exact: within its tolerance), then
 * the outcomes that are not there.
 *
 * <pre>
 *   snapshot at S          requests  S+1 .. R          outcomes  S+1 .. O,  O at most R
 *   {@link #read}: states ──▶ computed again, compared up to O ──▶ O+1 .. R kept aside
 *   {@link #continueJournal}: torn tails are cut off, outcomes O+1 .. R appended
 * </pre>
 *
 * <p>A request without an outcome has been answered to nobody, or its answer is what it computes to: an answer that the
 * clock decided has its outcome in the journal before it leaves. So such a request is computed, whatever its budget
 * was.
 *
 * <p>{@code read} changes nothing, in the journal or beside it; all that can fail, fails there, but for the disk. Used
 * once, on one thread.
 */
public final class Recovery implements AutoCloseable {

    private static final int PROGRESS_MASK = (1 << 12) - 1;
    /** A clock that is set back by less is what a time daemon does. */
    private static final long CLOCK_TOLERANCE_NS = 1_000_000_000L;

    private final ClaimedJournal journal;
    private final SnapshotStore snapshots;
    private final RecoveredVersions versions;
    private final RequestReplay replay;
    private final SnapshotLoader loader;
    private final EpochNanoClock epochClock;
    private final NanoClock clock;
    private final RecoveryProgress progress;
    private long snapshotSequence = -1;
    private long lastIngressNs;
    private long identicalCount;
    private long toleratedCount;
    private long replayedCount;
    private JournalEnd requestsEnd = JournalEnd.EMPTY;
    private JournalEnd outcomesEnd = JournalEnd.EMPTY;

    /**
     * @param journal  claimed, so that nobody changes it meanwhile.
     * @param models   those that the configuration names; further versions of them are added.
     * @param routes   of models with no version as yet; they come to stand as they stood.
     * @param source   of further versions.
     * @param sessions empty; they get the states.
     * @param evictsSessions whether a session may make room for another where the journal does not say.
     * @param retries  empty; it gets the newest answers.
     * @param epochClock what time it is, to be held against the journal's.
     * @param clock    how long it takes.
     */
    public Recovery(
            final ClaimedJournal journal,
            final ModelVersions models,
            final Routes routes,
            final VersionSource source,
            final Sessions sessions,
            final boolean evictsSessions,
            final RetryWindow retries,
            final EpochNanoClock epochClock,
            final NanoClock clock,
            final RecoveryProgress progress) {
        this.journal = journal;
        this.epochClock = epochClock;
        this.clock = clock;
        this.progress = progress;
        snapshots = new SnapshotStore(journal.directory());
        final SessionPlaces places = new SessionPlaces(sessions, evictsSessions);
        versions = new RecoveredVersions(models, routes, sessions, source);
        replay = new RequestReplay(models, versions, sessions, places, retries, journal.directory());
        loader = new SnapshotLoader(snapshots, models, versions, sessions, places, retries);
    }

    /**
     * Reads everything, and brings the sessions to where they stood.
     *
     * @throws RecoveryException if the journal cannot be continued. Nothing has been changed.
     */
    public RecoveryReport read() {
        final long startNs = clock.nanoTime();
        if (journal.hasRecords()) {
            final JournalView view = journal.view();
            try (RecordReader requests = view.recoverRequests(); RecordReader outcomes = view.recoverOutcomes()) {
                start(view, requests, outcomes);
                replay(requests, outcomes, view.lastRequestSequence() - snapshotSequence);
                requestsEnd = requests.end();
                outcomesEnd = outcomes.end();
            } catch (final JournalDamageException ex) {
                throw damaged(ex);
            }
            checkClock();
        } else {
            loader.refuseAny();
        }
        versions.finish();
        return new RecoveryReport(snapshotSequence, loader.skippedCount(), replayedCount, identicalCount,
                toleratedCount, replay.largestDistance(), replay.pendingCount(),
                requestsEnd.tornCount() + outcomesEnd.tornCount(), replay.sessionCount(),
                requestsEnd.nextSequence(), lastIngressNs, clock.nanoTime() - startNs);
    }

    /** Makes the journal whole and opens it behind its last record. The first change to it. */
    public JournalDirectory continueJournal() {
        final JournalDirectory continued = journal.append(requestsEnd, outcomesEnd);
        try {
            replay.appendPending(continued);
            snapshots.removeDrafts();
            return continued;
        } catch (final RuntimeException | Error ex) {
            continued.close();
            throw ex;
        }
    }

    @Override
    public void close() {
        replay.close();
    }

    /** Puts both readers behind the newest snapshot that can be used, or at the beginning. */
    private void start(final JournalView view, final RecordReader requests, final RecordReader outcomes) {
        try (SnapshotReader snapshot = loader.find(sequence -> missing(requests, outcomes, sequence))) {
            if (snapshot != null) {
                loader.load(snapshot);
                snapshotSequence = snapshot.sequence();
                lastIngressNs = requests.ingressNs();
                outcomes.seek(snapshotSequence + 1);
                return;
            }
        }
        if (view.firstSequence() > 0) {
            throw new RecoveryException(Code.NO_SNAPSHOT, "firstSequence=" + view.firstSequence() + " directory=" +
                    snapshots.directory() + ": the requests before it were removed, and no snapshot stands for them");
        }
        requests.seek(0);
        outcomes.seek(0);
    }

    private static String missing(final RecordReader requests, final RecordReader outcomes, final long sequence) {
        if (!isAt(requests, sequence)) {
            return "requests";
        }
        return isAt(outcomes, sequence) ? null : "outcomes";
    }

    private static boolean isAt(final RecordReader reader, final long sequence) {
        return reader.seek(sequence) && reader.next();
    }

    private void replay(final RecordReader requests, final RecordReader outcomes, final long totalCount) {
        boolean hasOutcome = true;
        progress.onProgress(0, totalCount);
        while (requests.next()) {
            lastIngressNs = requests.ingressNs();
            hasOutcome = hasOutcome && outcomes.next();
            if (hasOutcome) {
                if (replay.applyAndCompare(requests, outcomes)) {
                    identicalCount++;
                } else {
                    toleratedCount++;
                }
            } else {
                replay.applyAndKeep(requests);
            }
            if ((++replayedCount & PROGRESS_MASK) == 0) {
                progress.onProgress(replayedCount, totalCount);
            }
        }
        if (hasOutcome && outcomes.next()) {
            throw new RecoveryException(Code.OUTCOME_WITHOUT_REQUEST, "sequence=" + outcomes.sequence() +
                    " directory=" + journal.directory() + ": the last request there is has sequence=" +
                    (outcomes.sequence() - 1) + "; what is there: " + command("journal dump --queue outcomes",
                            " --from " + outcomes.sequence()));
        }
        progress.onProgress(replayedCount, replayedCount);
    }

    private void checkClock() {
        final long nowNs = epochClock.nanoTime();
        if (nowNs < lastIngressNs - CLOCK_TOLERANCE_NS) {
            throw new RecoveryException(Code.CLOCK_WENT_BACK, "nowNs=" + nowNs + " lastIngressNs=" + lastIngressNs +
                    " sequence=" + (requestsEnd.nextSequence() - 1) + ": the clock is " +
                    (lastIngressNs - nowNs) / 1_000_000 + " ms behind the journal's last record; set it, or wait");
        }
    }

    private RecoveryException damaged(final JournalDamageException ex) {
        return new RecoveryException(Code.DAMAGED_JOURNAL, ex.getMessage() + "; what is there: " +
                command("journal dump", " --from " + Math.max(0, ex.sequence() - 1)), ex);
    }

    private String command(final String name, final String options) {
        return "tools/tiercel " + name + " --journal " + journal.directory() + options;
    }
}
