package io.tiercel.appliance;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.exact.Softmax;
import io.tiercel.appliance.engine.exact.TokenSampler;
import io.tiercel.appliance.routing.AdminFrame;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.journal.OutcomeDecoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.AdministerDecoder;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import org.agrona.BufferUtil;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * What the requests of a journal come to when they are computed one at a time, in order, with no batch, no thread and
 * no clock: the outcomes that every layout must have. Which request expired is taken from the outcome, as in a replay;
 * whether a session is full is found by counting its steps. Which sessions there are is found by a map in the order of
 * last use: a request of another one begins it, and where sessions may be evicted, the first of the map makes room.
 *
 * <p>Commands are applied to routes of its own, from the first one on. Which version a request is with is said by its
 * record; here it is held against what the routes and the session's past allow.
 */
final class StraightRun implements AutoCloseable {

    private static final int MAX_SESSIONS = 4096;
    private static final int MAX_FRAME_LENGTH = 64 * 1024;

    /** What replay compares of an outcome. */
    record Outcome(OutcomeStatus status, long stateHash, byte[] outputs, boolean hasBegun, boolean hasEvicted,
            boolean hasMoved) {

        static Outcome of(final MemoryRecordLog.Entry entry) {
            final OutcomeDecoder decoder = new OutcomeDecoder().wrapAndApplyHeader(
                    new UnsafeBuffer(entry.frame()), 0, new io.tiercel.protocol.journal.MessageHeaderDecoder());
            final OutcomeStatus status = decoder.status();
            final long stateHash = decoder.stateHash();
            final byte[] outputs = new byte[decoder.outputsLength()];
            decoder.getOutputs(outputs, 0, outputs.length);
            return new Outcome(status, stateHash, outputs, decoder.flags().sessionBegan(),
                    decoder.flags().sessionEvicted(), decoder.flags().sessionMoved());
        }
    }

    /** A session's name. */
    record Name(long principalId, int modelId, long sessionKey) {
    }

    /** What a new session comes to a version by. */
    private record Choice(Name name, List<Integer> weights) {
    }

    /** By index; of those that are not configured each when it is asked for. */
    private final List<LoadedModel> versions;
    private final Map<Choice, Integer> choices = new HashMap<>();
    private final SessionStates[] states;
    private final ModelExecutor[] executors;
    private final Routes routes;
    private final AdminFrame command = new AdminFrame();
    /** The index of each session, the one unused for longest first. */
    private final Map<Name, Integer> sessions = new LinkedHashMap<>();
    private final int maxSessions;
    /** Of each session since its beginning or its reset. */
    private final int[] stepCounts;
    /** Of each session, the version that it is with. */
    private final int[] versionOf;
    private long count;
    private boolean hasBegun;
    private boolean hasEvicted;
    private boolean hasMoved;
    private final UnsafeBuffer frame = new UnsafeBuffer(BufferUtil.allocateDirectAligned(MAX_FRAME_LENGTH, 64));
    private final UnsafeBuffer outputs = new UnsafeBuffer(BufferUtil.allocateDirectAligned(MAX_FRAME_LENGTH, 64));

    StraightRun(final List<LoadedModel> models) {
        this(models, MAX_SESSIONS);
    }

    /**
     * @param versions    those that are configured, and behind them any that may be loaded.
     * @param maxSessions from which on one makes room for another.
     */
    StraightRun(final List<LoadedModel> versions, final int maxSessions) {
        this.versions = versions;
        this.maxSessions = maxSessions;
        stepCounts = new int[maxSessions];
        versionOf = new int[maxSessions];
        states = new SessionStates[versions.size()];
        executors = new ModelExecutor[versions.size()];
        final List<LoadedModel> configured =
                versions.stream().filter(version -> version.index() == version.modelId()).toList();
        routes = Routes.ofConfigured(configured, versions.size());
    }

    /** Fails at the first outcome that is not what the requests before it come to. */
    static void assertSameOutcomes(
            final List<LoadedModel> models, final MemoryRecordLog requests, final MemoryRecordLog outcomes) {
        assertSameOutcomes(models, MAX_SESSIONS, requests, outcomes);
    }

