package io.tiercel.appliance;

import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.access.Principal;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.session.Rights;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.protocol.wire.RejectCode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Who is let in where principals have keys, who is not, and what those inside notice of it. */
class AccessTest {

    private static final int FEATURES = 8;
    private static final byte[] KEY = filled(1);
    private static final byte[] NEXT_KEY = filled(2);
    private static final Rights RIGHTS = new Rights(true, false, Set.of(), 4, 0, 2, 2);

    @TempDir
    Path directory;
    private final Access access = Access.of(principals(RIGHTS), filled(9));
    private final Answers answers = new Answers();
    private PipelineHarness harness;

    @AfterEach
    void tearDown() {
        assertNull(harness.pipeline.state().failure());
        harness.close();
    }

    @Test
    void shouldLetInWhoHasOneOfTheKeys() {
        start();
        for (final byte[] key : List.of(KEY, NEXT_KEY)) {
            final TiercelClient client = harness.connect(context("desk").key(key));
            assertEquals(4, client.maxInFlight());
            client.infer(0, 1, new float[FEATURES], 0);
            harness.exchange(client, answers, 1);
        }
        assertEquals(2, harness.counter(CounterId.CLIENTS));
        assertEquals(0, harness.counter(CounterId.ACCESS_DENIED));
    }

    @Test
    void shouldSayTheSameToAWrongKeyAndToAnUnknownPrincipal() {
        start();
        assertDenied(context("desk").key(filled(3)));
        assertDenied(context("nobody").key(KEY));
        assertDenied(context("desk"));
        assertEquals(3, harness.counter(CounterId.ACCESS_DENIED));
        assertEquals(0, harness.counter(CounterId.CLIENTS_WELCOMED));
    }

    @Test
    void shouldNotTalkToAnApplianceThatHasNoKeys() {
        harness = new PipelineHarness(directory, bundle());
        final TiercelClientException ex =
                assertThrows(TiercelClientException.class, () -> harness.connect(context("desk").key(KEY)));
        assertTrue(ex.getMessage().contains("has not proved"), ex.getMessage());
    }

    @Test
    void shouldLetGoOfAPrincipalThatIsRemoved() {
        start();
        final TiercelClient client = harness.connect(context("desk").key(KEY));
        access.replace(Map.of());
        harness.roundsUntil("gone", () -> harness.counter(CounterId.CLIENTS) == 0);
        harness.roundsUntil("told", () -> {
            client.poll(answers, 16);
            return !client.isConnected();
        });
        assertDenied(context("desk").key(KEY));
    }

    @Test
    void shouldKeepToThePrincipalsModelsAndSessions() {
        start();
        final TiercelClient client = harness.connect(context("desk").key(KEY));
        for (int session = 0; session < 3; session++) {
            client.infer(0, session, new float[FEATURES], 0);
        }
        harness.roundsUntil("refused", () -> {
            client.poll(answers, 16);
            return !answers.rejections.isEmpty();
        });
        assertEquals(2, harness.pipeline.takenCount());
        access.replace(principals(new Rights(true, false, Set.of("another"), 4, 0, 2, 2)));
        harness.rounds(500);
        client.infer(0, 1, new float[FEATURES], 0);
        harness.roundsUntil("refused", () -> {
            client.poll(answers, 16);
            return answers.rejections.size() == 2;
        });
        assertEquals(2, harness.pipeline.takenCount());
    }

    @Test
    void shouldRefuseTheRequestsBeyondThePrincipalsInFlight() {
        start();
        final RawClient client = enter("desk");
        for (int request = 1; request <= 6; request++) {
            client.infer(request, 1, new float[FEATURES]);
        }
        client.until("all answered", () -> client.results.size() + client.rejections.size() == 6);
        assertEquals(4, client.results.size());
        assertRefused(client, 2, RejectCode.IN_FLIGHT_LIMIT, 4);
    }

