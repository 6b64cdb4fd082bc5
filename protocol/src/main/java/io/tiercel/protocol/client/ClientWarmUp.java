package io.tiercel.protocol.client;

import io.aeron.Aeron;
import io.aeron.exceptions.AeronException;
import io.tiercel.protocol.Frames;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.agrona.CloseHelper;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Makes a client's first real request as fast as its millionth: sends requests and reads answers, with the very same
 * {@link TiercelClient} that the trading system will use, against a responder on the same thread, until the JIT
 * has compiled the path and gone quiet.
 *
 * <p>It uses the media driver that the client will use, over IPC and on streams of its own, and talks to no
 * appliance. Run it before connecting, on the thread that will own the client. Allocates; takes a second or two.
 * It warms the client, and the handler if that is given: one that is not is interpreted at first, which costs more than
 * everything else in a first request.
 */
public final class ClientWarmUp {

    /** Exchanges between two looks at the JIT. */
    private static final int BURST = 1024;
    private static final int MIN_EXCHANGES = 100 * BURST;
    /** What a client does once is compiled as what never happens: so there are several, one after another. */
    private static final int CLIENTS = 3;
    /** Sent before the first answer is read, every so often: deliveries of several frames in a poll. */
    private static final int PIPELINED = WarmUpResponder.MAX_IN_FLIGHT;
    private static final int MODEL_ID = WarmUpResponder.MODEL_ID;
    private static final int MAX_STEPS = WarmUpResponder.MAX_STEPS;
    private static final int SESSION_COUNT = 64;
    /** Without a compilation and without a faster burst. Compilations wait long for a processor on a busy machine. */
    private static final long QUIET_NS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final double FASTER = 0.95;
    private static final int STREAM_ID_BASE = 0x5A00_0000;
    private static final int STREAM_ID_MASK = 0x00FF_FFFE;

    private final ResponseHandler[] handlers;
    private final NanoClock clock;
    private final long answerTimeoutNs;
    private final float[] features;
    /** One cell in a step may be a token; null if there are more. */
    private final int[] tokens;
    private final UnsafeBuffer streamedFeatures;
    private final CompilationMXBean jit = ManagementFactory.getCompilationMXBean();
    private final boolean isTimed = jit != null && jit.isCompilationTimeMonitoringSupported();
    private final long startCompileMs;
    private final long startNs;
    private TiercelClient client;
    private WarmUpResponder responder;
    private int exchangeCount;
    private boolean isQuiet;

    private ClientWarmUp(final ClientContext context, final int featureCount, final ResponseHandler handler) {
        handlers = handler != null
                ? new ResponseHandler[] {handler}
                : new ResponseHandler[] {new SilentHandler(), new SilentHandler.Second(), new SilentHandler.Third()};
        clock = context.nanoClock();
        answerTimeoutNs = context.connectTimeoutNs();
        features = new float[featureCount];
        tokens = featureCount == 1 ? new int[1] : null;
        streamedFeatures = new UnsafeBuffer(new byte[MAX_STEPS * features.length * Float.BYTES]);
        startCompileMs = compileMs();
        startNs = clock.nanoTime();
    }

    /**
     * Warms up for requests of this shape.
     *
     * @param context      of the client that is going to connect; only read.
     * @param maxExchanges when to stop if the JIT does not go quiet.
     * @param handler      the handler of that client if it can bear made-up answers, so that it is compiled too and
     *                     even into the client's own code; or null.
     * @throws TiercelClientException if there is no media driver, or it stops.
     */
    public static Report run(
            final ClientContext context,
            final int featureCount,
            final int outputCount,
            final int maxExchanges,
            final ResponseHandler handler) {
        context.conclude();
        final Aeron aeron = context.aeron() != null ? context.aeron() : connectAeron(context);
        try {
            return run(context, aeron, featureCount, outputCount, maxExchanges, handler);
        } catch (final AeronException ex) {
            throw new TiercelClientException("warm-up: aeron: " + ex.getMessage(), ex);
        } finally {
            if (context.aeron() == null) {
                CloseHelper.quietClose(aeron);
            }
        }
    }

