package io.tiercel.appliance;

import io.tiercel.appliance.SimulatedPrincipal.Answer;
import io.tiercel.appliance.SimulatedPrincipal.Request;
import io.tiercel.appliance.config.DurabilityLevel;
import io.tiercel.appliance.config.OverloadPolicy;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalView;
import io.tiercel.appliance.journal.RecordReader;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.SessionTable;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.UnsafeBuffer;

import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What must hold of any run, whatever went wrong in it:
 * <ul>
 * <li>an answer's request was in the journal before it, and an answer that the clock decided had its outcome there, as
 * had one of a session that began where sessions may be evicted;
 * <li>what a log has taken is in its file after any death of the process, in its place, to the last byte;
 * <li>every outcome and every snapshot, and the sessions in memory after a recovery and at an end, are what the
 * requests of the journal come to when they are computed one by one;
 * <li>what a client was told is what the outcome says;
 * <li>a session is with a version that the commands before allow, and leaves it only where that one is drained; routes
 * after each command, in each snapshot, after each recovery and as administrators are told them are what the commands
 * of the journal come to;
 * <li>a request is in the journal at most as often as it was sent, and never for a copy that was refused.
 * </ul>
 */
final class SimulationCheck implements AutoCloseable {

    /** As administrators hear of a version. */
    record Version(
            int modelId, byte[] version, int weight, int formerWeight, boolean isDrained, int sessionCount) {
    }

    /** What there is, as of a sequence. */
    private record Told(long sequence, List<Version> versions) {
    }

    private final List<LoadedModel> versions;
    private final SimulatedAppliance.Taken taken;
    private final List<SimulatedPrincipal> principals;
    private final SimulationTrace trace;
    private final SimulationPlan plan;
    private final boolean isWrittenThrough;
    private final List<Answer> unverified = new ArrayList<>();
    /** Sequences of answers that left before their outcome was safe. */
    private final Set<Long> answeredFirst = new HashSet<>();
    /** In the order of their sequences. */
    private final PriorityQueue<Told> told = new PriorityQueue<>(Comparator.comparingLong(Told::sequence));
    private boolean hasJournalFailed;
    private StraightRun straight;
    /** Outcomes that the straight run has come to. */
    private int straightCount;

    SimulationCheck(
            final SimulationPlan plan,
            final List<LoadedModel> versions,
            final SimulatedAppliance.Taken taken,
            final List<SimulatedPrincipal> principals,
            final SimulationTrace trace) {
        this.plan = plan;
        isWrittenThrough = plan.durability == DurabilityLevel.DISK;
        this.versions = versions;
        this.taken = taken;
        this.principals = principals;
        this.trace = trace;
        straight = new StraightRun(versions, plan.maxSessions);
    }

    void that(final boolean isSo, final Supplier<String> otherwise) {
        if (!isSo) {
            throw new AssertionError(otherwise.get());
        }
    }

    /** A client has been told something. */
    void onAnswer(final SimulatedPrincipal principal, final Request request, final Answer answer) {
        final long sequence = answer.sequence();
        final MemoryRecordLog.Entry record = taken.requests().find(sequence);
        that(isSafe(taken.requests(), sequence), () -> "answered before its request is in the journal: " + answer);
        that(record.principalId() == principal.id() && isRecordOf(record, request),
                () -> "answered with the sequence of another request: id=" + request.correlationId + " " + answer);
        that(!request.isBad, () -> "a bad request is answered: id=" + request.correlationId);
        that(plan.retryWindow > 0 || request.answers.stream().noneMatch(other -> other.sequence() == sequence),
                () -> "answered twice: id=" + request.correlationId + " " + answer);
        if (answer.status() == ResultStatus.EXPIRED) {
            trace.count(SimulationEvent.RESULTS_EXPIRED);
            that(request.hasBudget, () -> "expired without a budget: id=" + request.correlationId);
            that(isSafe(taken.outcomes(), sequence),
                    () -> "answered before what the clock decided is in the journal: " + answer);
        } else if (answer.status() == ResultStatus.CONTEXT_FULL) {
            trace.count(SimulationEvent.RESULTS_FULL);
        } else if (request.isStreamed && request.stepCount > 1) {
            trace.count(SimulationEvent.RESULTS_STREAMED);
        }
        request.answers.add(answer);
        if (answer.status() == ResultStatus.CANCELLED) {
            trace.count(SimulationEvent.RESULTS_CANCELLED);
        } else {
            verifyLater(answer);
        }
    }

