package io.tiercel.appliance.config;

/** What a duty cycle does when it found no work, from the fastest to wake to the cheapest to run. */
public enum IdleMode {

    /** Never leaves the core. */
    SPIN,

    /** Offers the core to other threads that can run. */
    YIELD,

    /** Spins, then yields, then parks for ever longer, to 1 ms. */
    BACKOFF,

    /** Sleeps: for a machine where latency does not matter. */
    SLEEP
}
