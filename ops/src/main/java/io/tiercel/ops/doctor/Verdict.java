package io.tiercel.ops.doctor;

import java.util.Locale;

/** How much a finding matters. */
public enum Verdict {
    /** As it should be. */
    GOOD,
    /** It cannot be seen here. */
    UNKNOWN,
    /** Worth a change where microseconds count; nothing is wrong. */
    ADVICE,
    /** Answers are late because of it, sooner or later. */
    BAD;

    /** In lower case, as reports have it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