    /** A client has been told a token; the last one of a generation comes as an answer. */
    void onToken(final SimulatedPrincipal principal, final long correlationId, final Answer answer) {
        final MemoryRecordLog.Entry record = taken.requests().find(answer.sequence());
        that(isSafe(taken.requests(), answer.sequence()),
                () -> "told before its request is in the journal: " + answer);
        that(record.principalId() == principal.id() && correlationIdOf(record) == correlationId,
                () -> "told with the sequence of another token: id=" + correlationId + " " + answer);
        trace.count(SimulationEvent.TOKENS_TOLD);
        verifyLater(answer);
    }

    private void verifyLater(final Answer answer) {
        unverified.add(answer);
        if (!isSafe(taken.outcomes(), answer.sequence())) {
            answeredFirst.add(answer.sequence());
        }
    }

    /** Of a generation it is that of the last token. */
    private static boolean isRecordOf(final MemoryRecordLog.Entry record, final Request request) {
        final long token = correlationIdOf(record) - request.correlationId;
        return request.maxTokens > 0
                ? token >= 0 && token < request.maxTokens
                : Arrays.equals(record.frame(), request.frame);
    }

    /** Every kind of request begins with it. */
    private static long correlationIdOf(final MemoryRecordLog.Entry record) {
        return new UnsafeBuffer(record.frame()).getLong(Frames.HEADER_LENGTH, ByteOrder.LITTLE_ENDIAN);
    }

    /** An administrator has been told what there is, up to that sequence, which need not be in the journal yet. */
    void onVersions(final long sequence, final List<Version> toldVersions) {
        told.add(new Told(sequence, toldVersions));
    }

    /** A client has been refused something: only for what there is a reason for. */
    void onRefusal(final Request request, final RejectCode code) {
        that(switch (code) {
            case IN_FLIGHT_LIMIT, SHUTTING_DOWN -> true;
            case SESSION_LIMIT -> request.command == null && !plan.evictsSessions();
            case JOURNAL_UNAVAILABLE -> hasJournalFailed;
            case JOURNAL_SPACE_LOW -> trace.countOf(SimulationEvent.LOW_SPACES) > 0;
            case RATE_LIMIT -> plan.maxRatePerSecond > 0;
            case OVERLOADED -> plan.overloadPolicy == OverloadPolicy.SHED;
            case UNKNOWN_MODEL, STEP_COUNT_OUT_OF_RANGE, NON_FINITE_FEATURE, FEATURE_COUNT_MISMATCH, LENGTH_MISMATCH,
                    TOKEN_OUT_OF_VOCABULARY -> request.isBad;
            case UNKNOWN_SESSION -> request.isFork || request.maxTokens > 0;
            case GENERATION_LIMIT -> request.maxTokens > 0;
            // Two copies of one, of which the window has forgotten the beginning.
            case CORRELATION_ID_REUSED -> request.maxTokens > 1 && plan.retryWindow > 0;
            case UNKNOWN_VERSION -> request.command == AdminCommand.ROUTE ||
                    request.command == AdminCommand.PROMOTE || request.command == AdminCommand.DRAIN;
            case VERSION_LOADED, VERSION_LIMIT, LOAD_IN_PROGRESS -> request.command == AdminCommand.LOAD;
            case BUNDLE_REFUSED -> request.command == AdminCommand.LOAD && request.isBad;
            case WEIGHTS_DO_NOT_ADD_UP -> request.command == AdminCommand.ROUTE && request.isBad;
            case NO_FORMER_ROUTE -> request.command == AdminCommand.ROLL_BACK;
            case VERSION_ROUTED -> request.command == AdminCommand.DRAIN;
            default -> false;
        }, () -> "refused without a reason: id=" + request.correlationId + " code=" + code);
    }

