package io.tiercel.appliance;

import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What happened in one run, line by line: the newest lines for the message of a failure, all of them for a reader who
 * runs the seed again. Its hash tells whether two runs were the same.
 */
final class SimulationTrace {

    private static final int KEPT_LINES = 40;
    private static final int HASH_FACTOR = 31;

    private final PrintStream out;
    private final Deque<String> newest = new ArrayDeque<>();
    private final int[] counts = new int[SimulationEvent.values().length];
    private long step;
    private long hash;

    /** @param out gets each line as it comes; null for nowhere. */
    SimulationTrace(final PrintStream out) {
        this.out = out;
    }

    void step() {
        step++;
    }

    void count(final SimulationEvent event, final int count) {
        counts[event.ordinal()] += count;
    }

    int countOf(final SimulationEvent event) {
        return counts[event.ordinal()];
    }

    void count(final SimulationEvent event) {
        count(event, 1);
    }

    /** Values in it must come from the seed: no addresses, no ids of Aeron, no times of the machine. */
    void say(final String line) {
        final String whole = step + " " + line;
        hash = HASH_FACTOR * hash + whole.hashCode();
        if (out != null) {
            out.println(whole);
        }
        newest.add(whole);
        if (newest.size() > KEPT_LINES) {
            newest.remove();
        }
    }

    long hash() {
        return hash;
    }

    String newest() {
        return String.join("\n  ", newest);
    }
}
