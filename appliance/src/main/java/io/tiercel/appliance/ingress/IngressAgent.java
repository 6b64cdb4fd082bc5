package io.tiercel.appliance.ingress;

import io.aeron.ControlledFragmentAssembler;
import io.aeron.Subscription;
import io.aeron.logbuffer.ControlledFragmentHandler.Action;
import io.aeron.logbuffer.Header;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.ModelVersions;
import io.tiercel.appliance.generation.GenerateFrame;
import io.tiercel.appliance.ingress.Generations.Generation;
import io.tiercel.appliance.rollout.VersionLoader;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.sequencer.Sequencer;
import io.tiercel.appliance.sequencer.Words;
import io.tiercel.appliance.session.AnswerPosition;
import io.tiercel.appliance.session.ClientCommands;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.appliance.session.FrameChecksum;
import io.tiercel.appliance.session.RetryIndex;
import io.tiercel.appliance.session.SessionTable;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.snapshot.SnapshotImage;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.Happenings;
import io.tiercel.protocol.FrameValidator;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.AdministerDecoder;
import io.tiercel.protocol.wire.CancelGenerationDecoder;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.GoodbyeDecoder;
import io.tiercel.protocol.wire.HeartbeatDecoder;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.ProofDecoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import org.agrona.DirectBuffer;
import org.agrona.collections.IntArrayList;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.status.AtomicCounter;

/**
 * Polls what clients send, checks each frame once and fully, and copies a good request into the ring. A bad frame
 * gets a reject with a code and never reaches the ring; the ring being full holds the poll back, which Aeron's flow
 * control passes on to the clients.
 *
 * <p>With a limit of unfinished requests it sheds instead: each round drains what clients have sent, so that nothing
 * waits unseen in Aeron's log, and refuses what comes while that many are in the ring. A request that is taken then
 * waits for at most that many others.
 *
 * <p>A request that is known by its correlation id does not go into the ring: egress is asked for the answer that it
 * keeps.
 *
 * <p>A generation's next token is asked for here, by a request that goes the way of a client's: {@link #askForTokens}.
 *
 * <p>Owns the session table, the index of known requests and the clients' places. The arrival time is read once a duty
 * cycle, before the poll. Allocates nothing while clients neither come nor go and no principal is new.
 */
public final class IngressAgent implements Agent {

    private static final int FRAGMENT_LIMIT = 32;
    private static final int ADMIN_FRAGMENT_LIMIT = 4;
    /** Enough to see all that comes while the ring's requests are computed; bounded, because they wait meanwhile. */
    private static final int SHEDDING_FRAGMENT_LIMIT = 1_024;
    private static final long HOUSEKEEPING_INTERVAL_NS = 1_000_000;

    private final Admission admission;
    private final Sequencer sequencer;
    private final SessionTable sessions;
    private final SessionDoor door;
    private final SnapshotCut cut;
    private final RetryIndex retries;
    private final FrameChecksum checksum;
    private final ClientCommands commands;
    private final PipelineState state;
    private final NanoClock cycleClock;
    private final FrameValidator validator;
    private final ModelShape[] shapes;
    private final int unfinishedLimit;
    private final int fragmentLimit;
    private final ControlledFragmentAssembler assembler = new ControlledFragmentAssembler(this::onFrame);
    private final ControlledFragmentAssembler adminAssembler = new ControlledFragmentAssembler(this::onFrame);
    private final HelloDecoder hello = new HelloDecoder();
    private final ProofDecoder proof = new ProofDecoder();
    private final InferDecoder infer = new InferDecoder();
    private final ResetSessionDecoder resetSession = new ResetSessionDecoder();
    private final ForkSessionDecoder forkSession = new ForkSessionDecoder();
    private final GenerateFrame generate = new GenerateFrame();
    private final CancelGenerationDecoder cancelGeneration = new CancelGenerationDecoder();
    private final HeartbeatDecoder heartbeat = new HeartbeatDecoder();
    private final MessageHeaderDecoder frameHeader = new MessageHeaderDecoder();
    private final AtomicCounter requestCount;
    private final AtomicCounter refusedCount;
    private final AtomicCounter shedCount;
    private final AtomicCounter rateLimitedCount;
    private final AtomicCounter unanswerableCount;
    private final AtomicCounter ringFullCount;
    private final AtomicCounter sessionCount;
    private final AtomicCounter generationCount;
    private final Generations generations;
    private final AdminDesk desk;
    private final Happenings happenings;
    private final IntArrayList goneSessionIds = new IntArrayList();
    private final IntArrayList goneAdminSessionIds = new IntArrayList();
    private long nowTickNs;
    private long nextHousekeepingTickNs;
    private ClientConnection lastClient;
    private Subscription subscription;
    private Subscription adminSubscription;
    /** Whether the frame at hand came on the administrators' stream. */
    private boolean isFromAdmins;
    private RequestSlot claimed;
    private long knownPosition;
    private RequestSlot unremembered;
    private int unrememberedPlace;
    private RejectCode closedCode;
    private long closedValue;
    private long closedLimit;
    private volatile boolean goodbyeWanted;
    private volatile boolean goodbyeSaid;

