package io.tiercel.appliance;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.exceptions.AeronException;
import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.access.AccessWatch;
import io.tiercel.appliance.access.PrincipalFiles;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.cycle.CycleClock;
import io.tiercel.appliance.egress.ResponseWriter;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelRegistry;
import io.tiercel.appliance.engine.ModelVersions;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.journal.ClaimedJournal;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.recovery.Recovery;
import io.tiercel.appliance.recovery.RecoveryProgress;
import io.tiercel.appliance.recovery.RecoveryReport;
import io.tiercel.appliance.rollout.VersionLoader;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.Rights;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.transport.AeronErrors;
import io.tiercel.appliance.transport.TransportAgent;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.SecretFileException;
import io.tiercel.protocol.SecretFiles;
import org.agrona.BitUtil;
import org.agrona.CloseHelper;
import org.agrona.LangUtil;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.agrona.concurrent.SystemEpochNanoClock;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.concurrent.status.CountersReader;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What stands before the first request can be taken, and outlives every pipeline on it: the clock, the journal's
 * directory with its lock, the models, the sessions and retry windows as they were left, the embedded media driver and
 * the Aeron client. Built in this order; closed in the reverse one. Until the recovery has read all of the journal,
 * nothing in it is changed.
 */
final class Foundation implements AutoCloseable {

    private static final int MIN_MTU_LENGTH = 1_408;
    /** What Aeron allows at most. */
    private static final int MAX_MTU_LENGTH = 65_504;
    /** Of a term; Aeron takes no longer message. */
    private static final int LONGEST_MESSAGE_FRACTION = 8;
    private static final int FRAME_ALIGNMENT = 32;
    private static final int DATA_HEADER_LENGTH = 32;
    private static final int MIN_IPC_TERM_LENGTH = 1024 * 1024;
    /** What Aeron allows at least: 8,192 counters. */
    private static final int MIN_COUNTERS_LENGTH = 1024 * 1024;
    /** Positions and limits of its two streams, of its echo's two, its heartbeat; and as many again. */
    private static final int COUNTERS_PER_CLIENT = 32;

    /** Of the driver's thread that makes log files: by default it wakes a thousand times a second, on a hot core. */
    private static final long EXECUTOR_SLEEP_MS = 10;
    /**
     * How soon the driver takes away what belonged to a connection that has gone: until then ingress polls it in each
     * of its rounds. By default it looks once a second; at 200 strangers a second that makes all answers late.
     */
    private static final long DRIVER_TIMER_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private final ApplianceContext context;
    private final NanoClock clock = SystemNanoClock.INSTANCE;
    private final ModelRegistry registry;
    private PrincipalFiles principalFiles;
    private Access access;
    private ClaimedJournal claimed;
    private JournalDirectory journal;
    private Sessions sessions;
    private Routes routes;
    private RetryWindow retries;
    private RecoveryReport recovered;
    private long epochOffsetNs;
    private final AeronErrors aeronErrors = new AeronErrors();
    private MediaDriver driver;
    private Aeron aeron;

    Foundation(final ApplianceContext context, final RecoveryProgress progress) {
        this.context = context;
        registry = new ModelRegistry(context.maxVersions(), clock);
        try {
            access = openAccess();
            claimed = JournalDirectory.claim(context.journalDirectory(), JournalSettings.of(context));
            final List<Bundle> bundles = loadModels();
            sessions = new Sessions(models(), context.maxSessions(), context.maxVersions());
            routes = new Routes(models().size(), context.maxVersions());
            retries = Pipeline.newRetryWindow(context, models());
            recover(progress);
            bundles.forEach(journal::addBundle);
            launchDriver(claimed.note());
            journal.leaveNote(DriverDirectory.identity(context.aeronDirectoryName()));
            connectAeron();
        } catch (final RuntimeException | Error ex) {
            CloseHelper.quietClose(this);
            throw ex;
        }
    }

    ApplianceContext context() {
        return context;
    }

    NanoClock clock() {
        return clock;
    }

    /**
     * Added to a tick of the clock gives nanoseconds since the epoch, as it was when the appliance started; never so
     * that a request seems to come before the last one of the journal that is continued.
     */
    long epochOffsetNs() {
        return epochOffsetNs;
    }

