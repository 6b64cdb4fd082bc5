package io.tiercel.appliance.config;

import io.aeron.CommonContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.agrona.BitUtil;

/**
 * Everything that an appliance is told before it starts. Each value comes from its default, or from a system property
 * ({@code -Dtiercel.limits.clients=8}), or from a file ({@link ConfigReader}), or from code; the later one counts.
 * {@link #conclude()} checks them all, alone and against each other, and fills in what depends on the machine; after
 * that the values stay as they are and any thread may read them.
 *
 * <pre>{@code
 * final ApplianceContext context = new ApplianceContext()
 *     .journalDirectory(Path.of("/var/lib/tiercel"))
 *     .addModel(new ModelConfig("trades", Path.of("trades.safetensors")))
 *     .conclude();
 * }</pre>
 *
 * <p>What each value means, and its limits, stands in {@link ConfigKey} and {@code CONFIGURATION.md}.
 */
public final class ApplianceContext {

    private static final int SPARE_VERSIONS = 8;
    private static final int MAX_MODEL_COUNT = 64;
    private static final int TERMS_FRACTION = 8;
    private static final long MAX_RING_BYTES = 4L << 30;

    private final Map<ConfigKey<?>, Origin> origins = new HashMap<>();
    private boolean concluded;

    private String name = ConfigKey.NAME.initial();
    private Layout layout = ConfigKey.LAYOUT.initial();
    private IdleMode idle = ConfigKey.IDLE.initial();
    private int inferWorkers = ConfigKey.INFER_WORKERS.initial();
    private String aeronDirectoryName = ConfigKey.AERON_DIRECTORY.initial();
    private String requestChannel = ConfigKey.REQUEST_CHANNEL.initial();
    private int requestStreamId = ConfigKey.REQUEST_STREAM.initial();
    private int adminStreamId = ConfigKey.ADMIN_STREAM.initial();
    private List<String> responseChannels = ConfigKey.RESPONSE_CHANNELS.initial();
    private int responseTermLength = ConfigKey.RESPONSE_TERM_LENGTH.initial();
    private int driverCycleInterval = ConfigKey.DRIVER_CYCLE_INTERVAL.initial();
    private Path journalDirectory = ConfigKey.JOURNAL_DIRECTORY.initial();
    private long journalBlockBytes = ConfigKey.JOURNAL_BLOCK_SIZE.initial();
    private long journalPopulateAheadBytes = ConfigKey.JOURNAL_POPULATE_AHEAD.initial();
    private String journalRoll = ConfigKey.JOURNAL_ROLL.initial();
    private DurabilityLevel durability = ConfigKey.JOURNAL_DURABILITY.initial();
    private long journalKeepForNs = ConfigKey.JOURNAL_KEEP_FOR.initial();
    private long journalKeepBytes = ConfigKey.JOURNAL_KEEP_SIZE.initial();
    private long journalWarnFreeBytes = ConfigKey.JOURNAL_WARN_FREE.initial();
    private long journalRefuseFreeBytes = ConfigKey.JOURNAL_REFUSE_FREE.initial();
    private long snapshotIntervalNs = ConfigKey.SNAPSHOT_INTERVAL.initial();
    private int snapshotKeep = ConfigKey.SNAPSHOT_KEEP.initial();
    private List<ModelConfig> models = ConfigKey.MODELS.initial();
    private int maxClients = ConfigKey.LIMITS_CLIENTS.initial();
    private int maxSessions = ConfigKey.LIMITS_SESSIONS.initial();
    private FullSessionsPolicy fullSessionsPolicy = ConfigKey.LIMITS_SESSIONS_WHEN_FULL.initial();
    private int maxFrameLength = ConfigKey.LIMITS_FRAME_LENGTH.initial();
    private int maxSteps = ConfigKey.LIMITS_STEPS.initial();
    private int maxVersions = ConfigKey.LIMITS_VERSIONS.initial();
    private int maxGenerations = ConfigKey.LIMITS_GENERATIONS.initial();
    private int maxInFlight = ConfigKey.LIMITS_IN_FLIGHT.initial();
    private int maxRatePerSecond = ConfigKey.LIMITS_RATE.initial();
    private int retryWindow = ConfigKey.LIMITS_RETRIES.initial();
    private int ringCapacity = ConfigKey.LIMITS_RING.initial();
    private int maxBatch = ConfigKey.LIMITS_BATCH.initial();
    private OverloadPolicy overloadPolicy = ConfigKey.OVERLOAD_POLICY.initial();
    private int overloadUnfinished = ConfigKey.OVERLOAD_UNFINISHED.initial();
    private long batchWindowNs = ConfigKey.BATCH_WINDOW.initial();
    private int foreseenTokens = ConfigKey.FORESEEN_TOKENS.initial();
    private int foreseenGeneratedTokens = ConfigKey.FORESEEN_GENERATED_TOKENS.initial();
    private long rehearseAfterNs = ConfigKey.REHEARSE_AFTER.initial();
    private long heartbeatTimeoutNs = ConfigKey.HEARTBEAT_TIMEOUT.initial();
    private long connectTimeoutNs = ConfigKey.CONNECT_TIMEOUT.initial();
    private List<String> principals = ConfigKey.PRINCIPALS.initial();
    private Path accessKeys = ConfigKey.ACCESS_KEYS.initial();
    private Path telemetryDirectory = ConfigKey.TELEMETRY_DIRECTORY.initial();
    private long telemetryIntervalNs = ConfigKey.TELEMETRY_INTERVAL.initial();
    private int warmUpRequests = ConfigKey.WARM_UP_REQUESTS.initial();
    private boolean echo = ConfigKey.ECHO.initial();

