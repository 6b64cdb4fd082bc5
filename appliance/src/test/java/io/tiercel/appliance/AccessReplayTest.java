package io.tiercel.appliance;

import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.access.Principal;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.session.Rights;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.wire.RejectCode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Somebody who has heard every frame of a handshake, and can send what he likes, but has no key. In each test the
 * recorded handshake is one that let its client in.
 */
class AccessReplayTest {

    private static final byte[] KEY = filled(1);
    private static final byte[] NO_KEY = filled(2);
    private static final byte[] CLIENT_NONCE = filled(7);
    private static final int FEATURES = 8;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private RawClient victim;

    @BeforeEach
    void setUp() {
        final Principal desk = new Principal("desk", List.of(KEY), Rights.ofAnyone(64, 0, 64, 8));
        harness = new PipelineHarness(directory, RandomModels.lstm(1).features(FEATURES).write(directory),
                Access.of(Map.of("desk", desk), filled(9)), context -> {});
        victim = harness.rawClient().key(KEY).hello("desk");
        victim.until("challenged", () -> victim.applianceNonce.length > 0);
        victim.proof(CLIENT_NONCE);
        victim.until("welcome", () -> !victim.welcomedNonces.isEmpty());
        assertTrue(victim.applianceProof.length > 0);
    }

    @AfterEach
    void tearDown() {
        assertNull(harness.pipeline.state().failure());
        harness.close();
    }

    @Test
    void shouldLetNobodyInByARecordedHandshakeOnAnotherConnection() {
        final RawClient stranger = harness.rawClient().send(victim.sentHello);
        stranger.until("denied", () -> !stranger.rejections.isEmpty());
        stranger.send(victim.sentProof);
        assertOut(stranger, 1);
        stranger.infer(1, 1, new float[FEATURES]);
        stranger.send(victim.sentHello);
        assertOut(stranger, 1);
        assertEquals(0, harness.pipeline.takenCount());
        assertInside();
    }

    @Test
    void shouldLetNobodyInByARecordedProofAlone() {
        final RawClient stranger = harness.rawClient().send(victim.sentProof);
        assertOut(stranger, 0);
        assertTrue(harness.counter(CounterId.FRAMES_UNANSWERABLE) > 0);
        assertInside();
    }

    @Test
    void shouldRefuseARecordedHandshakeWithinItsOwnConnection() {
        victim.send(victim.sentHello).send(victim.sentProof);
        victim.until("refused", () -> victim.rejections.size() == 2);
        assertEquals(RejectCode.DUPLICATE_HELLO, victim.rejections.get(0).code());
        assertEquals(RejectCode.DUPLICATE_HELLO, victim.rejections.get(1).code());
        assertEquals(1, victim.welcomedNonces.size());
        assertInside();
    }

    @Test
    void shouldLetNobodyInByARecordedHandshakeAfterTheGoodbye() {
        victim.goodbye();
        victim.until("gone", () -> harness.counter(CounterId.CLIENTS) == 0 && !victim.hears());
        replayOn(victim);
        assertEquals(1, victim.welcomedNonces.size());
    }

    /** Who can write to the media driver can also choose the session id that the recorded Hello was made for. */
    @Test
    void shouldLetNobodyInByARecordedHandshakeUnderTheSessionIdOfOneThatIsGone() {
        victim.vanish();
        harness.roundsUntil("gone", () -> harness.counter(CounterId.CLIENTS) == 0);
        final RawClient stranger = new RawClient(harness, RawClient.CHANNEL + "?session-id=" + victim.sessionId());
        replayOn(stranger);
        assertTrue(stranger.welcomedNonces.isEmpty());
        assertEquals(0, stranger.applianceProof.length);
        stranger.close();
    }

    @Test
    void shouldDenyAWrongProofBehindARightHello() {
        final RawClient stranger = harness.rawClient().key(KEY).hello("desk");
        stranger.until("challenged", () -> stranger.applianceNonce.length > 0);
        stranger.key(NO_KEY).proof(CLIENT_NONCE);
        stranger.until("denied", () -> !stranger.rejections.isEmpty());
        assertEquals(RejectCode.ACCESS_DENIED, stranger.rejections.get(0).code());
        assertEquals(0, stranger.applianceProof.length);
        stranger.until("closed", () -> !stranger.hears());
        final long unanswered = harness.counter(CounterId.ACCESS_UNANSWERED);
        stranger.key(KEY).hello("desk");
        harness.roundsUntil("dropped", () -> harness.counter(CounterId.ACCESS_UNANSWERED) == unanswered + 1);
        assertOut(stranger, 1);
        assertInside();
    }

    @Test
    void shouldDenyAProofOfAnEarlierChallenge() {
        final RawClient stranger = harness.rawClient().key(KEY).hello("desk");
        stranger.until("challenged", () -> stranger.applianceNonce.length > 0);
        assertFalse(Arrays.equals(victim.applianceNonce, stranger.applianceNonce));
        stranger.applianceNonce = victim.applianceNonce;
        stranger.proof(CLIENT_NONCE);
        stranger.until("denied", () -> !stranger.rejections.isEmpty());
        assertOut(stranger, 1);
        assertInside();
    }

    /** The Hello is right there, so it is challenged; the proof was for another challenge. */
    private void replayOn(final RawClient client) {
        final byte[] earlierNonce = victim.applianceNonce;
        client.send(victim.sentHello);
        client.until("challenged", () -> client.applianceNonce.length > 0 && client.applianceNonce != earlierNonce);
        assertFalse(Arrays.equals(earlierNonce, client.applianceNonce));
        client.send(victim.sentProof);
        client.until("denied", () -> !client.rejections.isEmpty());
        assertEquals(RejectCode.ACCESS_DENIED, client.rejections.get(0).code());
        assertEquals(1, harness.counter(CounterId.ACCESS_DENIED));
        assertEquals(1, harness.counter(CounterId.CLIENTS_WELCOMED));
        assertEquals(0, harness.counter(CounterId.CLIENTS));
    }

    private void assertOut(final RawClient stranger, final int rejectionCount) {
        harness.rounds(500);
        stranger.poll();
        assertEquals(rejectionCount, stranger.rejections.size());
        assertTrue(stranger.rejections.stream().allMatch(rejection -> rejection.code() == RejectCode.ACCESS_DENIED));
        assertTrue(stranger.welcomedNonces.isEmpty());
        assertEquals(1, harness.counter(CounterId.CLIENTS));
        assertEquals(1, harness.counter(CounterId.CLIENTS_WELCOMED));
    }

    /** The one whose frames were recorded has noticed nothing. */
    private void assertInside() {
        final int answeredCount = victim.results.size();
        victim.infer(100 + answeredCount, 1, new float[FEATURES]);
        victim.until("answered", () -> victim.results.size() == answeredCount + 1);
    }

    private static byte[] filled(final int value) {
        final byte[] bytes = new byte[32];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