    /** From here on clients may hear of it. */
    void onJournalFailed() {
        hasJournalFailed = true;
    }

    /**
     * A life begins, and nothing has been taken in it.
     *
     * @param adoptableCount requests that the last life may have left in the file without having been told so: 1 if it
     *                       died in an append.
     */
    void onStart(final SimulatedAppliance appliance, final int adoptableCount) {
        adopt(appliance.context.journalDirectory(), adoptableCount);
        that(appliance.recovered.nextSequence() == taken.requests().size(),
                () -> "nextSequence=" + appliance.recovered.nextSequence() + " taken=" + taken.requests().size());
        // What is gone on with is given to the device first, and then the outcomes that were not there.
        taken.requests().sync();
        taken.outcomes().sync();
        told.removeIf(versionsTold -> versionsTold.sequence() >= taken.requests().size());
        that(taken.outcomes().size() == taken.requests().size(),
                () -> "outcomes=" + taken.outcomes().size() + " requests=" + taken.requests().size());
        verify(appliance);
    }

    /** A life has come to an orderly end: everything taken is through. */
    void onDrained(final SimulatedAppliance appliance) {
        adopt(appliance.context.journalDirectory(), 0);
        that(taken.outcomes().size() == taken.requests().size(),
                () -> "drained, and outcomes=" + taken.outcomes().size() + " requests=" + taken.requests().size());
        verify(appliance);
    }

    /** The device has lost what was behind these; and unless each batch was on it, the promises made of them. */
    void onLost(final int requestCount, final int outcomeCount) {
        taken.requests().truncate(requestCount);
        taken.outcomes().truncate(outcomeCount);
        final int firstLost = Math.min(requestCount, outcomeCount);
        if (!isWrittenThrough) {
            principals.forEach(principal -> principal.forgetFrom(firstLost));
            unverified.removeIf(answer -> answer.sequence() >= firstLost);
            answeredFirst.removeIf(sequence -> sequence >= firstLost);
        }
        if (straightCount > firstLost) {
            straight.close();
            straight = new StraightRun(versions, plan.maxSessions);
            straightCount = 0;
        }
    }

    /** The run is over: what the journal has of each request. */
    void onEnd() {
        trace.count(SimulationEvent.REQUESTS_RECORDED, taken.requests().size());
        for (final SimulatedPrincipal principal : principals) {
            final Map<Long, Integer> counts = countRecords(principal);
            for (final Request request : principal.requests()) {
                final int count = counts.getOrDefault(request.correlationId, 0);
                that(count <= request.sentCount - request.refusedCount, () -> "applied more often than sent: id=" +
                        request.correlationId + " recorded=" + count + " sent=" + request.sentCount + " refused=" +
                        request.refusedCount);
                that(!request.isBad || count == 0, () -> "a bad request is recorded: id=" + request.correlationId);
            }
        }
    }

    /** By correlation id; a request that was applied while it was known from before is found here. */
    private Map<Long, Integer> countRecords(final SimulatedPrincipal principal) {
        final Map<Long, Integer> counts = new HashMap<>();
        final Map<Long, Integer> slotsBehind = new HashMap<>();
        int slots = 0;
        for (final MemoryRecordLog.Entry entry : taken.requests().entries()) {
            if (entry.principalId() != principal.id()) {
                continue;
            }
            final long correlationId = correlationIdOf(entry);
            final Integer before = slotsBehind.get(correlationId);
            final int slotsSince = before == null ? Integer.MAX_VALUE : slots - before;
            that(slotsSince > plan.retryWindow, () -> "applied twice: id=" + correlationId + " sequence=" +
                    entry.sequence() + " slotsSince=" + slotsSince + " retryWindow=" + plan.retryWindow);
            slotsBehind.put(correlationId, slots);
            slots += principal.find(correlationId).slotCount();
            counts.merge(correlationId, 1, Integer::sum);
        }
        return counts;
    }

