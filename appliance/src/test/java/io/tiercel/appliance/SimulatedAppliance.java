package io.tiercel.appliance;

import io.aeron.Aeron;
import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.cycle.DutyCycle;
import io.tiercel.appliance.cycle.StageClocks;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelVersions;
import io.tiercel.appliance.engine.PreparedExecutor;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.journal.ChronicleRecordLog;
import io.tiercel.appliance.journal.ClaimedJournal;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.journal.RecordLog;
import io.tiercel.appliance.recovery.Recovery;
import io.tiercel.appliance.recovery.RecoveryReport;
import io.tiercel.appliance.rollout.VersionLoader;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotAgent;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.EventTrack;
import io.tiercel.appliance.telemetry.HiccupRecorder;
import io.tiercel.appliance.telemetry.StageRecorder;
import io.tiercel.appliance.transport.AeronErrors;
import io.tiercel.appliance.transport.TransportAgent;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentTerminationException;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * One life of the appliance: what {@link Foundation} and {@link Appliance} put together, with the simulation's clocks,
 * driver and threads. The recovery, the journal's files, the stages and the snapshots are the shipped ones.
 *
 * <p>A thread is a list of stages in its layout's order. {@link #step} runs the next one of a thread, so threads meet
 * each other at every point between two stages.
 */
final class SimulatedAppliance implements AutoCloseable {

    /** The memory of what the two logs have taken, through all lives. */
    record Taken(MemoryRecordLog requests, MemoryRecordLog outcomes) {

        /** The device has all of it. */
        void sync() {
            requests.sync();
            outcomes.sync();
        }
    }

    /** One thread's stages and the one whose turn it is. */
    private static final class SimulatedThread {
        private final List<Agent> stages = new ArrayList<>();
        private int nextIndex;
    }

    /** What the journal has been asked to do for a snapshot, and whether it dies on it. */
    private static final class Housekeeping implements SnapshotAgent.Housekeeping {
        private final SnapshotAgent.Housekeeping journal;
        private final Taken taken;
        private int callsBeforeCrash = Integer.MAX_VALUE;

        private Housekeeping(final SnapshotAgent.Housekeeping journal, final Taken taken) {
            this.journal = journal;
            this.taken = taken;
        }

        @Override
        public void sync() {
            crashIfDue("before the sync of a snapshot");
            journal.sync();
            taken.sync();
            crashIfDue("behind the sync of a snapshot");
        }

        @Override
        public void prune(final long keepFromSequence) {
            crashIfDue("before the removal of old files");
            journal.prune(keepFromSequence);
            crashIfDue("behind the removal of old files");
        }

        private void crashIfDue(final String where) {
            if (callsBeforeCrash-- == 0) {
                throw new SimulatedCrash(SimulationEvent.KILLS_IN_A_SNAPSHOT, where);
            }
        }
    }

    /** As {@link LoadingWorks}, with models that are there already. */
    private final class Works implements VersionLoader.Works {

        @Override
        public LoadedModel load(final LoadedModel first, final Bundle bundle) {
            final LoadedModel loaded = models.load(first.modelId(), bundle.versionHex(), versions.size());
            if (loaded == null || !loaded.fits(first)) {
                throw new BundleException("it does not fit model=" + first.alias());
            }
            return loaded;
        }

        @Override
        public SessionStates newStates(final LoadedModel version) {
            return sessions.newStates(version);
        }

        @Override
        public PreparedExecutor[] newExecutors(final LoadedModel version) {
            return Stream.generate(
                    () -> PreparedExecutor.of(version, context.maxBatch(), context.rehearseAfterNs() > 0))
                    .limit(context.inferWorkers())
                    .toArray(PreparedExecutor[]::new);
        }

        @Override
        public void keep(final Bundle bundle) {
            journal.addBundle(bundle);
        }
    }

    final ApplianceContext context;
    final JournalSettings settings;
    final Sessions sessions;
    final SnapshotStore snapshotStore;
    final RecoveryReport recovered;
    final Counters counters = Counters.inMemory();
    FaultyRecordLog requests;
    FaultyRecordLog outcomes;
    private final HiccupRecorder hiccups = new HiccupRecorder(false, counters);
    final ModelVersions versions;
    final Routes routes;
    private final SimulatedModels models;
    private final SimulatedTime time;
    private final RetryWindow retries;
    private final ClaimedJournal claimed;
    private final List<SimulatedThread> threads = new ArrayList<>();
    private JournalDirectory journal;
    private Aeron aeron;
    private Pipeline pipeline;
    private SnapshotAgent snapshots;
    private Housekeeping housekeeping;

    /** Recovers what an earlier life has left. @throws RuntimeException if that cannot be continued. */
    SimulatedAppliance(
            final ApplianceContext context,
            final JournalSettings settings,
            final SimulatedModels models,
            final SimulatedTime time) {
        this.context = context;
        this.settings = settings;
        this.models = models;
        this.time = time;
        snapshotStore = new SnapshotStore(context.journalDirectory());
        claimed = JournalDirectory.claim(context.journalDirectory(), settings);
        versions = new ModelVersions(context.maxVersions());
        versions.addAll(models.configured());
        routes = new Routes(versions.size(), versions.capacity());
        sessions = new Sessions(versions, context.maxSessions(), versions.capacity());
        retries = Pipeline.newRetryWindow(context, versions);
        try (Recovery recovery = new Recovery(
                claimed, versions, routes, this::loadFromJournal, sessions,
                context.evictsSessions(), retries, time.wall(), time.ticks(),
                (doneCount, totalCount) -> {})) {
            recovered = recovery.read();
            journal = recovery.continueJournal();
        } catch (final RuntimeException | Error ex) {
            CloseHelper.quietCloseAll(retries, sessions, claimed);
            throw ex;
        }
    }

