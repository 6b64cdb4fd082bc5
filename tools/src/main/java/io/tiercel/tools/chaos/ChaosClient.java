package io.tiercel.tools.chaos;

import io.tiercel.protocol.client.AsyncConnect;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.ExpandableDirectByteBuffer;

/**
 * A trading system that goes on whatever happens: connects, sends at its rate, and when the connection is lost connects
 * anew and sends everything that was not answered once more, under the ids it had, before anything else. Now and then
 * it also asks for an answer that it has had, which must be the same.
 *
 * <p>The clients' thread only.
 */
final class ChaosClient implements ResponseHandler, AutoCloseable {

    private static final int SESSION_COUNT = 8;
    private static final int POLL_LIMIT = 64;
    private static final int SEND_LIMIT = 32;
    /** Of the newest requests one is asked for again, so that it is within the retry window. */
    private static final int RECENT_COUNT = 100;
    private static final int AGAIN_PERCENT = 3;
    private static final int BURST_COUNT = 200;
    private static final long CONNECT_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(20);

    private final ChaosLog log;
    private final SplittableRandom random;
    private final long intervalNs;
    private final ExpandableDirectByteBuffer features = new ExpandableDirectByteBuffer();
    private final Queue<ChaosRequest> unanswered = new ArrayDeque<>();
    private final List<ChaosRequest> inFlight = new ArrayList<>();
    private final List<String> violations = new ArrayList<>();
    private AsyncConnect connecting;
    private TiercelClient client;
    private ModelInfo model;
    private int life;
    private long dueNs;
    private ChaosRequest next;
    private long heldBackCount;
    private long unansweredAgainCount;
    private long answeredAgainCount;
    private long sameAgainCount;
    private long cutOffAgainCount;

    ChaosClient(final ChaosLog log, final long seed, final long intervalNs) {
        this.log = log;
        this.random = new SplittableRandom(seed);
        this.intervalNs = intervalNs;
        this.next = ChaosRequest.draw(random, SESSION_COUNT);
    }

    /**
     * @param aeronDirectoryName of the appliance that there is; null: none, let go of it.
     * @param newLife   number of its start.
     * @param isSending whether new requests are wanted.
     * @return work done.
     */
    int doWork(final String aeronDirectoryName, final int newLife, final boolean isSending, final long nowNs) {
        if (aeronDirectoryName == null) {
            return letGo();
        }
        if (client == null) {
            life = newLife;
            return connect(aeronDirectoryName, nowNs);
        }
        int work = client.poll(this, POLL_LIMIT);
        if (isConnected()) {
            work += sendUnanswered();
        }
        if (isConnected() && isSending && unanswered.isEmpty()) {
            work += sendDue(nowNs);
        }
        return work;
    }

    /** Makes as many requests due at once, so that a kill finds some in every stage. */
    void burst() {
        dueNs -= BURST_COUNT * intervalNs;
    }

    boolean isAttached() {
        return client != null || connecting != null;
    }

    /** Whether nothing is on its way and nothing waits to be sent once more. */
    boolean isSettled() {
        return unanswered.isEmpty() && inFlight.isEmpty();
    }

    ChaosLog log() {
        return log;
    }

    /** Requests that were not sent because too many were on their way. */
    long heldBackCount() {
        return heldBackCount;
    }

    /** Requests without an answer that were sent once more. */
    long unansweredAgainCount() {
        return unansweredAgainCount;
    }

    /** Requests with an answer that were sent once more. */
    long answeredAgainCount() {
        return answeredAgainCount;
    }

    /** Of them, those that were answered as the first time. */
    long sameAgainCount() {
        return sameAgainCount;
    }

    /** Of them, those that a kill kept from being answered again. */
    long cutOffAgainCount() {
        return cutOffAgainCount;
    }

    /** Answers that contradict earlier ones. */
    List<String> violations() {
        return violations;
    }

    @Override
    public void close() {
        letGo();
        log.close();
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
        final ChaosRequest request = log.find(correlationId);
        if (request == null || !request.isInFlight || request.sessionKey != sessionKey) {
            violations.add(log.principal() + " got an answer that it did not wait for: correlationId=" +
                    correlationId + " sessionKey=" + sessionKey + " sequence=" + sequence);
            return;
        }
        arrive(request, outputs, offset, outputCount);
        landed(request);
        if (request.isAnswered()) {
            compare(request, sequence, status);
        } else {
            request.sequence = sequence;
            request.status = status;
            request.outputs = request.arriving;
            request.arriving = new int[0];
            request.answeredInLife = life;
            log.answered(request);
        }
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
        final ChaosRequest request = log.find(correlationId);
        if (request != null && request.isInFlight) {
            arrive(request, outputs, offset, outputCount);
        }
    }

    @Override
    public void onReject(
            final long correlationId,
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final String detail) {
        final ChaosRequest request = log.find(correlationId);
        if (request == null || !request.isInFlight || request.isAnswered()) {
            violations.add(log.principal() + " got a refusal of what was taken: correlationId=" + correlationId +
                    " code=" + code + " detail=" + detail);
            return;
        }
        landed(request);
        request.refusal = code;
        log.refused(request);
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        // What is still in flight is dealt with when the connection is over.
    }

