package io.tiercel.protocol.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.protocol.Frames;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.wire.RejectCode;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.IdleStrategy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AsyncConnectTest {

    private static final byte[] KEY = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
        31,
        32
    };

    private final Wire wire = new Wire();

    @AfterEach
    void tearDown() {
        wire.close();
    }

    @Test
    void shouldReturnTheClientOnceWhenWelcomed() {
        final AsyncConnect connecting = TiercelClient.asyncConnect(wire.context);
        final TiercelClient[] client = new TiercelClient[1];
        wire.await("a connection", () -> (client[0] = connecting.poll()) != null);
        assertThrows(TiercelClientException.class, connecting::poll);
        connecting.close();
        assertTrue(client[0].isConnected());
        client[0].close();
    }

    @Test
    void shouldNeverBlockWhenOneThreadRunsEverything() {
        wire.context.idleStrategy(new IdleStrategy() {
            @Override
            public void idle(final int workCount) {
                wire.run();
            }

            @Override
            public void idle() {
                wire.run();
            }

            @Override
            public void reset() {
            }
        });
        try (TiercelClient client = TiercelClient.connect(wire.context)) {
            assertTrue(client.isConnected());
        }
    }

    @Test
    void shouldTellTheCodeWhenTheApplianceRefuses() {
        wire.appliance.refusesHelloWith = RejectCode.PRINCIPAL_REFUSED;
        final TiercelClientException ex = assertFails();
        assertEquals(RejectCode.PRINCIPAL_REFUSED, ex.code());
        assertEquals("principal=desk-7", ex.detail());
        assertEquals("rejected: code=PRINCIPAL_REFUSED principal=desk-7", ex.getMessage());
    }

    @Test
    void shouldTakeTheWelcomeWhenTheApplianceHasProvedItsKey() {
        wire.context.key(KEY);
        wire.appliance.key = KEY;
        final TiercelClient client = wire.connect();
        assertTrue(client.isConnected());
        client.close();
    }

    @Test
    void shouldRefuseAnApplianceThatForgesItsProof() {
        wire.context.key(KEY);
        wire.appliance.key = new byte[Handshake.MIN_KEY_LENGTH];
        assertUnproved("unproved: the appliance's proof is wrong");
    }

    @Test
    void shouldRefuseAnApplianceThatSendsTheClientsProofBack() {
        wire.context.key(KEY);
        wire.appliance.key = KEY;
        wire.appliance.proving = FakeAppliance.Proving.BY_THE_CLIENTS_OWN_PROOF;
        assertUnproved("unproved: the appliance's proof is wrong");
    }

    @Test
    void shouldRefuseAWelcomeThatNoProofStandsBefore() {
        wire.context.key(KEY);
        wire.appliance.key = KEY;
        wire.appliance.proving = FakeAppliance.Proving.NOT_AT_ALL;
        assertUnproved("unproved: the appliance has not proved");
        wire.appliance.forgetClient();
        wire.appliance.key = null;
        assertUnproved("unproved: the appliance has not proved");
    }

    @Test
    void shouldSpeakNoVersionWithoutProofsWhenThereIsAKey() {
        wire.context.key(KEY);
        wire.appliance.version = Frames.ACCESS_SINCE_VERSION - 1;
        assertUnproved("unproved: the appliance speaks version=4");
    }

    @Test
    void shouldConnectAgainWhenTheContextIsUsedAfterARefusal() {
        wire.appliance.refusesHelloWith = RejectCode.CLIENT_LIMIT;
        assertFails();
        wire.appliance.refusesHelloWith = null;
        wire.appliance.forgetClient();
        final TiercelClient client = wire.connect();
        assertNotNull(client);
        client.close();
    }

    @Test
    void shouldTimeOutWhenTheApplianceDoesNotAnswerTheHello() {
        wire.appliance.answersHello = false;
        final TiercelClientException ex = assertTimesOut();
        assertTrue(ex.getMessage().contains("the appliance has not answered the hello"), ex.getMessage());
    }

    @Test
    void shouldTimeOutWhenNoApplianceListens() {
        wire.context.requestStreamId(4242);
        final TiercelClientException ex = assertTimesOut();
        assertTrue(ex.getMessage().contains("no appliance listens"), ex.getMessage());
        assertTrue(ex.getMessage().contains("requestStreamId=4242"), ex.getMessage());
    }

    @Test
    void shouldTimeOutWithoutBlockingWhenNoDriverRuns(@TempDir final Path directory) {
        wire.context.aeronDirectoryName(directory.toString());
        final TiercelClientException ex = assertTimesOut();
        assertTrue(ex.getMessage().contains("no media driver runs"), ex.getMessage());
        assertTrue(ex.getMessage().contains("aeronDirectoryName=" + directory), ex.getMessage());
    }

    @Test
    void shouldFailWhenTheDriverRefusesTheChannel() {
        wire.context.requestChannel("aeron:ipc?term-length=100");
        final TiercelClientException ex = assertFails();
        assertTrue(ex.getMessage().startsWith("aeron: "), ex.getMessage());
    }

    @Test
    void shouldFailAgainInTheSameWayWhenPolledAfterAFailure() {
        wire.appliance.refusesHelloWith = RejectCode.CLIENT_LIMIT;
        final AsyncConnect connecting = TiercelClient.asyncConnect(wire.context);
        final TiercelClientException ex = assertThrows(TiercelClientException.class,
                () -> wire.await("a refusal", () -> connecting.poll() != null));
        assertSame(ex, assertThrows(TiercelClientException.class, connecting::poll));
    }

    @Test
    void shouldLetGoOfEverythingWhenGivenUp() {
        final AsyncConnect connecting = TiercelClient.asyncConnect(wire.context);
        for (int i = 0; i < 3; i++) {
            assertNull(connecting.poll());
            wire.run();
        }
        connecting.close();
        assertThrows(TiercelClientException.class, connecting::poll);
        wire.connect().close();
    }

    private void assertUnproved(final String message) {
        final TiercelClientException ex = assertFails();
        assertTrue(ex.isApplianceUnproved());
        assertNull(ex.code());
        assertTrue(ex.getMessage().startsWith(message), ex.getMessage());
        assertTrue(ex.getMessage().endsWith("principal=desk-7"), ex.getMessage());
    }

    private TiercelClientException assertFails() {
        try (AsyncConnect connecting = TiercelClient.asyncConnect(wire.context)) {
            return assertThrows(TiercelClientException.class,
                    () -> wire.await("a failure", () -> connecting.poll() != null));
        }
    }

    private TiercelClientException assertTimesOut() {
        try (AsyncConnect connecting = TiercelClient.asyncConnect(wire.context)) {
            for (int i = 0; i < 1000; i++) {
                assertNull(connecting.poll());
                wire.run();
                wire.clock.advance(TimeUnit.MILLISECONDS.toNanos(1));
            }
            wire.clock.advance(TimeUnit.SECONDS.toNanos(4));
            final TiercelClientException ex = assertThrows(TiercelClientException.class, connecting::poll);
            assertNull(ex.code());
            assertTrue(ex.getMessage().startsWith("timeout: connectTimeoutNs=5000000000 "), ex.getMessage());
            return ex;
        }
    }
}