    @Test
    void shouldRefuseTheRequestsBeyondThePrincipalsRate() {
        start();
        access.replace(principals(new Rights(true, false, Set.of(), 64, 100, 2, 2)));
        harness.rounds(500);
        final RawClient client = enter("desk");
        for (int request = 1; request <= 12; request++) {
            client.infer(request, 1, new float[FEATURES]);
        }
        client.until("all answered", () -> client.results.size() + client.rejections.size() == 12);
        assertEquals(10, client.results.size(), "what 100 a second bring in 100 ms");
        assertRefused(client, 2, RejectCode.RATE_LIMIT, 100);
        final RawClient other = enter("other");
        for (int request = 1; request <= 12; request++) {
            other.infer(request, 1, new float[FEATURES]);
        }
        other.until("all answered", () -> other.results.size() == 12);
    }

    @Test
    void shouldRefuseTheSessionsBeyondThePrincipals() {
        start();
        final RawClient client = enter("desk");
        for (int session = 0; session < 4; session++) {
            client.infer(1 + session, session, new float[FEATURES]);
        }
        client.until("all answered", () -> client.results.size() + client.rejections.size() == 4);
        assertEquals(2, client.results.size());
        assertRefused(client, 2, RejectCode.SESSION_LIMIT, 2);
        final RawClient other = enter("other");
        other.infer(1, 0, new float[FEATURES]);
        other.until("answered", () -> other.results.size() == 1);
    }

    @Test
    void shouldRefuseTheConnectionsBeyondThePrincipals() {
        start();
        enter("desk");
        enter("desk");
        final RawClient third = harness.rawClient().key(KEY).hello("desk");
        third.until("refused", () -> !third.rejections.isEmpty());
        assertRefused(third, 1, RejectCode.CLIENT_LIMIT, 2);
        enter("other");
        assertEquals(0, harness.counter(CounterId.ACCESS_DENIED));
    }

    @Test
    void shouldServeThoseInsideWhenThousandsAreTurnedAway() {
        start();
        final TiercelClient inside = harness.connect(context("desk").key(KEY));
        final RawClient stranger = harness.rawClient();
        for (int attempt = 1; attempt <= 10_000; attempt++) {
            stranger.hello("desk");
            if (attempt % 100 == 0) {
                assertTrue(inside.infer(0, 1, new float[FEATURES], 0) > 0);
                harness.exchange(inside, answers, attempt / 100);
            }
        }
        assertEquals(100, answers.count());
        assertTrue(answers.rejections.isEmpty());
        assertEquals(1, harness.counter(CounterId.ACCESS_DENIED));
        assertFalse(harness.connect(context("desk").key(KEY)).models().isEmpty());
    }

    private RawClient enter(final String principal) {
        final RawClient client = harness.rawClient().key(KEY).hello(principal);
        client.until("challenged", () -> client.applianceNonce.length > 0);
        client.proof(filled(7));
        client.until("welcome", () -> !client.welcomedNonces.isEmpty());
        return client;
    }

    private static void assertRefused(
            final RawClient client, final int count, final RejectCode code, final long allowedValue) {
        assertEquals(count, client.rejections.size());
        for (final RawClient.Rejection rejection : client.rejections) {
            assertEquals(code, rejection.code(), rejection.detail());
            assertEquals(allowedValue, rejection.allowedValue(), rejection.detail());
        }
    }

    private void assertDenied(final ClientContext context) {
        final TiercelClientException ex =
                assertThrows(TiercelClientException.class, () -> harness.connect(context));
        assertEquals(RejectCode.ACCESS_DENIED, ex.code(), ex.getMessage());
        harness.pass(TimeUnit.SECONDS.toNanos(1));
    }

    private ClientContext context(final String principal) {
        return harness.clientContext(principal).randomBytes(bytes -> Arrays.fill(bytes, (byte) 7));
    }

    private void start() {
        harness = new PipelineHarness(directory, bundle(), access, context -> {});
    }

    private Path bundle() {
        return RandomModels.lstm(1).features(FEATURES).write(directory);
    }

    private static Map<String, Principal> principals(final Rights rights) {
        return Map.of(
                "desk", new Principal("desk", List.of(KEY, NEXT_KEY), rights),
                "other", new Principal("other", List.of(KEY), new Rights(true, false, Set.of(), 64, 0, 2, 2)));
    }

    private static byte[] filled(final int value) {
        final byte[] bytes = new byte[32];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
