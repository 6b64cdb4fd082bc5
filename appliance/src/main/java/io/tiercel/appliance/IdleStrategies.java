package io.tiercel.appliance;

import io.tiercel.appliance.config.IdleMode;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.BusySpinIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.agrona.concurrent.YieldingIdleStrategy;

/** The configuration's idle modes as Agrona's strategies; a new one for each thread, as they have state. */
final class IdleStrategies {

    private IdleStrategies() {
    }

    static IdleStrategy of(final IdleMode mode) {
        return switch (mode) {
            case SPIN -> new BusySpinIdleStrategy();
            case YIELD -> new YieldingIdleStrategy();
            case BACKOFF -> new BackoffIdleStrategy();
            case SLEEP -> new SleepingMillisIdleStrategy(1);
        };
    }
}
