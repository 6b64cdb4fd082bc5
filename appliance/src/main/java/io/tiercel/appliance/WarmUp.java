package io.tiercel.appliance;

import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.access.Principal;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.cycle.DutyCycle;
import io.tiercel.appliance.cycle.StageClocks;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.Rights;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.HiccupRecorder;
import io.tiercel.appliance.telemetry.StageRecorder;
import io.tiercel.appliance.telemetry.StallTrack;
import io.tiercel.protocol.client.AsyncConnect;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.DirectBuffer;
import org.agrona.IoUtil;

import java.io.IOException;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Sends requests through a pipeline of the very same classes, over the same media driver, into a scratch journal,
 * until the JIT has compiled the way and rests. Everything runs on the calling thread. The scratch pipeline has
 * sessions, a ring, streams and a journal of its own, and leaves nothing behind. Whoever
 * gets at the media driver finds its streams too, so where the appliance has keys it has one, made for the occasion.
 *
 * <p>The way is walked several times, each time by a pipeline and a client of its own. What happens once for a
 * pipeline, a client or a session (a codec's first buffer, a state's beginning, a principal's first answer) has
 * happened before the JIT first looks, and is compiled as what never happens: then the first real requests would throw
 * most of the code away and wait beside its second compilation. The second walk throws it away here; the third finds
 * what was compiled only since. For the same reason each round has a burst and a silence.
 */
final class WarmUp implements ResponseHandler {

    /** Streams of the scratch pipeline, away from the clients'. */
    private static final int STREAM_STEP = 1_000;
    private static final int RESPONSE_STREAM_STEP = 1;
    private static final int MAX_SESSIONS = 64;
    private static final int NO_RATE_LIMIT = 0;
    private static final int SESSION_COUNT = 16;
    /** Between two sessions that are used only once, where one may make room for another. */
    private static final int NEW_SESSION_INTERVAL = 50;
    private static final int IN_FLIGHT = 4;
    private static final int ROUND_REQUESTS = 1_000;
    /** More at once than ingress takes in a round. */
    private static final int BURST_REQUESTS = 64;
    /** No silence has to last longer for what is done in it to be warm. */
    private static final long MAX_SILENCE_NS = TimeUnit.MILLISECONDS.toNanos(1);
    /** Correlation ids of the walks: small ones in a row, and as a client's own base makes them. */
    private static final long[] FIRST_CORRELATION_IDS = {1, 1L << 40, 0x0123_4567_89AB_CDEFL};
    private static final long QUIET_NS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final long MAX_DURATION_NS = TimeUnit.SECONDS.toNanos(10);
    /** Bounds what the scratch journal takes of the disk. */
    private static final int MAX_REQUEST_FACTOR = 5;
    private static final int POLL_LIMIT = 16;
    private static final String SCRATCH_PREFIX = ".warm-up-";
    private static final String PRINCIPAL = "tiercel-warm-up";

    private final Foundation foundation;
    private final CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    private final Counters counters = Counters.inMemory();
    private final StageRecorder stages;
    private final HiccupRecorder hiccups = new HiccupRecorder(true, counters);
    /** Null where anybody may connect. */
    private final byte[] key;
    private DutyCycle cycle;
    private TiercelClient client;
    private long beginNs;
    private long answeredCount;
    private boolean isLost;

    /** What it took. */
    record Report(long requestCount, long durationNs) {
    }

    WarmUp(final Foundation foundation) {
        this.foundation = foundation;
        key = foundation.access().isOpen() ? null : Foundation.newSecret();
        stages = new StageRecorder(foundation.models().size());
    }

    /**
     * At least {@code minRequests} requests, then more while the JIT is still at work; but no further round once
     * {@link #MAX_DURATION_NS} have passed, so fewer of a model that is slow.
     */
    Report run(final int minRequests) {
        beginNs = foundation.clock().nanoTime();
        final Path parent = foundation.context().journalDirectory();
        Path scratch = null;
        try {
            removeLeftovers(parent);
            scratch = Files.createTempDirectory(parent, SCRATCH_PREFIX);
            for (int walk = 0; walk < FIRST_CORRELATION_IDS.length; walk++) {
                runIn(Files.createDirectory(scratch.resolve("walk-" + walk)), minRequests, walk);
                stages.startInterval();
                hiccups.startInterval();
            }
        } catch (final IOException ex) {
            throw new ApplianceException("no scratch directory for the warm-up in " + parent + ": " + ex, ex);
        } finally {
            if (scratch != null) {
                IoUtil.delete(scratch.toFile(), true);
            }
        }
        return new Report(answeredCount, sinceBeginNs());
    }

    @Override
    public void onResult(
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final ResultStatus status,
            final int applianceNs,
            final int batchSize,
            final DirectBuffer outputs,
            final int offset,
            final int outputCount) {
        answeredCount++;
    }

    @Override
    public void onChunk(
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final int stepIndex,
            final DirectBuffer outputs,
            final int offset,
            final int outputCount) {
        throw new ApplianceException("the warm-up got a chunk that it did not ask for");
    }

    @Override
    public void onReject(
            final long correlationId,
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final String detail) {
        if (code == RejectCode.OVERLOADED) {
            answeredCount++;
            return;
        }
        throw new ApplianceException("the warm-up was refused: code=" + code + " " + detail);
    }

    @Override
    public void onDisconnect() {
        isLost = true;
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        isLost = true;
    }

    /** Of warm-ups in which the process died: whoever holds the journal's lock is the only one to make any. */
    private static void removeLeftovers(final Path parent) throws IOException {
        try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(parent, SCRATCH_PREFIX + "*")) {
            leftovers.forEach(leftover -> IoUtil.delete(leftover.toFile(), true));
        }
    }

    private void runIn(final Path scratch, final int minRequests, final int walk) {
        final ApplianceContext context = foundation.context();
        final List<LoadedModel> models = foundation.models().subList(0, context.models().size());
        final StageClocks clocks = StageClocks.of(Layout.COMPACT, context.inferWorkers(), foundation.clock());
        try (JournalDirectory journal = JournalDirectory.open(scratch, JournalSettings.scratch(context));
                Sessions sessions = new Sessions(models, MAX_SESSIONS);
                RetryWindow retries = Pipeline.newRetryWindow(context, models);
                Pipeline pipeline = new Pipeline(new Pipeline.Parts(context, foundation.aeron(),
                        context.requestStreamId() + STREAM_STEP, Pipeline.Served.fixed(models), sessions,
                        retries, 0,
                        new SnapshotCut(), NO_RATE_LIMIT, access(context), journal.requests(), journal.outcomes(),
                        clocks,
                        foundation.epochOffsetNs(),
                        stages, counters))) {
            pipeline.open();
            cycle = new DutyCycle("warm-up",
                    Threads.stagesInOrder(pipeline, foundation.transport(clocks.io())), clocks.io(), hiccups,
                    pipeline.state());
            cycle.onStart();
            try (TiercelClient connected = connect(context, FIRST_CORRELATION_IDS[walk])) {
                client = connected;
                if (walk == FIRST_CORRELATION_IDS.length - 1) {
                    exchangeUntilQuiet(minRequests);
                } else {
                    exchangeUntil((walk + 1L) * minRequests / FIRST_CORRELATION_IDS.length,
                            (walk + 1L) * MAX_DURATION_NS / FIRST_CORRELATION_IDS.length);
                }
                drain(pipeline);
            } catch (final ApplianceException ex) {
                throw causeOf(ex, pipeline.state().failure());
            }
            cycle.onClose();
        }
    }

    /** As the appliance's own: clients come in the same way, which is warm then. */
    private Access access(final ApplianceContext context) {
        if (key == null) {
            return Access.open();
        }
        final String name = principal(context);
        final Rights rights = Rights.ofAnyone(
                context.maxInFlight(), NO_RATE_LIMIT, MAX_SESSIONS, context.maxClients());
        return Access.of(Map.of(name, new Principal(name, List.of(key), rights)), Foundation.newSecret());
    }

    private static String principal(final ApplianceContext context) {
        return context.principals().isEmpty() ? PRINCIPAL : context.principals().get(0);
    }

    /** What the operator is to hear: a refusal is only the sign of a journal that has failed. */
    private static ApplianceException causeOf(final ApplianceException sign, final Throwable failure) {
        return failure == null ? sign : new ApplianceException("the warm-up failed: " + failure.getMessage(), sign);
    }

    private TiercelClient connect(final ApplianceContext context, final long firstCorrelationId) {
        final ClientContext clientContext = new ClientContext()
                .aeron(foundation.aeron())
                .driverInvoker(foundation.driverInvoker())
                .requestChannel(context.requestChannel())
                .requestStreamId(context.requestStreamId() + STREAM_STEP)
                .responseChannel(context.responseChannels().get(0))
                .responseStreamId(context.requestStreamId() + STREAM_STEP + RESPONSE_STREAM_STEP)
                .principal(principal(context))
                .keyFile(null)
                .key(key)
                .firstCorrelationId(firstCorrelationId)
                .nanoClock(foundation.clock());
        try (AsyncConnect connecting = TiercelClient.asyncConnect(clientContext)) {
            TiercelClient connected = connecting.poll();
            while (connected == null) {
                cycle.doWork();
                connected = connecting.poll();
            }
            return connected;
        }
    }

    /** @param durationNs since the first walk began. */
    private void exchangeUntil(final long requestCount, final long durationNs) {
        boolean isDue = answeredCount < requestCount;
        while (isDue) {
            exchangeRound();
            isDue = answeredCount < requestCount && sinceBeginNs() < durationNs;
        }
    }

    private long sinceBeginNs() {
        return foundation.clock().nanoTime() - beginNs;
    }

    /**
     * The JIT reports a compilation when it is over, and a long one on a busy machine takes a while: so it counts as
     * quiet only when nothing has been reported for {@link #QUIET_NS}.
     */
    private void exchangeUntilQuiet(final int minRequests) {
        long busyNs = foundation.clock().nanoTime();
        long compiledMs = compiler.getTotalCompilationTime();
        while (isRoundDue(minRequests, foundation.clock().nanoTime() - busyNs)) {
            exchangeRound();
            final long nowCompiledMs = compiler.getTotalCompilationTime();
            if (nowCompiledMs != compiledMs) {
                compiledMs = nowCompiledMs;
                busyNs = foundation.clock().nanoTime();
            }
        }
    }

    /** Whether requests are missing, or the JIT is still at work; and there is time. */
    private boolean isRoundDue(final int minRequests, final long quietNs) {
        return sinceBeginNs() < MAX_DURATION_NS && (answeredCount < minRequests ||
                quietNs < QUIET_NS && answeredCount < (long) minRequests * MAX_REQUEST_FACTOR);
    }

    private void exchangeRound() {
        final List<ModelInfo> models = client.models();
        final int requestCount = Math.max(1, ROUND_REQUESTS / models.size());
        for (final ModelInfo model : models) {
            exchange(model, requestCount);
            burst(model);
            beSilent();
        }
        beInterrupted();
    }

    /**
     * A few in flight, so that batches of more than one are warm too; now and then a reset, and of each session before
     * its context is full.
     */
    private void exchange(final ModelInfo model, final int requestCount) {
        final float[] features = new float[model.featureCount()];
        final long goal = answeredCount + requestCount;
        long sentCount = answeredCount;
        while (answeredCount < goal && !isLost) {
            if (sentCount < goal && sentCount - answeredCount < IN_FLIGHT) {
                features[(int) (sentCount % features.length)] = feature(model, (int) (sentCount & 0xFF));
                final boolean isReset = model.contextTokens() == 0
                        ? sentCount % ROUND_REQUESTS == 0
                        : sentCount / SESSION_COUNT % (model.contextTokens() + 1) == 0;
                final long correlationId = isReset
                        ? client.resetSession(model.modelId(), sentCount % SESSION_COUNT)
                        : client.infer(model.modelId(), sessionKey(sentCount), features, 0);
                if (correlationId > 0) {
                    sentCount++;
                }
            }
            cycle.doWork();
            client.poll(this, POLL_LIMIT);
        }
        checkConnected();
    }

    private long sessionKey(final long sentCount) {
        return foundation.context().evictsSessions() && sentCount % NEW_SESSION_INTERVAL == 0
                ? SESSION_COUNT + sentCount
                : sentCount % SESSION_COUNT;
    }

    /** One of 256 values: a feature from -1 to 1, or, as a float's bits, a token. */
    private static float feature(final ModelInfo model, final int value) {
        return model.hasTokens() ? Float.intBitsToFloat(value % model.vocabularySize()) : value / 128.0f - 1.0f;
    }

    /** Many at once, full batches; where the appliance sheds, more than may be unfinished. */
    private void burst(final ModelInfo model) {
        final float[] features = new float[model.featureCount()];
        final int requestCount = client.overload() == Overload.SHED
                ? foundation.context().overloadUnfinished() + BURST_REQUESTS
                : Math.min(BURST_REQUESTS, client.maxInFlight());
        long goal = answeredCount;
        for (int sent = 0; sent < requestCount; sent++) {
            goal += client.infer(model.modelId(), sent % SESSION_COUNT, features, 0) > 0 ? 1 : 0;
        }
        while (answeredCount < goal && !isLost) {
            cycle.doWork();
            client.poll(this, POLL_LIMIT);
        }
        checkConnected();
    }

    /** What is done when nothing comes is part of the way too. */
    private void beSilent() {
        final long silenceNs = Math.min(2 * foundation.context().rehearseAfterNs(), MAX_SILENCE_NS);
        final long startNs = foundation.clock().nanoTime();
        while (foundation.clock().nanoTime() - startNs < silenceNs) {
            cycle.doWork();
        }
    }

    /** A long round is rare, and would else be compiled as what never happens. */
    private void beInterrupted() {
        final long nowNs = foundation.clock().nanoTime();
        hiccups.onIdleRound(nowNs - StallTrack.FLOOR_NS, nowNs);
        hiccups.onBusyRound(nowNs - MAX_DURATION_NS, nowNs, 1);
    }

    private void checkConnected() {
        if (isLost) {
            throw new ApplianceException("the warm-up lost its connection after " + answeredCount + " answers");
        }
    }

    private void drain(final Pipeline pipeline) {
        while (pipeline.recordedCount() < pipeline.takenCount()) {
            if (cycle.doWork() == 0 && pipeline.state().failure() != null) {
                throw new ApplianceException("the warm-up's journal failed", pipeline.state().failure());
            }
        }
    }
}
