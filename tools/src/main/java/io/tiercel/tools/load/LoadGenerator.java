package io.tiercel.tools.load;

import org.agrona.concurrent.NanoClock;

/**
 * Sends requests when they are due, whatever became of the earlier ones, and times each from the moment it was
 * <em>due</em>. So a stall of the appliance, of the transport or of this very thread is in the latency of every request
 * that it delayed, and not only of the one that met it (coordinated omission).
 *
 * <p>Runs on the caller's thread, spinning, and allocates nothing in its loop. A request that finds the transport
 * full, or the table of requests in flight, is tried again and keeps its due time, or, if the generator is told so, is
 * given up and counted: then no request waits here for those before it. A run ends by itself: when all is answered,
 * when answers stop coming for the drain timeout, when the connection ends, or when its time is up.
 *
 * <p>The same loop runs closed ({@link #runClosedLoop}): the next request is sent a fixed pause after the last answer.
 * That measures an unloaded round trip and hides queueing; it is here to compare with.
 */
public final class LoadGenerator implements AnswerHandler {

    private static final Schedule CLOSED_LOOP = null;

    private final NanoClock clock;
    private final LoadTarget target;
    private final InFlightTable inFlight;
    private final HiccupRecorder hiccups;
    private final boolean givesUp;
    private final long drainTimeoutNs;

    private LatencySink latencies;
    private Schedule schedule;
    private long pauseNs;
    private long firstIndex;
    private long requestCount;
    private long untilNs;
    private long sentCount;
    private long nextDueNs;
    private boolean isDue;
    private boolean isHeldBack;
    private long answeredCount;
    private long expiredCount;
    private long rejectedCount;
    private long backPressuredCount;
    private long givenUpCount;
    private long lastTryNs;
    private long unexpectedCount;
    private long lastAnswerNs;
    private long silentSinceNs;
    private boolean isDisconnected;

    /**
     * @param maxInFlight    unanswered requests at most; more wait, and their waiting is in their latency.
     * @param givesUp        whether a request that finds no room is given up.
     * @param drainTimeoutNs how long to wait without any answer before what is open counts as lost.
     */
    public LoadGenerator(
            final NanoClock clock,
            final LoadTarget target,
            final int maxInFlight,
            final boolean givesUp,
            final long drainTimeoutNs,
            final HiccupRecorder hiccups) {
        this.clock = clock;
        this.target = target;
        this.inFlight = new InFlightTable(maxInFlight);
        this.givesUp = givesUp;
        this.drainTimeoutNs = drainTimeoutNs;
        this.hiccups = hiccups;
    }

    /**
     * Runs a schedule.
     *
     * @param maxCount   requests at most.
     * @param durationNs requests due at or after this offset are not part of the run.
     * @param firstIndex index of the first request, for the target.
     */
    public LoadCounts runOpenLoop(
            final Schedule openLoop,
            final long firstIndex,
            final long maxCount,
            final long durationNs,
            final LatencySink sink) {
        return run(openLoop, 0, firstIndex, maxCount, durationNs, sink);
    }

    /**
     * Sends each request when the one before it has been answered, and times it from when it was sent.
     *
     * @param closedLoopPauseNs from an answer to the next request: 0 makes it wait for what the other side still does
     *                          after an answer, too.
     */
    public LoadCounts runClosedLoop(
            final long closedLoopPauseNs,
            final long firstIndex,
            final long count,
            final long durationNs,
            final LatencySink sink) {
        return run(CLOSED_LOOP, closedLoopPauseNs, firstIndex, count, durationNs, sink);
    }

    @Override
    public long onAnswer(final long correlationId, final AnswerKind kind) {
        final long requestIndex = inFlight.remove(correlationId);
        if (requestIndex < 0) {
            unexpectedCount++;
            return -1;
        }
        final long nowNs = clock.nanoTime();
        lastAnswerNs = nowNs;
        silentSinceNs = nowNs;
        if (kind == AnswerKind.OK) {
            answeredCount++;
            latencies.onLatency(requestIndex, nowNs - inFlight.removedDueNs());
            latencies.onLatencySinceSent(nowNs - inFlight.removedSentNs());
        } else if (kind == AnswerKind.EXPIRED) {
            expiredCount++;
        } else {
            rejectedCount++;
        }
        return requestIndex;
    }

    @Override
    public void onDisconnect() {
        isDisconnected = true;
    }

