package io.tiercel.tools.load;

/**
 * When requests are due: offsets from the start of a run that never decrease. One instance serves one run; the
 * generator's thread calls it, and it allocates nothing.
 */
public interface Schedule {

    /** Offset at which the next request is due, and moves on to the one after. */
    long nextNs();

    /** For the report: {@code constant 10000/s}. */
    String describe();
}