    /**
     * The limits that ingress keeps.
     *
     * @param unfinishedLimit requests of all clients in the ring from which on others are shed; 0 to shed none.
     * @param evictsSessions  whether a new session gets the place of another when there is no other place.
     */
    record Limits(
            int maxFrameLength,
            int maxSteps,
            int workerCount,
            int unfinishedLimit,
            boolean evictsSessions) {
    }

    IngressAgent(
            final Admission admission,
            final Sequencer sequencer,
            final Ingress.Memory memory,
            final ClientCommands commands,
            final ModelVersions models,
            final Limits limits,
            final PipelineState state,
            final NanoClock cycleClock,
            final Counters counters) {
        this.admission = admission;
        this.sequencer = sequencer;
        sessions = memory.all().table();
        cut = memory.cut();
        this.commands = commands;
        retries = memory.retries();
        generations = new Generations(memory.progress());
        this.state = state;
        this.cycleClock = cycleClock;
        shapes = models.stream().limit(memory.routes().modelCount()).map(model -> model.model().shape())
                .toArray(ModelShape[]::new);
        door = new SessionDoor(
                sessions, memory.routes(), limits.evictsSessions(), limits.workerCount(), counters);
        desk = new AdminDesk(models, memory.routes(), memory.all(), door, memory.loader());
        unfinishedLimit = limits.unfinishedLimit();
        fragmentLimit = unfinishedLimit == 0 ? FRAGMENT_LIMIT : SHEDDING_FRAGMENT_LIMIT;
        checksum = new FrameChecksum(limits.maxFrameLength());
        validator = new FrameValidator(limits.maxFrameLength(), limits.maxSteps());
        happenings = counters.happenings();
        requestCount = counters.get(CounterId.REQUESTS);
        refusedCount = counters.get(CounterId.FRAMES_REFUSED);
        shedCount = counters.get(CounterId.SHED);
        rateLimitedCount = counters.get(CounterId.RATE_LIMITED);
        unanswerableCount = counters.get(CounterId.FRAMES_UNANSWERABLE);
        ringFullCount = counters.get(CounterId.RING_FULL);
        sessionCount = counters.get(CounterId.SESSIONS);
        sessionCount.setRelease(sessions.size());
        generationCount = counters.get(CounterId.GENERATIONS);
        nextHousekeepingTickNs = cycleClock.nanoTime();
    }

    /**
     * What to poll; before the first duty cycle.
     *
     * @param commands of administrators; null where there are none.
     */
    void listenTo(final Subscription requests, final Subscription commandsOfAdmins) {
        subscription = requests;
        adminSubscription = commandsOfAdmins;
    }

    @Override
    public int doWork() {
        nowTickNs = cycleClock.nanoTime();
        rememberLast();
        int work = goneSessionIds.isEmpty() ? 0 : closeGone(goneSessionIds, assembler, false);
        work += goneAdminSessionIds.isEmpty() ? 0 : closeGone(goneAdminSessionIds, adminAssembler, true);
        work += generations.count() == 0 ? 0 : askForTokens();
        work += subscription.controlledPoll(assembler, fragmentLimit);
        if (nowTickNs - nextHousekeepingTickNs >= 0) {
            nextHousekeepingTickNs = nowTickNs + HOUSEKEEPING_INTERVAL_NS;
            work += admission.doWork(nowTickNs) + beginCut() + administer();
            if (goodbyeWanted && !goodbyeSaid && generations.count() == 0) {
                goodbyeSaid = admission.sayGoodbye(state.failure() == null);
            }
        }
        return work;
    }

    @Override
    public String roleName() {
        return "ingress";
    }

    @Override
    public void onClose() {
        desk.close();
    }

    /**
     * The request stream's, or the administrators', image of a client is gone. Called by the Aeron conductor on this
     * thread, where Aeron allows no call of its own: the next round does the work.
     */
    void onImageGone(final int aeronSessionId, final boolean isAdmins) {
        (isAdmins ? goneAdminSessionIds : goneSessionIds).addInt(aeronSessionId);
        nextHousekeepingTickNs = nowTickNs;
    }