    private LoadCounts run(
            final Schedule runSchedule,
            final long runPauseNs,
            final long runFirstIndex,
            final long maxCount,
            final long durationNs,
            final LatencySink sink) {
        reset(runSchedule, runPauseNs, runFirstIndex, maxCount, durationNs, sink);
        final long startNs = clock.nanoTime();
        untilNs = startNs + durationNs;
        lastAnswerNs = startNs;
        lastTryNs = startNs;
        prepareNext(startNs, startNs);
        spin(startNs, untilNs + drainTimeoutNs);
        return conclude(startNs);
    }

    private void reset(
            final Schedule runSchedule,
            final long runPauseNs,
            final long runFirstIndex,
            final long maxCount,
            final long durationNs,
            final LatencySink sink) {
        if (maxCount < 0 || durationNs < 0 || runPauseNs < 0) {
            throw new IllegalArgumentException(
                    "maxCount=" + maxCount + " durationNs=" + durationNs + " pauseNs=" + runPauseNs);
        }
        schedule = runSchedule;
        pauseNs = runPauseNs;
        firstIndex = runFirstIndex;
        requestCount = maxCount;
        latencies = sink;
        inFlight.clear();
        sentCount = 0;
        answeredCount = 0;
        expiredCount = 0;
        rejectedCount = 0;
        backPressuredCount = 0;
        givenUpCount = 0;
        unexpectedCount = 0;
        isHeldBack = false;
        isDisconnected = false;
    }

    private void spin(final long startNs, final long deadlineNs) {
        long previousNs = startNs;
        boolean wasIdle = false;
        while (!isDisconnected) {
            final long nowNs = clock.nanoTime();
            if (wasIdle) {
                hiccups.onIdleTurn(previousNs, nowNs);
            }
            previousNs = nowNs;
            final int work = sendIfDue(startNs, nowNs) + target.poll(this);
            wasIdle = work == 0;
            if (isOver(nowNs, deadlineNs)) {
                return;
            }
        }
    }

    private int sendIfDue(final long startNs, final long nowNs) {
        if (!isDue || nowNs - nextDueNs < 0) {
            return 0;
        }
        if (schedule == CLOSED_LOOP) {
            if (inFlight.size() != 0 || nowNs - lastAnswerNs < pauseNs) {
                return 0;
            }
            if (!isHeldBack) {
                nextDueNs = nowNs;
            }
        }
        return send(startNs, nowNs);
    }

    private int send(final long startNs, final long nowNs) {
        final long correlationId = inFlight.isFull()
                ? LoadTarget.BACK_PRESSURED
                : target.send(firstIndex + sentCount);
        if (correlationId > 0) {
            if (inFlight.size() == 0) {
                silentSinceNs = nowNs;
            }
            inFlight.put(correlationId, firstIndex + sentCount, nextDueNs, nowNs);
            sentCount++;
            isHeldBack = false;
            lastTryNs = nowNs;
            prepareNext(startNs, nowNs);
            return 1;
        }
        if (correlationId == LoadTarget.DISCONNECTED) {
            isDisconnected = true;
        } else if (givesUp) {
            giveUp(startNs, nowNs);
        } else if (!isHeldBack) {
            isHeldBack = true;
            backPressuredCount++;
        }
        return 0;
    }

    private void giveUp(final long startNs, final long nowNs) {
        backPressuredCount++;
        givenUpCount++;
        lastTryNs = nowNs;
        prepareNext(startNs, nowNs);
    }

    private void prepareNext(final long startNs, final long nowNs) {
        if (sentCount + givenUpCount == requestCount) {
            isDue = false;
            return;
        }
        nextDueNs = schedule == CLOSED_LOOP ? nowNs : startNs + schedule.nextNs();
        isDue = nextDueNs - untilNs < 0;
    }

    private boolean isOver(final long nowNs, final long deadlineNs) {
        if (inFlight.size() == 0 && !isDue) {
            return true;
        }
        final boolean isSilent = inFlight.size() != 0 && nowNs - silentSinceNs > drainTimeoutNs;
        return isSilent || nowNs - deadlineNs > 0;
    }

    private LoadCounts conclude(final long startNs) {
        final long lost = inFlight.size();
        return new LoadCounts(
                answeredCount,
                expiredCount,
                rejectedCount,
                lost,
                givenUpCount,
                unsent(startNs),
                backPressuredCount,
                unexpectedCount,
                lastAnswerNs - startNs,
                lastTryNs - startNs,
                isDisconnected);
    }

    /** Requests of the schedule that were never sent: the run's time was up first. */
    private long unsent(final long startNs) {
        if (schedule == CLOSED_LOOP) {
            return isDisconnected ? requestCount - sentCount : 0;
        }
        long count = 0;
        while (isDue) {
            count++;
            sentCount++;
            prepareNext(startNs, startNs);
        }
        return count;
    }
}
