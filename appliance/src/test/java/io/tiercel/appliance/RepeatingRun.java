package io.tiercel.appliance;

import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.Principals;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.ResetSessionEncoder;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Two connections of one principal and one of another send requests of every kind, and each of them sends earlier
 * frames of its principal again, through stages that run in random order.
 */
final class RepeatingRun {

    static final int IN_FLIGHT = 8;
    static final int MAX_STEPS = 4;
    private static final int FEATURES = 8;
    private static final int SESSION_COUNT = 3;
    private static final int RECENT_COUNT = 40;

    private final PipelineHarness harness;
    private final Random random;
    private final List<Sender> senders = new ArrayList<>();
    private final List<Agent> order;
    private int sentCount;

    /** One request, however often it is sent. */
    private record Request(long correlationId, byte[] frame, int slotCount) {
    }

    /** A connection, and the requests that its principal has sent. */
    private static final class Sender {
        private final RawClient client;
        private final long principalId;
        private final List<Request> requests;
        private int sentCount;

        Sender(final RawClient client, final String principal, final List<Request> requests) {
            this.client = client;
            this.requests = requests;
            principalId = Principals.idOf(principal);
            client.welcome(principal);
        }
    }

    RepeatingRun(final PipelineHarness harness, final long seed) {
        this.harness = harness;
        random = new Random(seed);
        final List<Request> shared = new ArrayList<>();
        senders.add(new Sender(harness.rawClient(), "desk", shared));
        senders.add(new Sender(harness.rawClient(), "desk", shared));
        senders.add(new Sender(harness.rawClient(), "other", new ArrayList<>()));
        order = new ArrayList<>(harness.stages());
    }

    void exchange(final int requestCount, final boolean stalls) {
        for (int round = 0; answerCount() < requestCount; round++) {
            assertTrue(round < PipelineHarness.MAX_ROUNDS, "answers=" + answerCount());
            final Sender sender = senders.get(random.nextInt(senders.size()));
            if (sentCount < requestCount && sender.sentCount - sender.client.answers.size() < IN_FLIGHT) {
                send(sender);
            }
            harness.requests.stallFrom(stalls && random.nextInt(4) > 0
                    ? harness.requests.size() + random.nextInt(2)
                    : Long.MAX_VALUE);
            randomRound();
        }
        harness.requests.stall(false);
        harness.drain();
    }

    /**
     * Every frame that was sent has one answer; all answers with one sequence are the same bytes, and no request was
     * computed twice while the window knew it.
     */
    void assertAnswers() {
        final Map<Long, List<Byte>> answerBySequence = new HashMap<>();
        for (final Sender sender : senders) {
            assertEquals(List.of(), sender.client.rejections);
            assertEquals(sender.sentCount, sender.client.answers.size());
            for (int index = 0; index < sender.client.answers.size(); index++) {
                final RawClient.Result result = sender.client.results.get(index);
                final List<Byte> answer = sender.client.answers.get(index);
                final List<Byte> first = answerBySequence.putIfAbsent(result.sequence(), answer);
                assertTrue(first == null || first.equals(answer), () -> "another answer: " + result);
                final MemoryRecordLog.Entry record = harness.requests.find(result.sequence());
                assertEquals(sender.principalId, record.principalId());
                assertEquals(result.correlationId(), correlationIdOf(record));
            }
        }
        assertEquals(harness.requests.size(), answerBySequence.size());
        assertEquals(sentCount, harness.requests.size() + harness.counter(CounterId.RETRIES_ANSWERED));
        for (final Sender sender : List.of(senders.get(0), senders.get(2))) {
            assertTakenOnlyWhenUnknown(sender);
        }
    }

    /** Goes through the journal with the window written down plainly. */
    private void assertTakenOnlyWhenUnknown(final Sender sender) {
        final Map<Long, Request> requests = new HashMap<>();
        sender.requests.forEach(request -> requests.put(request.correlationId(), request));
        final List<Request> window = new ArrayList<>();
        final Set<Long> known = new HashSet<>();
        int used = 0;
        for (final MemoryRecordLog.Entry record : harness.requests.entries()) {
            if (record.principalId() != sender.principalId) {
                continue;
            }
            final Request request = requests.get(correlationIdOf(record));
            assertTrue(Arrays.equals(request.frame(), record.frame()));
            assertFalse(known.contains(request.correlationId()), () -> "computed twice: sequence=" + record.sequence());
            while (used + request.slotCount() > harness.context.retryWindow()) {
                final Request forgotten = window.remove(0);
                used -= forgotten.slotCount();
                known.remove(forgotten.correlationId());
            }
            window.add(request);
            known.add(request.correlationId());
            used += request.slotCount();
        }
    }

    private static long correlationIdOf(final MemoryRecordLog.Entry record) {
        return new UnsafeBuffer(record.frame())
                .getLong(MessageHeaderEncoder.ENCODED_LENGTH + InferDecoder.correlationIdEncodingOffset());
    }

    private int answerCount() {
        return senders.stream().mapToInt(sender -> sender.client.answers.size()).sum();
    }

    private void send(final Sender sender) {
        final boolean isRepeat = !sender.requests.isEmpty() && random.nextInt(3) == 0;
        final Request request = isRepeat ? recent(sender) : newRequest(sender);
        if (sender.client.trySend(new UnsafeBuffer(request.frame()), request.frame().length)) {
            sender.sentCount++;
            sentCount++;
            if (!isRepeat) {
                sender.requests.add(request);
            }
        }
    }

    private Request recent(final Sender sender) {
        final int count = sender.requests.size();
        return sender.requests.get(count - 1 - random.nextInt(Math.min(count, RECENT_COUNT)));
    }

    private Request newRequest(final Sender sender) {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[1024]);
        final long correlationId = sender.requests.size() * 7L + 1;
        final long sessionKey = random.nextInt(SESSION_COUNT);
        final boolean isReset = random.nextInt(8) == 0;
        final int stepCount = 1 + random.nextInt(MAX_STEPS);
        final boolean isStreamed = !isReset && random.nextBoolean();
        final int length;
        if (isReset) {
            new ResetSessionEncoder().wrapAndApplyHeader(frame, 0, new MessageHeaderEncoder())
                    .correlationId(correlationId).sessionKey(sessionKey).modelId(0);
            length = MessageHeaderEncoder.ENCODED_LENGTH + ResetSessionEncoder.BLOCK_LENGTH;
        } else {
            final float[] features = new float[stepCount * FEATURES];
            for (int index = 0; index < features.length; index++) {
                features[index] = random.nextFloat() * 4 - 2;
            }
            final long budgetNs = random.nextInt(3) == 0 ? PipelineHarness.ROUND_NS * (1 + random.nextInt(4)) : 0;
            length = RawClient.putSteps(frame, correlationId, sessionKey, stepCount, isStreamed, budgetNs, features);
        }
        final byte[] bytes = new byte[length];
        frame.getBytes(0, bytes);
        return new Request(correlationId, bytes, isStreamed ? stepCount : 1);
    }

    private void randomRound() {
        harness.randomRound(random, order, () -> {});
        senders.forEach(sender -> sender.client.poll());
        assertNull(harness.pipeline.state().failure());
    }
}
