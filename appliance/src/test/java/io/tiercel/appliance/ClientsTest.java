package io.tiercel.appliance;

import io.aeron.ExclusivePublication;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Told;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.wire.GoodbyeReason;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Clients that come, go, vanish, fall silent or stop reading, and what the others notice of it: nothing. */
class ClientsTest {

    private static final int FEATURES = 8;
    private static final int SMALL_TERM = 64 * 1024;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private final Answers answers = new Answers();

    @AfterEach
    void tearDown() {
        assertNull(harness.pipeline.state().failure());
        harness.close();
    }

    @Test
    void shouldFreeThePlaceWhenAClientVanishes() {
        start(context -> context.maxClients(1));
        for (int turn = 1; turn <= 5; turn++) {
            final RawClient client = harness.rawClient().welcome("desk");
            client.infer(turn, 1, new float[FEATURES]);
            client.until("answered", () -> client.results.size() == 1);
            client.vanish();
            final int gone = turn;
            harness.roundsUntil("gone", () -> harness.counter(CounterId.CLIENTS_GONE) == gone);
            harness.pass(TimeUnit.MILLISECONDS.toNanos(10));
            assertEquals(0, harness.counter(CounterId.CLIENTS));
        }
        assertEquals(5, harness.counter(CounterId.CLIENTS_WELCOMED));
    }

    @Test
    void shouldCountResultsAsUndeliveredWhenTheirClientHasVanished() {
        start(context -> {});
        final RawClient client = harness.rawClient().welcome("desk");
        harness.requests.stall(true);
        for (int request = 0; request < 5; request++) {
            client.infer(request, 1, new float[FEATURES]);
        }
        harness.roundsUntil("taken", () -> harness.pipeline.takenCount() == 5);
        client.vanish();
        harness.roundsUntil("gone", () -> harness.counter(CounterId.CLIENTS_GONE) == 1);
        harness.requests.stall(false);
        harness.drain();
        assertEquals(5, harness.counter(CounterId.RESULTS_UNDELIVERED));
        assertEquals(5, harness.outcomes.size());
    }

    @Test
    void shouldNotGiveThePlaceAwayWhileItsRequestsAreInTheRing() {
        start(context -> context.maxClients(1));
        final RawClient first = harness.rawClient().welcome("first");
        harness.requests.stall(true);
        first.infer(1, 1, new float[FEATURES]);
        harness.roundsUntil("taken", () -> harness.pipeline.takenCount() == 1);
        first.goodbye();
        final RawClient second = harness.rawClient();
        second.hello("second");
        second.until("refused", () -> second.rejections.size() == 1);

        harness.requests.stall(false);
        harness.drain();
        harness.pass(TimeUnit.MILLISECONDS.toNanos(200));
        final RawClient third = harness.rawClient().welcome("third");
        third.infer(7, 1, new float[FEATURES]);
        third.until("answered", () -> third.results.size() == 1);
        assertEquals(7, third.results.get(0).correlationId());
        assertEquals(1, harness.counter(CounterId.RESULTS_UNDELIVERED));
    }

    @Test
    void shouldDropOnlyTheClientThatStopsReading() {
        start(context -> context.responseTermLength(SMALL_TERM));
        final TiercelClient reader = harness.connect("reader");
        final RawClient sleeper = harness.rawClient().welcome("sleeper");
        int asked = 0;
        while (harness.counter(CounterId.CLIENTS_SLOW) == 0) {
            assertTrue(asked < 10_000);
            sleeper.infer(asked, 1, new float[FEATURES]);
            if (asked % 16 == 0) {
                assertTrue(reader.infer(0, 1, new float[FEATURES], 0) > 0);
            }
            asked++;
            harness.round();
            reader.poll(answers, 16);
        }
        harness.drain();
        harness.exchange(reader, answers, (asked + 15) / 16);
        assertEquals(1, harness.counter(CounterId.CLIENTS_SLOW));
        assertTrue(harness.counter(CounterId.RESULTS_UNDELIVERED) >= 1);
        harness.roundsUntil("place given up", () -> harness.counter(CounterId.CLIENTS) == 1);
        sleeper.until("end of stream", () -> !sleeper.hears());
        assertTrue(reader.isConnected());
        assertTrue(answers.rejections.isEmpty());
        final List<Told> told = Told.since(harness.counters);
        final Told welcome = told.get(1);
        assertEquals(List.of(told.get(0), new Told(EventKind.CLIENT_WELCOMED, welcome.value(), "sleeper"),
                new Told(EventKind.CLIENT_SLOW, welcome.value(), "sleeper"),
                new Told(EventKind.CLIENT_GONE, welcome.value(), "sleeper")), told);
    }