    /** Warms up without knowing the handler that will be used. */
    public static Report run(
            final ClientContext context, final int featureCount, final int outputCount, final int maxExchanges) {
        return run(context, featureCount, outputCount, maxExchanges, null);
    }

    /**
     * What a warm-up did.
     *
     * @param exchanges  requests sent and answered.
     * @param elapsedNs  from start to end.
     * @param compileMs  what the JIT's threads worked meanwhile, or -1 if the JVM does not tell.
     * @param isJitQuiet whether it ended because the JIT had nothing more to do.
     */
    public record Report(int exchanges, long elapsedNs, long compileMs, boolean isJitQuiet) {
    }

    private static Aeron connectAeron(final ClientContext context) {
        try {
            return Aeron.connect(new Aeron.Context()
                    .aeronDirectoryName(context.aeronDirectoryName())
                    .clientName("tiercel-client-warm-up " + context.principal())
                    .driverTimeoutMs(Math.min(
                            context.driverTimeoutMs(), TimeUnit.NANOSECONDS.toMillis(context.connectTimeoutNs()) + 1))
                    .driverAgentInvoker(context.driverInvoker())
                    .useConductorAgentInvoker(true)
                    .errorHandler(new AeronFailure())
                    .subscriberErrorHandler(AeronFailure::rethrow));
        } catch (final AeronException ex) {
            throw new TiercelClientException("warm-up: aeron: " + ex.getMessage(), ex);
        }
    }

    private static Report run(
            final ClientContext context,
            final Aeron aeron,
            final int featureCount,
            final int outputCount,
            final int maxExchanges,
            final ResponseHandler handler) {
        final ClientWarmUp warmUp = new ClientWarmUp(context, featureCount, handler);
        for (int count = 1; count < CLIENTS; count++) {
            final int exchangeCount = Math.min(maxExchanges, count * MIN_EXCHANGES / CLIENTS);
            warmUp.connected(context, aeron, featureCount, outputCount, () -> warmUp.exchange(exchangeCount));
        }
        warmUp.connected(context, aeron, featureCount, outputCount, () -> warmUp.exchangeUntilQuiet(maxExchanges));
        return warmUp.report();
    }

    /** Runs it with a client and a responder of its own. */
    private void connected(
            final ClientContext context,
            final Aeron aeron,
            final int featureCount,
            final int outputCount,
            final Runnable exchange) {
        final int requestStreamId = STREAM_ID_BASE | ((int) (aeron.nextCorrelationId() << 1) & STREAM_ID_MASK);
        final ClientContext own = new ClientContext()
                .aeron(aeron)
                .driverInvoker(context.driverInvoker())
                .requestChannel(ClientContext.DEFAULT_CHANNEL)
                .requestStreamId(requestStreamId)
                .requestTermLength(Math.max(context.requestTermLength(), WarmUpResponder.termLengthFor(
                        MAX_STEPS * Frames.inferLength(featureCount))))
                .responseChannel(ClientContext.DEFAULT_CHANNEL)
                .responseStreamId(requestStreamId + 1)
                .principal(context.principal())
                .keyFile(null)
                .connectTimeoutNs(context.connectTimeoutNs())
                .serviceInterval(context.serviceInterval())
                .firstCorrelationId(1)
                .nanoClock(context.nanoClock());
        try (WarmUpResponder ownResponder = new WarmUpResponder(
                aeron, context.driverInvoker(), requestStreamId, featureCount, outputCount);
                TiercelClient ownClient = connect(own, ownResponder)) {
            responder = ownResponder;
            client = ownClient;
            exchange.run();
        }
    }

