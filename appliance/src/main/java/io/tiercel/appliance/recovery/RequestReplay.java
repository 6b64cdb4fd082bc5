package io.tiercel.appliance.recovery;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.OutputComparison;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.generation.GenerateFrame;
import io.tiercel.appliance.generation.TokenDraw;
import io.tiercel.appliance.journal.ChronicleRecordLog;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.OutcomeFrame;
import io.tiercel.appliance.journal.RecordReader;
import io.tiercel.appliance.recovery.RecoveryException.Code;
import io.tiercel.appliance.routing.AdminFrame;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.session.FrameChecksum;
import io.tiercel.appliance.session.KnownAnswer;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.protocol.FrameValidator;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.journal.OutcomeDecoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes journaled requests, one after the other, the way that the pipeline took them: table, states, hash; without a
 * ring, a clock or a client. What becomes of one stands in a {@link RequestSlot}, as in the pipeline.
 *
 * <p>One thread. Memory is bounded but for outcomes kept aside, of which there are no more than a ring holds.
 */
final class RequestReplay implements AutoCloseable {

    private static final int MAX_STEPS = 65_535;
    /** More outcomes than the largest ring holds no crash can keep from the journal. */
    private static final int MAX_PENDING = 1 << 20;

    private final List<LoadedModel> models;
    private final RecoveredVersions versions;
    private final Sessions sessions;
    private final SessionPlaces places;
    private final RetryWindow retries;
    private final Path directory;
    private final ModelExecutor[] executors;
    private final TokenDraw[] draws;
    private final OutputComparison[] comparisons;
    private final FrameValidator validator = new FrameValidator(ChronicleRecordLog.MAX_FRAME_LENGTH, MAX_STEPS);
    private final InferDecoder infer = new InferDecoder();
    private final ResetSessionDecoder reset = new ResetSessionDecoder();
    private final ForkSessionDecoder fork = new ForkSessionDecoder();
    private final GenerateFrame generate = new GenerateFrame();
    private final AdminFrame command = new AdminFrame();
    private final MessageHeaderDecoder frameHeader = new MessageHeaderDecoder();
    private final OutcomeDecoder outcome = new OutcomeDecoder();
    private final io.tiercel.protocol.journal.MessageHeaderDecoder outcomeHeader =
            new io.tiercel.protocol.journal.MessageHeaderDecoder();
    private final RequestSlot slot = new RequestSlot();
    private final KnownAnswer known = new KnownAnswer();
    private final FrameChecksum checksum = new FrameChecksum(ChronicleRecordLog.MAX_FRAME_LENGTH);
    private final List<Pending> pending = new ArrayList<>();

    /** An outcome that is not in the journal. */
    private record Pending(
            long sequence, long ingressNs, long principalId, DirectBuffer modelVersion, DirectBuffer frame) {
    }

    RequestReplay(
            final List<LoadedModel> models,
            final RecoveredVersions versions,
            final Sessions sessions,
            final SessionPlaces places,
            final RetryWindow retries,
            final Path directory) {
        this.places = places;
        this.retries = retries;
        this.models = models;
        this.versions = versions;
        this.sessions = sessions;
        this.directory = directory;
        executors = new ModelExecutor[sessions.capacity()];
        draws = new TokenDraw[executors.length];
        comparisons = new OutputComparison[executors.length];
    }

    int pendingCount() {
        return pending.size();
    }

    /** The largest distance between an output in the journal and the one computed again, where it may be above 0. */
    double largestDistance() {
        double largest = 0;
        for (final OutputComparison comparison : comparisons) {
            largest = comparison == null ? largest : Math.max(largest, comparison.largestDistance());
        }
        return largest;
    }

    int sessionCount() {
        return sessions.table().size();
    }

    /**
     * Computes a request and compares what it comes to with what the journal says.
     *
     * @return whether the outputs were compared bit for bit, and not within a tolerance.
     */
    boolean applyAndCompare(final RecordReader request, final RecordReader recorded) {
        outcome.wrapAndApplyHeader(recorded.frame(), 0, outcomeHeader);
        take(request);
        if (slot.kind == RequestKind.ADMINISTER) {
            administer(request);
            compare(request.sequence());
            return true;
        }
        lendSource(request);
        places.enterAsRecorded(slot, request.sequence(), outcome.flags().sessionBegan(),
                outcome.flags().sessionEvicted());
        apply(outcome.statusRaw() == OutcomeStatus.EXPIRED.value() && slot.budgetNs != 0);
        compare(request.sequence());
        makeKnown(request.sequence(), outcome.flags().sessionBegan(), outcome.batchSize(), outcome.egressNs());
        return comparison(slot.modelIndex).isExact();
    }