    @Test
    void shouldDropTheClientThatStopsReadingWhenItIsOnlyRefusedThings() {
        start(context -> context.responseTermLength(SMALL_TERM));
        final RawClient sleeper = harness.rawClient().welcome("sleeper");
        for (int request = 0; harness.counter(CounterId.CLIENTS_SLOW) == 0; request++) {
            assertTrue(request < 10_000);
            sleeper.infer(request, 1);
        }
        assertEquals(0, harness.pipeline.takenCount());
        harness.roundsUntil("place given up", () -> harness.counter(CounterId.CLIENTS) == 0);
    }

    @Test
    void shouldDropTheClientThatStopsReadingInTheMiddleOfAStreamedAnswer() {
        start(context -> context.responseTermLength(SMALL_TERM));
        final TiercelClient sleeper = harness.connect("sleeper");
        final UnsafeBuffer features =
                new UnsafeBuffer(new byte[64 * FEATURES * Float.BYTES]);
        while (harness.counter(CounterId.CLIENTS_SLOW) == 0) {
            final long sent = sleeper.infer(0, 1, features, 0, 64, 0, true);
            assertTrue(sent > 0 || harness.counter(CounterId.CLIENTS_SLOW) == 1, "sent=" + sent);
            harness.round();
        }
        harness.drain();
        harness.roundsUntil("told", () -> {
            sleeper.poll(answers, 16);
            return answers.disconnectCount == 1;
        });
        assertFalse(sleeper.isConnected());
        assertTrue(answers.chunks.size() > 64);
    }

    @Test
    void shouldWelcomeAgainWhenAClientSaysHelloAfterItsGoodbye() {
        start(context -> {});
        final RawClient client = harness.rawClient().welcome("desk");
        for (int turn = 1; turn <= 4; turn++) {
            final int turns = turn;
            client.infer(turn, 1, new float[FEATURES]);
            client.until("answered", () -> client.results.size() == turns);
            client.goodbye();
            client.listen(RawClient.RESPONSE_STREAM + turn).welcome("desk");
        }
        assertEquals(1, harness.counter(CounterId.CLIENTS));
        assertEquals(5, harness.counter(CounterId.CLIENTS_WELCOMED));
        assertEquals(0, harness.counter(CounterId.FRAMES_UNANSWERABLE));
    }

    @Test
    void shouldHoldTheHelloUntilTheRequestsBeforeTheGoodbyeAreThrough() {
        start(context -> {});
        final RawClient client = harness.rawClient().welcome("desk");
        harness.requests.stall(true);
        client.infer(1, 1, new float[FEATURES]);
        client.goodbye();
        client.listen(RawClient.RESPONSE_STREAM + 1).hello("desk");
        harness.rounds(500);
        client.poll();
        assertEquals(1, client.welcomedNonces.size());

        harness.requests.stall(false);
        client.until("welcome", () -> client.welcomedNonces.size() == 2);
        assertEquals(1, harness.counter(CounterId.RESULTS_UNDELIVERED));
    }

    @Test
    void shouldSayGoodbyeWhenAClientIsSilentForTheTimeout() {
        start(context -> context.heartbeatTimeoutNs(TimeUnit.SECONDS.toNanos(2)));
        final RawClient client = harness.rawClient().welcome("desk");
        harness.pass(TimeUnit.MILLISECONDS.toNanos(1_900));
        client.poll();
        assertEquals(List.of(), client.goodbyes);
        harness.pass(TimeUnit.MILLISECONDS.toNanos(300));
        client.poll();
        assertEquals(List.of(GoodbyeReason.IDLE), client.goodbyes);
        assertEquals(0, harness.counter(CounterId.CLIENTS));
        assertEquals(1, harness.counter(CounterId.CLIENTS_GONE));
    }

