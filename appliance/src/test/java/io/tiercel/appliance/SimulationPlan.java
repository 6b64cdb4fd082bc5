package io.tiercel.appliance;

import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.access.Principal;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.DurabilityLevel;
import io.tiercel.appliance.config.FullSessionsPolicy;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.config.OverloadPolicy;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.journal.RollPeriod;
import io.tiercel.appliance.session.Rights;
import io.tiercel.protocol.Handshake;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * What a seed decides before anything runs: how the appliance is configured, which stays so through all of its lives,
 * and how rough the run will be.
 */
final class SimulationPlan {

    static final int REQUEST_STREAM = 7001;
    static final int ADMIN_STREAM = 7004;
    static final int MAX_STEPS = 4;
    private static final int RESPONSE_TERM_LENGTH = 64 * 1024;
    private static final int MAX_FRAME_LENGTH = 1024;

    final int lifeCount;
    final int clientCount;
    final int principalCount;
    final int sessionKeyCount;
    /** Of 100 stages whose turn it is, how many run. */
    final int eagerness;
    /** The longest moment between two steps. Administrators are heard once in a millisecond. */
    final int momentNs;
    final Layout layout;
    /** Answer slots of each principal; 0 if a request that comes again is a new one. */
    final int retryWindow;
    final DurabilityLevel durability;
    private final long keepForNs;
    private final long keepBytes;
    private final int inferWorkers;
    private final int ringCapacity;
    private final int maxBatch;
    private final int maxInFlight;
    final int maxSessions;
    private final FullSessionsPolicy fullSessionsPolicy;
    private final int maxGenerations;
    private final int foreseenTokens;
    private final int foreseenGeneratedTokens;
    private final long batchWindowNs;
    private final long snapshotIntervalNs;
    private final int snapshotKeep;
    final OverloadPolicy overloadPolicy;
    private final int overloadUnfinished;
    final int maxRatePerSecond;
    /** Where there is none, there are no keys either. */
    final int administratorCount;
    final int maxVersions;

    SimulationPlan(final SplittableRandom random) {
        lifeCount = 2 + random.nextInt(4);
        clientCount = 1 + random.nextInt(5);
        principalCount = 1 + random.nextInt(3);
        sessionKeyCount = 1 + random.nextInt(8);
        eagerness = 30 + random.nextInt(71);
        layout = new Layout[] {Layout.COMPACT, Layout.PAIRED, Layout.DEDICATED, Layout.DEDICATED}[random.nextInt(4)];
        inferWorkers = layout == Layout.DEDICATED ? 1 + random.nextInt(3) : 1;
        ringCapacity = 2 << random.nextInt(6);
        maxBatch = 1 + random.nextInt(Math.min(16, ringCapacity));
        maxInFlight = 1 + random.nextInt(64);
        // Now and then too few for those that ask.
        maxSessions = random.nextInt(4) == 0 ? 4 : SimulatedModels.MODEL_COUNT * principalCount * sessionKeyCount;
        maxGenerations = 1 + random.nextInt(16);
        foreseenTokens = random.nextInt(4);
        foreseenGeneratedTokens = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(8);
        batchWindowNs = random.nextInt(3) == 0 ? 3 * PipelineHarness.ROUND_NS : 0;
        snapshotIntervalNs = random.nextInt(5) == 0 ? 0 : (20 + random.nextInt(400)) * PipelineHarness.ROUND_NS;
        snapshotKeep = 1 + random.nextInt(3);
        retryWindow =
                random.nextInt(3) == 0 ? 0 : Math.max(maxInFlight, MAX_STEPS) + random.nextInt(2 << random.nextInt(8));
        overloadPolicy = random.nextInt(4) == 0 ? OverloadPolicy.SHED : OverloadPolicy.BACKPRESSURE;
        overloadUnfinished = 1 + random.nextInt(ringCapacity);
        durability = random.nextBoolean() ? DurabilityLevel.DISK : DurabilityLevel.PROCESS;
        keepForNs = random.nextInt(3) == 0 ? TimeUnit.MINUTES.toNanos(1 + random.nextInt(120)) : 0;
        keepBytes = random.nextInt(3) == 0 ? 1 + random.nextInt(200_000) : 0;
        maxRatePerSecond = random.nextInt(5) == 0 ? 100 + random.nextInt(3_000) : 0;
        fullSessionsPolicy = random.nextInt(3) == 0 ? FullSessionsPolicy.REFUSE : FullSessionsPolicy.EVICT;
        administratorCount = random.nextInt(3);
        momentNs = (int) PipelineHarness.ROUND_NS << random.nextInt(3);
        maxVersions = SimulatedModels.MODEL_COUNT + 1 +
                random.nextInt(SimulatedModels.MODEL_COUNT * (SimulatedModels.VERSION_COUNT - 1));
    }

