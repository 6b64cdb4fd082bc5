package io.tiercel.replay;

import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.journal.Arithmetic;
import io.tiercel.protocol.journal.OutcomeStatus;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A request on its way through a replay. The thread that reads the journal fills it ({@link ReplayEngine#take}),
 * whoever works at its session computes it, and the reading thread looks at what came of it, in sequence order, before
 * it is filled again. What it needs of its records is copied, as the journal is read on meanwhile:
 *
 * <pre>
 *   memory    0                        expected                  outputs
 *             +------------------------+-------------------------+-------------------------+
 *             | the steps' input, or a | outputs in the journal  | outputs computed again  |
 *             | Generate's whole frame |                         |                         |
 *             +------------------------+-------------------------+-------------------------+
 * </pre>
 */
public final class ReplayTask {

    private static final int ALIGNMENT = 64;

    // What is to be done; written by the reading thread.
    long sequence;
    long ingressNs;
    long principalId;
    long sessionKey;
    long correlationId;
    RequestKind kind;
    ReplayModel model;
    int sessionIndex;
    SessionStates states;
    /** Of a fork. */
    int sourceIndex;
    SessionStates sourceStates;
    boolean begins;
    boolean isExpired;
    boolean isStream;
    boolean isStandby;
    boolean isCompared;
    int stepCount;
    /** Of a streamed request from one step's outputs to the next's, else 0. */
    int strideBytes;
    int inputLength;
    int outputsRoom;
    /** Sessions and bundles that had been met, this request's included. */
    int sessionCount;
    int modelCount;

    // What the journal says became of it.
    OutcomeStatus expectedStatus;
    Arithmetic expectedArithmetic;
    int expectedStepCount;
    int expectedOutputCount;
    int expectedOutputsLength;
    long expectedHash;

    // Who works at it.
    int shardIndex;
    int sourceShardIndex;
    boolean isTaken;
    /** The source's shard has come to this fork, and stands still until it {@link #isMade}. */
    volatile boolean isLent;
    volatile boolean isMade;

    // What came of it; written by whoever computed it.
    OutcomeStatus status;
    int computedSteps;
    int outputCount;
    int outputsLength;
    long stateHash;
    double largestDistance;
    Divergence divergence;
    Throwable failure;

    private final NativeFloats memory = new NativeFloats(0);
    private final UnsafeBuffer expected = new UnsafeBuffer(0, 0);
    private final UnsafeBuffer outputs = new UnsafeBuffer(0, 0);
    private final UnsafeBuffer frame = new UnsafeBuffer(0, 0);
    private int expectedOffset;
    private int outputsOffset;

    ReplayTask() {
    }

    /** Copies what is computed with, and what is compared with. */
    void copy(final RequestFrame request, final OutcomeFrame outcome, final int newOutputsRoom) {
        final boolean isGenerate = kind == RequestKind.GENERATE;
        final int inputOffset = isGenerate ? request.offset() : request.featuresOffset();
        inputLength = isGenerate ? request.length() : request.featuresLength();
        outputsRoom = newOutputsRoom;
        expectedOutputsLength = outcome.outputsLength();
        expectedOffset = aligned(inputLength);
        outputsOffset = expectedOffset + aligned(expectedOutputsLength);
        memory.ensureLength(Math.addExact(outputsOffset, outputsRoom));
        final UnsafeBuffer bytes = memory.buffer();
        if (inputLength > 0) {
            bytes.putBytes(0, request.buffer(), inputOffset, inputLength);
        }
        if (expectedOutputsLength > 0) {
            bytes.putBytes(expectedOffset, outcome.buffer(), outcome.outputsOffset(), expectedOutputsLength);
        }
    }

    /** Forgets what came of the request before. */
    void clear() {
        isTaken = false;
        if (isMade) {
            // Few are forks, and each write of these is a fence.
            isLent = false;
            isMade = false;
        }
        isCompared = false;
        status = null;
        computedSteps = 0;
        outputCount = 0;
        outputsLength = 0;
        largestDistance = 0;
        divergence = null;
        failure = null;
    }

    /** Bytes that it holds. */
    int length() {
        return outputsOffset + outputsRoom;
    }

    /** Whether it changes a session of one shard by one of another. */
    boolean isBetweenShards() {
        return sourceShardIndex != shardIndex;
    }

    /** Whether a step of it can be made together with steps of other sessions: it is one, and no bit depends on it. */
    boolean isBatchable() {
        return kind == RequestKind.INFER && stepCount == 1 && model.isExact();
    }

    /** Whether it must go no further: it is not as the journal says, or could not be computed. */
    boolean isOver() {
        return divergence != null || failure != null;
    }

    /** The session's index within its block of states. */
    int slot() {
        return SessionBlocks.slot(sessionIndex);
    }

    public long sequence() {
        return sequence;
    }

    /** As journaled: nanoseconds since the epoch. */
    public long ingressNs() {
        return ingressNs;
    }

    public long principalId() {
        return principalId;
    }

    public long sessionKey() {
        return sessionKey;
    }

    public RequestKind kind() {
        return kind;
    }

    /** One for each session, from 0; one that was forgotten leaves it to another, which {@link #begins}. */
    public int sessionIndex() {
        return sessionIndex;
    }

    /** Of a fork: the session that is copied. */
    public int sourceIndex() {
        return sourceIndex;
    }

    /** Whether the session begins with this request, whatever came before. */
    public boolean begins() {
        return begins;
    }

    public boolean isStream() {
        return isStream;
    }

    public int stepCount() {
        return stepCount;
    }

    /** What the journal says became of it. */
    public OutcomeStatus journaledStatus() {
        return expectedStatus;
    }

    /** SHA-256 of the bundle that computed it. */
    public String modelVersion() {
        return model.versionHex();
    }

    /** Of the bundle that computed it. */
    public ModelShape shape() {
        return model.shape();
    }

    /** Of the first step's input; the others follow it. */
    public long featuresAddress() {
        return memory.address() + (kind == RequestKind.GENERATE ? Frames.TOKENS_OFFSET : 0);
    }

    /** Outputs in the journal. */
    public DirectBuffer journaledOutputs() {
        expected.wrap(memory.address() + expectedOffset, expectedOutputsLength);
        return expected;
    }

    long outputsAddress() {
        return memory.address() + outputsOffset;
    }

    /** Outputs computed again, as many as there is room for. */
    DirectBuffer outputs() {
        outputs.wrap(outputsAddress(), outputsRoom);
        return outputs;
    }

    /** Of a Generate, the whole. */
    public DirectBuffer frame() {
        frame.wrap(memory.address(), inputLength);
        return frame;
    }

    private static int aligned(final int length) {
        return length + ALIGNMENT - 1 & -ALIGNMENT;
    }
}