    /** Computes a request whose outcome is not in the journal, and keeps the outcome for {@link #appendPending}. */
    void applyAndKeep(final RecordReader request) {
        if (pending.size() == MAX_PENDING) {
            throw new RecoveryException(Code.JOURNAL_TOO_SHORT, "directory=" + directory + ": the outcomes end at " +
                    "sequence=" + (pending.get(0).sequence() - 1) + ", more than limits.ring can be before the " +
                    "requests; bring back the files that are missing");
        }
        take(request);
        if (slot.kind == RequestKind.ADMINISTER) {
            administer(request);
            keep(request);
            return;
        }
        lendSource(request);
        places.enter(slot, request.sequence());
        apply(false);
        keep(request);
        makeKnown(request.sequence(), slot.begins, slot.batchSize, 0);
    }

    private void keep(final RecordReader request) {
        final OutcomeFrame frame = new OutcomeFrame(models, slot.outputsLength);
        final int length = frame.encode(slot, true);
        final UnsafeBuffer copy = new UnsafeBuffer(new byte[length]);
        copy.putBytes(0, frame.buffer(), 0, length);
        pending.add(new Pending(request.sequence(), request.ingressNs(), request.principalId(),
                frame.modelVersion(slot), copy));
    }

    /** Writes them through to the device: which sessions begin in them has been decided here, and may be answered. */
    void appendPending(final JournalDirectory journal) {
        if (pending.isEmpty()) {
            return;
        }
        for (final Pending one : pending) {
            journal.appendOutcome(one.sequence(), one.ingressNs(), one.principalId(), one.modelVersion(), one.frame());
        }
        journal.outcomes().sync();
        pending.clear();
    }

    @Override
    public void close() {
        for (final ModelExecutor executor : executors) {
            if (executor != null) {
                executor.close();
            }
        }
    }

    private void take(final RecordReader request) {
        final DirectBuffer frame = request.frame();
        final int code = validator.checkFromClient(frame, 0, request.frameLength());
        if (code != FrameValidator.OK) {
            throw new RecoveryException(Code.DAMAGED_JOURNAL, "sequence=" + request.sequence() +
                    " holds a frame that would be refused: rejectCode=" + code + " value=" +
                    validator.offendingValue() + "; what is there: " + dumpCommand(request.sequence()));
        }
        slot.frame.wrap(frame, 0, request.frameLength());
        slot.frameLength = request.frameLength();
        slot.principalId = request.principalId();
        slot.ingressTickNs = request.ingressNs();
        slot.kind = RequestKind.of(validator.templateId());
        slot.correlationId = validator.correlationId();
        slot.stepCount = 0;
        slot.stream = false;
        slot.budgetNs = 0;
        switch (slot.kind) {
            case INFER -> takeInfer(frame);
            case RESET -> takeReset(frame);
            case FORK -> takeFork(frame);
            case ADMINISTER -> takeAdminister(frame);
            default -> takeGenerate(frame);
        }
        slot.modelIndex = versions.find(request.sequence(), slot.modelId, request.modelVersion());
        checkModel(request);
    }

    private void takeInfer(final DirectBuffer frame) {
        infer.wrapAndApplyHeader(frame, 0, frameHeader);
        slot.sessionKey = infer.sessionKey();
        slot.modelId = infer.modelId();
        slot.stepCount = infer.stepCount();
        slot.stream = infer.flags().stream();
        slot.budgetNs = infer.budgetNs();
        slot.featuresOffset = Frames.FEATURES_OFFSET;
    }

    private void takeReset(final DirectBuffer frame) {
        reset.wrapAndApplyHeader(frame, 0, frameHeader);
        slot.sessionKey = reset.sessionKey();
        slot.modelId = reset.modelId();
    }

    private void takeFork(final DirectBuffer frame) {
        fork.wrapAndApplyHeader(frame, 0, frameHeader);
        slot.sessionKey = fork.sessionKey();
        slot.modelId = fork.modelId();
    }

    private void takeGenerate(final DirectBuffer frame) {
        generate.wrap(frame, 0);
        slot.sessionKey = generate.sessionKey();
        slot.modelId = generate.modelId();
        slot.stepCount = generate.tokenCount();
        slot.budgetNs = generate.budgetNs();
        slot.featuresOffset = Frames.TOKENS_OFFSET;
    }

