package io.tiercel.appliance;

import io.tiercel.appliance.session.Sessions;
import org.agrona.concurrent.Agent;

/** Keeps memory for new sessions touched ahead of them, on a thread that mostly sleeps. */
record StateToucher(Sessions sessions) implements Agent {

    @Override
    public int doWork() {
        return sessions.touchAhead() ? 1 : 0;
    }

    @Override
    public String roleName() {
        return "state-toucher";
    }
}