    @Override
    public void close() {
        straight.close();
    }

    /** Whether a record outlives whatever the configuration says that it does. */
    private boolean isSafe(final MemoryRecordLog log, final long sequence) {
        return sequence < (isWrittenThrough ? log.syncedCount() : log.size());
    }

    private void adopt(final Path directory, final int adoptableCount) {
        final JournalView view = JournalDirectory.openForRead(directory);
        final int requestCount = taken.requests().size();
        try (RecordReader requests = view.requests(); RecordReader outcomes = view.outcomes()) {
            adopt("requests", requests, taken.requests());
            adopt("outcomes", outcomes, taken.outcomes());
        }
        that(taken.requests().size() - requestCount <= adoptableCount,
                () -> "requests that nobody has appended: from=" +
                        requestCount + " to=" + taken.requests().size());
    }

    private void adopt(final String name, final RecordReader reader, final MemoryRecordLog log) {
        long next = -1;
        while (reader.next()) {
            final byte[] frame = new byte[reader.frameLength()];
            reader.frame().getBytes(0, frame);
            final MemoryRecordLog.Entry known = log.find(reader.sequence());
            if (known == null) {
                log.append(reader.sequence(), reader.ingressNs(), reader.principalId(), reader.modelVersion(),
                        reader.frame(), 0, frame.length);
            } else {
                final long sequence = reader.sequence();
                that(known.ingressNs() == reader.ingressNs() && known.principalId() == reader.principalId() &&
                        Arrays.equals(known.frame(), frame),
                        () -> name + " has another record than was appended: sequence=" + sequence);
            }
            next = reader.sequence() + 1;
        }
        final long end = next;
        that(end == log.size() || end < 0 && log.size() == 0,
                () -> name + " has lost records: next=" + end + " appended=" + log.size());
    }

    private void verify(final SimulatedAppliance appliance) {
        final List<SnapshotStore.Entry> entries = new ArrayList<>(appliance.snapshotStore.list());
        Collections.reverse(entries);
        int nextEntry = 0;
        while (true) {
            while (nextEntry < entries.size() && entries.get(nextEntry).sequence() < straightCount) {
                final SnapshotStore.Entry entry = entries.get(nextEntry++);
                if (entry.sequence() == straightCount - 1) {
                    SnapshotCheck.assertSame(straight, appliance.snapshotStore, entry);
                    trace.count(SimulationEvent.SNAPSHOTS_CHECKED);
                }
            }
            while (!told.isEmpty() && told.peek().sequence() < straightCount) {
                verify(told.remove());
            }
            if (straightCount == taken.outcomes().size()) {
                break;
            }
            straight.assertSameOutcome(
                    straightCount, taken.requests().find(straightCount), taken.outcomes().find(straightCount));
            if (StraightRun.Outcome.of(taken.outcomes().find(straightCount)).hasEvicted()) {
                trace.count(SimulationEvent.SESSIONS_EVICTED);
            }
            if (StraightRun.Outcome.of(taken.outcomes().find(straightCount)).hasMoved()) {
                trace.count(SimulationEvent.SESSIONS_MOVED);
            }
            straightCount++;
        }
        final int unknown = nextEntry;
        that(unknown == entries.size(), () -> "a snapshot of requests that are not there: " + entries.get(unknown));
        final long firstSequence = JournalDirectory.openForRead(appliance.context.journalDirectory()).firstSequence();
        if (firstSequence > 0) {
            trace.count(SimulationEvent.PRUNED_JOURNALS);
        }
        that(firstSequence == 0 || !entries.isEmpty() && firstSequence <= entries.get(0).sequence() + 1,
                () -> "what a snapshot needs is removed: firstSequence=" + firstSequence + " snapshots=" + entries);
        verifyRoutes(appliance.routes);
        verifySessions(appliance);
        unverified.forEach(this::verify);
        unverified.clear();
        answeredFirst.clear();
    }

