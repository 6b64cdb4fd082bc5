package io.tiercel.appliance.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * The table of all configuration keys: the one place that has a key's name, type, limits, default and meaning. The
 * context takes its defaults and checks from here, the reader its keys, and {@code CONFIGURATION.md} is tested to have
 * the same rows.
 *
 * <p>A key is dotted ({@code limits.clients}): in a file its parts are nested, as a system property it is prefixed
 * ({@code -Dtiercel.limits.clients=8}) and gives the default that file and code override.
 *
 * @param <T> the type of its value.
 */
public final class ConfigKey<T> {

    /** In front of a key's name in system properties. */
    public static final String PROPERTY_PREFIX = "tiercel.";

    /** Characters in a model's alias: what the wire has room for. */
    public static final int MAX_ALIAS_LENGTH = 32;

    /** Threads that compute one model. */
    static final int MAX_MODEL_THREADS = 64;

    private static final int MAX_NAME_LENGTH = 64;
    private static final long SECOND_NS = 1_000_000_000L;
    /** Some hundred years: what a count of nanoseconds holds. */
    private static final long MAX_KEEP_NS = 100L * 365 * 86_400 * SECOND_NS;
    private static final int KIB = 1 << 10;
    private static final int MIB = 1 << 20;
    private static final int GIB = 1 << 30;

    private static final List<ConfigKey<?>> KEYS = new ArrayList<>();

    static final ConfigKey<String> NAME = key("name", ValueType.name(MAX_NAME_LENGTH), "tiercel",
            "Name of this appliance, in logs, counters and thread names.",
            ApplianceContext::name, ApplianceContext::name);
    static final ConfigKey<Layout> LAYOUT = key("layout", ValueType.choice(Layout.class), "auto",
            "Threads: `compact` has one for everything, `paired` one for input and output and one for inference, "
                    + "`dedicated` one for each stage; `auto` is `dedicated` from 8 cores, `paired` from 4, "
                    + "else `compact`. Each thread wants a core of its own.",
            ApplianceContext::layout, ApplianceContext::layout);
    static final ConfigKey<IdleMode> IDLE = key("idle", ValueType.choice(IdleMode.class), "spin",
            "What a thread without work does. `spin` answers fastest and keeps its core busy; `yield` and `backoff` "
                    + "share it; `sleep` is for machines where latency does not matter.",
            ApplianceContext::idle, ApplianceContext::idle);
    static final ConfigKey<Integer> INFER_WORKERS = key("infer-workers", ValueType.count(1, 64), "1",
            "Threads that compute models, sessions sharded over them. More than 1 needs layout `dedicated`.",
            ApplianceContext::inferWorkers, ApplianceContext::inferWorkers);

    static final ConfigKey<String> AERON_DIRECTORY = key("aeron.directory", ValueType.directoryName(), null,
            "Directory of the media driver that this appliance runs. Clients name the same. Made with mode 0700; where "
                    + "it is there with another mode, that holds, and `serve` says so. Default: Aeron's own "
                    + "(`/dev/shm/aeron-USER`).",
            ApplianceContext::aeronDirectoryName, ApplianceContext::aeronDirectoryName);
    static final ConfigKey<String> REQUEST_CHANNEL = key("aeron.request-channel", ValueType.channel(), "aeron:ipc",
            "Aeron channel on which requests arrive.",
            ApplianceContext::requestChannel, ApplianceContext::requestChannel);
    static final ConfigKey<Integer> REQUEST_STREAM = key("aeron.request-stream",
            ValueType.count(1, Integer.MAX_VALUE - 2), "7001",
            "Aeron stream on which requests arrive. The next two serve `diagnostics.echo`.",
            ApplianceContext::requestStreamId, ApplianceContext::requestStreamId);
    static final ConfigKey<Integer> ADMIN_STREAM = key("aeron.admin-stream",
            ValueType.count(1, Integer.MAX_VALUE), "7004",
            "Aeron stream, on `aeron:ipc`, on which administrators' commands arrive. Nobody is heard there without "
                    + "`access.keys`.",
            ApplianceContext::adminStreamId, ApplianceContext::adminStreamId);
    static final ConfigKey<List<String>> RESPONSE_CHANNELS = key("aeron.response-channels",
            ValueType.listOf("list of Aeron channels", ValueType.channel()), "aeron:ipc",
            "Channels that a client may ask its answers on: what a client asks for must begin with one of these.",
            ApplianceContext::responseChannels, ApplianceContext::responseChannels);
    static final ConfigKey<Integer> RESPONSE_TERM_LENGTH = key("aeron.response-term-length",
            ValueType.intBytes(64 * KIB, GIB), "1m",
            "Term buffer of a client's answers, a power of two. A client that lets it fill up is disconnected.",
            ApplianceContext::responseTermLength, ApplianceContext::responseTermLength);
    static final ConfigKey<Integer> DRIVER_CYCLE_INTERVAL = key("aeron.driver-cycle-interval",
            ValueType.count(1, 65_536), "64",
            "Duty cycles between two turns of the media driver, where it shares a thread (`compact`, `paired`); "
                    + "after a millisecond it has a turn in any case.",
            ApplianceContext::driverCycleInterval, ApplianceContext::driverCycleInterval);

