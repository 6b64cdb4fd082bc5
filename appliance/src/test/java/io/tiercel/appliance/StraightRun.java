package io.tiercel.appliance;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.exact.Softmax;
import io.tiercel.appliance.engine.exact.TokenSampler;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.journal.OutcomeDecoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * What the requests of a journal come to when they are computed one at a time, in order, with no batch, no thread and
 * no clock: the outcomes that every layout must have. Which request expired is taken from the outcome, as in a replay;
 * whether a session is full is found by counting its steps. Which sessions there are is found by a map in the order of
 * last use: a request of another one begins it, and where sessions may be evicted, the first of the map makes room.
 */
final class StraightRun implements AutoCloseable {

    private static final int MAX_SESSIONS = 4096;
    private static final int MAX_FRAME_LENGTH = 64 * 1024;

    /** What replay compares of an outcome. */
    record Outcome(OutcomeStatus status, long stateHash, byte[] outputs, boolean hasBegun, boolean hasEvicted) {

        static Outcome of(final MemoryRecordLog.Entry entry) {
            final OutcomeDecoder decoder = new OutcomeDecoder().wrapAndApplyHeader(
                    new UnsafeBuffer(entry.frame()), 0, new io.tiercel.protocol.journal.MessageHeaderDecoder());
            final OutcomeStatus status = decoder.status();
            final long stateHash = decoder.stateHash();
            final byte[] outputs = new byte[decoder.outputsLength()];
            decoder.getOutputs(outputs, 0, outputs.length);
            return new Outcome(status, stateHash, outputs, decoder.flags().sessionBegan(),
                    decoder.flags().sessionEvicted());
        }
    }

    /** A session's name. */
    record Name(long principalId, int modelId, long sessionKey) {
    }

    private final List<SessionStates> states = new ArrayList<>();
    private final List<ModelExecutor> executors = new ArrayList<>();
    /** The index of each session, the one unused for longest first. */
    private final Map<Name, Integer> sessions = new LinkedHashMap<>();
    private final int maxSessions;
    /** Of each session since its beginning or its reset. */
    private final int[] stepCounts;
    private long count;
    private boolean hasBegun;
    private boolean hasEvicted;
    private final UnsafeBuffer frame = new UnsafeBuffer(BufferUtil.allocateDirectAligned(MAX_FRAME_LENGTH, 64));
    private final UnsafeBuffer outputs = new UnsafeBuffer(BufferUtil.allocateDirectAligned(MAX_FRAME_LENGTH, 64));

    StraightRun(final List<LoadedModel> models) {
        this(models, MAX_SESSIONS);
    }

    /** @param maxSessions from which on one makes room for another. */
    StraightRun(final List<LoadedModel> models, final int maxSessions) {
        this.maxSessions = maxSessions;
        stepCounts = new int[maxSessions];
        for (final LoadedModel model : models) {
            states.add(new SessionStates(maxSessions, model.model(), model.versionBytes()));
            executors.add(model.model().newExecutor(1));
        }
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
    }

    Outcome next(final MemoryRecordLog.Entry request, final boolean isExpired) {
        count++;
        frame.putBytes(0, request.frame());
        final MessageHeaderDecoder header = new MessageHeaderDecoder().wrap(frame, 0);
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
        return states.get(modelId).hash(sessions.get(new Name(principalId, modelId, sessionKey)));
    }

    /** The canonical state of a session as it stands. */
    byte[] canonicalState(final long principalId, final int modelId, final long sessionKey) {
        return states.get(modelId).canonicalState(sessions.get(new Name(principalId, modelId, sessionKey)));
    }

    @Override
    public void close() {
        states.forEach(SessionStates::close);
        executors.forEach(ModelExecutor::close);
    }

    /** The index of the session, which is the one used last from here on. */
    private int use(final Name name) {
        final Integer known = sessions.remove(name);
        hasBegun = known == null;
        hasEvicted = hasBegun && sessions.size() == maxSessions;
        final int index = known != null ? known : hasEvicted ? removeEldest() : sessions.size();
        sessions.put(name, index);
        if (hasBegun) {
            states.get(name.modelId()).reset(index, executors.get(name.modelId()));
            stepCounts[index] = 0;
        }
        return index;
    }

    private int removeEldest() {
        return sessions.remove(sessions.keySet().iterator().next());
    }

    private Outcome outcome(final OutcomeStatus status, final SessionStates modelStates, final int index) {
        return new Outcome(status, modelStates.hash(index), new byte[0], hasBegun, hasEvicted);
    }

    private Outcome reset(final MemoryRecordLog.Entry request, final ResetSessionDecoder reset) {
        final int index = use(new Name(request.principalId(), reset.modelId(), reset.sessionKey()));
        final SessionStates modelStates = states.get(reset.modelId());
        modelStates.reset(index, executors.get(reset.modelId()));
        stepCounts[index] = 0;
        return outcome(OutcomeStatus.RESET, modelStates, index);
    }

    private Outcome fork(final MemoryRecordLog.Entry request, final ForkSessionDecoder fork) {
        final int source = use(new Name(request.principalId(), fork.modelId(), fork.sourceKey()));
        final SessionStates modelStates = states.get(fork.modelId());
        final byte[] state = canonicalState(request.principalId(), fork.modelId(), fork.sourceKey());
        final long hash = modelStates.hash(source);
        final int stepCount = stepCounts[source];
        final int index = use(new Name(request.principalId(), fork.modelId(), fork.sessionKey()));
        modelStates.restore(index, hash, new UnsafeBuffer(state), executors.get(fork.modelId()));
        stepCounts[index] = stepCount;
        return outcome(OutcomeStatus.FORKED, modelStates, index);
    }

    private Outcome infer(final MemoryRecordLog.Entry request, final InferDecoder infer, final boolean isExpired) {
        return steps(request, infer.modelId(), infer.sessionKey(), infer.stepCount(), Frames.FEATURES_OFFSET,
                infer.flags().stream(), isExpired);
    }

    /** Of a token that is made the model's own first pair, unless it is drawn. */
    private Outcome generate(
            final MemoryRecordLog.Entry request, final GenerateDecoder generate, final boolean isExpired) {
        final int modelId = generate.modelId();
        final Outcome outcome = steps(request, modelId, generate.sessionKey(), generate.tokenCount(),
                Frames.TOKENS_OFFSET, false, isExpired);
        if (outcome.status() != OutcomeStatus.OK) {
            return outcome;
        }
        final UnsafeBuffer pair = new UnsafeBuffer(Arrays.copyOf(outcome.outputs(), 2 * Float.BYTES));
        if (generate.temperature() != 0) {
            final TokenExecutor executor = (TokenExecutor) executors.get(modelId);
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
        return new Outcome(OutcomeStatus.OK, outcome.stateHash(), pair.byteArray(), hasBegun, hasEvicted);
    }

    private Outcome steps(
            final MemoryRecordLog.Entry request, final int modelId, final long sessionKey, final int stepCount,
            final int inputsOffset, final boolean isStreamed, final boolean isExpired) {
        final int index = use(new Name(request.principalId(), modelId, sessionKey));
        final SessionStates modelStates = states.get(modelId);
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
        modelStates.steps(index, executors.get(modelId), frame.addressOffset() + inputsOffset,
                stepCount, outputs.addressOffset(), stride);
        final byte[] bytes = new byte[(stepCount - 1) * stride + stepLength];
        outputs.getBytes(0, bytes);
        return new Outcome(OutcomeStatus.OK, modelStates.hash(index), bytes, hasBegun, hasEvicted);
    }
}
