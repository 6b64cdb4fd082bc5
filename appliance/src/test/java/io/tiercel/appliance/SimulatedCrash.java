package io.tiercel.appliance;

/** The process dies here. An error and not an exception, so that nothing on the way takes it for one of its own. */
final class SimulatedCrash extends Error {

    private static final long serialVersionUID = 1L;

    private final SimulationEvent event;

    SimulatedCrash(final SimulationEvent event, final String where) {
        super(where, null, false, false);
        this.event = event;
    }

    /** What kind of a death it is. */
    SimulationEvent event() {
        return event;
    }
}