    /**
     * Checks every value and fills in what was left to the machine: {@link #layout()}, {@link #aeronDirectoryName()},
     * {@link #telemetryDirectory()}. Once for each context, before it is used.
     *
     * @throws ConfigException naming the first value that cannot be, and where it was set.
     */
    public ApplianceContext conclude() {
        ensureOpen();
        ConfigKey.all().stream().filter(key -> !isLeftToMachine(key)).forEach(this::checkValue);
        checkSizes();
        checkModels();
        layout = layout.resolve(Runtime.getRuntime().availableProcessors());
        if (inferWorkers > 1 && layout != Layout.DEDICATED) {
            throw refusal(ConfigKey.INFER_WORKERS,
                    "needs layout=dedicated, and layout=" + ConfigKey.LAYOUT.print(this));
        }
        if (accessKeys != null && !principals.isEmpty()) {
            throw refusal(ConfigKey.PRINCIPALS, "who may connect stands in access.keys=" + accessKeys + " already");
        }
        if (aeronDirectoryName == null) {
            aeronDirectoryName = CommonContext.getAeronDirectoryName();
        }
        if (maxVersions == 0) {
            maxVersions = models.size() + SPARE_VERSIONS;
        }
        if (telemetryDirectory == null) {
            telemetryDirectory = journalDirectory.resolve("telemetry");
        }
        concluded = true;
        return this;
    }

    /** Whether {@link #conclude()} has passed. */
    public boolean isConcluded() {
        return concluded;
    }

    /** Name of this appliance, in logs, counters and thread names. */
    public String name() {
        return name;
    }

    /** Sets {@link #name()}. */
    public ApplianceContext name(final String name) {
        ensureOpen();
        this.name = name;
        return this;
    }

    /** How the stages are put on threads; never {@link Layout#AUTO} once concluded. */
    public Layout layout() {
        return layout;
    }

    /** Sets {@link #layout()}. */
    public ApplianceContext layout(final Layout layout) {
        ensureOpen();
        this.layout = layout;
        return this;
    }

    /** What a thread without work does. */
    public IdleMode idle() {
        return idle;
    }

    /** Sets {@link #idle()}. */
    public ApplianceContext idle(final IdleMode idle) {
        ensureOpen();
        this.idle = idle;
        return this;
    }

    /** Threads that compute models. */
    public int inferWorkers() {
        return inferWorkers;
    }

    /** Sets {@link #inferWorkers()}. */
    public ApplianceContext inferWorkers(final int inferWorkers) {
        ensureOpen();
        this.inferWorkers = inferWorkers;
        return this;
    }

    /** Directory of the media driver; Aeron's own once concluded, if none was set. */
    public String aeronDirectoryName() {
        return aeronDirectoryName;
    }