    /**
     * Asks for a goodbye to every client, after the answers to what it has sent; {@link #isGoodbyeSaid()} tells when
     * egress has said it. The pipeline must be draining. Any thread.
     */
    void sayGoodbye() {
        goodbyeWanted = true;
    }

    boolean isGoodbyeSaid() {
        return goodbyeSaid && commands.isEmpty();
    }

    /** A snapshot is cut behind the last request that was published; if it has room for the sessions that there are. */
    private int beginCut() {
        final SnapshotImage image = cut.wanted();
        if (image == null || !image.fits(sessions.size(), desk.versionCount())) {
            return 0;
        }
        cut.begin(image, sequencer.cursor(), sessions.size(), desk.routes());
        return 1;
    }

    /** Aeron lets anybody have the session id that another one has on another stream: it is not that one's then. */
    private int closeGone(
            final IntArrayList gone, final ControlledFragmentAssembler ofStream, final boolean isAdmins) {
        final int count = gone.size();
        for (int index = 0; index < count; index++) {
            final int aeronSessionId = gone.getInt(index);
            final ClientConnection client = admission.find(aeronSessionId);
            ofStream.freeSessionBuffer(aeronSessionId);
            if (client == null || client.isAdmin == isAdmins) {
                admission.onGone(aeronSessionId, true);
            }
        }
        gone.clear();
        forgetLastClient();
        return count;
    }

    /** Whatever administrators want: rarely there, so looked for rarely. */
    private int administer() {
        if (adminSubscription == null) {
            return 0;
        }
        isFromAdmins = true;
        try {
            return adminSubscription.controlledPoll(adminAssembler, ADMIN_FRAGMENT_LIMIT) + followLoad();
        } finally {
            isFromAdmins = false;
        }
    }

    /** What has come of a load is put into the ring, if whoever asked for it is still there to hear of it. */
    private int followLoad() {
        if (!desk.hasLoaded()) {
            return 0;
        }
        final ClientConnection client = desk.loadingClient();
        final boolean isRefused = desk.loaded().isRefused();
        if (client == null || isRefused || isClosedTo(client)) {
            if (client == null || isRefusalSaid(client, isRefused)) {
                refusedCount.incrementRelease();
                happenings.tell(EventKind.COMMAND_REFUSED, isRefused ? desk.loaded().code().value() : 0,
                        desk.nameFor(client));
                desk.endLoad(false);
            }
        } else if (command(client, desk.loadingFrame(), 0, desk.loadingFrame().capacity(), desk.loaded())) {
            desk.endLoad(true);
        }
        return 1;
    }

    private boolean isRefusalSaid(final ClientConnection client, final boolean isBundleRefused) {
        return isBundleRefused
                ? commands.offerFrame(client, desk.refusalOfLoad())
                : commands.offer(ClientCommands.REJECT, client, desk.correlationId(), closedValue, closedLimit,
                        (short) closedCode.value(), (short) AdministerDecoder.TEMPLATE_ID);
    }

    private Action onAdminister(
            final ClientConnection client, final DirectBuffer buffer, final int offset, final int length) {
        if (!client.isAdmin || !client.rights.isAdmin()) {
            return refuse(client, RejectCode.NOT_AN_ADMINISTRATOR.value(), AdministerDecoder.TEMPLATE_ID, 0);
        }
        final AdminCommand asked = desk.read(buffer, offset).command();
        if (asked == AdminCommand.VERSIONS) {
            return commands.offerFrame(client, desk.versions(client, sequencer.cursor()))
                    ? Action.CONTINUE
                    : Action.ABORT;
        }
        if (isClosedTo(client)) {
            return refuse(client, closedCode.value(), closedValue, closedLimit);
        }
        final int code = desk.check(client);
        if (code != Routes.OK) {
            happenings.tell(EventKind.COMMAND_REFUSED, code, desk.nameFor(client));
            return refuse(client, code, desk.offendingValue(), desk.allowedValue());
        }
        if (asked == AdminCommand.LOAD) {
            desk.beginLoad(client, buffer, offset, length);
            return Action.CONTINUE;
        }
        if (!command(client, buffer, offset, length, null)) {
            return Action.ABORT;
        }
        if (asked == AdminCommand.SNAPSHOT) {
            cut.ask();
        }
        return Action.CONTINUE;
    }

