package io.tiercel.tools.chaos;

import io.tiercel.appliance.config.DurabilityLevel;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What the harness was asked for, checked.
 *
 * @param rounds    times that the appliance is killed.
 * @param rate      requests a second, all clients together.
 * @param bundle    the model to serve.
 * @param directory for everything that is written, fresh.
 */
record ChaosPlan(
        int rounds,
        long seed,
        int clientCount,
        double rate,
        Path bundle,
        DurabilityLevel durability,
        Duration snapshotInterval,
        Path directory) {

    Path journal() {
        return directory.resolve("journal");
    }
}