    /** A snapshot is about no model; its frame says 0. */
    private void takeAdminister(final DirectBuffer frame) {
        command.wrap(frame, 0);
        slot.modelId = command.modelId();
        slot.sessionKey = 0;
    }

    /** What was taken had been checked: it is applied as it was then. */
    private void administer(final RecordReader request) {
        final int loadedIndex = command.command() == AdminCommand.LOAD
                ? versions.load(request.sequence(), slot.modelId, command.version())
                : 0;
        versions.recall(command);
        checkCommand(request);
        versions.routes().apply(command, loadedIndex);
        slot.status = ResultStatus.APPLIED;
        slot.stateHash = versions.routes().hash(slot.modelId);
        slot.begins = false;
        slot.moves = false;
        slot.evicts = false;
        slot.outputsLength = 0;
        slot.outputCount = 0;
        slot.batchSize = 0;
        stampNothing();
    }

    /** One that names what is not there would have been refused. */
    private void checkCommand(final RecordReader request) {
        final int code = command.command() == AdminCommand.LOAD ? Routes.OK : versions.routes().check(command);
        if (code != Routes.OK) {
            throw new RecoveryException(Code.DAMAGED_JOURNAL, "sequence=" + request.sequence() +
                    " holds a command that would be refused: rejectCode=" + code + " value=" +
                    versions.routes().offendingValue() + "; what is there: " + dumpCommand(request.sequence()));
        }
    }

    private void stampNothing() {
        slot.journaledTickNs = slot.ingressTickNs;
        slot.inferStartTickNs = slot.ingressTickNs;
        slot.inferEndTickNs = slot.ingressTickNs;
    }

    private void lendSource(final RecordReader request) {
        if (slot.kind == RequestKind.FORK && !places.lend(slot, fork.sourceKey(), request.sequence())) {
            throw new RecoveryException(Code.DAMAGED_JOURNAL, "sequence=" + request.sequence() + " sourceKey=" +
                    fork.sourceKey() + " is no session's; what is there: " + dumpCommand(request.sequence()));
        }
    }

    private void checkModel(final RecordReader request) {
        final ModelShape shape = models.get(slot.modelIndex).model().shape();
        if (slot.kind == RequestKind.INFER && infer.featureCount() != shape.featureCount()) {
            throw new RecoveryException(Code.DAMAGED_JOURNAL, "sequence=" + request.sequence() + " featureCount=" +
                    infer.featureCount() + " expected=" + shape.featureCount());
        }
        if (slot.kind == RequestKind.GENERATE && !shape.namesTokens()) {
            throw new RecoveryException(Code.DAMAGED_JOURNAL, "sequence=" + request.sequence() + " modelId=" +
                    slot.modelId + " does not name next tokens");
        }
        if (slot.kind.hasSteps()) {
            checkTokens(request, shape);
        }
    }

    /** An executor would read beside its weights. */
    private void checkTokens(final RecordReader request, final ModelShape shape) {
        final int step = shape.firstStrayStep(slot.frame, slot.featuresOffset, slot.stepCount);
        if (step >= 0) {
            throw new RecoveryException(Code.DAMAGED_JOURNAL, "sequence=" + request.sequence() + " step=" + step +
                    " token=" + ModelShape.tokenAt(slot.frame, slot.featuresOffset, step) + " vocabularySize=" +
                    shape.vocabularySize() + "; what is there: " + dumpCommand(request.sequence()));
        }
    }

    private void apply(final boolean isExpired) {
        final SessionStates states = sessions.states(slot.modelIndex);
        final ModelExecutor executor = executor(slot.modelIndex);
        slot.outputsLength = 0;
        slot.outputCount = 0;
        slot.batchSize = 1;
        stampNothing();
        if (slot.begins) {
            states.begin(slot.sessionIndex, executor, slot.principalId, slot.sessionKey);
        }
        if (slot.kind == RequestKind.RESET) {
            states.reset(slot.sessionIndex, executor);
            slot.status = ResultStatus.RESET;
        } else if (slot.kind == RequestKind.FORK) {
            states.fork(slot.sourceIndex, slot.sessionIndex);
            slot.status = ResultStatus.FORKED;
        } else if (isExpired) {
            slot.status = ResultStatus.EXPIRED;
        } else if (!states.hasRoom(slot.sessionIndex, slot.stepCount, executor)) {
            slot.status = ResultStatus.CONTEXT_FULL;
        } else {
            slot.status = ResultStatus.OK;
            step(states, executor);
        }
        slot.stateHash = states.hash(slot.sessionIndex);
    }