    static final ConfigKey<Path> JOURNAL_DIRECTORY = key("journal.directory", ValueType.path("directory"), "journal",
            "Where the journal is written. One appliance at a time, held by a lock. Made with mode 0700; `serve` says "
                    + "so where others have rights to it.",
            ApplianceContext::journalDirectory, ApplianceContext::journalDirectory);
    static final ConfigKey<Long> JOURNAL_BLOCK_SIZE = key("journal.block-size",
            ValueType.bytes(MIB, GIB), "64m",
            "The journal maps its files in blocks of this size, a power of two. Small blocks cost tail latency.",
            ApplianceContext::journalBlockBytes, ApplianceContext::journalBlockBytes);
    static final ConfigKey<Long> JOURNAL_POPULATE_AHEAD = key("journal.populate-ahead",
            ValueType.bytes(MIB, 16L * GIB), "64m",
            "Memory of the journal that is made ready ahead of the writer, so that no append waits for the kernel.",
            ApplianceContext::journalPopulateAheadBytes, ApplianceContext::journalPopulateAheadBytes);
    static final ConfigKey<String> JOURNAL_ROLL = key("journal.roll", ValueType.oneOf("daily", "hourly"), "daily",
            "How often the journal begins new files, UTC: `daily` or `hourly`.",
            ApplianceContext::journalRoll, ApplianceContext::journalRoll);
    static final ConfigKey<DurabilityLevel> JOURNAL_DURABILITY = key("journal.durability",
            ValueType.choice(DurabilityLevel.class), "process",
            "What an answered request survives: `process`, the death of the process; `disk`, that of the machine too: "
                    + "each batch is written through to the device before its answers leave.",
            ApplianceContext::durability, ApplianceContext::durability);
    static final ConfigKey<Long> JOURNAL_KEEP_FOR = key("journal.keep-for",
            ValueType.durationNs(0, MAX_KEEP_NS), "0s",
            "Age at which a file of the journal may be removed, counted from its last record. `0s` never. What "
                    + "recovery from the snapshots there are needs is never removed.",
            ApplianceContext::journalKeepForNs, ApplianceContext::journalKeepForNs);
    static final ConfigKey<Long> JOURNAL_KEEP_SIZE = key("journal.keep-size",
            ValueType.bytes(0, 1L << 50), "0",
            "Size of the journal above which its oldest files may be removed. `0` for no limit. What recovery from "
                    + "the snapshots there are needs is never removed.",
            ApplianceContext::journalKeepBytes, ApplianceContext::journalKeepBytes);
    static final ConfigKey<Long> JOURNAL_WARN_FREE = key("journal.warn-free",
            ValueType.bytes(0, 1L << 50), "2g",
            "Space left on the journal's file system below which the appliance warns.",
            ApplianceContext::journalWarnFreeBytes, ApplianceContext::journalWarnFreeBytes);
    static final ConfigKey<Long> JOURNAL_REFUSE_FREE = key("journal.refuse-free",
            ValueType.bytes(0, 1L << 50), "256m",
            "Space left on the journal's file system below which requests are refused with `JOURNAL_SPACE_LOW`, until "
                    + "there is more again.",
            ApplianceContext::journalRefuseFreeBytes, ApplianceContext::journalRefuseFreeBytes);

    static final ConfigKey<Long> SNAPSHOT_INTERVAL = key("snapshot.interval",
            ValueType.durationNs(0, 86_400 * SECOND_NS), "60s",
            "Time between two snapshots of all session states, if anything has happened. `0s` takes one when the "
                    + "appliance stops and no other. A restart computes again what came after the newest.",
            ApplianceContext::snapshotIntervalNs, ApplianceContext::snapshotIntervalNs);
    static final ConfigKey<Integer> SNAPSHOT_KEEP = key("snapshot.keep", ValueType.count(1, 1_000), "3",
            "Snapshots that are kept; older ones are removed.",
            ApplianceContext::snapshotKeep, ApplianceContext::snapshotKeep);

