package io.tiercel.tools.ops;

import io.tiercel.ops.desk.DeskFeed;
import io.tiercel.ops.desk.DeskState;
import io.tiercel.ops.probe.Probe;
import io.tiercel.ops.probe.ProbeOutcome;
import io.tiercel.ops.probe.ProbeResult;
import io.tiercel.tools.StopSignal;
import io.tiercel.tools.ToolException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemEpochClock;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Asks again and again, and sleeps in between. Prints a line when what becomes of the questions changes, and for every
 * answer with wrong bits. One thread.
 */
final class ProbeLoop implements AutoCloseable {

    private static final long POLL_INTERVAL_MS = 100;
    /** How long the appliance has to name its journal, which it does in each of its intervals. */
    private static final long NAMING_MS = 3_000;
    private static final double NS_PER_US = 1e3;

    private final Probe probe;
    private final DeskFeed feed;
    private final long intervalNs;
    private final PrintWriter out;
    private final NanoClock clock = SystemNanoClock.INSTANCE;
    private ProbeOutcome told;
    private long askedCount;
    private long okCount;
    private boolean hasWaited;

    ProbeLoop(final ProbeOptions options, final Path aeron, final PrintWriter out) {
        this.out = out;
        intervalNs = options.every().toNanos();
        feed = new DeskFeed(aeron, SystemEpochClock.INSTANCE);
        probe = options.open(aeron, this::journal, this::say);
    }

    /** Asks once and says what became of it. */
    ProbeResult ask() {
        final ProbeResult result;
        try {
            result = probe.ask();
        } catch (final UncheckedIOException ex) {
            throw ToolException.environment(ex.getMessage(), ex);
        }
        askedCount++;
        okCount += result.outcome() == ProbeOutcome.OK ? 1 : 0;
        if (result.outcome() != told || result.outcome() == ProbeOutcome.WRONG_BITS) {
            told = result.outcome();
            say(line(result));
        }
        return result;
    }

    /** Until it is told to stop. */
    void run(final StopSignal stop, final Consumer<ProbeResult> results) throws InterruptedException {
        long nextNs = clock.nanoTime();
        boolean isStopped = false;
        while (!isStopped) {
            results.accept(ask());
            nextNs = Math.max(nextNs + intervalNs, clock.nanoTime());
            isStopped = sleepUntil(nextNs, stop);
        }
        say("asked=" + askedCount + " ok=" + okCount);
    }

    @Override
    public void close() {
        probe.close();
        feed.close();
    }

    private boolean sleepUntil(final long dueNs, final StopSignal stop) throws InterruptedException {
        long leftMs = TimeUnit.NANOSECONDS.toMillis(dueNs - clock.nanoTime());
        boolean isStopped = stop.await(0);
        while (!isStopped && leftMs > 0) {
            isStopped = stop.await(Math.min(POLL_INTERVAL_MS, leftMs));
            probe.keepAlive();
            feed.poll();
            leftMs = TimeUnit.NANOSECONDS.toMillis(dueNs - clock.nanoTime());
        }
        return isStopped;
    }

    /** Where the appliance says that its journal is; null if it has not yet. */
    private Path journal() {
        final long deadlineNs = clock.nanoTime() + TimeUnit.MILLISECONDS.toNanos(hasWaited ? 0 : NAMING_MS);
        hasWaited = true;
        feed.poll();
        while (feed.state().facts() == null && clock.nanoTime() - deadlineNs < 0) {
            probe.keepAlive();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(POLL_INTERVAL_MS));
            feed.poll();
        }
        final DeskState.Facts facts = feed.state().facts();
        return facts == null ? null : Path.of(facts.journalDirectory());
    }

    private void say(final String line) {
        out.println("probe: " + line + " at=" + Instant.now().truncatedTo(ChronoUnit.MILLIS));
        out.flush();
    }

    private static String line(final ProbeResult result) {
        final StringBuilder line = new StringBuilder("outcome=").append(result.outcome());
        if (!result.model().isEmpty()) {
            line.append(" model=").append(result.model()).append(" version=").append(result.version());
        }
        if (result.isAnswered()) {
            line.append(String.format(Locale.ROOT, " round-trip=%.1fus appliance=%.1fus",
                    result.roundTripNs() / NS_PER_US, result.applianceNs() / NS_PER_US));
        }
        return line.append(result.detail().isEmpty() ? "" : " " + result.detail()).toString();
    }
}
