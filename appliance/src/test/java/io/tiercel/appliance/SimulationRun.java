package io.tiercel.appliance;

import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.DurabilityLevel;
import io.tiercel.appliance.journal.JournalException;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.recovery.RecoveryException;
import io.tiercel.appliance.sequencer.PipelineState;
import org.agrona.CloseHelper;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * One seed: an appliance with its clients through several lives, each of which goes wrong in its own way, and a last
 * one in which nothing does.
 *
 * <pre>
 *   recover ──▶ check ──▶ steps, with faults ──▶ drained and closed, or dead somewhere in between ──▶ the disk as it is
 *      ▲                                                                                                    |
 *      +----------------------------------------------------------------------------------------------------+
 * </pre>
 */
final class SimulationRun implements AutoCloseable {

    private static final int MIN_STEPS = 500;
    private static final int MAX_STEPS = 9_000;
    private static final int MAX_CALM_ROUNDS = 20_000;
    /** So that whatever has a timeout is over before these rounds are. */
    private static final long CALM_ROUND_NS = 10 * PipelineHarness.ROUND_NS;
    private static final long MAX_TOLERATED_STEP_BACK_NS = 900_000_000L;

    private final SimulationPlan plan;
    private final SimulationTrace trace;
    private final SplittableRandom random;
    private final SimulatedModels models;
    private final Access access;
    private final SimulatedTime time = new SimulatedTime();
    private final SimulatedNetwork network;
    private final SimulatedDisk disk;
    private final SimulatedAppliance.Taken taken =
            new SimulatedAppliance.Taken(new MemoryRecordLog(), new MemoryRecordLog());
    private final SimulationCheck check;
    private final List<SimulatedClient> clients = new ArrayList<>();
    private final List<SimulatedAdministrator> administrators = new ArrayList<>();
    private SimulatedAppliance appliance;
    /** Requests that the files may have and nobody was told so. */
    private int adoptableCount;
    private int maxVersions;
    private long setBackNs;
    private boolean hasLostPower;

    SimulationRun(
            final long seed,
            final Path directory,
            final SimulatedModels models,
            final SimulationTrace trace) {
        random = new SplittableRandom(seed);
        plan = new SimulationPlan(random.split());
        maxVersions = plan.maxVersions;
        this.trace = trace;
        this.models = models;
        trace.say("seed=" + seed + " " + plan);
        network = new SimulatedNetwork(time, directory);
        disk = new SimulatedDisk(directory, random.split());
        final List<SimulatedPrincipal> principals = principals("desk-", plan.principalCount);
        final List<SimulatedPrincipal> chiefs = principals("chief-", plan.administratorCount);
        access = plan.access(principals, chiefs);
        check = new SimulationCheck(plan, models.versions(), taken, concat(principals, chiefs), trace);
        final SimulatedTraffic traffic =
                new SimulatedTraffic(models.configured(), plan.sessionKeyCount, random.split());
        for (int index = 0; index < plan.clientCount; index++) {
            clients.add(new SimulatedClient(index, plan.retryWindow > 0, network.clients(),
                    principals.get(random.nextInt(principals.size())), traffic, check, trace, random.split()));
        }
        final SimulatedCommands commands = new SimulatedCommands(models, random.split());
        for (int index = 0; index < plan.administratorCount; index++) {
            administrators.add(new SimulatedAdministrator(index, network.clients(), chiefs.get(index), commands, check,
                    trace, random.split()));
        }
    }

    private List<SimulatedPrincipal> principals(final String name, final int count) {
        return IntStream.range(0, count)
                .mapToObj(index -> new SimulatedPrincipal(name + index, plan.hasKeys()))
                .toList();
    }