    JournalDirectory journal() {
        return journal;
    }

    Sessions sessions() {
        return sessions;
    }

    RetryWindow retries() {
        return retries;
    }

    RecoveryReport recovered() {
        return recovered;
    }

    Access access() {
        return access;
    }

    /** Bytes that nobody else knows, made for this run. */
    static byte[] newSecret() {
        final byte[] secret = new byte[Handshake.MIN_KEY_LENGTH];
        new SecureRandom().nextBytes(secret);
        return secret;
    }

    /** Folders of the appliance that others have rights to, each with the command that takes them. */
    List<String> openFolders() {
        final List<String> found = new ArrayList<>();
        addIfOpen(found, "aeron.directory", Path.of(context.aeronDirectoryName()));
        addIfOpen(found, "journal.directory", context.journalDirectory());
        return found;
    }

    private static void addIfOpen(final List<String> found, final String key, final Path folder) {
        try {
            final String openness = SecretFiles.openness(folder);
            if (!openness.isEmpty()) {
                found.add(key + '=' + folder + ' ' + openness + ' ' + folder);
            }
        } catch (final IOException ex) {
            throw new ApplianceException(key + '=' + folder + " cannot be read: " + ex, ex);
        }
    }

    /** What to run beside: looks after the files of principals, where there are any. */
    List<Agent> watches() {
        return access.isOpen() ? List.of() : List.of(new AccessWatch(principalFiles, access, clock));
    }

    Routes routes() {
        return routes;
    }

    /** Loads further versions. */
    VersionLoader newLoader() {
        return new VersionLoader(new LoadingWorks(context, registry, sessions, journal));
    }

    ModelVersions models() {
        return registry.models();
    }

    Aeron aeron() {
        return aeron;
    }

    /**
     * The duty cycle of the driver, where it has no thread, and of the client.
     *
     * @param cycleClock of the thread that it is for.
     */
    TransportAgent transport(final CycleClock cycleClock) {
        return new TransportAgent(driverInvoker(), aeron.conductorAgentInvoker(), context.driverCycleInterval(),
                cycleClock, aeronErrors);
    }

    /** The media driver's duty cycle, or null where it has a thread of its own. */
    AgentInvoker driverInvoker() {
        return driver.sharedAgentInvoker();
    }

    @Override
    public void close() {
        CloseHelper.quietCloseAll(aeron, driver, retries, sessions);
        registry.close();
        if (journal != null) {
            journal.close();
        }
        CloseHelper.quietClose(claimed);
    }

    private Access openAccess() {
        if (context.accessKeys() == null) {
            return Access.open();
        }
        principalFiles = new PrincipalFiles(context.accessKeys(), Rights.ofAnyone(context.maxInFlight(),
                context.maxRatePerSecond(), context.maxSessions(), context.maxClients()));
        try {
            return Access.of(principalFiles.read(), newSecret());
        } catch (final SecretFileException ex) {
            throw new ApplianceException("access.keys: " + ex.getMessage(), ex);
        }
    }

    private List<Bundle> loadModels() {
        final List<Bundle> bundles = new ArrayList<>();
        for (final ModelConfig config : context.models()) {
            final Bundle bundle = Bundle.open(config.bundle());
            registry.load(
                    config.alias(), bundle, config.backend(), config.threads(), LoadingWorks.deviceSettings(config));
            bundles.add(bundle);
        }
        return bundles;
    }

    /** A version that the journal tells of is with the journal. */
    private LoadedModel loadFromJournal(final LoadedModel first, final String versionHex) {
        final Path bundle = JournalDirectory.bundlePath(context.journalDirectory(), versionHex);
        if (!Files.exists(bundle)) {
            return null;
        }
        return LoadingWorks.load(context, registry, first, Bundle.open(bundle));
    }

    private void recover(final RecoveryProgress progress) {
        try (Recovery recovery = new Recovery(
                claimed, models(), routes, this::loadFromJournal, sessions, context.evictsSessions(), retries,
                SystemEpochNanoClock.INSTANCE, clock,
                progress)) {
            recovered = recovery.read();
            journal = recovery.continueJournal();
        }
        epochOffsetNs = Math.max(SystemEpochNanoClock.INSTANCE.nanoTime(), recovered.lastIngressNs() + 1) -
                clock.nanoTime();
    }