    private void verify(final Answer answer) {
        final StraightRun.Outcome outcome = StraightRun.Outcome.of(taken.outcomes().find(answer.sequence()));
        that(outcome.status().name().equals(answer.status().name()),
                () -> "told otherwise than recorded: " + answer + " outcome=" + outcome.status());
        that(outcome.status() == OutcomeStatus.EXPIRED || Arrays.equals(outcome.outputs(), answer.outputs()),
                () -> "told other outputs than recorded: " + answer);
        that(outcome.hasBegun() == answer.hasSessionBegun(),
                () -> "told otherwise than recorded of the session's begin: " + answer);
        that(!plan.evictsSessions() || !outcome.hasBegun() || outcome.hasMoved()
                || !answeredFirst.contains(answer.sequence()),
                () -> "answered before it is in the journal that a session begins: " + answer);
    }

    private void verifyRoutes(final Routes routes) {
        for (int modelId = 0; modelId < routes.modelCount(); modelId++) {
            final int model = modelId;
            that(routes.hash(model) == straight.routes().hash(model),
                    () -> "routes are not what the commands come to: modelId=" + model);
        }
    }

    /** What is not told of must be gone. */
    private void verify(final Told toldVersions) {
        that(toldVersions.sequence() == straightCount - 1L,
                () -> "told of versions as of a sequence that is not there: " + toldVersions.sequence());
        for (final LoadedModel version : versions) {
            final int index = version.index();
            final Version expected = new Version(version.modelId(), version.versionBytes(),
                    straight.routes().weight(index), straight.routes().formerWeight(index),
                    straight.routes().isDrained(index), straight.sessionCountOf(index));
            final List<Version> heard = toldVersions.versions().stream()
                    .filter(one -> one.modelId() == expected.modelId() &&
                            Arrays.equals(one.version(), expected.version()))
                    .toList();
            that(heard.size() == 1 && isSame(heard.get(0), expected) ||
                    heard.isEmpty() && (!straight.routes().isKnown(index) || straight.isGone(index)),
                    () -> "told otherwise of a version: sequence=" + toldVersions.sequence() + " " + heard +
                            " expected=" + expected);
        }
    }

    private static boolean isSame(final Version one, final Version other) {
        return one.weight() == other.weight() && one.formerWeight() == other.formerWeight() &&
                one.isDrained() == other.isDrained() && one.sessionCount() == other.sessionCount();
    }

    private void verifySessions(final SimulatedAppliance appliance) {
        final Sessions sessions = appliance.sessions;
        final SessionTable table = sessions.table();
        int sessionCount = 0;
        for (int index = 0; index < table.size(); index++) {
            final int modelIndex = table.modelIndex(index);
            final SessionStates states = sessions.states(modelIndex);
            if (states.isInitialised(index)) {
                sessionCount++;
                verifySession(table, index, states, appliance.versions.get(modelIndex));
            }
        }
        final int liveCount = sessionCount;
        that(liveCount == straight.sessionCount(),
                () -> "sessions=" + liveCount + " expected=" + straight.sessionCount());
    }

    private void verifySession(
            final SessionTable table, final int index, final SessionStates states, final LoadedModel version) {
        final long principalId = table.principalId(index);
        final int modelId = table.modelId(index);
        final long sessionKey = table.sessionKey(index);
        final byte[] state = states.canonicalState(index);
        final LoadedModel expected = straight.version(principalId, modelId, sessionKey);
        that(expected.modelId() == version.modelId() && expected.hasVersion(version.version()),
                () -> "a session is with another version: modelId=" + modelId + " sessionKey=" + sessionKey);
        that(states.hash(index) == straight.hash(principalId, modelId, sessionKey) &&
                Arrays.equals(state, straight.canonicalState(principalId, modelId, sessionKey)),
                () -> "a session is not what its requests come to: modelId=" + modelId + " sessionKey=" +
                        sessionKey);
    }
}
