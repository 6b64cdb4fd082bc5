package io.tiercel.appliance.engine;

import java.util.concurrent.TimeUnit;

/**
 * What the configuration says of a model on a device that can be lost. A backend without one ignores it.
 *
 * @param mode          how a GPU computes it.
 * @param answerLimitNs after which a device that has not answered is lost.
 */
public record DeviceSettings(DeviceMode mode, long answerLimitNs) {

    /** A hundred thousand times a step; no client waits longer, and what holds a GPU up for a moment is shorter. */
    public static final DeviceSettings DEFAULTS = new DeviceSettings(DeviceMode.AUTO, TimeUnit.SECONDS.toNanos(1));
}
