package io.tiercel.tools.replay;

import io.tiercel.replay.whatif.WhatIfReport;
import io.tiercel.tools.StopSignal;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.agrona.concurrent.NanoClock;

/** Lets a what-if follow a journal until it is told to stop, and says now and then how it stands. One thread. */
final class Shadow implements BooleanSupplier {

    private static final long LOOK_INTERVAL_MS = 100;
    private static final double PERCENT = 100;

    private final StopSignal stop;
    private final long everyNs;
    private final PrintWriter out;
    private final NanoClock clock;
    private final long endNs;
    private final boolean hasEnd;
    private long sayNs;

    /** @param forTime null to go on until the signal. */
    Shadow(
            final StopSignal stop, final Duration forTime, final Duration every, final PrintWriter out,
            final NanoClock clock) {
        this.stop = stop;
        this.out = out;
        this.clock = clock;
        everyNs = every.toNanos();
        hasEnd = forTime != null;
        endNs = clock.nanoTime() + (hasEnd ? forTime.toNanos() : 0);
        sayNs = clock.nanoTime();
    }

    /** The end of what has been written: whether there may be more. */
    @Override
    public boolean getAsBoolean() {
        try {
            return !stop.await(LOOK_INTERVAL_MS) && !(hasEnd && clock.nanoTime() - endNs >= 0);
        } catch (final InterruptedException ex) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    void onStanding(final Supplier<WhatIfReport> standing) {
        if (clock.nanoTime() - sayNs < 0) {
            return;
        }
        sayNs = clock.nanoTime() + everyNs;
        final WhatIfReport report = standing.get();
        for (final WhatIfReport.Result candidate : report.candidates()) {
            out.printf(Locale.ROOT, "shadow: sequence=%d model=%s answers=%d changed=%.2f%% other-class=%.2f%%%n",
                    report.lastSequence(), candidate.name(), candidate.changes().answerCount(),
                    PERCENT * candidate.changes().changedShare(),
                    PERCENT * candidate.changes().changedDecisionShare());
        }
        out.flush();
    }
}