    static void assertSameOutcomes(
            final List<LoadedModel> models,
            final int maxSessions,
            final MemoryRecordLog requests,
            final MemoryRecordLog outcomes) {
        assertEquals(requests.size(), outcomes.size());
        try (StraightRun run = new StraightRun(models, maxSessions)) {
            for (int index = 0; index < requests.size(); index++) {
                run.assertSameOutcome(index, requests.find(index), outcomes.find(index));
            }
        }
    }

    /** Computes the next request; fails if its outcome is not what this and the requests before it come to. */
    void assertSameOutcome(
            final long sequence, final MemoryRecordLog.Entry request, final MemoryRecordLog.Entry outcome) {
        assertEquals(sequence, request.sequence());
        assertEquals(sequence, outcome.sequence());
        assertEquals(request.principalId(), outcome.principalId());
        assertEquals(request.ingressNs(), outcome.ingressNs());
        assertArrayEquals(request.modelVersion(), outcome.modelVersion());
        final Outcome actual = Outcome.of(outcome);
        final Outcome expected = next(request, actual.status() == OutcomeStatus.EXPIRED);
        assertEquals(expected.status(), actual.status(), () -> "sequence=" + sequence);
        assertArrayEquals(expected.outputs(), actual.outputs(), () -> "sequence=" + sequence);
        assertEquals(expected.stateHash(), actual.stateHash(), () -> "sequence=" + sequence);
        assertEquals(expected.hasBegun(), actual.hasBegun(), () -> "sequence=" + sequence);
        assertEquals(expected.hasEvicted(), actual.hasEvicted(), () -> "sequence=" + sequence);
        assertEquals(expected.hasMoved(), actual.hasMoved(), () -> "sequence=" + sequence);
    }

    Outcome next(final MemoryRecordLog.Entry request, final boolean isExpired) {
        count++;
        frame.putBytes(0, request.frame());
        final MessageHeaderDecoder header = new MessageHeaderDecoder().wrap(frame, 0);
        if (header.templateId() == AdministerDecoder.TEMPLATE_ID) {
            return administer(request);
        }
        if (header.templateId() == ResetSessionDecoder.TEMPLATE_ID) {
            return reset(request, new ResetSessionDecoder().wrapAndApplyHeader(frame, 0, header));
        }
        if (header.templateId() == ForkSessionDecoder.TEMPLATE_ID) {
            return fork(request, new ForkSessionDecoder().wrapAndApplyHeader(frame, 0, header));
        }
        if (header.templateId() == GenerateDecoder.TEMPLATE_ID) {
            return generate(request, new GenerateDecoder().wrapAndApplyHeader(frame, 0, header), isExpired);
        }
        return infer(request, new InferDecoder().wrapAndApplyHeader(frame, 0, header), isExpired);
    }

    /** Requests computed so far. */
    long count() {
        return count;
    }

    int sessionCount() {
        return sessions.size();
    }

    /** In the order of last use. */
    List<Name> sessionNames() {
        return List.copyOf(sessions.keySet());
    }

    /** The hash of a session as it stands. */
    long hash(final long principalId, final int modelId, final long sessionKey) {
        final int index = sessions.get(new Name(principalId, modelId, sessionKey));
        return states(versionOf[index]).hash(index);
    }

    /** The canonical state of a session as it stands. */
    byte[] canonicalState(final long principalId, final int modelId, final long sessionKey) {
        final int index = sessions.get(new Name(principalId, modelId, sessionKey));
        return states(versionOf[index]).canonicalState(index);
    }

    /** The version that a session is with. */
    LoadedModel version(final long principalId, final int modelId, final long sessionKey) {
        return versions.get(versionOf[sessions.get(new Name(principalId, modelId, sessionKey))]);
    }

    /** Sessions that are with a version. */
    int sessionCountOf(final int version) {
        return (int) sessions.values().stream().filter(index -> versionOf[index] == version).count();
    }

    /** Whether a version need not be there any more: it is in no route, and no session is with it. */
    boolean isGone(final int version) {
        return isGoing(version) && sessionCountOf(version) == 0;
    }

    private boolean isGoing(final int version) {
        return Routes.isGoing(routes.weight(version), routes.formerWeight(version), routes.isDrained(version));
    }

    /** As the commands so far have left them, by the versions' indices here. */
    Routes routes() {
        return routes;
    }

