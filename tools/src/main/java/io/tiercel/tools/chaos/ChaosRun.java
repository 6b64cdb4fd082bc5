package io.tiercel.tools.chaos;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.replay.ReplayOptions;
import io.tiercel.replay.ReplayVerifier;
import io.tiercel.replay.SnapshotVerifier;
import io.tiercel.tools.AeronConnection;
import io.tiercel.tools.ChildJvm;
import io.tiercel.tools.ChildProcess;
import io.tiercel.tools.CountProgress;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ServeCommand;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.agrona.IoUtil;
import org.agrona.concurrent.NanoClock;

/**
 * The rounds: start the appliance, let the clients send, kill it, and again, on one journal. Then a last start in which
 * everything is answered, an orderly end, the check, and one more start on what is left. Each start has a media driver
 * directory of its own, because a dead driver's counts as alive for ten seconds.
 *
 * <p>What is random comes from the seed, but for where exactly in the appliance's work a kill falls.
 */
final class ChaosRun {

    private static final long START_TIMEOUT_MS = 120_000;
    private static final long STOP_TIMEOUT_MS = 60_000;
    private static final long MIN_SERVING_MS = 100;
    private static final int MAX_SERVING_MS = 1_000;
    /** Until a start has been seen to its end. */
    private static final long FIRST_GUESS_MS = 1_000;
    private static final int MAX_SNAPSHOT_US = 1_000;
    /** About as long as a burst is under way. */
    private static final int MAX_BURST_US = 10_000;
    private static final long POLL_NS = 200_000;
    private static final int SIGTERM_EXIT_CODE = 143;
    private static final String DRAFT_SUFFIX = ".tmp";

    private final ChaosPlan plan;
    private final NanoClock clock;
    private final PrintStream out;
    private final SplittableRandom random;
    private final ChaosResult result = new ChaosResult();
    private final List<ChaosClient> clients = new ArrayList<>();
    private int life;
    /** From the start of the process to its first word of the recovery, and from there to its being ready. */
    private long startingMs = FIRST_GUESS_MS;
    private long recoveringMs = FIRST_GUESS_MS;
    private String aeronDirectoryName;

    ChaosRun(final ChaosPlan plan, final NanoClock clock, final PrintStream out) {
        this.plan = plan;
        this.clock = clock;
        this.out = out;
        this.random = new SplittableRandom(plan.seed());
    }

    ChaosResult run() {
        final long intervalNs = Math.round(1e9 * plan.clientCount() / plan.rate());
        for (int i = 0; i < plan.clientCount(); i++) {
            final String principal = "chaos-" + i;
            clients.add(new ChaosClient(new ChaosLog(principal, plan.directory().resolve(principal + ".log")),
                    random.nextLong(), intervalNs));
        }
        try (ChaosTraffic traffic = new ChaosTraffic(clients, clock)) {
            for (int round = 0; round < plan.rounds(); round++) {
                killOnce(round, traffic);
            }
            settle(traffic);
        }
        check();
        restart();
        return result;
    }

    private void killOnce(final int round, final ChaosTraffic traffic) {
        try (ChildProcess appliance = start()) {
            traffic.attach(aeronDirectoryName, life);
            traffic.send(true);
            awaitMoment(KillMoment.ofRound(round), appliance, traffic);
            traffic.requireAlive();
            if (!appliance.isAlive()) {
                throw died(appliance);
            }
            final long ageMs = appliance.ageMs();
            appliance.kill();
            final KillMoment moment = momentOf(appliance);
            result.killed(moment);
            final String recovered = noteRecovery(appliance);
            out.printf(Locale.ROOT, "round %d of %d: killed while %s, %d ms old%s%n", round + 1, plan.rounds(),
                    moment == KillMoment.SNAPSHOT ? "writing a snapshot" : moment.toString(), ageMs,
                    recovered == null ? "" : "; " + recovered);
        } finally {
            traffic.detach();
            removeAeronDirectory();
        }
    }

    private void awaitMoment(final KillMoment aim, final ChildProcess appliance, final ChaosTraffic traffic) {
        switch (aim) {
            case STARTING -> pause(random.nextLong(startingMs * 1_000_000L));
            case RECOVERING -> {
                awaitRecovering(appliance);
                pause(random.nextLong(recoveringMs * 1_000_000L));
            }
            case SERVING -> {
                awaitReady(appliance);
                pause((MIN_SERVING_MS + random.nextInt(MAX_SERVING_MS)) * 1_000_000L);
                traffic.burst();
                pause(random.nextInt(MAX_BURST_US) * 1_000L);
            }
            default -> {
                awaitReady(appliance);
                awaitDraft();
                traffic.burst();
                pause(random.nextInt(MAX_SNAPSHOT_US) * 1_000L);
            }
        }
    }

    /** Or until it is ready, if there was nothing to recover. */
    private void awaitRecovering(final ChildProcess appliance) {
        appliance.awaitLine(List.of(ServeCommand.RECOVERING, ServeCommand.READY + " "), START_TIMEOUT_MS);
    }

    /** Also notes how long a start takes here and now, so that later rounds hit what they aim at. */
    private void awaitReady(final ChildProcess appliance) {
        awaitRecovering(appliance);
        startingMs = Math.max(1, appliance.ageMs());
        appliance.awaitLine(ServeCommand.READY + " ", START_TIMEOUT_MS);
        recoveringMs = Math.max(1, appliance.ageMs() - startingMs);
    }