    /** Publishes the command that the desk has at hand; false if the ring is full. */
    private boolean command(
            final ClientConnection client, final DirectBuffer buffer, final int offset, final int length,
            final VersionLoader.Loaded version) {
        rememberLast();
        final RequestSlot slot = sequencer.claim();
        if (slot == null) {
            ringFullCount.incrementRelease();
            return false;
        }
        desk.apply(slot, version);
        slot.frame.putBytes(0, buffer, offset, length);
        slot.frameLength = length;
        slot.principalId = client.principalId;
        slot.clientIndex = client.index;
        slot.clientGeneration = client.generation;
        slot.ingressTickNs = nowTickNs;
        slot.inferStartTickNs = nowTickNs;
        slot.inferEndTickNs = nowTickNs;
        sequencer.publish();
        client.submittedCount++;
        requestCount.incrementRelease();
        happenings.tell(EventKind.COMMAND_APPLIED, sequencer.cursor(), desk.nameFor(client));
        return true;
    }

    private Action onFrame(
            final DirectBuffer buffer, final int offset, final int length, final Header header) {
        final ClientConnection client = clientOf(header.sessionId());
        if (client != null && client.isAdmin != isFromAdmins) {
            unanswerableCount.incrementRelease();
            return Action.CONTINUE;
        }
        final int code = validator.checkFromClient(buffer, offset, length);
        if (code != FrameValidator.OK) {
            if (client == null && validator.isHelloOfLaterVersion(buffer, offset, length)) {
                return onFirstHello(buffer, offset, length, header);
            }
            return refuse(client, code, validator.offendingValue(), validator.allowedValue());
        }
        if (client == null || client.state != ClientConnection.State.OPEN) {
            return onFrameOfStranger(client, buffer, offset, length, header);
        }
        client.lastHeardTickNs = nowTickNs;
        return switch (validator.templateId()) {
            case InferDecoder.TEMPLATE_ID -> onInfer(client, buffer, offset, length);
            case ResetSessionDecoder.TEMPLATE_ID -> onResetSession(client, buffer, offset, length);
            case ForkSessionDecoder.TEMPLATE_ID -> onForkSession(client, buffer, offset, length);
            case GenerateDecoder.TEMPLATE_ID -> onGenerate(client, buffer, offset, length);
            case CancelGenerationDecoder.TEMPLATE_ID -> onCancelGeneration(client, buffer, offset);
            case AdministerDecoder.TEMPLATE_ID -> onAdminister(client, buffer, offset, length);
            case HeartbeatDecoder.TEMPLATE_ID -> onHeartbeat(client, buffer, offset);
            case GoodbyeDecoder.TEMPLATE_ID -> onGoodbye(client);
            default -> refuse(client, RejectCode.DUPLICATE_HELLO.value(), client.index, 0);
        };
    }

    /**
     * Before the welcome only a first hello and the proof that it is asked for have an effect; nobody can be
     * told about the rest. A hello after a goodbye
     * waits until the place of the goodbye is free.
     */
    private Action onFrameOfStranger(
            final ClientConnection client, final DirectBuffer buffer, final int offset, final int length,
            final Header header) {
        final boolean isHello = validator.templateId() == HelloDecoder.TEMPLATE_ID;
        if (isHello && client != null && client.state == ClientConnection.State.CLOSING) {
            return Action.ABORT;
        }
        if (isHello && client == null) {
            return onFirstHello(buffer, offset, length, header);
        }
        if (client != null && client.state == ClientConnection.State.PROVING &&
                validator.templateId() == ProofDecoder.TEMPLATE_ID) {
            return admission.onProof(client, proof.wrapAndApplyHeader(buffer, offset, frameHeader), nowTickNs)
                    ? Action.CONTINUE
                    : Action.ABORT;
        }
        unanswerableCount.incrementRelease();
        return Action.CONTINUE;
    }

    private Action onFirstHello(
            final DirectBuffer buffer, final int offset, final int length, final Header header) {
        hello.wrapAndApplyHeader(buffer, offset, frameHeader);
        admission.onHello(header.sessionId(), hello, length, isFromAdmins, nowTickNs);
        final ClientConnection client = admission.find(header.sessionId());
        if (client != null) {
            client.requestPages.begin(buffer, header);
        }
        forgetLastClient();
        return Action.CONTINUE;
    }