    /** @param deadDriver identity of the last driver of an appliance on this journal; none of them can be alive. */
    private void launchDriver(final String deadDriver) {
        final boolean isEmbeddedInCycle = context.layout() != Layout.DEDICATED;
        final int mtuLength = mtuLength(context, models());
        final MediaDriver.Context driverContext = new MediaDriver.Context()
                .aeronDirectoryName(context.aeronDirectoryName())
                .threadingMode(isEmbeddedInCycle ? ThreadingMode.INVOKER : ThreadingMode.SHARED)
                .ipcMtuLength(mtuLength)
                .ipcTermBufferLength(Math.max(MIN_IPC_TERM_LENGTH, context.responseTermLength()))
                .counterValuesBufferLength(countersLength(context.maxClients()))
                // A client touches its own log, on its own thread; clearing it would be one of the appliance's.
                .termBufferSparseFile(true)
                .dirDeleteOnStart(false)
                .dirDeleteOnShutdown(true)
                .warnIfDirectoryExists(false)
                .spiesSimulateConnection(false)
                .timerIntervalNs(DRIVER_TIMER_NS)
                .asyncExecutorIdleStrategy(new SleepingMillisIdleStrategy(EXECUTOR_SLEEP_MS));
        if (!isEmbeddedInCycle) {
            driverContext.sharedIdleStrategy(IdleStrategies.of(context.idle()));
        }
        final Set<PosixFilePermission> permissions = DriverDirectory.permissions(context.aeronDirectoryName());
        DriverDirectory.awaitFree(context.aeronDirectoryName(), driverContext.driverTimeoutMs(), deadDriver);
        try {
            driver = MediaDriver.launch(driverContext);
            DriverDirectory.permit(context.aeronDirectoryName(), permissions);
        } catch (final AeronException | UncheckedIOException | IllegalStateException ex) {
            throw new ApplianceException("media driver cannot start: aeron.directory=" +
                    context.aeronDirectoryName() + ": " + DriverDirectory.reasonOf(ex), ex);
        }
    }

    /**
     * Whatever the appliance says goes into one claim of a term, and so should the longest request; one that does not
     * is sent in fragments.
     */
    static int mtuLength(final ApplianceContext context, final List<LoadedModel> models) {
        final int limit = Math.min(MAX_MTU_LENGTH, context.responseTermLength() / LONGEST_MESSAGE_FRACTION);
        final int answerLength = mtuLengthOf(ResponseWriter.longestLength(models, context.maxVersions()));
        if (answerLength > limit) {
            throw new ApplianceException("aeron.response-term-length=" + context.responseTermLength() +
                    " allows fragments of up to " + limit + " bytes, and an answer of these models needs " +
                    answerLength);
        }
        return Math.min(limit, Math.max(MIN_MTU_LENGTH, Math.max(answerLength, mtuLengthOf(context.maxFrameLength()))));
    }

    /**
     * Bytes of the counters' values; their labels take four times as much. Aeron's own size, 8 MiB, would be most of
     * what a container has for shared memory.
     */
    static int countersLength(final int maxClients) {
        return Math.max(MIN_COUNTERS_LENGTH,
                BitUtil.findNextPositivePowerOfTwo(maxClients * COUNTERS_PER_CLIENT * CountersReader.COUNTER_LENGTH));
    }

    private static int mtuLengthOf(final int messageLength) {
        return BitUtil.align(messageLength + DATA_HEADER_LENGTH, FRAME_ALIGNMENT);
    }

    /** What a stage's own handler throws goes through the poll to the stage: a broken invariant is never swallowed. */
    private void connectAeron() {
        aeron = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(context.aeronDirectoryName())
                .useConductorAgentInvoker(true)
                .driverAgentInvoker(driverInvoker())
                .errorHandler(aeronErrors)
                .subscriberErrorHandler(LangUtil::rethrowUnchecked));
    }
}