    private static <T> List<T> concat(final List<T> first, final List<T> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    void run() {
        for (int life = 0; life < plan.lifeCount; life++) {
            if (!start(life)) {
                return;
            }
            live();
        }
        if (start(plan.lifeCount)) {
            liveInPeace();
            check.onEnd();
        }
    }

    @Override
    public void close() {
        CloseHelper.quietCloseAll(clients);
        CloseHelper.quietCloseAll(administrators);
        CloseHelper.quietCloseAll(appliance, check, network);
    }

    /** @return false if the appliance will not start again, as it may after the machine has lost power. */
    private boolean start(final int life) {
        trace.count(SimulationEvent.LIVES);
        while (!tryStart(life)) {
            if (hasLostPower) {
                trace.count(SimulationEvent.STARTS_REFUSED);
                return false;
            }
        }
        appliance.open(network, access, taken);
        administrators.forEach(SimulatedAdministrator::onStart);
        hasLostPower = false;
        return true;
    }

    private boolean tryStart(final int life) {
        final ApplianceContext context = plan.context(
                disk.journal(), network.directoryName(), models.configuredBundles(), maxVersions);
        final JournalSettings settings = plan.journalSettings(time);
        try {
            appliance = new SimulatedAppliance(context, settings, models, time);
        } catch (final RecoveryException | JournalException ex) {
            trace.say("life=" + life + " does not begin: " + messageOf(ex));
            check.that(mayRefuse(ex), () -> "the journal cannot be continued: " + ex.getMessage());
            return false;
        }
        trace.say("life=" + life + " begins: " + withoutTime(appliance.recovered.toString()));
        if (random.nextInt(12) == 0) {
            dieInRecovery();
            return tryStart(life);
        }
        disk.removeBadSnapshot();
        check.onStart(appliance, adoptableCount);
        adoptableCount = 0;
        trace.count(SimulationEvent.OUTCOMES_RECOMPUTED, (int) appliance.recovered.recomputedCount());
        if (appliance.recovered.snapshotSequence() >= 0) {
            trace.count(SimulationEvent.STARTS_FROM_A_SNAPSHOT);
        }
        return true;
    }

    /**
     * A clock that was set back is set right, and a limit is raised where a journal has more versions than were there
     * at once: some were gone after a start from a snapshot that has been damaged since. A journal without its synced
     * end may be refused, and is then lost.
     */
    private boolean mayRefuse(final RuntimeException ex) {
        final boolean isClock = ex instanceof RecoveryException recovery
                ? recovery.code() == RecoveryException.Code.CLOCK_WENT_BACK
                : ex.getMessage().contains("the clock has gone backwards") ||
                        ex.getMessage().startsWith("clock has gone backwards");
        if (isClock && setBackNs > 0) {
            time.setWall(setBackNs);
            setBackNs = 0;
            return true;
        }
        if (ex instanceof RecoveryException recovery && recovery.code() == RecoveryException.Code.VERSION_LIMIT) {
            return ++maxVersions <= models.versions().size();
        }
        return hasLostPower && !isClock;
    }

    private void live() {
        final int steps = MIN_STEPS + random.nextInt(MAX_STEPS);
        final int end = random.nextInt(8);
        final long rolledBefore = appliance.rolledCount();
        arrangeDeath(end);
        arrangeFailure();
        try {
            for (int step = 0; step < steps; step++) {
                step();
            }
            if (random.nextInt(3) == 0) {
                quieten();
            }
            trace.count(SimulationEvent.ROLLS, (int) (appliance.rolledCount() - rolledBefore));
            if (end < 2) {
                shutDown();
            } else if (end == 2) {
                losePower();
            } else {
                trace.count(SimulationEvent.KILLS);
                die("between two steps");
            }
        } catch (final SimulatedCrash crash) {
            trace.count(crash.event());
            die(crash.getMessage());
        }
        if (random.nextInt(4) == 0) {
            setWallBetweenLives();
        }
    }

    /** Nothing fails any more. */
    private void liveInPeace() {
        quieten();
        shutDown();
    }

    /** Nobody wants anything new until everybody is connected and has an answer to all that was asked. */
    private void quieten() {
        trace.count(SimulationEvent.QUIET_MOMENTS);
        clients.forEach(SimulatedClient::calm);
        administrators.forEach(SimulatedAdministrator::calm);
        await("content", () -> clients.stream().allMatch(SimulatedClient::isContent) &&
                administrators.stream().allMatch(SimulatedAdministrator::isContent));
        clients.forEach(SimulatedClient::goOn);
        administrators.forEach(SimulatedAdministrator::goOn);
    }

    /** Where in its work the process is to die, if it comes to that before its steps are over. */
    private void arrangeDeath(final int end) {
        switch (end) {
            case 3 -> appliance.requests.crashAt(taken.requests().size() + random.nextInt(200));
            case 4 -> appliance.outcomes.crashAt(taken.outcomes().size() + random.nextInt(200));
            case 5 -> appliance.crashInSnapshot(random.nextInt(12));
            default -> {}
        }
    }

    private void arrangeFailure() {
        switch (random.nextInt(16)) {
            case 0 -> {
                trace.count(SimulationEvent.WRITE_ERRORS);
                appliance.requests.failFrom(taken.requests().size() + random.nextInt(300), random.nextBoolean());
            }
            case 1 -> {
                trace.count(SimulationEvent.WRITE_ERRORS);
                appliance.outcomes.failFrom(taken.outcomes().size() + random.nextInt(300), random.nextBoolean());
            }
            default -> {}
        }
    }

    private void step() {
        trace.step();
        if (random.nextInt(3) == 0) {
            time.pass(1 + random.nextInt(plan.momentNs));
        }
        if (random.nextInt(500) == 0) {
            happen();
        }
        if (random.nextInt(100) < plan.eagerness) {
            appliance.step(random.nextInt(appliance.threadCount()));
        }
        if (hasFailed()) {
            check.onJournalFailed();
        }
        clients.get(random.nextInt(clients.size())).act();
        if (!administrators.isEmpty() && random.nextInt(4) == 0) {
            administrators.get(random.nextInt(administrators.size())).act();
        }
        if (random.nextInt(4) == 0) {
            network.turn();
        }
    }

    /** Something that does not happen every moment. */
    private void happen() {
        switch (random.nextInt(24)) {
            case 0, 1, 2, 3, 4, 5, 6 -> {
                trace.count(SimulationEvent.JOURNAL_STALLS);
                appliance.requests.stall(random.nextInt(100));
            }
            case 7, 8, 9, 10, 11, 12 -> {
                trace.count(SimulationEvent.JOURNAL_STALLS);
                appliance.outcomes.stall(random.nextInt(100));
            }
            case 13, 14, 15, 16 -> {
                trace.count(SimulationEvent.CLOCK_JUMPS);
                time.pass(TimeUnit.MICROSECONDS.toNanos(1L << random.nextInt(15)));
            }
            case 17 -> setWall(TimeUnit.MINUTES.toNanos(random.nextInt(180)));
            case 18 -> setWall(-random.nextLong(MAX_TOLERATED_STEP_BACK_NS));
            case 19 -> {
                if (random.nextInt(4) == 0) {
                    trace.count(SimulationEvent.FULL_DISKS);
                    trace.say("the disk is full");
                    appliance.fillDisk();
                }
            }
            case 20 -> {
                trace.count(SimulationEvent.LOW_SPACES);
                appliance.requests.lowSpace(true);
            }
            case 21 -> appliance.requests.lowSpace(false);
            default -> appliance.takeSnapshotSoon();
        }
    }

    private void setWall(final long byNs) {
        trace.count(SimulationEvent.CLOCK_JUMPS);
        trace.say("the wall clock is set by ns=" + byNs);
        time.setWall(byNs);
        setBackNs = Math.max(0, setBackNs - byNs);
    }

    private void setWallBetweenLives() {
        setWall(random.nextBoolean()
                ? TimeUnit.MINUTES.toNanos(random.nextInt(300))
                : -random.nextLong(4 * MAX_TOLERATED_STEP_BACK_NS));
    }

    /** As an appliance is stopped by its owner. */
    private void shutDown() {
        appliance.requests.stall(0);
        appliance.outcomes.stall(0);
        appliance.drain();
        await("drained", () -> appliance.isDrained() || hasFailed());
        await("goodbyes said", appliance::sayGoodbye);
        await("drained", () -> appliance.isDrained() || hasFailed());
        if (hasFailed()) {
            die("after its journal has failed");
            return;
        }
        appliance.takeSnapshotSoon();
        await("snapshot taken", appliance::isSnapshotTaken);
        check.onDrained(appliance);
        trace.count(SimulationEvent.SHUTDOWNS);
        trace.say("shut down: taken=" + taken.requests().size());
        appliance.close();
        taken.sync();
    }

    private boolean hasFailed() {
        return appliance.phase() == PipelineState.Phase.JOURNAL_FAILED;
    }

    private void await(final String what, final BooleanSupplier condition) {
        for (int round = 0; round < MAX_CALM_ROUNDS; round++) {
            if (condition.getAsBoolean()) {
                return;
            }
            trace.step();
            time.pass(CALM_ROUND_NS);
            appliance.round();
            if (hasFailed()) {
                check.onJournalFailed();
            }
            clients.forEach(SimulatedClient::act);
            administrators.forEach(SimulatedAdministrator::act);
            network.turn();
        }
        throw new AssertionError(
                "not in " + MAX_CALM_ROUNDS + " rounds: " + what + " " + clients + " " + administrators);
    }

    /** The process is gone; what was in the pages of its files is there. */
    private void die(final String where) {
        trace.say("dies " + where + ": requests=" + taken.requests().size() + " outcomes=" + taken.outcomes().size());
        final Path old = disk.crash();
        if (appliance.requests.hasCrashed()) {
            adoptableCount = 1;
            tearLast(SimulatedDisk.REQUESTS);
        } else if (appliance.outcomes.hasCrashed()) {
            tearLast(SimulatedDisk.OUTCOMES);
        }
        if (random.nextInt(4) == 0 && disk.damageSnapshots()) {
            trace.count(SimulationEvent.SNAPSHOTS_DAMAGED);
        }
        appliance.close();
        disk.delete(old);
    }

    private void tearLast(final String queue) {
        if (disk.tearLast(queue)) {
            trace.count(SimulationEvent.TORN_RECORDS);
        }
    }

    /** The process is gone while it writes the outcomes that the last one could not. */
    private void dieInRecovery() {
        trace.count(SimulationEvent.KILLS_IN_A_RECOVERY);
        final int recordCount = (int) appliance.recovered.nextSequence();
        final int keptCount = recordCount - random.nextInt(recordCount - taken.outcomes().size() + 1);
        trace.say("dies in its recovery: outcomes=" + keptCount);
        final Path old = disk.crash();
        disk.loseFrom(SimulatedDisk.OUTCOMES, keptCount, false, true);
        appliance.close();
        disk.delete(old);
    }

    /** The machine is gone, and with it what the device had not been given. */
    private void losePower() {
        trace.count(SimulationEvent.POWER_LOSSES);
        final int requestCount = between(taken.requests().syncedCount(), taken.requests().size());
        final int outcomeCount = between(taken.outcomes().syncedCount(),
                random.nextInt(8) == 0 ? taken.outcomes().size() : Math.min(taken.outcomes().size(), requestCount));
        trace.say("the machine dies: requests=" + requestCount + " of " + taken.requests().size() + " outcomes=" +
                outcomeCount + " of " + taken.outcomes().size());
        final Path old = disk.crash();
        final boolean isWrittenThrough = plan.durability == DurabilityLevel.DISK;
        final boolean isHeaderLost = !isWrittenThrough && random.nextInt(4) > 0;
        disk.loseFrom(SimulatedDisk.REQUESTS, requestCount, true, isHeaderLost);
        disk.loseFrom(SimulatedDisk.OUTCOMES, outcomeCount, true, isHeaderLost);
        hasLostPower =
                !isWrittenThrough && (requestCount < taken.requests().size() || outcomeCount < taken.outcomes().size());
        check.onLost(requestCount, outcomeCount);
        // The bytes that the first lost one lacks may have been zeros.
        adoptableCount = 1;
        clients.forEach(SimulatedClient::lose);
        administrators.forEach(SimulatedAdministrator::lose);
        appliance.close();
        disk.delete(old);
    }

    private int between(final int low, final int high) {
        return low + random.nextInt(high - low + 1);
    }

    private static String messageOf(final RuntimeException ex) {
        return ex.getMessage().replaceAll("/[^ ]*/", "");
    }

    private static String withoutTime(final String report) {
        return report.replaceAll(" ms=.*", "");
    }
}