    private Action onInfer(
            final ClientConnection client, final DirectBuffer buffer, final int offset, final int length) {
        infer.wrap(buffer, offset + Frames.HEADER_LENGTH, InferDecoder.BLOCK_LENGTH, Frames.VERSION);
        final int modelId = infer.modelId();
        if (isServed(client, modelId)) {
            final ModelShape shape = shapes[modelId];
            final int featureCount = infer.featureCount();
            if (featureCount != shape.featureCount()) {
                return refuse(client, RejectCode.FEATURE_COUNT_MISMATCH.value(), featureCount, shape.featureCount());
            }
            final int featuresOffset = offset + Frames.FEATURES_OFFSET;
            final int strayStep = shape.firstStrayStep(buffer, featuresOffset, infer.stepCount());
            if (strayStep >= 0) {
                return refuseToken(client, shape, strayStep, ModelShape.tokenAt(buffer, featuresOffset, strayStep));
            }
            if (isKnown(client, infer.correlationId())) {
                return repeat(client, buffer, offset, length);
            }
        }
        final Action refusal = admit(client, modelId, infer.sessionKey());
        if (refusal != null) {
            return refusal;
        }
        describe(RequestKind.INFER, infer.stepCount(), Frames.FEATURES_OFFSET, infer.budgetNs());
        claimed.stream = infer.flags().stream();
        return commit(client, buffer, offset, length);
    }

    private Action onResetSession(
            final ClientConnection client, final DirectBuffer buffer, final int offset, final int length) {
        resetSession.wrap(buffer, offset + Frames.HEADER_LENGTH, ResetSessionDecoder.BLOCK_LENGTH, Frames.VERSION);
        final int modelId = resetSession.modelId();
        if (isServed(client, modelId) && isKnown(client, resetSession.correlationId())) {
            return repeat(client, buffer, offset, length);
        }
        final Action refusal = admit(client, modelId, resetSession.sessionKey());
        if (refusal != null) {
            return refusal;
        }
        describe(RequestKind.RESET, 0, 0, 0);
        return commit(client, buffer, offset, length);
    }

    private Action onForkSession(
            final ClientConnection client, final DirectBuffer buffer, final int offset, final int length) {
        forkSession.wrap(buffer, offset + Frames.HEADER_LENGTH, ForkSessionDecoder.BLOCK_LENGTH, Frames.VERSION);
        final int modelId = forkSession.modelId();
        final long sourceKey = forkSession.sourceKey();
        int sourceIndex = SessionTable.ABSENT;
        if (isServed(client, modelId)) {
            if (isKnown(client, forkSession.correlationId())) {
                return repeat(client, buffer, offset, length);
            }
            sourceIndex = door.findSource(client.principalId, modelId, sourceKey);
            if (sourceIndex == SessionTable.ABSENT) {
                return refuse(client, RejectCode.UNKNOWN_SESSION.value(), sourceKey, 0);
            }
            if (!door.canBeCopied(sourceKey, forkSession.sessionKey())) {
                return refuse(client, RejectCode.SESSION_LIMIT.value(), sessions.size() + 1L, sessions.maxSessions());
            }
        }
        final Action refusal = admit(client, modelId, forkSession.sessionKey());
        if (refusal != null) {
            return refusal;
        }
        describe(RequestKind.FORK, 0, 0, 0);
        door.lend(claimed, sourceIndex);
        return commit(client, buffer, offset, length);
    }

    /** The first token is asked for as a client asks for a step. */
    private Action onGenerate(
            final ClientConnection client, final DirectBuffer buffer, final int offset, final int length) {
        generate.wrap(buffer, offset);
        final int modelId = generate.modelId();
        if (isServed(client, modelId)) {
            final Action refusal = checkGenerate(client, shapes[modelId], buffer, offset);
            if (refusal != null) {
                return refusal;
            }
            if (isKnown(client, generate.correlationId())) {
                return repeatGeneration(client, buffer, offset, length);
            }
        }
        final Action refusal = admit(client, modelId, generate.sessionKey());
        if (refusal != null) {
            return refusal;
        }
        final Generation generation = generations.begin(client, buffer, offset);
        generationCount.setRelease(generations.count());
        generation.lastSequence = sequencer.cursor() + 1;
        describe(RequestKind.GENERATE, generate.tokenCount(), Frames.TOKENS_OFFSET, generate.budgetNs());
        claimed.generationIndex = generation.index;
        return commit(client, buffer, offset, length);
    }

