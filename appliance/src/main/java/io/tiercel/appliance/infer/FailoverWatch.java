package io.tiercel.appliance.infer;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.Happenings;
import io.tiercel.protocol.telemetry.EventKind;
import org.agrona.concurrent.status.AtomicCounter;

/**
 * Counts, for the operator, what a lost device leads to: a worker's executors that have gone over to their standby, and
 * the requests that are computed there. The worker's thread; allocates in its constructor only.
 */
final class FailoverWatch {

    /** By version; null where there is none yet. */
    private final ModelExecutor[] executors;
    private final boolean[] isCounted;
    private final AtomicCounter failoverCount;
    private final AtomicCounter standbyCount;
    private final Happenings happenings;

    FailoverWatch(final ModelExecutor[] executors, final Counters counters) {
        this.executors = executors;
        isCounted = new boolean[executors.length];
        failoverCount = counters.get(CounterId.FAILOVERS);
        standbyCount = counters.get(CounterId.STANDBY_RESULTS);
        happenings = counters.happenings();
    }

    /** Whether a device was lost since the last time: at work, while idle or before the first request. */
    void look() {
        for (int index = 0; index < executors.length; index++) {
            if (!isCounted[index] && executors[index] != null && executors[index].isOnStandby()) {
                isCounted[index] = true;
                failoverCount.getAndAdd(1);
                happenings.tell(EventKind.DEVICE_LOST, index, "");
            }
        }
    }

    void onComputedByStandby() {
        standbyCount.getAndAdd(1);
    }
}