    @Test
    void shouldKeepTheConnectionWhenAClientOnlyHeartbeats() {
        start(context -> context.heartbeatTimeoutNs(TimeUnit.SECONDS.toNanos(2)));
        final RawClient client = harness.rawClient().welcome("desk");
        for (long timestamp = 1; timestamp <= 5; timestamp++) {
            client.heartbeat(timestamp);
            harness.pass(TimeUnit.SECONDS.toNanos(1));
            client.poll();
        }
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L), client.heartbeats);
        assertEquals(List.of(), client.goodbyes);
    }

    @Test
    void shouldKeepTheConnectionWhenTheClientLibraryIsOnlyPolled() {
        start(context -> context.heartbeatTimeoutNs(TimeUnit.SECONDS.toNanos(2)));
        final TiercelClient client = harness.connect("desk");
        for (int second = 0; second < 10; second++) {
            for (int poll = 0; poll < 10; poll++) {
                harness.pass(TimeUnit.MILLISECONDS.toNanos(100));
                client.poll(answers, 16);
            }
        }
        assertTrue(client.isConnected());
        assertEquals(List.of(), answers.goodbyes);
    }

    @Test
    void shouldRememberTheSessionWhenThePrincipalComesBack() {
        start(context -> {});
        final TiercelClient before = harness.connect("desk");
        infer(before, 1);
        infer(before, 2);
        before.close();
        harness.pass(TimeUnit.MILLISECONDS.toNanos(200));
        final TiercelClient after = harness.connect("desk");
        infer(after, 3);
        final TiercelClient other = harness.connect("other");
        infer(other, 4);
        harness.drain();

        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
        assertEquals(2, harness.counter(CounterId.SESSIONS));
        assertArrayEquals(outputs(0), outputs(3));
    }

    @Test
    void shouldShareTheSessionWhenTwoClientsHaveOnePrincipal() {
        start(context -> {});
        final TiercelClient one = harness.connect("desk");
        final TiercelClient two = harness.connect("desk");
        assertTrue(one.clientId() != two.clientId());
        for (int request = 1; request <= 6; request++) {
            infer(request % 2 == 0 ? one : two, request);
        }
        harness.drain();
        assertEquals(1, harness.counter(CounterId.SESSIONS));
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }

    @Test
    void shouldGiveUpWhenNobodyListensForTheWelcome() {
        start(context -> context.maxClients(1).connectTimeoutNs(TimeUnit.SECONDS.toNanos(1)));
        final RawClient deaf = harness.rawClient();
        deaf.hello("deaf", RawClient.CHANNEL, RawClient.RESPONSE_STREAM + 50);
        harness.pass(TimeUnit.MILLISECONDS.toNanos(900));
        assertEquals(0, harness.counter(CounterId.CLIENTS_GONE));
        harness.pass(TimeUnit.MILLISECONDS.toNanos(300));
        assertEquals(1, harness.counter(CounterId.CLIENTS_GONE));
        harness.connect("desk");
    }

    @Test
    void shouldCountOnceWhenAClientVanishesBeforeItsWelcome() {
        start(context -> {});
        final RawClient deaf = harness.rawClient();
        deaf.hello("deaf", RawClient.CHANNEL, RawClient.RESPONSE_STREAM + 50);
        harness.rounds(50);
        deaf.vanish();
        harness.roundsUntil("gone", () -> harness.counter(CounterId.CLIENTS_GONE) > 0);
        harness.pass(TimeUnit.SECONDS.toNanos(6));
        assertEquals(1, harness.counter(CounterId.CLIENTS_GONE));
    }

    @Test
    void shouldCountAndGoOnWhenTheResponseStreamIsTaken() {
        start(context -> {});
        final RawClient client = harness.rawClient().welcome("desk");
        final long unanswerable = harness.counter(CounterId.FRAMES_UNANSWERABLE);
        final RawClient twin = harness.rawClient();
        final int sessionId = twin.sessionId();
        try (ExclusivePublication taken = harness.aeron().addExclusivePublication(
                "aeron:ipc?session-id=" + sessionId, RawClient.RESPONSE_STREAM)) {
            twin.hello("twin");
            harness.roundsUntil("counted", () -> harness.counter(CounterId.FRAMES_UNANSWERABLE) == unanswerable + 1);
            assertEquals(sessionId, taken.sessionId());
        }
        client.infer(1, 1, new float[FEATURES]);
        client.until("answered", () -> client.results.size() == 1);
    }

    @Test
    void shouldWelcomeWhenTheListOfModelsIsLongerThanAFrame() {
        final Path bundle = RandomModels.lstm(1).features(FEATURES).write(directory);
        harness = new PipelineHarness(directory, Collections.nCopies(64, bundle),
                context -> context.maxFrameLength(256).maxSteps(4));
        final TiercelClient client = harness.connect("desk");
        assertEquals(64, client.models().size());
        for (int model = 0; model < 64; model++) {
            assertTrue(client.infer(model, 1, new float[FEATURES], 0) > 0);
        }
        harness.exchange(client, answers, 64);
        harness.drain();
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }

    @Test
    void shouldRefuseToStartWhenAnAnswerDoesNotFitTheResponseTerm() {
        start(context -> {});
        final Path wide = RandomModels.lstm(1).outputs(2_100).write(directory);
        final Path own = directory.resolve("wide");
        final ApplianceException refused = assertThrows(ApplianceException.class, () -> new PipelineHarness(own,
                wide, context -> context.responseTermLength(SMALL_TERM).maxSteps(1)).close());
        assertEquals("aeron.response-term-length=65536 allows fragments of up to 8192 bytes, and an answer of these " +
                "models needs 8512", refused.getMessage());
    }

    @Test
    void shouldServeManyClientsComingAndGoingWhenEgressIsSlow() throws Exception {
        start(context -> context.layout(Layout.DEDICATED).inferWorkers(2).maxClients(4));
        final List<Agent> stages = harness.stages();
        final Agent egress = stages.get(stages.size() - 2);
        final Random random = new Random(5);
        final RawClient[] clients = new RawClient[6];
        for (int turn = 0; turn < 400; turn++) {
            final int index = random.nextInt(clients.length);
            if (clients[index] == null) {
                clients[index] = harness.rawClient();
                clients[index].hello("desk-" + index);
            } else {
                switch (random.nextInt(6)) {
                    case 0 -> {
                        clients[index].vanish();
                        clients[index] = null;
                    }
                    case 1 -> clients[index].goodbye();
                    default -> clients[index].infer(turn, index, new float[FEATURES]);
                }
            }
            for (int round = 0; round < 3; round++) {
                harness.tick();
                for (final Agent stage : stages) {
                    if (stage != egress || random.nextInt(3) == 0) {
                        stage.doWork();
                    }
                }
            }
        }
        for (final RawClient client : clients) {
            if (client != null) {
                client.vanish();
            }
        }
        harness.drain();
        harness.pass(TimeUnit.SECONDS.toNanos(6));
        assertEquals(0, harness.counter(CounterId.CLIENTS));
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
        assertEquals(harness.pipeline.takenCount(), harness.counter(CounterId.RESULTS) +
                harness.counter(CounterId.RESULTS_UNDELIVERED));
        for (int index = 0; index < 4; index++) {
            harness.connect("late-" + index);
        }
    }

    private void start(final PipelineHarness.Change change) {
        harness = new PipelineHarness(directory, RandomModels.lstm(1).features(FEATURES).write(directory), change);
    }

    private void infer(final TiercelClient client, final int answerCount) {
        assertTrue(client.infer(0, 1, new float[FEATURES], 0) > 0);
        harness.exchange(client, answers, answerCount);
    }

    private byte[] outputs(final long sequence) {
        return StraightRun.Outcome.of(harness.outcomes.find(sequence)).outputs();
    }
}