    /** Sets {@link #aeronDirectoryName()}. */
    public ApplianceContext aeronDirectoryName(final String aeronDirectoryName) {
        ensureOpen();
        this.aeronDirectoryName = aeronDirectoryName;
        return this;
    }

    /** Aeron channel on which requests arrive. */
    public String requestChannel() {
        return requestChannel;
    }

    /** Sets {@link #requestChannel()}. */
    public ApplianceContext requestChannel(final String requestChannel) {
        ensureOpen();
        this.requestChannel = requestChannel;
        return this;
    }

    /** Aeron stream on which requests arrive; the next two are the echo's. */
    public int requestStreamId() {
        return requestStreamId;
    }

    /** Sets {@link #requestStreamId()}. */
    public ApplianceContext requestStreamId(final int requestStreamId) {
        ensureOpen();
        this.requestStreamId = requestStreamId;
        return this;
    }

    /** Aeron stream on which administrators' commands arrive. */
    public int adminStreamId() {
        return adminStreamId;
    }

    /** Sets {@link #adminStreamId()}. */
    public ApplianceContext adminStreamId(final int adminStreamId) {
        ensureOpen();
        this.adminStreamId = adminStreamId;
        return this;
    }

    /** Prefixes of the channels that a client may ask its answers on. */
    public List<String> responseChannels() {
        return responseChannels;
    }

    /** Sets {@link #responseChannels()}. */
    public ApplianceContext responseChannels(final List<String> responseChannels) {
        ensureOpen();
        this.responseChannels = List.copyOf(responseChannels);
        return this;
    }

    /** Term buffer of a client's answers, in bytes; a power of two. */
    public int responseTermLength() {
        return responseTermLength;
    }

    /** Sets {@link #responseTermLength()}. */
    public ApplianceContext responseTermLength(final int responseTermLength) {
        ensureOpen();
        this.responseTermLength = responseTermLength;
        return this;
    }

    /** Duty cycles between two turns of a media driver that shares its thread. */
    public int driverCycleInterval() {
        return driverCycleInterval;
    }

    /** Sets {@link #driverCycleInterval()}. */
    public ApplianceContext driverCycleInterval(final int driverCycleInterval) {
        ensureOpen();
        this.driverCycleInterval = driverCycleInterval;
        return this;
    }

    /** Where the journal is written. */
    public Path journalDirectory() {
        return journalDirectory;
    }

    /** Sets {@link #journalDirectory()}. */
    public ApplianceContext journalDirectory(final Path journalDirectory) {
        ensureOpen();
        this.journalDirectory = journalDirectory;
        return this;
    }

    /** Size of the journal's mappings, a power of two. */
    public long journalBlockBytes() {
        return journalBlockBytes;
    }

    /** Sets {@link #journalBlockBytes()}. */
    public ApplianceContext journalBlockBytes(final long journalBlockBytes) {
        ensureOpen();
        this.journalBlockBytes = journalBlockBytes;
        return this;
    }

    /** Memory of the journal that is made ready ahead of its writer. */
    public long journalPopulateAheadBytes() {
        return journalPopulateAheadBytes;
    }

    /** Sets {@link #journalPopulateAheadBytes()}. */
    public ApplianceContext journalPopulateAheadBytes(final long journalPopulateAheadBytes) {
        ensureOpen();
        this.journalPopulateAheadBytes = journalPopulateAheadBytes;
        return this;
    }

    /** How often the journal begins new files: {@code daily} or {@code hourly}. */
    public String journalRoll() {
        return journalRoll;
    }

    /** Sets {@link #journalRoll()}. */
    public ApplianceContext journalRoll(final String journalRoll) {
        ensureOpen();
        this.journalRoll = journalRoll;
        return this;
    }

    /** What an answered request survives. */
    public DurabilityLevel durability() {
        return durability;
    }

    /** Sets {@link #durability()}. */
    public ApplianceContext durability(final DurabilityLevel durability) {
        ensureOpen();
        this.durability = durability;
        return this;
    }

    /** Age at which a file of the journal may be removed; 0 for never. */
    public long journalKeepForNs() {
        return journalKeepForNs;
    }