    /** Waits for a snapshot that is being written, for a few intervals. */
    private void awaitDraft() {
        final long deadlineNs = clock.nanoTime() + 3 * plan.snapshotInterval().toNanos() + 100_000_000L;
        while (draftCount() == 0 && clock.nanoTime() - deadlineNs < 0) {
            LockSupport.parkNanos(POLL_NS);
        }
    }

    private long draftCount() {
        final Path snapshots = plan.journal().resolve(SnapshotStore.DIRECTORY);
        if (!Files.isDirectory(snapshots)) {
            return 0;
        }
        try (Stream<Path> files = Files.list(snapshots)) {
            return files.filter(file -> file.toString().endsWith(DRAFT_SUFFIX)).count();
        } catch (final IOException e) {
            throw ToolException.environment("cannot list " + snapshots + ": " + e, e);
        }
    }

    private KillMoment momentOf(final ChildProcess appliance) {
        boolean isRecovering = false;
        for (final String line : appliance.outputLines()) {
            if (line.startsWith(ServeCommand.READY + " ")) {
                return draftCount() > 0 ? KillMoment.SNAPSHOT : KillMoment.SERVING;
            }
            isRecovering |= line.startsWith(ServeCommand.RECOVERING);
        }
        return isRecovering ? KillMoment.RECOVERING : KillMoment.STARTING;
    }

    /** @return what the appliance said of its recovery, or null if it did not come so far or had nothing to do. */
    private String noteRecovery(final ChildProcess appliance) {
        for (final String line : appliance.outputLines()) {
            if (line.startsWith(ServeCommand.RECOVERED)) {
                result.recoveries.add(ChaosResult.Recovery.of(life, line));
                return line;
            }
        }
        return null;
    }

    /** The last life: nobody sends anything new, everything gets its answer, and the appliance ends in order. */
    private void settle(final ChaosTraffic traffic) {
        traffic.send(false);
        try (ChildProcess appliance = start()) {
            traffic.attach(aeronDirectoryName, life);
            awaitReady(appliance);
            traffic.awaitSettled("requests were not answered within a minute of the last start");
            noteRecovery(appliance);
            stop(appliance);
        } finally {
            traffic.detach();
            removeAeronDirectory();
        }
        out.println("everything is answered, and the appliance has ended in order");
    }

    private void check() {
        for (final ChaosClient client : clients) {
            result.heldBackCount += client.heldBackCount();
            result.unansweredAgainCount += client.unansweredAgainCount();
            result.answeredAgainCount += client.answeredAgainCount();
            result.sameAgainCount += client.sameAgainCount();
            result.cutOffAgainCount += client.cutOffAgainCount();
            client.violations().forEach(result::violated);
        }
        new JournalCheck(clients.stream().map(ChaosClient::log).toList(), result).check(plan.journal());
        final boolean isInteractive = Terminal.isInteractive();
        final CountProgress progress = new CountProgress("replay", new PrintWriter(out), isInteractive, clock);
        result.replay = new ReplayVerifier(
                new ReplayOptions().journalDirectory(plan.journal()).progress(progress::show)).verify();
        progress.clear();
        result.snapshots = new SnapshotVerifier(
                plan.journal(), Backends.AUTO, (doneCount, totalCount) -> {}, clock).verifyAll();
    }

    /** What was left in order starts in order: nothing is torn, nothing is missing. */
    private void restart() {
        try (ChildProcess appliance = start()) {
            awaitReady(appliance);
            noteRecovery(appliance);
            stop(appliance);
            final ChaosResult.Recovery last = result.recoveries.get(result.recoveries.size() - 1);
            result.isRestarted = last.life() == life && last.tornCount() == 0 && last.recomputedCount() == 0
                    && last.nextSequence() == result.journaledCount;
            if (!result.isRestarted) {
                result.violated("after an orderly end the appliance found something else than it left: journaled=" +
                        result.journaledCount + " " + last);
            }
        } finally {
            removeAeronDirectory();
        }
    }

    private ChildProcess start() {
        life++;
        aeronDirectoryName = AeronConnection.directoryName("chaos-" + life);
        final Path configuration = ChaosConfiguration.write(plan, aeronDirectoryName);
        final List<String> arguments =
                List.of("serve", "--config", configuration.toString(), "--until-stdin-closes");
        final String name = String.format(Locale.ROOT, "serve-%04d", life);
        return ChildProcess.start(name, ChildJvm.command(arguments), plan.directory().resolve(name + ".log"));
    }

    private void stop(final ChildProcess appliance) {
        final int exitCode = appliance.terminate(STOP_TIMEOUT_MS);
        if (exitCode != ExitCode.OK && exitCode != SIGTERM_EXIT_CODE) {
            throw appliance.failed("did not end in order: exit code " + exitCode);
        }
    }

    /** It ended before it was killed: what it cannot start on is what this is looking for. */
    private static ToolException died(final ChildProcess appliance) {
        final ToolException failed = appliance.failed("ended by itself");
        return new ToolException(ExitCode.CHECK_FAILED, failed.getMessage());
    }

    private void removeAeronDirectory() {
        IoUtil.delete(new File(aeronDirectoryName), true);
    }

    private void pause(final long durationNs) {
        final long endNs = clock.nanoTime() + durationNs;
        for (long leftNs = durationNs; leftNs > 0; leftNs = endNs - clock.nanoTime()) {
            LockSupport.parkNanos(leftNs);
        }
    }
}