    private void step(final SessionStates states, final ModelExecutor executor) {
        final int stepLength = states.shape().outputCount() * Float.BYTES;
        final int stride = slot.stream ? stepLength : 0;
        slot.outputCount = states.shape().outputCount();
        slot.outputsLength = (slot.stepCount - 1) * stride + stepLength;
        if (slot.outputs.capacity() < slot.outputsLength) {
            slot.outputs.wrap(BufferUtil.allocateDirectAligned(slot.outputsLength, BitUtil.CACHE_LINE_LENGTH));
        }
        states.steps(slot.sessionIndex, executor, slot.frame.addressOffset() + slot.featuresOffset,
                slot.stepCount, slot.outputs.addressOffset(), stride);
        if (slot.kind == RequestKind.GENERATE) {
            draws[slot.modelIndex].draw(slot.frame, 0, slot.outputs.addressOffset());
            slot.outputCount = Frames.MADE_OUTPUT_COUNT;
            slot.outputsLength = TokenDraw.OUTPUTS_LENGTH;
        }
    }

    private void compare(final long sequence) {
        if (outcome.statusRaw() != slot.status.value()) {
            throw divergence(sequence, "status", outcome.statusRaw(), slot.status.value());
        }
        if (outcome.stateHash() != slot.stateHash) {
            throw divergence(sequence, "stateHash", outcome.stateHash(), slot.stateHash);
        }
        final int offset = outcome.limit() + OutcomeDecoder.outputsHeaderLength();
        if (outcome.outputsLength() != slot.outputsLength) {
            throw divergence(sequence, "outputsLength", outcome.outputsLength(), slot.outputsLength);
        }
        final OutputComparison comparison = comparison(slot.modelIndex);
        final int index = comparison.firstDifference(outcome.buffer(), offset, slot.outputs, slot.outputsLength);
        if (index != OutputComparison.NONE) {
            throw divergence(sequence, "outputs[" + index + "]",
                    Integer.toUnsignedLong(outcome.buffer().getInt(offset + index * Float.BYTES, LITTLE_ENDIAN)),
                    Integer.toUnsignedLong(slot.outputs.getInt(index * Float.BYTES, LITTLE_ENDIAN)));
        }
        if (!comparison.isExact()) {
            // A client that asks again hears what it has heard, and not what is near to it.
            slot.outputs.putBytes(0, outcome.buffer(), offset, slot.outputsLength);
        }
    }

    /** The client may ask for the answer again: it hears what it heard, or what it would have heard. */
    private void makeKnown(
            final long sequence, final boolean hasSessionBegun, final int batchSize, final long applianceNs) {
        known.principalId = slot.principalId;
        known.correlationId = slot.correlationId;
        known.sequence = sequence;
        known.sessionKey = slot.sessionKey;
        known.modelId = slot.modelId;
        known.frameChecksum = checksum.of(slot.frame, 0, slot.frameLength);
        known.status = slot.status;
        known.hasSessionBegun = hasSessionBegun;
        known.batchSize = batchSize;
        known.applianceNs = applianceNs;
        known.slotCount = slot.answerSlotCount();
        known.outputCount = slot.outputCount;
        known.outputs.wrap(slot.outputs, 0, slot.outputsLength);
        retries.restore(known);
    }

    private RecoveryException divergence(
            final long sequence, final String field, final long recorded, final long computed) {
        return new RecoveryException(Code.DIVERGENCE, "sequence=" + sequence + " field=" + field + " recorded=0x" +
                Long.toHexString(recorded) + " computed=0x" + Long.toHexString(computed) + " backend=" +
                models.get(slot.modelIndex).backendName() + "; what there is to see: tools/tiercel replay verify" +
                " --journal " + directory);
    }

    private String dumpCommand(final long sequence) {
        return "tools/tiercel journal dump --journal " + directory + " --from " + sequence;
    }

    private OutputComparison comparison(final int modelIndex) {
        if (comparisons[modelIndex] == null) {
            comparisons[modelIndex] = new OutputComparison(models.get(modelIndex).model());
        }
        return comparisons[modelIndex];
    }

    private ModelExecutor executor(final int modelIndex) {
        if (executors[modelIndex] == null) {
            executors[modelIndex] = models.get(modelIndex).model().newExecutor(1);
            if (models.get(modelIndex).model().shape().namesTokens()) {
                draws[modelIndex] = new TokenDraw((TokenExecutor) executors[modelIndex]);
            }
        }
        return executors[modelIndex];
    }
}