    private Action checkGenerate(
            final ClientConnection client, final ModelShape shape, final DirectBuffer buffer, final int offset) {
        if (!shape.namesTokens()) {
            return refuse(client, RejectCode.NOT_A_GENERATOR.value(), generate.modelId(), 0);
        }
        final int tokensOffset = offset + Frames.TOKENS_OFFSET;
        final int strayStep = shape.firstStrayStep(buffer, tokensOffset, generate.tokenCount());
        if (strayStep >= 0) {
            return refuseToken(client, shape, strayStep, ModelShape.tokenAt(buffer, tokensOffset, strayStep));
        }
        if (generate.madeTokens() != 0) {
            return refuse(client, RejectCode.GENERATION_OUT_OF_RANGE.value(), generate.madeTokens(), 0);
        }
        return generations.isFull()
                ? refuse(client, RejectCode.GENERATION_LIMIT.value(), generations.count() + 1L, generations.capacity())
                : null;
    }

    /** What was made is told again, token by token; what was not is made then. */
    private Action repeatGeneration(
            final ClientConnection client, final DirectBuffer buffer, final int offset, final int length) {
        final Generation generation = generations.begin(client, buffer, offset);
        if (!offerRepeat(client, generation.firstCorrelationId, buffer, offset, length, generation)) {
            generations.end(generations.count() - 1);
            return Action.ABORT;
        }
        generationCount.setRelease(generations.count());
        return Action.CONTINUE;
    }

    /** One that is over, or another's, is as if it were not there. */
    private Action onCancelGeneration(final ClientConnection client, final DirectBuffer buffer, final int offset) {
        cancelGeneration.wrap(
                buffer, offset + Frames.HEADER_LENGTH, CancelGenerationDecoder.BLOCK_LENGTH, Frames.VERSION);
        final Generation generation = generations.find(client, cancelGeneration.correlationId());
        if (generation != null) {
            generation.isCancelled = true;
        }
        return Action.CONTINUE;
    }

    /** One round over the generations: where the last token has left, the next one is asked for. */
    private int askForTokens() {
        int work = 0;
        for (int place = generations.count() - 1; place >= 0; place--) {
            final Generation generation = generations.get(place);
            boolean isOver = !generations.follow(generation);
            if (generation.isDue) {
                isOver = goOn(generation);
                work++;
            }
            if (isOver) {
                generations.end(place);
                generationCount.setRelease(generations.count());
            }
        }
        return work;
    }

    /**
     * Asks for the next token, now or in the next round, or ends the generation. A token that has been made is told
     * again: to a client that repeats its request, until it comes to the first one that has not.
     *
     * @return whether the generation is over.
     */
    private boolean goOn(final Generation generation) {
        final ClientConnection client = generation.client;
        if (!generation.hasClient()) {
            return true;
        }
        if (generation.isCancelled) {
            return commands.offer(ClientCommands.CANCELLED, client, generation.firstCorrelationId,
                    generation.lastSequence, generation.generate.sessionKey(), (short) 0,
                    (short) generation.generate.modelId());
        }
        if (isKnown(client, generation.nextCorrelationId())) {
            generation.isDue = !offerRepeat(client, generation.nextCorrelationId(), generation.frame, 0,
                    generation.frameLength, generation);
            return false;
        }
        return isClosedTo(client)
                ? breakOff(generation, closedCode, closedValue, closedLimit)
                : askForToken(generation);
    }

    /** Neither the client's rate nor shedding is against it: it was admitted with the first token. */
    private boolean askForToken(final Generation generation) {
        final ClientConnection client = generation.client;
        final GenerateFrame next = generation.generate;
        if (!door.isThere(client.principalId, next.modelId(), next.sessionKey())) {
            return breakOff(generation, RejectCode.UNKNOWN_SESSION, next.sessionKey(), 0);
        }
        if (client.inFlightCount() < client.rights.maxInFlight() && claim(client, next.modelId(), next.sessionKey())) {
            describe(RequestKind.GENERATE, 1, Frames.TOKENS_OFFSET, 0);
            claimed.generationIndex = generation.index;
            generation.lastSequence = sequencer.cursor() + 1;
            generation.isDue = false;
            publish(client, generation.nextCorrelationId(), generation.frame, 0, generation.frameLength, true);
        }
        return false;
    }

    /** Tells the client that there will be no more tokens. @return whether that could be said now. */
    private boolean breakOff(
            final Generation generation, final RejectCode code, final long offendingValue, final long allowedValue) {
        return commands.offer(ClientCommands.REJECT, generation.client, generation.firstCorrelationId, offendingValue,
                allowedValue, (short) code.value(), (short) GenerateDecoder.TEMPLATE_ID);
    }

    private Action onHeartbeat(final ClientConnection client, final DirectBuffer buffer, final int offset) {
        heartbeat.wrap(buffer, offset + Frames.HEADER_LENGTH, HeartbeatDecoder.BLOCK_LENGTH, Frames.VERSION);
        return commands.offer(ClientCommands.HEARTBEAT, client, heartbeat.timestampNs())
                ? Action.CONTINUE
                : Action.ABORT;
    }