    @Override
    public void onDisconnect() {
        letGo();
    }

    private boolean isConnected() {
        return client != null && client.isConnected();
    }

    private int connect(final String aeronDirectoryName, final long nowNs) {
        try {
            if (connecting == null) {
                connecting = TiercelClient.asyncConnect(new ClientContext()
                        .aeronDirectoryName(aeronDirectoryName)
                        .principal(log.principal())
                        .connectTimeoutNs(CONNECT_TIMEOUT_NS));
            }
            client = connecting.poll();
        } catch (final TiercelClientException e) {
            connecting = null; // it was refused or took too long; the next round tries again
            return 0;
        }
        if (client == null) {
            return 0;
        }
        connecting = null;
        model = client.models().get(0);
        dueNs = nowNs;
        return 1;
    }

    /** The connection is over, or its appliance is dead; what was on its way may or may not have been taken. */
    private int letGo() {
        if (!isAttached()) {
            return 0;
        }
        CloseHelper.closeAll(connecting, client);
        connecting = null;
        client = null;
        for (final ChaosRequest request : inFlight) {
            request.isInFlight = false;
            request.arriving = new int[0];
            if (request.isAnswered()) {
                cutOffAgainCount++;
            } else {
                unanswered.add(request);
            }
        }
        inFlight.clear();
        return 1;
    }

    private int sendUnanswered() {
        int sent = 0;
        while (sent < SEND_LIMIT && !unanswered.isEmpty() && sendAgain(unanswered.peek())) {
            unanswered.remove();
            unansweredAgainCount++;
            sent++;
        }
        return sent;
    }

    /** Open loop: what is due is sent or, if there is no room, left out. */
    private int sendDue(final long nowNs) {
        int sent = 0;
        while (sent < SEND_LIMIT && nowNs - dueNs >= 0 && isConnected()) {
            dueNs += intervalNs;
            if (random.nextInt(100) < AGAIN_PERCENT) {
                askAgain();
            }
            if (sendFirst(next)) {
                next = ChaosRequest.draw(random, SESSION_COUNT);
            } else {
                heldBackCount++;
            }
            sent++;
        }
        return sent;
    }

    private void askAgain() {
        final List<ChaosRequest> requests = log.requests();
        if (!requests.isEmpty()) {
            final int age = 1 + random.nextInt(Math.min(requests.size(), RECENT_COUNT));
            final ChaosRequest request = requests.get(requests.size() - age);
            if (request.isAnswered() && !request.isInFlight && sendAgain(request)) {
                answeredAgainCount++;
            }
        }
    }

    private boolean sendFirst(final ChaosRequest request) {
        final long sent;
        if (request.kind == ChaosRequest.Kind.RESET) {
            sent = client.resetSession(model.modelId(), request.sessionKey);
        } else {
            request.writeFeatures(features, model.featureCount());
            sent = client.infer(model.modelId(), request.sessionKey, features, 0, request.stepCount, request.budgetNs,
                    request.kind == ChaosRequest.Kind.STREAM);
        }
        if (sent > 0) {
            request.correlationId = sent;
            started(request);
        }
        return sent > 0;
    }

    private boolean sendAgain(final ChaosRequest request) {
        final long sent;
        if (request.kind == ChaosRequest.Kind.RESET) {
            sent = client.resetSessionAgain(request.correlationId, model.modelId(), request.sessionKey);
        } else {
            request.writeFeatures(features, model.featureCount());
            sent = client.inferAgain(request.correlationId, model.modelId(), request.sessionKey, features, 0,
                    request.stepCount, request.budgetNs, request.kind == ChaosRequest.Kind.STREAM);
        }
        if (sent > 0) {
            started(request);
        }
        return sent > 0;
    }

    private void started(final ChaosRequest request) {
        log.sent(request);
        request.isInFlight = true;
        inFlight.add(request);
    }

    private void landed(final ChaosRequest request) {
        request.isInFlight = false;
        inFlight.remove(request);
    }

    private static void arrive(
            final ChaosRequest request, final DirectBuffer outputs, final int offset, final int outputCount) {
        final int count = request.arriving.length;
        request.arriving = Arrays.copyOf(request.arriving, count + outputCount);
        for (int i = 0; i < outputCount; i++) {
            request.arriving[count + i] = outputs.getInt(offset + i * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
        }
    }

    private void compare(final ChaosRequest request, final long sequence, final ResultStatus status) {
        if (sequence == request.sequence && status == request.status
                && Arrays.equals(request.arriving, request.outputs)) {
            sameAgainCount++;
        } else {
            violations.add(log.principal() + " got another answer the second time: " + request + ", then sequence=" +
                    sequence + " status=" + status + " outputs=" + Arrays.toString(request.arriving) + " after " +
                    Arrays.toString(request.outputs));
        }
        request.arriving = new int[0];
    }
}
