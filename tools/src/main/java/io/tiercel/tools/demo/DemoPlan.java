package io.tiercel.tools.demo;

import io.tiercel.appliance.config.Layout;
import io.tiercel.tools.market.MarketFeed;
import java.nio.file.Path;

/**
 * What the demo was asked for, checked.
 *
 * @param bundle    the model to serve.
 * @param outputCount floats in the model's answer.
 * @param layout    never {@code AUTO}.
 * @param journal   directory of the journal, fresh.
 * @param folder    where configuration, logs and the bundle lie: inside the journal's directory.
 */
record DemoPlan(
        MarketFeed feed,
        Path bundle,
        int outputCount,
        Layout layout,
        String backend,
        double rate,
        Path journal,
        Path folder) {

    static final String ALIAS = "demo";
    static final String PRINCIPAL = "demo-desk";

    /** Events at the end of the tape that are played closed-loop, to compare with the echo the same way. */
    int closedLoopCount() {
        return Math.min(feed.eventCount() / 10, 20_000);
    }

    int pacedCount() {
        return feed.eventCount() - closedLoopCount();
    }
}