    /** Sets {@link #journalKeepForNs()}. */
    public ApplianceContext journalKeepForNs(final long journalKeepForNs) {
        ensureOpen();
        this.journalKeepForNs = journalKeepForNs;
        return this;
    }

    /** Size of the journal above which its oldest files may be removed; 0 for no limit. */
    public long journalKeepBytes() {
        return journalKeepBytes;
    }

    /** Sets {@link #journalKeepBytes()}. */
    public ApplianceContext journalKeepBytes(final long journalKeepBytes) {
        ensureOpen();
        this.journalKeepBytes = journalKeepBytes;
        return this;
    }

    /** Space on the journal's file system below which the appliance warns. */
    public long journalWarnFreeBytes() {
        return journalWarnFreeBytes;
    }

    /** Sets {@link #journalWarnFreeBytes()}. */
    public ApplianceContext journalWarnFreeBytes(final long journalWarnFreeBytes) {
        ensureOpen();
        this.journalWarnFreeBytes = journalWarnFreeBytes;
        return this;
    }

    /** Space on the journal's file system below which requests are refused. */
    public long journalRefuseFreeBytes() {
        return journalRefuseFreeBytes;
    }

    /** Sets {@link #journalRefuseFreeBytes()}. */
    public ApplianceContext journalRefuseFreeBytes(final long journalRefuseFreeBytes) {
        ensureOpen();
        this.journalRefuseFreeBytes = journalRefuseFreeBytes;
        return this;
    }

    /** Time between two snapshots; 0 for one at the end only. */
    public long snapshotIntervalNs() {
        return snapshotIntervalNs;
    }

    /** Sets {@link #snapshotIntervalNs()}. */
    public ApplianceContext snapshotIntervalNs(final long snapshotIntervalNs) {
        ensureOpen();
        this.snapshotIntervalNs = snapshotIntervalNs;
        return this;
    }

    /** Snapshots that are kept. */
    public int snapshotKeep() {
        return snapshotKeep;
    }

    /** Sets {@link #snapshotKeep()}. */
    public ApplianceContext snapshotKeep(final int snapshotKeep) {
        ensureOpen();
        this.snapshotKeep = snapshotKeep;
        return this;
    }

    /** The models to serve; a model's index here is its id on the wire. */
    public List<ModelConfig> models() {
        return models;
    }

    /** Sets {@link #models()}. */
    public ApplianceContext models(final List<ModelConfig> models) {
        ensureOpen();
        this.models = List.copyOf(models);
        return this;
    }

    /** Clients connected at once. */
    public int maxClients() {
        return maxClients;
    }

    /** Sets {@link #maxClients()}. */
    public ApplianceContext maxClients(final int maxClients) {
        ensureOpen();
        this.maxClients = maxClients;
        return this;
    }

    /** Sessions held in memory, all clients together. */
    public int maxSessions() {
        return maxSessions;
    }

    /** Sets {@link #maxSessions()}. */
    public ApplianceContext maxSessions(final int maxSessions) {
        ensureOpen();
        this.maxSessions = maxSessions;
        return this;
    }

    /** What becomes of the request of a new session when there are {@link #maxSessions()}. */
    public FullSessionsPolicy fullSessionsPolicy() {
        return fullSessionsPolicy;
    }

    /** Whether a session may be evicted, by {@link #fullSessionsPolicy()}. */
    public boolean evictsSessions() {
        return fullSessionsPolicy == FullSessionsPolicy.EVICT;
    }

    /** Sets {@link #fullSessionsPolicy()}. */
    public ApplianceContext fullSessionsPolicy(final FullSessionsPolicy fullSessionsPolicy) {
        ensureOpen();
        this.fullSessionsPolicy = fullSessionsPolicy;
        return this;
    }

    /** Longest request frame, in bytes, headers included. */
    public int maxFrameLength() {
        return maxFrameLength;
    }

    /** Sets {@link #maxFrameLength()}. */
    public ApplianceContext maxFrameLength(final int maxFrameLength) {
        ensureOpen();
        this.maxFrameLength = maxFrameLength;
        return this;
    }

    /** Steps in one request. */
    public int maxSteps() {
        return maxSteps;
    }