    static final ConfigKey<List<ModelConfig>> MODELS = key("models", ValueType.models(), "",
            "The models to serve, at least one.",
            ApplianceContext::models, ApplianceContext::models);

    static final ConfigKey<Integer> LIMITS_CLIENTS = key("limits.clients", ValueType.count(1, 4_096), "64",
            "Clients connected at once. The next one is refused with `CLIENT_LIMIT`.",
            ApplianceContext::maxClients, ApplianceContext::maxClients);
    static final ConfigKey<Integer> LIMITS_SESSIONS = key("limits.sessions", ValueType.count(1, 16_777_216), "4096",
            "Sessions held in memory, all clients together. What becomes of the next one says "
                    + "`limits.sessions-when-full`.",
            ApplianceContext::maxSessions, ApplianceContext::maxSessions);
    static final ConfigKey<FullSessionsPolicy> LIMITS_SESSIONS_WHEN_FULL = key("limits.sessions-when-full",
            ValueType.choice(FullSessionsPolicy.class), "refuse",
            "What becomes of a new session when `limits.sessions` are there: with `refuse` its request is refused with "
                    + "`SESSION_LIMIT`; with `evict` it takes the place of the session whose last request is the "
                    + "oldest, which begins anew when it comes again.",
            ApplianceContext::fullSessionsPolicy, ApplianceContext::fullSessionsPolicy);
    static final ConfigKey<Integer> LIMITS_FRAME_LENGTH = key("limits.frame-length",
            ValueType.intBytes(64, 16 * MIB), "4k",
            "Longest request frame, headers included. A ring slot has this size.",
            ApplianceContext::maxFrameLength, ApplianceContext::maxFrameLength);
    static final ConfigKey<Integer> LIMITS_STEPS = key("limits.steps", ValueType.count(1, 65_535), "64",
            "Steps in one request.",
            ApplianceContext::maxSteps, ApplianceContext::maxSteps);
    static final ConfigKey<Integer> LIMITS_IN_FLIGHT = key("limits.in-flight", ValueType.count(1, 1_048_576), "1024",
            "Unanswered requests of one client. The next one is refused with `IN_FLIGHT_LIMIT`.",
            ApplianceContext::maxInFlight, ApplianceContext::maxInFlight);
    static final ConfigKey<Integer> LIMITS_GENERATIONS = key("limits.generations", ValueType.count(0, 4_096), "256",
            "Generations under way at once, all clients together. The next one is refused with `GENERATION_LIMIT`.",
            ApplianceContext::maxGenerations, ApplianceContext::maxGenerations);
    static final ConfigKey<Integer> LIMITS_VERSIONS = key("limits.versions", ValueType.count(0, 1_024), "0",
            "Versions of all models together that there is room for; `tiercel admin load` of the next one is refused "
                    + "with `VERSION_LIMIT`. A start frees those that are drained. `0` for eight more than `models`.",
            ApplianceContext::maxVersions, ApplianceContext::maxVersions);
    static final ConfigKey<Integer> LIMITS_RATE = key("limits.rate", ValueType.count(0, 1_000_000_000), "0",
            "Requests a second of one client, averaged over 100 ms. Those above it are refused with `RATE_LIMIT`. `0` "
                    + "for no limit.",
            ApplianceContext::maxRatePerSecond, ApplianceContext::maxRatePerSecond);
    static final ConfigKey<Integer> LIMITS_RETRIES = key("limits.retries", ValueType.count(0, 1_048_576), "2048",
            "Newest requests of a principal that are known by their correlation id: one of them that comes again is "
                    + "answered as it was, and not computed again. A streamed request counts once for each step. At "
                    + "least `limits.in-flight` and `limits.steps`; `0` for none.",
            ApplianceContext::retryWindow, ApplianceContext::retryWindow);
    static final ConfigKey<Integer> LIMITS_RING = key("limits.ring", ValueType.count(2, 1_048_576), "256",
            "Slots of the ring between the stages, a power of two. Small, so that it stays in the cache: what does " +
                    "not fit waits in Aeron, which holds clients back.",
            ApplianceContext::ringCapacity, ApplianceContext::ringCapacity);
    static final ConfigKey<Integer> LIMITS_BATCH = key("limits.batch", ValueType.count(1, 4_096), "32",
            "Requests computed together at most. At most `limits.ring`.",
            ApplianceContext::maxBatch, ApplianceContext::maxBatch);

