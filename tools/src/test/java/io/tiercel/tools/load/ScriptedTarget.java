package io.tiercel.tools.load;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.agrona.concurrent.NanoClock;

/**
 * A server on a fake clock: one request at a time, each takes {@code serviceNs}, and within a stall nothing is
 * answered. Each reading of the clock moves it by a nanosecond and each poll by ten, so loops come to their end.
 */
final class ScriptedTarget implements LoadTarget, NanoClock {

    private static final long READ_NS = 1;
    private static final long POLL_NS = 10;

    private record Pending(long correlationId, long answerNs) {
    }

    final List<Long> sentIndexes = new ArrayList<>();
    long serviceNs = 100;
    long stallFromNs = Long.MAX_VALUE;
    long stallUntilNs = Long.MAX_VALUE;
    long refuseUntilNs;
    long dropEvery;
    long duplicateEvery;
    long expireEvery;
    long rejectEvery;
    long disconnectAfter = Long.MAX_VALUE;

    private final Deque<Pending> pending = new ArrayDeque<>();
    private long nowNs;
    private long freeAtNs;
    private long lastId;

    @Override
    public long nanoTime() {
        nowNs += READ_NS;
        return nowNs;
    }

    @Override
    public long send(final long requestIndex) {
        if (nowNs < refuseUntilNs) {
            return BACK_PRESSURED;
        }
        if (lastId >= disconnectAfter) {
            return DISCONNECTED;
        }
        sentIndexes.add(requestIndex);
        final long id = ++lastId;
        long startNs = Math.max(nowNs, freeAtNs);
        if (startNs >= stallFromNs && startNs < stallUntilNs) {
            startNs = stallUntilNs;
        }
        freeAtNs = startNs + serviceNs;
        if (dropEvery == 0 || id % dropEvery != 0) {
            pending.add(new Pending(id, freeAtNs));
        }
        return id;
    }

    @Override
    public int poll(final AnswerHandler handler) {
        nowNs += POLL_NS;
        int count = 0;
        while (!pending.isEmpty() && pending.peek().answerNs() <= nowNs) {
            final long id = pending.poll().correlationId();
            handler.onAnswer(id, kindOf(id));
            if (duplicateEvery != 0 && id % duplicateEvery == 0) {
                handler.onAnswer(id, AnswerKind.OK);
            }
            count++;
        }
        return count;
    }

    private AnswerKind kindOf(final long id) {
        if (expireEvery != 0 && id % expireEvery == 0) {
            return AnswerKind.EXPIRED;
        }
        return rejectEvery != 0 && id % rejectEvery == 0 ? AnswerKind.REJECTED : AnswerKind.OK;
    }
}
