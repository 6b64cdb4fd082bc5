package io.tiercel.protocol.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClientWarmUpTest {

    private final Wire wire = new Wire();

    ClientWarmUpTest() {
        wire.context.nanoClock(SystemNanoClock.INSTANCE);
    }

    @AfterEach
    void tearDown() {
        wire.close();
    }

    @Test
    void shouldStopAtTheLimitAndTouchNoApplianceWhenTheJitIsNotQuiet() {
        final ClientWarmUp.Report report = ClientWarmUp.run(wire.context, 20, 3, 3_000);
        assertTrue(report.exchanges() >= 3_000, report.toString());
        assertFalse(report.isJitQuiet());
        assertTrue(report.elapsedNs() > 0);
        wire.run();
        assertEquals(0, wire.appliance.requestCount);
        wire.connect().close();
    }

    @Test
    void shouldDeliverToTheGivenHandlerWhenThereIsOne() {
        final CountingHandler handler = new CountingHandler();
        final ClientWarmUp.Report report = ClientWarmUp.run(wire.context, 400, 500, 2_000, handler);
        assertEquals(report.exchanges(), handler.resultCount);
        assertTrue(handler.chunkCount > 0);
    }

    @Test
    void shouldSendTokensTooWhenAStepIsOneCell() {
        final CountingHandler handler = new CountingHandler();
        final ClientWarmUp.Report report = ClientWarmUp.run(wire.context, 1, 10, 2_000, handler);
        assertEquals(report.exchanges(), handler.resultCount);
    }

    @Test
    void shouldNeedNoKeyOfItsOwnWhereTheClientHasOne() {
        System.setProperty(ClientContext.KEY_FILE_PROPERTY, "the-clients-own.key");
        try {
            assertTrue(ClientWarmUp.run(wire.context, 1, 10, 1_000).exchanges() > 0);
        } finally {
            System.clearProperty(ClientContext.KEY_FILE_PROPERTY);
        }
    }

    @Test
    void shouldSaySoWhenThereIsNoMediaDriver(@TempDir final Path directory) {
        final ClientContext context = new ClientContext()
                .principal("desk-7")
                .aeronDirectoryName(directory.toString())
                .connectTimeoutNs(TimeUnit.MILLISECONDS.toNanos(10));
        final Exception ex = assertThrows(TiercelClientException.class, () -> ClientWarmUp.run(context, 1, 1, 1));
        assertTrue(ex.getMessage().startsWith("warm-up: aeron: "), ex.getMessage());
    }
}