    static final ConfigKey<OverloadPolicy> OVERLOAD_POLICY = key("overload.policy",
            ValueType.choice(OverloadPolicy.class), "backpressure",
            "What becomes of requests that come faster than they are computed: with `backpressure` they wait in the "
                    + "client's own log until it is full; with `shed` they are refused with `OVERLOADED`.",
            ApplianceContext::overloadPolicy, ApplianceContext::overloadPolicy);
    static final ConfigKey<Integer> OVERLOAD_UNFINISHED = key("overload.unfinished",
            ValueType.count(1, 1_048_576), "64",
            "With `shed`, requests of all clients that may be unfinished; the next one is refused. At most "
                    + "`limits.ring`.",
            ApplianceContext::overloadUnfinished, ApplianceContext::overloadUnfinished);

    static final ConfigKey<Long> BATCH_WINDOW = key("batch.window", ValueType.durationNs(0, SECOND_NS), "0ns",
            "How long inference waits for a fuller batch. `0ns` takes what is there and never waits.",
            ApplianceContext::batchWindowNs, ApplianceContext::batchWindowNs);
    static final ConfigKey<Integer> FORESEEN_TOKENS = key("foreseen-tokens", ValueType.count(0, 16), "0",
            "Likeliest next tokens of each session asked lately whose steps an idle infer thread computes before they "
                    + "are asked for: if one is, its answer is there. At most as many as the model names. A request "
                    + "that comes meanwhile waits for the rest of one step. `0` for none.",
            ApplianceContext::foreseenTokens, ApplianceContext::foreseenTokens);
    static final ConfigKey<Integer> FORESEEN_GENERATED_TOKENS = key("foreseen-generated-tokens",
            ValueType.count(0, 16), "0",
            "Tokens of a generation that are computed in one pass, before they are asked for: the one made last, and "
                    + "guesses at what follows, from what the text has said before. Done by an idle infer "
                    + "thread, or with the step that is due when nothing else waits. A request that comes meanwhile "
                    + "waits for the rest of one pass. `1` guesses nothing, `0` for none.",
            ApplianceContext::foreseenGeneratedTokens, ApplianceContext::foreseenGeneratedTokens);
    static final ConfigKey<Long> REHEARSE_AFTER = key("rehearse-after", ValueType.durationNs(0, SECOND_NS), "50us",
            "How long nothing must have come before an infer thread keeps its models warm, with a step of a session of "
                    + "its own, and how often it does so again. A request that comes meanwhile waits for the rest of "
                    + "that step. `0ns` never.",
            ApplianceContext::rehearseAfterNs, ApplianceContext::rehearseAfterNs);

    static final ConfigKey<Long> HEARTBEAT_TIMEOUT = key("clients.heartbeat-timeout",
            ValueType.durationNs(SECOND_NS / 100, 3_600 * SECOND_NS), "10s",
            "Silence after which a client is told goodbye.",
            ApplianceContext::heartbeatTimeoutNs, ApplianceContext::heartbeatTimeoutNs);
    static final ConfigKey<Long> CONNECT_TIMEOUT = key("clients.connect-timeout",
            ValueType.durationNs(SECOND_NS / 100, 600 * SECOND_NS), "5s",
            "How long a client that said hello has to listen for its answers.",
            ApplianceContext::connectTimeoutNs, ApplianceContext::connectTimeoutNs);
    static final ConfigKey<List<String>> PRINCIPALS = key("clients.principals",
            ValueType.listOf("list of names, each 1 to 64 of A-Z a-z 0-9 . _ -", ValueType.name(MAX_NAME_LENGTH)), "",
            "Who may connect. An empty list admits any name.",
            ApplianceContext::principals, ApplianceContext::principals);

    static final ConfigKey<Path> ACCESS_KEYS = key("access.keys", ValueType.path("file or folder"), null,
            "Principals and their keys: a file for one, or a folder with a `.yaml` file for each, which nobody but the "
                    + "appliance's user can read. Who is not among them, or cannot prove it, is refused with "
                    + "`ACCESS_DENIED`. Default: there are no keys, and who may connect says `clients.principals`.",
            ApplianceContext::accessKeys, ApplianceContext::accessKeys);