    /** Sets {@link #maxSteps()}. */
    public ApplianceContext maxSteps(final int maxSteps) {
        ensureOpen();
        this.maxSteps = maxSteps;
        return this;
    }

    /** Unanswered requests of one client. */
    public int maxInFlight() {
        return maxInFlight;
    }

    /** Versions of all models together that there is room for; never 0 once concluded. */
    public int maxVersions() {
        return maxVersions;
    }

    /** Sets {@link #maxVersions()}. */
    public ApplianceContext maxVersions(final int maxVersions) {
        ensureOpen();
        this.maxVersions = maxVersions;
        return this;
    }

    /** Generations under way at once, all clients together. */
    public int maxGenerations() {
        return maxGenerations;
    }

    /** Sets {@link #maxGenerations()}. */
    public ApplianceContext maxGenerations(final int maxGenerations) {
        ensureOpen();
        this.maxGenerations = maxGenerations;
        return this;
    }

    /** Sets {@link #maxInFlight()}. */
    public ApplianceContext maxInFlight(final int maxInFlight) {
        ensureOpen();
        this.maxInFlight = maxInFlight;
        return this;
    }

    /** Requests a second of one client; 0 for no limit. */
    public int maxRatePerSecond() {
        return maxRatePerSecond;
    }

    /** Sets {@link #maxRatePerSecond()}. */
    public ApplianceContext maxRatePerSecond(final int maxRatePerSecond) {
        ensureOpen();
        this.maxRatePerSecond = maxRatePerSecond;
        return this;
    }

    /** Newest requests of a principal that are known again; 0 for none. */
    public int retryWindow() {
        return retryWindow;
    }

    /** Sets {@link #retryWindow()}. */
    public ApplianceContext retryWindow(final int retryWindow) {
        ensureOpen();
        this.retryWindow = retryWindow;
        return this;
    }

    /** Slots of the ring, a power of two. */
    public int ringCapacity() {
        return ringCapacity;
    }

    /** Sets {@link #ringCapacity()}. */
    public ApplianceContext ringCapacity(final int ringCapacity) {
        ensureOpen();
        this.ringCapacity = ringCapacity;
        return this;
    }

    /** Requests computed together at most. */
    public int maxBatch() {
        return maxBatch;
    }

    /** Sets {@link #maxBatch()}. */
    public ApplianceContext maxBatch(final int maxBatch) {
        ensureOpen();
        this.maxBatch = maxBatch;
        return this;
    }

    /** What becomes of requests that come faster than they are computed. */
    public OverloadPolicy overloadPolicy() {
        return overloadPolicy;
    }

    /** Sets {@link #overloadPolicy()}. */
    public ApplianceContext overloadPolicy(final OverloadPolicy overloadPolicy) {
        ensureOpen();
        this.overloadPolicy = overloadPolicy;
        return this;
    }

    /** Requests that may be unfinished before others are shed. */
    public int overloadUnfinished() {
        return overloadUnfinished;
    }

    /** Sets {@link #overloadUnfinished()}. */
    public ApplianceContext overloadUnfinished(final int overloadUnfinished) {
        ensureOpen();
        this.overloadUnfinished = overloadUnfinished;
        return this;
    }

    /** How long inference waits for a fuller batch; 0 never waits. */
    public long batchWindowNs() {
        return batchWindowNs;
    }

    /** Sets {@link #batchWindowNs()}. */
    public ApplianceContext batchWindowNs(final long batchWindowNs) {
        ensureOpen();
        this.batchWindowNs = batchWindowNs;
        return this;
    }

    /** How long nothing must have come before models are kept warm, and how often; 0 for never. */
    public long rehearseAfterNs() {
        return rehearseAfterNs;
    }

    /** Likeliest next tokens of a session whose steps are computed before they are asked for. */
    public int foreseenTokens() {
        return foreseenTokens;
    }

    /** Sets {@link #foreseenTokens()}. */
    public ApplianceContext foreseenTokens(final int foreseenTokens) {
        ensureOpen();
        this.foreseenTokens = foreseenTokens;
        return this;
    }

    /** Tokens of a generation whose steps are computed in one pass, before they are asked for. */
    public int foreseenGeneratedTokens() {
        return foreseenGeneratedTokens;
    }