    private Action onGoodbye(final ClientConnection client) {
        forgetLastClient();
        admission.onGone(client.aeronSessionId, false);
        return Action.CONTINUE;
    }

    /** Whether the client has been told of the model. */
    private boolean isServed(final ClientConnection client, final int modelId) {
        return modelId < client.served.length && client.served[modelId];
    }

    /** Whether the request at hand is one of the principal's that has been taken before. */
    private boolean isKnown(final ClientConnection client, final long correlationId) {
        rememberLast();
        client.retryPlace = retries.placeOf(client.principalId, client.retryPlace);
        knownPosition = retries.find(client.retryPlace, correlationId);
        return knownPosition != AnswerPosition.NONE;
    }

    /**
     * Asks egress for the answer of the known request. That needs neither the ring nor the journal, so it is done
     * whatever new requests are refused for.
     */
    private Action repeat(
            final ClientConnection client, final DirectBuffer buffer, final int offset, final int length) {
        final boolean isOffered = commands.offerRepeat(client, validator.correlationId(),
                retries.sequence(knownPosition), knownPosition, (short) validator.templateId(),
                checksum.of(buffer, offset, length), RequestSlot.NO_GENERATION);
        return isOffered ? Action.CONTINUE : Action.ABORT;
    }

    private boolean offerRepeat(
            final ClientConnection client, final long correlationId, final DirectBuffer buffer, final int offset,
            final int length, final Generation generation) {
        generation.lastSequence = retries.sequence(knownPosition);
        return commands.offerRepeat(client, correlationId, generation.lastSequence, knownPosition,
                (short) GenerateDecoder.TEMPLATE_ID, checksum.of(buffer, offset, length), generation.index);
    }

    /** Where the answer of a request will be kept: egress must know when the request is published. */
    private void reserveAnswer(final ClientConnection client, final RequestSlot slot) {
        client.retryPlace = retries.take(client.principalId, client.retryPlace);
        slot.answerPosition = retries.nextPosition(client.retryPlace, slot.answerSlotCount());
    }

    /**
     * Makes the request known that was published last: before the next one is looked up, but not before that one is
     * on its way, so that it need not wait for it. Its slot stands as it is until ingress claims another.
     */
    private void rememberLast() {
        if (unremembered != null) {
            retries.add(unrememberedPlace, unremembered.correlationId, sequencer.cursor(),
                    unremembered.answerSlotCount());
            unremembered = null;
        }
    }

    /**
     * Checks what only the appliance knows, and claims a slot for a request that passes: null, and the slot is in
     * {@code claimed}. Otherwise what the poll is to do.
     */
    private Action admit(final ClientConnection client, final int modelId, final long sessionKey) {
        if (isClosedTo(client)) {
            return refuse(client, closedCode.value(), closedValue, closedLimit);
        }
        if (!isServed(client, modelId)) {
            return refuse(client, RejectCode.UNKNOWN_MODEL.value(), modelId, shapes.length);
        }
        final long inFlightCount = client.inFlightCount();
        if (inFlightCount >= client.rights.maxInFlight()) {
            return refuse(client, RejectCode.IN_FLIGHT_LIMIT.value(), inFlightCount + 1, client.rights.maxInFlight());
        }
        if (!client.rate.admits(nowTickNs)) {
            return refuseForRate(client);
        }
        if (unfinishedLimit != 0) {
            final long unfinishedCount = sequencer.unfinishedCount(unfinishedLimit);
            if (unfinishedCount >= unfinishedLimit) {
                return shed(client, unfinishedCount);
            }
        }
        if (!door.admits(client.principalId, modelId, sessionKey, client.rights.maxSessions())) {
            return refuseSession(client);
        }
        return claim(client, modelId, sessionKey) ? null : Action.ABORT;
    }

    private Action refuseSession(final ClientConnection client) {
        final int ownLimit = client.rights.maxSessions();
        return door.isAtItsLimit(client.principalId, ownLimit)
                ? refuse(client, RejectCode.SESSION_LIMIT.value(), door.sessionCount(client.principalId) + 1L, ownLimit)
                : refuse(client, RejectCode.SESSION_LIMIT.value(), sessions.size() + 1L, sessions.maxSessions());
    }

