package io.tiercel.replay.timeline;

/**
 * Something that the appliance did beside answering.
 *
 * @param what     as {@code EventTrack} of the appliance has it.
 * @param sequence the last request before it.
 */
public record RunEvent(long startNs, long durationNs, String what, long sequence) {

    public long endNs() {
        return startNs + durationNs;
    }
}