    List<LoadedModel> versions() {
        return versions;
    }

    @Override
    public void close() {
        CloseHelper.closeAll(states);
        CloseHelper.closeAll(executors);
    }

    private SessionStates states(final int version) {
        if (states[version] == null) {
            states[version] =
                    new SessionStates(maxSessions, versions.get(version).model(), versions.get(version).versionBytes());
        }
        return states[version];
    }

    private ModelExecutor executor(final int version) {
        if (executors[version] == null) {
            executors[version] = versions.get(version).model().newExecutor(1);
        }
        return executors[version];
    }

    private int versionOf(final int modelId, final DirectBuffer version) {
        for (final LoadedModel known : versions) {
            if (known.modelId() == modelId && known.hasVersion(version)) {
                return known.index();
            }
        }
        throw new AssertionError("modelId=" + modelId + " has no such version: sequence=" + (count - 1));
    }

    private int versionOf(final int modelId, final MemoryRecordLog.Entry request) {
        return versionOf(modelId, new UnsafeBuffer(request.modelVersion()));
    }

    /**
     * The index of the session of a request with that version, which is the one used last from here on. A session stays
     * with its version, but where that one is drained and it is in the middle of nothing.
     */
    private int use(final Name name, final int version, final boolean isContinued) {
        final Integer known = sessions.get(name);
        final boolean stays = known != null && (isContinued || !routes.isDrained(versionOf[known]));
        assertTrue(stays ? versionOf[known] == version : routes.weight(version) > 0,
                () -> "a session with a version that it cannot be with: sequence=" + (count - 1) + " " + name +
                        " version=" + version + " stays=" + stays);
        if (!stays) {
            final Integer former = choices.putIfAbsent(new Choice(name, weights(name.modelId())), version);
            assertTrue(former == null || former == version,
                    () -> "a session comes to another version by equal routes: sequence=" + (count - 1) + " " + name +
                            " version=" + version + " former=" + former);
        }
        return place(name, version);
    }

    private List<Integer> weights(final int modelId) {
        return versions.stream().filter(known -> known.modelId() == modelId)
                .map(known -> routes.weight(known.index())).toList();
    }

    private int place(final Name name, final int version) {
        final Integer known = sessions.remove(name);
        hasMoved = known != null && versionOf[known] != version;
        hasBegun = known == null || hasMoved;
        hasEvicted = known == null && sessions.size() == maxSessions;
        final int index = known != null ? known : hasEvicted ? removeEldest() : sessions.size();
        sessions.put(name, index);
        if (hasBegun) {
            states(version).reset(index, executor(version));
            stepCounts[index] = 0;
            versionOf[index] = version;
        }
        return index;
    }

    private int removeEldest() {
        return sessions.remove(sessions.keySet().iterator().next());
    }

    private Outcome outcome(final OutcomeStatus status, final SessionStates modelStates, final int index) {
        return new Outcome(status, modelStates.hash(index), new byte[0], hasBegun, hasEvicted, hasMoved);
    }

    /** It is with the version that most new sessions come to. */
    private Outcome administer(final MemoryRecordLog.Entry request) {
        command.wrap(frame, 0);
        final int modelId = command.modelId();
        assertEquals(routes.weight(routes.foremost(modelId)), routes.weight(versionOf(modelId, request)),
                () -> "a command with another version than the foremost: sequence=" + (count - 1));
        int loaded = 0;
        if (command.command() == AdminCommand.LOAD) {
            loaded = versionOf(modelId, command.version());
            assertTrue(!routes.isKnown(loaded) || isGone(loaded),
                    () -> "a version is loaded that is there: sequence=" + (count - 1));
        } else {
            assertEquals(Routes.OK, routes.check(command),
                    () -> "a command that would be refused: sequence=" + (count - 1));
        }
        routes.apply(command, loaded);
        return new Outcome(OutcomeStatus.APPLIED, routes.hash(modelId), new byte[0], false, false, false);
    }

    private Outcome reset(final MemoryRecordLog.Entry request, final ResetSessionDecoder reset) {
        final int version = versionOf(reset.modelId(), request);
        final int index = use(new Name(request.principalId(), reset.modelId(), reset.sessionKey()), version, false);
        final SessionStates modelStates = states(version);
        modelStates.reset(index, executor(version));
        stepCounts[index] = 0;
        return outcome(OutcomeStatus.RESET, modelStates, index);
    }

