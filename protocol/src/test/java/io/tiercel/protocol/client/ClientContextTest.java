package io.tiercel.protocol.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClientContextTest {

    @AfterEach
    void clearProperties() {
        System.clearProperty(ClientContext.PRINCIPAL_PROPERTY);
        System.clearProperty(ClientContext.CONNECT_TIMEOUT_PROPERTY);
        System.clearProperty(ClientContext.REQUEST_STREAM_PROPERTY);
        System.clearProperty(ClientContext.REQUEST_TERM_LENGTH_PROPERTY);
        System.clearProperty(ClientContext.DRIVER_TIMEOUT_PROPERTY);
    }

    @Test
    void shouldTakeValuesFromPropertiesWhenNoneAreSet() {
        System.setProperty(ClientContext.PRINCIPAL_PROPERTY, "desk-9");
        System.setProperty(ClientContext.CONNECT_TIMEOUT_PROPERTY, "250ms");
        System.setProperty(ClientContext.REQUEST_STREAM_PROPERTY, "12");
        System.setProperty(ClientContext.REQUEST_TERM_LENGTH_PROPERTY, "64k");
        System.setProperty(ClientContext.DRIVER_TIMEOUT_PROPERTY, "2s");
        final ClientContext context = new ClientContext().conclude();
        assertEquals("desk-9", context.principal());
        assertEquals(250_000_000L, context.connectTimeoutNs());
        assertEquals(12, context.requestStreamId());
        assertEquals(65536, context.requestTermLength());
        assertEquals(2000, context.driverTimeoutMs());
        assertNotNull(context.nanoClock());
        assertNotNull(context.idleStrategy());
        assertNotNull(context.epochNanoClock());
        assertEquals(0, context.firstCorrelationId());
    }

    @Test
    void shouldPreferWhatIsSetWhenThereIsAPropertyToo() {
        System.setProperty(ClientContext.PRINCIPAL_PROPERTY, "desk-9");
        assertEquals("desk-1", new ClientContext().principal("desk-1").conclude().principal());
    }

    @Test
    void shouldNameTheValueWhenItWillNotDo() {
        assertRefused("principal=null ", new ClientContext());
        assertRefused("principal=a b ", valid().principal("a b"));
        assertRefused("requestChannel=udp ", valid().requestChannel("udp"));
        assertRefused("requestChannel=aeron:pigeon ", valid().requestChannel("aeron:pigeon"));
        assertRefused("responseChannel=null ", valid().responseChannel(null));
        assertRefused("responseChannel=aeron:ipc?session-id=1 ", valid().responseChannel("aeron:ipc?session-id=1"));
        assertRefused("requestTermLength=100000 ", valid().requestTermLength(100_000));
        assertRefused("connectTimeoutNs=0 ", valid().connectTimeoutNs(0));
        assertRefused("heartbeatIntervalNs=-1 ", valid().heartbeatIntervalNs(-1));
        assertRefused("driverTimeoutMs=0 ", valid().driverTimeoutMs(0));
        assertRefused("serviceInterval=0 ", valid().serviceInterval(0));
        assertRefused("firstCorrelationId=-1 ", valid().firstCorrelationId(-1));
        assertRefused("firstCorrelationId=4611686018427387905 ", valid().firstCorrelationId((1L << 62) + 1));
        assertRefused("aeronDirectoryName= ", valid().aeronDirectoryName(""));
    }

    private static ClientContext valid() {
        return new ClientContext().principal("desk-7");
    }

    private static void assertRefused(final String start, final ClientContext context) {
        final Exception ex = assertThrows(IllegalArgumentException.class, context::conclude);
        assertTrue(ex.getMessage().startsWith(start), ex.getMessage());
    }
}