    static final ConfigKey<Path> TELEMETRY_DIRECTORY = key("telemetry.directory", ValueType.path("directory"), null,
            "Where the interval histograms (`.hlog`) are written, and, for each run, stalls, pauses of the JVM and "
                    + "snapshots with their times. Default: `telemetry` in the journal's directory.",
            ApplianceContext::telemetryDirectory, ApplianceContext::telemetryDirectory);
    static final ConfigKey<Long> TELEMETRY_INTERVAL = key("telemetry.interval",
            ValueType.durationNs(SECOND_NS / 100, 3_600 * SECOND_NS), "1s",
            "Length of an interval of the histograms.",
            ApplianceContext::telemetryIntervalNs, ApplianceContext::telemetryIntervalNs);

    static final ConfigKey<Integer> WARM_UP_REQUESTS = key("warm-up.requests", ValueType.count(0, 100_000_000),
            "50000",
            "Requests that the appliance sends through itself before it welcomes a client; no more than take 10 s, "
                    + "where a model is so slow. `0` starts cold.",
            ApplianceContext::warmUpRequests, ApplianceContext::warmUpRequests);

    static final ConfigKey<Boolean> ECHO = key("diagnostics.echo", ValueType.flag(), "false",
            "Return every message on the stream after `aeron.request-stream` on the one after that: the raw Aeron "
                    + "round trip, to compare with.",
            ApplianceContext::echo, ApplianceContext::echo);

    private final String name;
    private final ValueType<T> type;
    private final String defaultText;
    private final String doc;
    private final Function<ApplianceContext, T> getter;
    private final BiFunction<ApplianceContext, T, ApplianceContext> setter;

    private ConfigKey(
            final String name,
            final ValueType<T> type,
            final String defaultText,
            final String doc,
            final Function<ApplianceContext, T> getter,
            final BiFunction<ApplianceContext, T, ApplianceContext> setter) {
        this.name = name;
        this.type = type;
        this.defaultText = defaultText;
        this.doc = doc;
        this.getter = getter;
        this.setter = setter;
    }

    /** All keys, in the order of the documentation. */
    public static List<ConfigKey<?>> all() {
        return Collections.unmodifiableList(KEYS);
    }

    /** The key of a dotted name. */
    public static Optional<ConfigKey<?>> find(final String name) {
        return KEYS.stream().filter(key -> key.name.equals(name)).findFirst();
    }

    /** Dotted name. */
    public String name() {
        return name;
    }

    /** What its values look like. */
    public String typeDescription() {
        return type.description();
    }

    /** As a file would state it; null where {@link #doc()} tells how the default is found. */
    public String defaultText() {
        return defaultText;
    }

    /** What it does, in Markdown. */
    public String doc() {
        return doc;
    }

    /** The value in a context, as a file would state it; empty if it has none yet. */
    public String print(final ApplianceContext context) {
        final T value = getter.apply(context);
        return value == null ? "" : type.print(value);
    }

    /**
     * Sets the value from text, as {@code --set key=value} of a command line does. Lists are separated by commas.
     *
     * @throws ConfigException if the text is not a value of this key.
     */
    public void set(final ApplianceContext context, final String text) {
        try {
            parseInto(context, text);
        } catch (final IllegalArgumentException ex) {
            throw new ConfigException(null, 0, name, name + "=" + text + ": " + ex.getMessage());
        }
    }

    boolean isList() {
        return type.isList();
    }

    /** As {@link #set}, but leaves it to the caller to say where the text stands. */
    void parseInto(final ApplianceContext context, final String text) {
        setChecked(context, type.parse(text));
    }

    void setChecked(final ApplianceContext context, final T value) {
        type.check(value);
        setter.apply(context, value);
    }

    /** Refuses a value that code has set and no parser has seen. */
    void check(final ApplianceContext context) {
        type.check(getter.apply(context));
    }

    /** What a new context begins with: the system property if it is set, else the default; null if there is none. */
    T initial() {
        final String property = System.getProperty(PROPERTY_PREFIX + name);
        final String text = property == null ? defaultText : property;
        try {
            final T value = text == null ? null : type.parse(text);
            if (property != null) {
                type.check(value);
            }
            return value;
        } catch (final IllegalArgumentException ex) {
            throw new ConfigException(
                    null, 0, name, "system property " + PROPERTY_PREFIX + name + "=" + text + ": " + ex.getMessage());
        }
    }

    @Override
    public String toString() {
        return name;
    }

    private static <T> ConfigKey<T> key(
            final String name,
            final ValueType<T> type,
            final String defaultText,
            final String doc,
            final Function<ApplianceContext, T> getter,
            final BiFunction<ApplianceContext, T, ApplianceContext> setter) {
        final ConfigKey<T> key = new ConfigKey<>(name, type, defaultText, doc, getter, setter);
        KEYS.add(key);
        return key;
    }
}
