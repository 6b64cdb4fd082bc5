package io.tiercel.appliance.engine;

/**
 * The bytes of a session's state that one step changes: {@link ModelExecutor#step}, without the work ahead. With them a
 * step can be taken back, and taken again without computing it. Immutable; any thread.
 */
public interface Footprint {

    /** Room that a copy takes at most. */
    int maxBytes();

    /** Steps that a state has made; {@link #copyOut} and {@link #copyIn} are to be told those made before the step. */
    long position(long stateAddress);

    /** Copies the bytes that the step at that position changes, as they are, from the state. */
    void copyOut(long stateAddress, long position, long targetAddress);

    /** Puts them, as they were, into the state. */
    void copyIn(long stateAddress, long position, long sourceAddress);
}
