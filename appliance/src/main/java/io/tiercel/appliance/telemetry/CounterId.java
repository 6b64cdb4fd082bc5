package io.tiercel.appliance.telemetry;

import java.util.Locale;

/**
 * The appliance's counters. Each has one writing thread, but for those of foresight and of lost devices, to which every
 * infer worker adds. They stand in the media driver's counters file, where Aeron's own tools print them, under the type
 * ids from {@link #FIRST_TYPE_ID}.
 */
public enum CounterId {
    REQUESTS("requests taken into the ring"),
    FRAMES_REFUSED("frames refused with a reject"),
    SHED("requests refused with OVERLOADED"),
    RATE_LIMITED("requests refused with RATE_LIMIT"),
    FRAMES_UNANSWERABLE("frames refused from a connection that has not said hello"),
    RING_FULL("polls held back by a full ring"),
    CLIENTS("clients connected now"),
    CLIENTS_WELCOMED("clients welcomed"),
    CLIENTS_GONE("clients that vanished or fell silent"),
    SESSIONS("sessions in memory"),
    SNAPSHOTS("snapshots written"),
    SNAPSHOTS_FAILED("snapshots that could not be written"),
    JOURNALED("requests journaled"),
    JOURNAL_WAITS("polls of the journal held back by memory not prepared"),
    EXPIRED("requests answered EXPIRED"),
    RESULTS("results sent"),
    RESULTS_UNDELIVERED("results of clients that were gone"),
    RETRIES_ANSWERED("repeated requests that got the answer of the first"),
    RETRIES_REFUSED("repeated requests refused: other bytes, or no answer to give"),
    CLIENTS_SLOW("clients disconnected because their buffer was full"),
    OUTCOMES("outcomes journaled"),
    OUTCOME_WAITS("polls of the outcome journal held back by memory not prepared"),
    STALLS_OVER_1MS("idle duty cycles of over 1 ms, all threads: the machine's own hiccups"),
    JOURNAL_FREE_BYTES("bytes usable on the journal's file system"),
    CONTEXT_FULL("requests answered CONTEXT_FULL"),
    SESSIONS_EVICTED("sessions that made room for a new one"),
    GENERATIONS("generations under way now"),
    FORESEEN("steps computed before they were asked for"),
    FORESEEN_HITS("requests whose step had been computed before"),
    FORESEEN_MISSES("requests of sessions of which something was foreseen, but not this"),
    FORESEEN_SAVED_NS("nanoseconds of the steps that requests did not have to wait for"),
    FAILOVERS("executors that lost their device: another backend goes on for them"),
    STANDBY_RESULTS("requests computed by another backend since a device was lost"),
    ACCESS_DENIED("hellos and proofs that were wrong"),
    ACCESS_UNANSWERED("hellos that got no answer, as too many came");

    /** Type ids of Aeron's own tools end below 1,000 by agreement. */
    public static final int FIRST_TYPE_ID = 7000;

    private final String description;

    CounterId(final String description) {
        this.description = description;
    }

    public int typeId() {
        return FIRST_TYPE_ID + ordinal();
    }

    public String label() {
        return "tiercel " + name().toLowerCase(Locale.ROOT).replace('_', '-') + ": " + description;
    }
}
