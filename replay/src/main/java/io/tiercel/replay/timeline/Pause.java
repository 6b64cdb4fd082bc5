package io.tiercel.replay.timeline;

import java.util.regex.Pattern;

/**
 * A stop of all of the JVM's threads, from asking them to stop until they went on.
 *
 * @param operation what for, in the JVM's own word.
 * @param collection what the garbage collector says of it; null if it was not there.
 */
public record Pause(long startNs, long durationNs, String operation, String collection) {

    private static final Pattern COLLECTOR = Pattern.compile(".*(GC|Collect).*|G1.*|Z[A-Z].*|Shenandoah.*|Gen.*");

    public long endNs() {
        return startNs + durationNs;
    }

    public boolean isCollection() {
        return collection != null || COLLECTOR.matcher(operation).matches();
    }
}
