package io.tiercel.tools.transformer;

import java.util.Arrays;
import org.agrona.concurrent.NanoClock;

/** A text that is being made, token by token, and what it takes. One thread. */
final class TimedText {

    private static final double NS_PER_SECOND = 1e9;

    private final NanoClock clock;
    private final int[] tokens;
    private final long begunNs;
    private int count;
    private long lastNs;

    TimedText(final NanoClock clock, final int capacity) {
        this.clock = clock;
        tokens = new int[capacity];
        begunNs = clock.nanoTime();
    }

    void add(final int token) {
        tokens[count++] = token;
        lastNs = clock.nanoTime();
    }

    int tokenCount() {
        return count;
    }

    boolean isSame(final TimedText other) {
        return Arrays.equals(tokens, 0, count, other.tokens, 0, other.count);
    }

    /** From the prompt on; NaN where there is none. */
    double tokensPerSecond() {
        return count == 0 ? Double.NaN : count * NS_PER_SECOND / Math.max(1, lastNs - begunNs);
    }
}
