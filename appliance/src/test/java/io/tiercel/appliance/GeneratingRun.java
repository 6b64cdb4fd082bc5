package io.tiercel.appliance;

import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.Generation;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Two connections of one principal and one of another generate tokens, cancel, come and go, ask again for what was
 * asked before, and step and fork the same sessions in between, through stages that run in random order.
 */
final class GeneratingRun {

    static final int IN_FLIGHT = 8;
    static final int MAX_STEPS = 4;
    private static final int MODEL = 2;
    private static final int SESSION_COUNT = 3;
    private static final int MAX_TOKENS = 8;
    private static final int RECENT_COUNT = 6;
    static final int MAX_REQUESTS = 120;

    private final PipelineHarness harness;
    private final Random random;
    private final boolean hasRetries;
    /** Whether the window is so large that it forgets nothing. */
    private final boolean knowsAll;
    private final List<Connection> connections = new ArrayList<>();
    private final List<Connection> ended = new ArrayList<>();
    private final List<Agent> order;
    private int sentCount;

    /** What a principal has asked for. */
    private record Asked(long id, long sessionKey, int[] tokens, Generation generation) {
    }

    /** One client, what it has heard, and what of it is under way. */
    private final class Connection {
        final String principal;
        final List<Asked> asked;
        final TiercelClient client;
        final Answers answers = new Answers();
        final List<Long> underWay = new ArrayList<>();
        int requestCount;

        Connection(final String principal, final List<Asked> asked) {
            this.principal = principal;
            this.asked = asked;
            client = harness.connect(principal);
        }

        void poll() {
            client.poll(answers, 16);
            underWay.removeIf(this::isAnswered);
        }

        private boolean isAnswered(final long id) {
            return count(id) > 0;
        }

        int count(final long id) {
            return (int) (answers.results.stream().filter(result -> result.correlationId() == id).count() +
                    answers.rejections.stream().filter(rejection -> rejection.correlationId() == id).count());
        }
    }

    GeneratingRun(final PipelineHarness harness, final long seed, final boolean hasRetries) {
        this.harness = harness;
        this.hasRetries = hasRetries;
        knowsAll = harness.context.retryWindow() > MAX_REQUESTS * MAX_TOKENS;
        random = new Random(seed);
        final List<Asked> shared = new ArrayList<>();
        connections.add(new Connection("desk", shared));
        connections.add(new Connection("desk", shared));
        connections.add(new Connection("other", new ArrayList<>()));
        order = new ArrayList<>(harness.stages());
    }

    void exchange(final int requestCount, final boolean stalls) {
        for (int round = 0; sentCount < requestCount || isUnderWay(); round++) {
            assertTrue(round < PipelineHarness.MAX_ROUNDS, "sent=" + sentCount);
            if (sentCount < requestCount && random.nextInt(3) == 0) {
                act(random.nextInt(connections.size()));
            }
            harness.requests.stallFrom(stalls && random.nextInt(4) > 0
                    ? harness.requests.size() + random.nextInt(2)
                    : Long.MAX_VALUE);
            randomRound();
        }
        harness.requests.stall(false);
        harness.roundsUntil("all are over", () -> harness.counter(CounterId.GENERATIONS) == 0);
        harness.drain();
    }

    private boolean isUnderWay() {
        return connections.stream().anyMatch(connection -> connection.client.inFlight() > 0);
    }

    private void act(final int index) {
        final Connection connection = connections.get(index);
        final long sessionKey = random.nextInt(SESSION_COUNT);
        switch (random.nextInt(10)) {
            case 0, 1, 2, 3 -> generate(connection, sessionKey);
            case 4, 5 -> generateAgain(connection);
            case 6 -> {
                if (!connection.underWay.isEmpty()) {
                    connection.client.cancelGeneration(
                            connection.underWay.get(random.nextInt(connection.underWay.size())));
                }
            }
            case 7 -> count(connection, connection.client.inferTokens(MODEL, sessionKey, tokens(), 0));
            case 8 -> count(connection, random.nextBoolean()
                    ? connection.client.resetSession(MODEL, sessionKey)
                    : connection.client.forkSession(MODEL, sessionKey, random.nextInt(SESSION_COUNT)));
            default -> {
                if (random.nextInt(4) == 0) {
                    connection.client.close();
                    ended.add(connection);
                    connections.set(index, new Connection(connection.principal, connection.asked));
                }
            }
        }
    }