    /** Whether nothing is taken now, of nobody; why, then stands in {@code closedCode} and the two beside it. */
    private boolean isClosedTo(final ClientConnection client) {
        switch (state.phase()) {
            case SERVING:
                return false;
            case SPACE_LOW:
                closedCode = RejectCode.JOURNAL_SPACE_LOW;
                closedValue = state.freeBytes();
                closedLimit = state.refuseFreeBytes();
                return true;
            case DRAINING:
                closedCode = RejectCode.SHUTTING_DOWN;
                closedValue = client.inFlightCount();
                closedLimit = 0;
                return true;
            default:
                closedCode = RejectCode.JOURNAL_UNAVAILABLE;
                closedValue = sequencer.cursor() + 1;
                closedLimit = 0;
                return true;
        }
    }

    /** Claims a slot for the session's request; false if the ring is full. */
    private boolean claim(final ClientConnection client, final int modelId, final long sessionKey) {
        claimed = sequencer.claim();
        if (claimed == null) {
            ringFullCount.incrementRelease();
            return false;
        }
        claimed.modelId = modelId;
        claimed.sessionKey = sessionKey;
        claimed.principalId = client.principalId;
        return true;
    }

    /** What the claimed slot's request asks for. */
    private void describe(final RequestKind kind, final int stepCount, final int featuresOffset, final long budgetNs) {
        claimed.kind = kind;
        claimed.stream = false;
        claimed.stepCount = stepCount;
        claimed.featuresOffset = featuresOffset;
        claimed.budgetNs = budgetNs;
        claimed.generationIndex = RequestSlot.NO_GENERATION;
    }

    /** Publishes the claimed slot with the client's frame. */
    private Action commit(
            final ClientConnection client, final DirectBuffer buffer, final int offset, final int length) {
        publish(client, validator.correlationId(), buffer, offset, length, false);
        client.rate.take();
        return Action.CONTINUE;
    }

    private void publish(
            final ClientConnection client, final long correlationId, final DirectBuffer buffer, final int offset,
            final int length, final boolean isContinued) {
        final RequestSlot slot = claimed;
        door.enter(slot, isContinued);
        Words.copy(buffer, offset, slot.frame, 0, length);
        slot.frameLength = length;
        slot.clientIndex = client.index;
        slot.clientGeneration = client.generation;
        slot.correlationId = correlationId;
        slot.ingressTickNs = nowTickNs;
        slot.status = null;
        reserveAnswer(client, slot);
        sequencer.publish();
        unremembered = slot;
        unrememberedPlace = client.retryPlace;
        client.submittedCount++;
        requestCount.incrementRelease();
        sessionCount.setRelease(sessions.size());
    }

    private Action refuseToken(
            final ClientConnection client, final ModelShape shape, final int step, final long token) {
        if (!commands.offerTokenReject(client, validator.templateId(), validator.correlationId(), step, token,
                shape.vocabularySize())) {
            return Action.ABORT;
        }
        refusedCount.incrementRelease();
        return Action.CONTINUE;
    }

    /** How much faster the client is than it may be is not measured: one request a second more is what is certain. */
    private Action refuseForRate(final ClientConnection client) {
        final int maxRatePerSecond = client.rate.maxRatePerSecond();
        final Action action =
                refuse(client, RejectCode.RATE_LIMIT.value(), maxRatePerSecond + 1L, maxRatePerSecond);
        if (action == Action.CONTINUE) {
            rateLimitedCount.incrementRelease();
        }
        return action;
    }

    private Action shed(final ClientConnection client, final long unfinishedCount) {
        final Action action = refuse(client, RejectCode.OVERLOADED.value(), unfinishedCount + 1, unfinishedLimit);
        if (action == Action.CONTINUE) {
            shedCount.incrementRelease();
        }
        return action;
    }

    /** Says no to a client that can be spoken to; counts the refusal in any case. */
    private Action refuse(
            final ClientConnection client, final int code, final long offendingValue, final long allowedValue) {
        if (client == null || client.state != ClientConnection.State.OPEN) {
            unanswerableCount.incrementRelease();
            return Action.CONTINUE;
        }
        final boolean isSaid = commands.offer(ClientCommands.REJECT, client, validator.correlationId(),
                offendingValue, allowedValue, (short) code, (short) validator.templateId());
        if (!isSaid) {
            return Action.ABORT;
        }
        refusedCount.incrementRelease();
        return Action.CONTINUE;
    }

    private ClientConnection clientOf(final int aeronSessionId) {
        if (lastClient == null || lastClient.aeronSessionId != aeronSessionId ||
                lastClient.state == ClientConnection.State.FREE) {
            lastClient = admission.find(aeronSessionId);
        }
        return lastClient;
    }

    private void forgetLastClient() {
        lastClient = null;
    }
}
