package io.tiercel.tools.engine;

import io.tiercel.appliance.engine.UnseenSession;
import io.tiercel.appliance.infer.Rehearsal;
import org.agrona.concurrent.NanoClock;

/** What a spinning thread does while no request comes; called by that thread, as an infer thread does. */
interface Idle {

    /** Only spins. */
    Idle NOTHING = new Idle() {
        @Override
        public void onIdle(final long nowNs) {
            // That is the point of it.
        }

        @Override
        public void onWork() {
            // Nothing depends on it.
        }
    };

    /** Once a turn of the loop. */
    void onIdle(long nowNs);

    /** A request has been computed. */
    void onWork();

    /** What the appliance does: rehearses on the executor that the requests have too. */
    static Idle rehearsing(final long afterNs, final NanoClock clock, final ExecutorStep step) {
        final Rehearsal rehearsal = new Rehearsal(afterNs, clock);
        rehearsal.add(new UnseenSession(step.model().shape(), step.executor()));
        return new Idle() {
            @Override
            public void onIdle(final long nowNs) {
                rehearsal.onIdle(nowNs);
            }

            @Override
            public void onWork() {
                rehearsal.onWork(step.batch(), step.model().shape().stateBytes());
            }
        };
    }
}