    /** A version that the journal tells of is with the journal. */
    private LoadedModel loadFromJournal(final LoadedModel first, final String versionHex) {
        return Files.exists(JournalDirectory.bundlePath(context.journalDirectory(), versionHex))
                ? models.load(first.modelId(), versionHex, versions.size())
                : null;
    }

    /** Begins to listen. */
    void open(final SimulatedNetwork network, final Access access, final Taken taken) {
        final VersionLoader loader = new VersionLoader(new Works());
        final StageClocks clocks = StageClocks.of(context.layout(), context.inferWorkers(), time.ticks());
        final long epochOffsetNs =
                Math.max(time.wall().nanoTime(), recovered.lastIngressNs() + 1) - time.ticks().nanoTime();
        final SnapshotCut cut = new SnapshotCut();
        requests = faulty(SimulatedDisk.REQUESTS, journal.requests(), taken.requests());
        outcomes = faulty(SimulatedDisk.OUTCOMES, journal.outcomes(), taken.outcomes());
        aeron = network.connect();
        pipeline = new Pipeline(new Pipeline.Parts(context, aeron, SimulationPlan.REQUEST_STREAM,
                new Pipeline.Served(versions, routes, loader, SimulationPlan.ADMIN_STREAM), sessions, retries,
                recovered.nextSequence(), cut,
                context.maxRatePerSecond(), access, requests, outcomes,
                clocks, epochOffsetNs, new StageRecorder(context.maxVersions()), counters));
        housekeeping = new Housekeeping(new JournalHousekeeping(journal, time.wall()), taken);
        snapshots = new SnapshotAgent(
                new SnapshotAgent.Settings(
                        context.snapshotIntervalNs(), context.snapshotKeep(), context.inferWorkers()),
                cut, sessions, retries, versions, snapshotStore,
                new SnapshotAgent.Progress(pipeline::takenSequence, pipeline::recordedSequence),
                housekeeping, recovered.snapshotSequence(), time.ticks(), counters, EventTrack.none());
        pipeline.open();
        final TransportAgent transport = new TransportAgent(
                network.driverInvoker(), aeron.conductorAgentInvoker(), 1, clocks.io(), new AeronErrors());
        Threads.plan(context.layout(), pipeline, transport, null).forEach(this::addThread);
        addThread(journal.keeper());
        addThread(snapshots);
        addThread(loader);
    }

    int threadCount() {
        return threads.size();
    }

    /**
     * Runs the next stage of a thread.
     *
     * @throws SimulatedCrash if the process dies in it.
     */
    void step(final int threadIndex) {
        final SimulatedThread thread = threads.get(threadIndex);
        final Agent stage = thread.stages.get(thread.nextIndex);
        thread.nextIndex = (thread.nextIndex + 1) % thread.stages.size();
        try {
            stage.doWork();
        } catch (final AgentTerminationException ex) {
            if (ex.getCause() instanceof SimulatedCrash crash) {
                throw crash;
            }
            throw new AssertionError("a stage has died: " + stage.roleName() + ": " + ex.getCause(), ex.getCause());
        } catch (final RuntimeException ex) {
            throw ex;
        } catch (final Exception ex) {
            throw new AssertionError(stage.roleName(), ex);
        }
    }

    /** A turn of every stage. */
    void round() {
        for (int index = 0; index < threads.size(); index++) {
            for (int stage = threads.get(index).stages.size(); stage > 0; stage--) {
                step(index);
            }
        }
    }

    /** The process dies in the course of a snapshot, at one of four places. */
    void crashInSnapshot(final int place) {
        housekeeping.callsBeforeCrash = place;
    }

    /** From the next look at the free space on there is too little of it. */
    void fillDisk() {
        settings.minimumFreeBytes(Long.MAX_VALUE);
    }

    PipelineState.Phase phase() {
        return pipeline.state().phase();
    }

    void drain() {
        pipeline.state().drain();
    }

    boolean isDrained() {
        return pipeline.recordedCount() >= pipeline.takenCount();
    }

    boolean sayGoodbye() {
        return pipeline.sayGoodbye();
    }

    void takeSnapshotSoon() {
        snapshots.takeSoon();
    }

    boolean isSnapshotTaken() {
        return snapshots.isIdle();
    }

    long rolledCount() {
        return journal.report().rolledCount();
    }

    long counter(final CounterId id) {
        return counters.value(id);
    }

    /** An orderly end, if everything was drained before; else it only gives the memory back. */
    @Override
    public void close() {
        threads.forEach(thread -> thread.stages.forEach(Agent::onClose));
        CloseHelper.quietCloseAll(pipeline, aeron, retries, sessions, journal, claimed);
    }

    private FaultyRecordLog faulty(final String name, final RecordLog log, final MemoryRecordLog memory) {
        return new FaultyRecordLog(name, (ChronicleRecordLog) log, memory, settings.isWrittenThrough());
    }

    private void addThread(final Threads.Share share) {
        final SimulatedThread thread = new SimulatedThread();
        for (final Agent stage : share.stages()) {
            thread.stages.add(new DutyCycle(stage.roleName(), List.of(stage), share.clock(),
                    hiccups, pipeline.state()));
        }
        threads.add(thread);
    }

    private void addThread(final Agent agent) {
        final SimulatedThread thread = new SimulatedThread();
        thread.stages.add(agent);
        threads.add(thread);
    }
}