    private static TiercelClient connect(final ClientContext context, final WarmUpResponder responder) {
        try (AsyncConnect connecting = TiercelClient.asyncConnect(context)) {
            TiercelClient client = connecting.poll();
            while (client == null) {
                responder.poll();
                client = connecting.poll();
            }
            return client;
        }
    }

    private void exchange(final int untilCount) {
        while (exchangeCount < untilCount) {
            exchangeBurst();
        }
    }

    private void exchangeUntilQuiet(final int maxExchanges) {
        long compileMs = compileMs();
        long burstStartNs = clock.nanoTime();
        long fastestBurstNs = Long.MAX_VALUE;
        long quietSinceNs = burstStartNs;
        while (exchangeCount < maxExchanges && !isQuiet) {
            exchangeBurst();
            final long nowNs = clock.nanoTime();
            final long nowCompileMs = compileMs();
            if (nowCompileMs != compileMs || nowNs - burstStartNs < fastestBurstNs * FASTER) {
                compileMs = nowCompileMs;
                fastestBurstNs = Math.min(fastestBurstNs, nowNs - burstStartNs);
                quietSinceNs = nowNs;
            }
            burstStartNs = nowNs;
            isQuiet = exchangeCount >= MIN_EXCHANGES && nowNs - quietSinceNs >= QUIET_NS;
        }
    }

    private Report report() {
        return new Report(exchangeCount, clock.nanoTime() - startNs, isTimed ? compileMs() - startCompileMs : -1,
                isQuiet);
    }

    private long compileMs() {
        return isTimed ? jit.getTotalCompilationTime() : 0;
    }

    /** Mostly what a trading system does most: one event, one request, one answer; in between, all the rest. */
    private void exchangeBurst() {
        for (int i = 0; i < BURST; i++) {
            final ResponseHandler handler = handlers[i % handlers.length];
            if ((i & 63) == 0) {
                sent(client.resetSession(MODEL_ID, i));
            } else if ((i & 63) == 1) {
                sent(client.infer(MODEL_ID, i, streamedFeatures, 0, MAX_STEPS, 1, true));
            } else if ((i & 7) == 2) {
                for (int ahead = 0; ahead < PIPELINED; ahead++) {
                    sent(client.infer(MODEL_ID, ahead, features, 0));
                }
            } else if (tokens != null && (i & 3) == 3) {
                tokens[0] = i;
                sent(client.inferTokens(MODEL_ID, i % SESSION_COUNT, tokens, 0));
            } else if ((i & 1) == 0) {
                sent(client.infer(MODEL_ID, i % SESSION_COUNT, streamedFeatures, 0, 1, 0, false));
            } else {
                features[0] = i;
                sent(client.infer(MODEL_ID, i % SESSION_COUNT, features, 0));
            }
            awaitAnswers(handler);
        }
    }

    private void sent(final long correlationId) {
        if (correlationId > 0) {
            exchangeCount++;
        } else if (correlationId != TiercelClient.BACK_PRESSURED) {
            throw new TiercelClientException("warm-up: the connection is gone: " + client.disconnectCause());
        }
    }

    /** The client polls first, in vain: between events that is what it does all day. */
    private void awaitAnswers(final ResponseHandler handler) {
        int pollCount = 0;
        long deadlineNs = Long.MAX_VALUE;
        do {
            client.poll(handler, PIPELINED);
            responder.poll();
            if (++pollCount == BURST) {
                deadlineNs = clock.nanoTime() + answerTimeoutNs;
            } else if (pollCount > BURST && (pollCount & (BURST - 1)) == 0 && clock.nanoTime() - deadlineNs > 0) {
                throw new TiercelClientException("warm-up: no answer within connectTimeoutNs=" + answerTimeoutNs);
            }
            if (!client.isConnected()) {
                throw new TiercelClientException("warm-up: the connection is gone: " + client.disconnectCause());
            }
        } while (client.inFlight() > 0);
    }
}