    /** Sets {@link #foreseenGeneratedTokens()}. */
    public ApplianceContext foreseenGeneratedTokens(final int foreseenGeneratedTokens) {
        ensureOpen();
        this.foreseenGeneratedTokens = foreseenGeneratedTokens;
        return this;
    }

    /** Sets {@link #rehearseAfterNs()}. */
    public ApplianceContext rehearseAfterNs(final long rehearseAfterNs) {
        ensureOpen();
        this.rehearseAfterNs = rehearseAfterNs;
        return this;
    }

    /** Silence after which a client is told goodbye. */
    public long heartbeatTimeoutNs() {
        return heartbeatTimeoutNs;
    }

    /** Sets {@link #heartbeatTimeoutNs()}. */
    public ApplianceContext heartbeatTimeoutNs(final long heartbeatTimeoutNs) {
        ensureOpen();
        this.heartbeatTimeoutNs = heartbeatTimeoutNs;
        return this;
    }

    /** How long a client that said hello has to listen for its answers. */
    public long connectTimeoutNs() {
        return connectTimeoutNs;
    }

    /** Sets {@link #connectTimeoutNs()}. */
    public ApplianceContext connectTimeoutNs(final long connectTimeoutNs) {
        ensureOpen();
        this.connectTimeoutNs = connectTimeoutNs;
        return this;
    }

    /** Who may connect; empty admits any name. */
    public List<String> principals() {
        return principals;
    }

    /** Sets {@link #principals()}. */
    public ApplianceContext principals(final List<String> principals) {
        ensureOpen();
        this.principals = List.copyOf(principals);
        return this;
    }

    /** Principals and their keys, or null if there are none. */
    public Path accessKeys() {
        return accessKeys;
    }

    /** Sets {@link #accessKeys()}. */
    public ApplianceContext accessKeys(final Path accessKeys) {
        ensureOpen();
        this.accessKeys = accessKeys;
        return this;
    }

    /** Where interval histograms go; in the journal's directory once concluded, if none was set. */
    public Path telemetryDirectory() {
        return telemetryDirectory;
    }

    /** Sets {@link #telemetryDirectory()}. */
    public ApplianceContext telemetryDirectory(final Path telemetryDirectory) {
        ensureOpen();
        this.telemetryDirectory = telemetryDirectory;
        return this;
    }

    /** Length of an interval of the histograms. */
    public long telemetryIntervalNs() {
        return telemetryIntervalNs;
    }

    /** Sets {@link #telemetryIntervalNs()}. */
    public ApplianceContext telemetryIntervalNs(final long telemetryIntervalNs) {
        ensureOpen();
        this.telemetryIntervalNs = telemetryIntervalNs;
        return this;
    }

    /** Requests sent through the appliance before it welcomes a client. */
    public int warmUpRequests() {
        return warmUpRequests;
    }

    /** Sets {@link #warmUpRequests()}. */
    public ApplianceContext warmUpRequests(final int warmUpRequests) {
        ensureOpen();
        this.warmUpRequests = warmUpRequests;
        return this;
    }

    /** Whether the appliance answers the raw echo streams. */
    public boolean echo() {
        return echo;
    }

    /** Sets {@link #echo()}. */
    public ApplianceContext echo(final boolean echo) {
        ensureOpen();
        this.echo = echo;
        return this;
    }

    /** Adds to {@link #models()}. */
    public ApplianceContext addModel(final ModelConfig model) {
        final List<ModelConfig> extended = new ArrayList<>(models);
        extended.add(Objects.requireNonNull(model, "model"));
        return models(extended);
    }

    /** All values, one {@code name=value} a line, in the order of the documentation. */
    @Override
    public String toString() {
        final StringBuilder text = new StringBuilder();
        for (final ConfigKey<?> key : ConfigKey.all()) {
            text.append(key.name()).append('=').append(key.print(this)).append('\n');
        }
        return text.toString();
    }

    /** Remembers where the value that a key has now was set, for the message should it prove wrong later. */
    void origin(final ConfigKey<?> key, final String file, final int line) {
        origins.put(key, new Origin(file, line, key.print(this)));
    }

