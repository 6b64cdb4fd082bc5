package io.tiercel.appliance.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.StateMemory;
import org.agrona.UnsafeApi;
import org.junit.jupiter.api.Test;

class FirstTouchTest {

    @Test
    void shouldStayAheadOfWhatIsUsedAndChangeNothing() {
        final long bytes = 2 * FirstTouch.AHEAD_BYTES + 64;
        try (StateMemory memory = StateMemory.plain(bytes)) {
            UnsafeApi.putLong(memory.address(), 7);
            UnsafeApi.putLong(memory.address() + bytes - Long.BYTES, 8);
            final FirstTouch touch = new FirstTouch(memory.address(), bytes);
            assertTrue(touch.ahead(0));
            assertFalse(touch.ahead(0));
            assertTrue(touch.ahead(FirstTouch.AHEAD_BYTES));
            assertTrue(touch.ahead(bytes));
            assertFalse(touch.ahead(bytes));
            assertEquals(7, UnsafeApi.getLong(memory.address()));
            assertEquals(8, UnsafeApi.getLong(memory.address() + bytes - Long.BYTES));
        }
    }
}