    private void generate(final Connection connection, final long sessionKey) {
        final Generation generation = new Generation()
                .maxTokens(1 + random.nextInt(MAX_TOKENS))
                .temperature(random.nextInt(2))
                .topTokens(random.nextInt(5))
                .seed(random.nextLong())
                .stopTokens(tokens());
        final int[] tokens = tokens();
        final long id = connection.client.generate(MODEL, sessionKey, tokens, generation, budgetNs());
        if (count(connection, id)) {
            connection.asked.add(new Asked(id, sessionKey, tokens, generation));
            connection.underWay.add(id);
        }
    }

    /** Not while this connection waits for the same one: their chunks could not be told apart here. */
    private void generateAgain(final Connection connection) {
        final int count = connection.asked.size();
        if (!hasRetries || count == 0) {
            return;
        }
        final Asked asked = connection.asked.get(count - 1 - random.nextInt(Math.min(count, RECENT_COUNT)));
        if (connection.count(asked.id()) == 0 && !connection.underWay.contains(asked.id()) &&
                count(connection, connection.client.generateAgain(
                        asked.id(), MODEL, asked.sessionKey(), asked.tokens(), asked.generation(), 0))) {
            connection.underWay.add(asked.id());
        }
    }

    private boolean count(final Connection connection, final long sent) {
        if (sent > 0) {
            sentCount++;
            connection.requestCount++;
        }
        return sent > 0;
    }

    /** What comes again must be the same frame, so none that may come again has a budget. */
    private long budgetNs() {
        return !hasRetries && random.nextInt(3) == 0 ? PipelineHarness.ROUND_NS * (1 + random.nextInt(4)) : 0;
    }

    private int[] tokens() {
        final int[] tokens = new int[1 + random.nextInt(MAX_STEPS)];
        for (int index = 0; index < tokens.length; index++) {
            tokens[index] = random.nextInt(TransformerSetting.SMALL_VOCABULARY);
        }
        return tokens;
    }

    /**
     * Every request that was sent on a connection that lasted has one answer; every token that was told is its
     * outcome's, in order from the first; and what is told twice has one sequence, unless it has been forgotten.
     */
    void assertAnswers() {
        for (final Connection connection : connections) {
            assertEquals(connection.requestCount, connection.answers.count());
            for (final Answers.Rejection rejection : connection.answers.rejections) {
                assertTrue(rejection.code() == RejectCode.UNKNOWN_SESSION ||
                        rejection.code() == RejectCode.GENERATION_LIMIT, rejection::toString);
            }
        }
        ended.addAll(connections);
        final Map<List<Object>, Long> sequences = new HashMap<>();
        for (final Connection connection : ended) {
            final Map<Long, Integer> toldCounts = new HashMap<>();
            for (final Answers.Chunk chunk : connection.answers.chunks) {
                assertEquals(toldCounts.merge(chunk.correlationId(), 1, Integer::sum) - 1, chunk.stepIndex());
                assertTold(chunk.sequence(), chunk.outputs());
                final List<Object> token = List.of(connection.principal, chunk.correlationId(), chunk.stepIndex());
                final Long before = sequences.put(token, chunk.sequence());
                assertTrue(!knowsAll || before == null || before == chunk.sequence(),
                        () -> "another sequence: " + chunk);
            }
            for (final Answers.Result result : connection.answers.results) {
                if (result.status() == ResultStatus.OK) {
                    assertTold(result.sequence(), result.outputs());
                }
            }
        }
    }

    private void assertTold(final long sequence, final float[] outputs) {
        final UnsafeBuffer recorded =
                new UnsafeBuffer(StraightRun.Outcome.of(harness.outcomes.find(sequence)).outputs());
        assertEquals(recorded.capacity(), outputs.length * Float.BYTES);
        for (int index = 0; index < outputs.length; index++) {
            assertEquals(recorded.getInt(index * Float.BYTES), Float.floatToRawIntBits(outputs[index]));
        }
    }

    private void randomRound() {
        harness.randomRound(random, order, () -> connections.forEach(Connection::poll));
    }
}
