package io.tiercel.tools.kv;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.transformer.TokenSessions;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * Times the steps of a bundle, each from its begin until its answer is there, with full contexts: of one session, whose
 * state the caches hold, and of many in a random order, whose states they do not. One thread, the caller's.
 */
final class StepTimes implements AutoCloseable {

    private static final long MAX_NS = 60_000_000_000L;
    private static final int DIGITS = 3;

    private final TokenSessions sessions;
    private final int sessionCount;
    private final int[] tokens;
    private final int[] warmUp;
    private final NanoClock clock;
    private int next;

    /**
     * @param tokens      that sessions take, again and again.
     * @param warmUpCount of tokens that the first session takes at once.
     */
    StepTimes(
            final Bundle bundle, final int sessionCount, final int[] tokens, final int warmUpCount,
            final NanoClock clock) {
        this.sessionCount = sessionCount;
        this.tokens = tokens;
        this.clock = clock;
        sessions = new TokenSessions(bundle, Backends.select(Backends.AUTO, bundle), sessionCount);
        warmUp = new int[warmUpCount];
        for (int i = 0; i < warmUpCount; i++) {
            warmUp[i] = nextToken();
        }
        sessions.steps(0, warmUp);
    }

    static Histogram newHistogram() {
        return new Histogram(MAX_NS, DIGITS);
    }

    int stateBytes() {
        return sessions.stateBytes();
    }

    /** As many steps again come before, unmeasured. */
    Histogram hot(final int count) {
        step(count);
        final Histogram ns = newHistogram();
        for (int i = 0; i < count; i++) {
            timed(0, ns);
        }
        return ns;
    }

    /** Of a state: what one session alone has, of all sessions together. */
    long ownBytes() {
        return sessions.ownBytes();
    }

    /** Of pages that several sessions have. */
    long commonBytes() {
        return sessions.commonBytes();
    }

    /** All sessions come to stand where the first one stands; the time that each of them takes. */
    Histogram begin(final Beginning beginning) {
        final Histogram ns = newHistogram();
        for (int session = 1; session < sessionCount; session++) {
            final long begunNs = clock.nanoTime();
            switch (beginning) {
                case BY_ITSELF -> sessions.steps(session, warmUp);
                case COPIED -> sessions.copy(0, session);
                case SHARED -> sessions.fork(0, session);
                default -> throw new IllegalArgumentException("beginning=" + beginning);
            }
            ns.recordValue(Math.min(MAX_NS, clock.nanoTime() - begunNs));
        }
        return ns;
    }

    /** A step of each session, in an order by chance; all have been in another one's place of that order before. */
    Histogram cold(final SplittableRandom random) {
        final int[] order = new int[sessionCount];
        for (int i = 0; i < sessionCount; i++) {
            order[i] = i;
        }
        final Histogram ns = newHistogram();
        for (int round = 0; round < 2; round++) {
            shuffle(order, random);
            for (final int session : order) {
                if (round == 0) {
                    sessions.step(session, nextToken());
                    sessions.settle(session);
                } else {
                    timed(session, ns);
                }
            }
        }
        return ns;
    }

    @Override
    public void close() {
        sessions.close();
    }

    private void timed(final int session, final Histogram ns) {
        final int token = nextToken();
        final long begunNs = clock.nanoTime();
        sessions.step(session, token);
        final long tookNs = clock.nanoTime() - begunNs;
        sessions.settle(session);
        ns.recordValue(Math.min(MAX_NS, tookNs));
    }

    private void step(final int count) {
        for (int i = 0; i < count; i++) {
            sessions.step(0, nextToken());
            sessions.settle(0);
        }
    }

    private int nextToken() {
        next = next + 1 == tokens.length ? 0 : next + 1;
        return tokens[next];
    }

    private static void shuffle(final int[] order, final SplittableRandom random) {
        for (int i = order.length - 1; i > 0; i--) {
            final int other = random.nextInt(i + 1);
            final int swapped = order[i];
            order[i] = order[other];
            order[other] = swapped;
        }
    }
}