    private boolean isLeftToMachine(final ConfigKey<?> key) {
        return key == ConfigKey.AERON_DIRECTORY && aeronDirectoryName == null
                || key == ConfigKey.ACCESS_KEYS && accessKeys == null
                || key == ConfigKey.TELEMETRY_DIRECTORY && telemetryDirectory == null;
    }

    private void checkValue(final ConfigKey<?> key) {
        try {
            key.check(this);
        } catch (final IllegalArgumentException ex) {
            throw refusal(key, ex.getMessage());
        }
    }

    private void checkSizes() {
        checkPowerOfTwo(ConfigKey.RESPONSE_TERM_LENGTH, responseTermLength);
        checkPowerOfTwo(ConfigKey.JOURNAL_BLOCK_SIZE, journalBlockBytes);
        checkPowerOfTwo(ConfigKey.LIMITS_RING, ringCapacity);
        if (responseChannels.isEmpty()) {
            throw refusal(ConfigKey.RESPONSE_CHANNELS, "must have at least one channel, or no client can be answered");
        }
        if (maxBatch > ringCapacity) {
            throw refusal(ConfigKey.LIMITS_BATCH, "must be at most limits.ring=" + ringCapacity);
        }
        if (overloadPolicy == OverloadPolicy.SHED && overloadUnfinished > ringCapacity) {
            throw refusal(ConfigKey.OVERLOAD_UNFINISHED, "must be at most limits.ring=" + ringCapacity);
        }
        if (retryWindow != 0 && retryWindow < maxInFlight) {
            throw refusal(ConfigKey.LIMITS_RETRIES, "must be 0, or at least limits.in-flight=" + maxInFlight);
        }
        if (retryWindow != 0 && retryWindow < maxSteps) {
            throw refusal(ConfigKey.LIMITS_RETRIES, "must be 0, or at least limits.steps=" + maxSteps);
        }
        if (maxFrameLength > responseTermLength / TERMS_FRACTION) {
            throw refusal(ConfigKey.LIMITS_FRAME_LENGTH, "must be at most an eighth of aeron.response-term-length="
                    + ConfigKey.RESPONSE_TERM_LENGTH.print(this));
        }
        if ((long) ringCapacity * maxFrameLength > MAX_RING_BYTES) {
            throw refusal(ConfigKey.LIMITS_RING, "times limits.frame-length="
                    + ConfigKey.LIMITS_FRAME_LENGTH.print(this) + " must be at most "
                    + SuffixedValues.formatBytes(MAX_RING_BYTES));
        }
    }

    private void checkModels() {
        if (models.isEmpty() || models.size() > MAX_MODEL_COUNT) {
            throw refusal(ConfigKey.MODELS, "must have 1 to " + MAX_MODEL_COUNT + " models");
        }
        final Set<String> aliases = new HashSet<>();
        for (final ModelConfig model : models) {
            if (!aliases.add(model.alias())) {
                throw refusal(ConfigKey.MODELS, "alias=" + model.alias() + " is there twice");
            }
        }
        if (maxVersions != 0 && maxVersions < models.size()) {
            throw refusal(ConfigKey.LIMITS_VERSIONS, "must be 0, or at least the number of models=" + models.size());
        }
        if (adminStreamId == requestStreamId) {
            throw refusal(ConfigKey.ADMIN_STREAM, "must not be aeron.request-stream");
        }
    }

    private void checkPowerOfTwo(final ConfigKey<?> key, final long value) {
        if (!BitUtil.isPowerOfTwo(value)) {
            throw refusal(key, "must be a power of two");
        }
    }

    private ConfigException refusal(final ConfigKey<?> key, final String reason) {
        final String value = key.print(this);
        final Origin origin = origins.get(key);
        final boolean isFromFile = origin != null && origin.value.equals(value);
        return new ConfigException(isFromFile ? origin.file : null, isFromFile ? origin.line : 0, key.name(),
                key.name() + "=" + value + ": " + reason);
    }

    private void ensureOpen() {
        if (concluded) {
            throw new IllegalStateException("the context is concluded");
        }
    }

    /** Where a value was set, and what it was then: code may have changed it since. */
    private record Origin(String file, int line, String value) {
    }
}