    private Outcome fork(final MemoryRecordLog.Entry request, final ForkSessionDecoder fork) {
        final int version = versionOf(fork.modelId(), request);
        final int source = use(new Name(request.principalId(), fork.modelId(), fork.sourceKey()), version, true);
        final SessionStates modelStates = states(version);
        final byte[] state = canonicalState(request.principalId(), fork.modelId(), fork.sourceKey());
        final long hash = modelStates.hash(source);
        final int stepCount = stepCounts[source];
        final int index = place(new Name(request.principalId(), fork.modelId(), fork.sessionKey()), version);
        modelStates.restore(index, hash, new UnsafeBuffer(state), executor(version));
        stepCounts[index] = stepCount;
        return outcome(OutcomeStatus.FORKED, modelStates, index);
    }

    private Outcome infer(final MemoryRecordLog.Entry request, final InferDecoder infer, final boolean isExpired) {
        return steps(request, infer.modelId(), infer.sessionKey(), infer.stepCount(), Frames.FEATURES_OFFSET,
                infer.flags().stream(), isExpired, false);
    }

    /** Of a token that is made the model's own first pair, unless it is drawn. */
    private Outcome generate(
            final MemoryRecordLog.Entry request, final GenerateDecoder generate, final boolean isExpired) {
        final int modelId = generate.modelId();
        final Outcome outcome = steps(request, modelId, generate.sessionKey(), generate.tokenCount(),
                Frames.TOKENS_OFFSET, false, isExpired, generate.madeTokens() > 0);
        if (outcome.status() != OutcomeStatus.OK) {
            return outcome;
        }
        final UnsafeBuffer pair = new UnsafeBuffer(Arrays.copyOf(outcome.outputs(), 2 * Float.BYTES));
        if (generate.temperature() != 0) {
            final TokenExecutor executor = (TokenExecutor) executor(versionOf(modelId, request));
            final float[] logits = new float[executor.vocabularySize()];
            final UnsafeBuffer values = new UnsafeBuffer(executor.logitsAddress(0), logits.length * Float.BYTES);
            for (int i = 0; i < logits.length; i++) {
                logits[i] = values.getFloat(i * Float.BYTES);
            }
            final int token = new TokenSampler(logits.length).draw(logits, generate.temperature(),
                    generate.topTokens(), generate.seed(), generate.madeTokens());
            Softmax.apply(logits, new int[logits.length], logits.length);
            pair.putInt(0, token);
            pair.putFloat(Integer.BYTES, logits[token]);
        }
        return new Outcome(OutcomeStatus.OK, outcome.stateHash(), pair.byteArray(), hasBegun, hasEvicted, hasMoved);
    }

    private Outcome steps(
            final MemoryRecordLog.Entry request, final int modelId, final long sessionKey, final int stepCount,
            final int inputsOffset, final boolean isStreamed, final boolean isExpired, final boolean isContinued) {
        final int version = versionOf(modelId, request);
        final int index = use(new Name(request.principalId(), modelId, sessionKey), version, isContinued);
        final SessionStates modelStates = states(version);
        if (isExpired) {
            return outcome(OutcomeStatus.EXPIRED, modelStates, index);
        }
        final int contextTokens = modelStates.shape().contextTokens();
        if (contextTokens > 0 && stepCounts[index] + stepCount > contextTokens) {
            return outcome(OutcomeStatus.CONTEXT_FULL, modelStates, index);
        }
        stepCounts[index] += stepCount;
        final int stepLength = modelStates.shape().outputCount() * Float.BYTES;
        final int stride = isStreamed ? stepLength : 0;
        modelStates.steps(index, executor(version), frame.addressOffset() + inputsOffset,
                stepCount, outputs.addressOffset(), stride);
        final byte[] bytes = new byte[(stepCount - 1) * stride + stepLength];
        outputs.getBytes(0, bytes);
        return new Outcome(OutcomeStatus.OK, modelStates.hash(index), bytes, hasBegun, hasEvicted, hasMoved);
    }
}
