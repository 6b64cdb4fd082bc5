package io.tiercel.appliance.engine.reference;

import java.util.Arrays;
import org.agrona.UnsafeApi;

/**
 * Bytes as they were before they were written, to be put back from the last one on. One thread; grows to what a row of
 * tokens writes, and allocates nothing afterwards.
 */
final class UndoLog {

    private long[] addresses = new long[1024];
    private byte[] bytes = new byte[1024];
    private int count;
    private boolean isOn;

    /** From here on what is written is noted. */
    void begin() {
        count = 0;
        isOn = true;
    }

    void end() {
        isOn = false;
    }

    /** The byte there is about to be written. */
    void note(final long address) {
        if (!isOn) {
            return;
        }
        if (count == bytes.length) {
            addresses = Arrays.copyOf(addresses, 2 * count);
            bytes = Arrays.copyOf(bytes, 2 * count);
        }
        addresses[count] = address;
        bytes[count++] = UnsafeApi.getByte(address);
    }

    /** What {@link #backTo} takes to come back to where things stand. */
    int mark() {
        return count;
    }

    /** Puts back what was written since the mark. */
    void backTo(final int mark) {
        while (count > mark) {
            count--;
            UnsafeApi.putByte(addresses[count], bytes[count]);
        }
    }
}