    boolean hasKeys() {
        return administratorCount > 0;
    }

    /** Who may come in: anybody, or these, with their keys. */
    Access access(final List<SimulatedPrincipal> clients, final List<SimulatedPrincipal> administrators) {
        if (!hasKeys()) {
            return Access.open();
        }
        final Map<String, Principal> known = new HashMap<>();
        final int maxConnections = clientCount + administratorCount;
        clients.forEach(client -> known.put(client.name(),
                client.entry(Rights.ofAnyone(maxInFlight, maxRatePerSecond, maxSessions, maxConnections))));
        administrators.forEach(administrator -> known.put(administrator.name(), administrator.entry(
                new Rights(false, true, Set.of(), maxInFlight, maxRatePerSecond, maxSessions, maxConnections))));
        return Access.of(known, new byte[Handshake.MIN_KEY_LENGTH]);
    }

    ApplianceContext context(final Path journal, final String aeronDirectoryName, final List<Path> bundles,
            final int versionLimit) {
        final ApplianceContext context = new ApplianceContext()
                .layout(layout)
                .inferWorkers(inferWorkers)
                .aeronDirectoryName(aeronDirectoryName)
                .journalDirectory(journal)
                .responseTermLength(RESPONSE_TERM_LENGTH)
                .maxFrameLength(MAX_FRAME_LENGTH)
                .maxSteps(MAX_STEPS)
                .maxClients(clientCount + administratorCount)
                .maxVersions(versionLimit)
                .maxSessions(maxSessions)
                .maxGenerations(maxGenerations)
                .foreseenTokens(foreseenTokens)
                .foreseenGeneratedTokens(foreseenGeneratedTokens)
                .fullSessionsPolicy(fullSessionsPolicy)
                .maxInFlight(maxInFlight)
                .retryWindow(retryWindow)
                .maxRatePerSecond(maxRatePerSecond)
                .overloadPolicy(overloadPolicy)
                .overloadUnfinished(overloadUnfinished)
                .ringCapacity(ringCapacity)
                .maxBatch(maxBatch)
                .batchWindowNs(batchWindowNs)
                .durability(durability)
                .snapshotIntervalNs(snapshotIntervalNs)
                .snapshotKeep(snapshotKeep)
                .rehearseAfterNs(PipelineHarness.ROUND_NS)
                .heartbeatTimeoutNs(TimeUnit.MILLISECONDS.toNanos(200))
                .connectTimeoutNs(TimeUnit.MILLISECONDS.toNanos(100));
        for (int index = 0; index < bundles.size(); index++) {
            context.addModel(new ModelConfig(
                    index == 0 ? PipelineHarness.ALIAS : PipelineHarness.ALIAS + "-" + index, bundles.get(index)));
        }
        return context.conclude();
    }

    boolean evictsSessions() {
        return fullSessionsPolicy == FullSessionsPolicy.EVICT;
    }

    /** A journal in small, whose keeper is one of the simulation's threads. */
    JournalSettings journalSettings(final SimulatedTime time) {
        return new JournalSettings()
                .blockBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .populateAheadBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .minimumFreeBytes(0)
                .roll(RollPeriod.HOURLY)
                .isWrittenThrough(durability == DurabilityLevel.DISK)
                .keepForNs(keepForNs)
                .keepBytes(keepBytes)
                .keeperThread(false)
                .clock(time.wall());
    }

    @Override
    public String toString() {
        return "layout=" + layout + " inferWorkers=" + inferWorkers + " ring=" + ringCapacity + " batch=" + maxBatch +
                " inFlight=" + maxInFlight + " sessions=" + maxSessions + "/" + fullSessionsPolicy +
                " generations=" + maxGenerations + " foreseen=" + foreseenTokens + "/" + foreseenGeneratedTokens +
                " batchWindowNs=" + batchWindowNs +
                " snapshotIntervalNs=" + snapshotIntervalNs + " snapshotKeep=" + snapshotKeep +
                " durability=" + durability + " keepForNs=" + keepForNs +
                " keepBytes=" + keepBytes + " retryWindow=" + retryWindow + " overload=" + overloadPolicy + "/"
                + overloadUnfinished + " rate=" +
                maxRatePerSecond + " lives=" + lifeCount +
                " clients=" + clientCount + " principals=" + principalCount +
                " administrators=" + administratorCount + " versions=" + maxVersions + " eagerness=" + eagerness
                + " momentNs=" + momentNs;
    }
}
