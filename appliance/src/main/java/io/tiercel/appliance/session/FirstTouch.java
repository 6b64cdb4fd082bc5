package io.tiercel.appliance.session;

import org.agrona.UnsafeApi;

/**
 * Touches memory before it is needed, from its start, so that the operating system gives and clears its pages on a
 * thread that nobody waits for: a huge page takes a hundred microseconds and more. What is touched may be in use.
 */
final class FirstTouch {

    /** How far ahead of what is used: eight huge pages. */
    static final long AHEAD_BYTES = 16L << 20;

    private static final int PAGE_BYTES = 4096;

    private final long address;
    private final long bytes;
    private long touchedBytes;

    FirstTouch(final long address, final long bytes) {
        this.address = address;
        this.bytes = bytes;
    }

    /** @return whether there was anything to touch. */
    boolean ahead(final long usedBytes) {
        final long wantedBytes = Math.min(bytes, usedBytes + AHEAD_BYTES);
        final boolean hasWork = touchedBytes < wantedBytes;
        for (; touchedBytes < wantedBytes; touchedBytes += PAGE_BYTES) {
            // Nothing is lost, whoever writes there at the same time: the processor adds zero to what is there.
            UnsafeApi.getAndAddLong(null, address + touchedBytes, 0);
        }
        return hasWork;
    }
}
