package io.tiercel.appliance.telemetry;

import java.util.Locale;

/** The stages whose latency is recorded, each a stretch of a request's way; the names are tags in the .hlog file. */
public enum Stage {
    /** From arrival to the request's record being in the journal. */
    JOURNAL,
    /** From arrival to the start of compute. */
    QUEUE,
    /** Compute alone. */
    INFER,
    /** From the later of journaled and computed to the response sent. */
    EGRESS,
    /** From arrival to the response sent. */
    TOTAL;

    public String tag() {
        return name().toLowerCase(Locale.ROOT);
    }
}
