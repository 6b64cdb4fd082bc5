package io.tiercel.appliance.engine;

import java.util.Locale;

/** How a GPU computes a model. The answers are the same, bit for bit. */
public enum DeviceMode {
    /**
     * {@link #RESIDENT} where the GPU lets a kernel stay and the model fits, else {@link #GRAPHS}; or what was faster
     * when the model was loaded.
     */
    AUTO,
    /** By a kernel that stays on the GPU: the shortest way to an answer, and multiprocessors that do nothing else. */
    RESIDENT,
    /** By launches that the driver has prepared together, for each batch: for throughput, and a GPU that is shared. */
    GRAPHS;

    /** As the configuration has it. */
    public static DeviceMode of(final String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }

    /** As the configuration has it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
