package io.tiercel.protocol.client;

import static org.agrona.SystemUtil.getDurationInNanos;
import static org.agrona.SystemUtil.getSizeAsInt;

import io.aeron.Aeron;
import io.aeron.ChannelUri;
import io.aeron.CommonContext;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.Principals;
import io.tiercel.protocol.SecretFiles;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemEpochNanoClock;
import org.agrona.concurrent.SystemNanoClock;

/**
 * What a {@link TiercelClient} needs to know before it connects. Each value comes from a system property, whose
 * setter overrides it; {@link #conclude} checks them all. One context can serve many connections, one after another.
 *
 * <p>Not thread-safe; not for hot paths.
 */
public final class ClientContext {

    public static final String AERON_DIRECTORY_PROPERTY = "tiercel.client.aeron.directory";
    public static final String REQUEST_CHANNEL_PROPERTY = "tiercel.client.request.channel";
    public static final String REQUEST_STREAM_PROPERTY = "tiercel.client.request.stream";
    public static final String REQUEST_TERM_LENGTH_PROPERTY = "tiercel.client.request.term.length";
    public static final String RESPONSE_CHANNEL_PROPERTY = "tiercel.client.response.channel";
    public static final String RESPONSE_STREAM_PROPERTY = "tiercel.client.response.stream";
    public static final String PRINCIPAL_PROPERTY = "tiercel.client.principal";
    public static final String KEY_FILE_PROPERTY = "tiercel.client.key.file";
    public static final String CONNECT_TIMEOUT_PROPERTY = "tiercel.client.connect.timeout";
    public static final String HEARTBEAT_INTERVAL_PROPERTY = "tiercel.client.heartbeat.interval";
    public static final String DRIVER_TIMEOUT_PROPERTY = "tiercel.client.driver.timeout";
    public static final String SERVICE_INTERVAL_PROPERTY = "tiercel.client.service.interval";

    public static final String DEFAULT_CHANNEL = CommonContext.IPC_CHANNEL;
    public static final int DEFAULT_REQUEST_STREAM_ID = 7001;
    public static final int DEFAULT_RESPONSE_STREAM_ID = 7101;
    public static final int DEFAULT_REQUEST_TERM_LENGTH = 1024 * 1024;
    public static final int DEFAULT_SERVICE_INTERVAL = 64;

    private static final long MAX_FIRST_CORRELATION_ID = 1L << 62;

    private String aeronDirectoryName =
            System.getProperty(AERON_DIRECTORY_PROPERTY, CommonContext.getAeronDirectoryName());
    private String requestChannel = System.getProperty(REQUEST_CHANNEL_PROPERTY, DEFAULT_CHANNEL);
    private int requestStreamId = Integer.getInteger(REQUEST_STREAM_PROPERTY, DEFAULT_REQUEST_STREAM_ID);
    private int requestTermLength = getSizeAsInt(REQUEST_TERM_LENGTH_PROPERTY, DEFAULT_REQUEST_TERM_LENGTH);
    private String responseChannel = System.getProperty(RESPONSE_CHANNEL_PROPERTY, DEFAULT_CHANNEL);
    private int responseStreamId = Integer.getInteger(RESPONSE_STREAM_PROPERTY, DEFAULT_RESPONSE_STREAM_ID);
    private String principal = System.getProperty(PRINCIPAL_PROPERTY);
    private String keyFile = System.getProperty(KEY_FILE_PROPERTY);
    private byte[] key;
    private Consumer<byte[]> randomBytes;
    private long connectTimeoutNs = getDurationInNanos(CONNECT_TIMEOUT_PROPERTY, TimeUnit.SECONDS.toNanos(5));
    private long heartbeatIntervalNs = getDurationInNanos(HEARTBEAT_INTERVAL_PROPERTY, TimeUnit.SECONDS.toNanos(1));
    private long driverTimeoutMs = TimeUnit.NANOSECONDS.toMillis(
            getDurationInNanos(DRIVER_TIMEOUT_PROPERTY,
                    TimeUnit.MILLISECONDS.toNanos(CommonContext.DRIVER_TIMEOUT_MS)));
    private int serviceInterval = Integer.getInteger(SERVICE_INTERVAL_PROPERTY, DEFAULT_SERVICE_INTERVAL);
    private Aeron aeron;
    private AgentInvoker driverInvoker;
    private NanoClock nanoClock;
    private EpochNanoClock epochNanoClock;
    private long firstCorrelationId;
    private IdleStrategy idleStrategy;

    /**
     * Checks every value and fills in the collaborators that were not given. Connecting calls it; calling it twice
     * does no harm.
     *
     * @throws IllegalArgumentException naming the first value that will not do.
     * @throws io.tiercel.protocol.SecretFileException if the file of the key is not there, or not this user's alone.
     */
    public ClientContext conclude() {
        require(Principals.isValid(principal), "principal", principal, Principals.RULE);
        if (key == null && keyFile != null) {
            key = SecretFiles.readKey(Path.of(keyFile));
        }
        if (key != null && !Handshake.isKey(key)) {
            throw new IllegalArgumentException("key.length=" + key.length + ": must be " + Handshake.MIN_KEY_LENGTH +
                    " to " + Handshake.MAX_KEY_LENGTH + " bytes");
        }
        requireChannel("requestChannel", requestChannel);
        requireChannel("responseChannel", responseChannel);
        require(!responseChannel.contains("session-id="), "responseChannel", responseChannel,
                "must not contain a session-id: the connection adds its own");
        require(requestTermLength >= 64 * 1024 && Integer.bitCount(requestTermLength) == 1,
                "requestTermLength", requestTermLength, "must be a power of two of at least 64k");
        requirePositive("connectTimeoutNs", connectTimeoutNs);
        requirePositive("heartbeatIntervalNs", heartbeatIntervalNs);
        requirePositive("driverTimeoutMs", driverTimeoutMs);
        requirePositive("serviceInterval", serviceInterval);
        require(aeronDirectoryName != null && !aeronDirectoryName.isEmpty(),
                "aeronDirectoryName", aeronDirectoryName, "must name a directory");
        require(firstCorrelationId >= 0 && firstCorrelationId <= MAX_FIRST_CORRELATION_ID,
                "firstCorrelationId", firstCorrelationId, "must be 0 to " + MAX_FIRST_CORRELATION_ID);
        if (nanoClock == null) {
            nanoClock = SystemNanoClock.INSTANCE;
        }
        if (randomBytes == null) {
            randomBytes = new SecureRandom()::nextBytes;
        }
        if (epochNanoClock == null) {
            epochNanoClock = SystemEpochNanoClock.INSTANCE;
        }
        if (idleStrategy == null) {
            idleStrategy = new BackoffIdleStrategy();
        }
        return this;
    }

    /** Directory of the media driver. Not used if {@link #aeron(Aeron)} is given. */
    public ClientContext aeronDirectoryName(final String directoryName) {
        this.aeronDirectoryName = directoryName;
        return this;
    }

    public String aeronDirectoryName() {
        return aeronDirectoryName;
    }

    /**
     * An Aeron client to share, which the caller goes on owning; its error handlers and timeouts are the caller's. If
     * its conductor is in invoker mode this client invokes it. By default the client makes and closes its own.
     */
    public ClientContext aeron(final Aeron aeron) {
        this.aeron = aeron;
        return this;
    }

    public Aeron aeron() {
        return aeron;
    }

    /** The media driver's invoker, if the client's thread is to run the driver too. By default it runs elsewhere. */
    public ClientContext driverInvoker(final AgentInvoker invoker) {
        this.driverInvoker = invoker;
        return this;
    }

    public AgentInvoker driverInvoker() {
        return driverInvoker;
    }

    /** Aeron channel on which the appliance listens. */
    public ClientContext requestChannel(final String channel) {
        this.requestChannel = channel;
        return this;
    }

    public String requestChannel() {
        return requestChannel;
    }

    public ClientContext requestStreamId(final int streamId) {
        this.requestStreamId = streamId;
        return this;
    }

    public int requestStreamId() {
        return requestStreamId;
    }

    /**
     * Bytes of one of the three terms of the request log, unless the channel says {@code term-length} itself. Half of
     * it can be on its way before {@link TiercelClient#BACK_PRESSURED}; a small log stays in the processor's cache.
     */
    public ClientContext requestTermLength(final int bytes) {
        this.requestTermLength = bytes;
        return this;
    }

    public int requestTermLength() {
        return requestTermLength;
    }

    /** Aeron channel on which the client listens, without a session-id. */
    public ClientContext responseChannel(final String channel) {
        this.responseChannel = channel;
        return this;
    }

    public String responseChannel() {
        return responseChannel;
    }

    public ClientContext responseStreamId(final int streamId) {
        this.responseStreamId = streamId;
        return this;
    }

    public int responseStreamId() {
        return responseStreamId;
    }

    /** Who asks; sessions belong to it. There is no default. */
    public ClientContext principal(final String principal) {
        this.principal = principal;
        return this;
    }

    public String principal() {
        return principal;
    }

    /**
     * The key that the principal shares with the appliance, 32 to 64 bytes. A client that has one proves it, and takes
     * the appliance's word only if that proves it too. By default there is none.
     */
    public ClientContext key(final byte[] key) {
        this.key = key == null ? null : key.clone();
        return this;
    }

    /** The key, or null. */
    byte[] key() {
        return key;
    }

    /** A file with the key, as {@code tiercel ops key} writes it; read once, unless a {@link #key(byte[])} is given. */
    public ClientContext keyFile(final String path) {
        this.keyFile = path;
        this.key = null;
        return this;
    }

    public String keyFile() {
        return keyFile;
    }

    /** Fills an array with bytes that nobody can foresee: a proof is good for one time because of them. */
    public ClientContext randomBytes(final Consumer<byte[]> source) {
        this.randomBytes = source;
        return this;
    }

    public Consumer<byte[]> randomBytes() {
        return randomBytes;
    }

    /** From the first attempt to the welcome. */
    public ClientContext connectTimeoutNs(final long timeoutNs) {
        this.connectTimeoutNs = timeoutNs;
        return this;
    }

    public long connectTimeoutNs() {
        return connectTimeoutNs;
    }

    /** Silence after which a heartbeat goes out; shortened if the appliance's timeout asks for it. */
    public ClientContext heartbeatIntervalNs(final long intervalNs) {
        this.heartbeatIntervalNs = intervalNs;
        return this;
    }

    public long heartbeatIntervalNs() {
        return heartbeatIntervalNs;
    }

    /** Silence of the media driver after which it is taken for dead. */
    public ClientContext driverTimeoutMs(final long timeoutMs) {
        this.driverTimeoutMs = timeoutMs;
        return this;
    }

    public long driverTimeoutMs() {
        return driverTimeoutMs;
    }

    /**
     * Polls between two looks at the clock, Aeron's conductor and the heartbeat. It adapts to polls that come so
     * slowly that this many take more than 50 ms.
     */
    public ClientContext serviceInterval(final int polls) {
        this.serviceInterval = polls;
        return this;
    }

    public int serviceInterval() {
        return serviceInterval;
    }

    public ClientContext nanoClock(final NanoClock clock) {
        this.nanoClock = clock;
        return this;
    }

    public NanoClock nanoClock() {
        return nanoClock;
    }

    /** Read once for each connection, as one of the things that make its correlation ids differ from all others'. */
    public ClientContext epochNanoClock(final EpochNanoClock clock) {
        this.epochNanoClock = clock;
        return this;
    }

    public EpochNanoClock epochNanoClock() {
        return epochNanoClock;
    }

    /**
     * Correlation id of a connection's first request; the next ones count up. 0, the default, derives one for each
     * connection that no other has. Set it to reproduce a run, and then see to it that a principal's connections do not
     * use the same ids.
     */
    public ClientContext firstCorrelationId(final long correlationId) {
        this.firstCorrelationId = correlationId;
        return this;
    }

    public long firstCorrelationId() {
        return firstCorrelationId;
    }

    /** How {@link TiercelClient#connect} waits. Polling never idles: that is the caller's. */
    public ClientContext idleStrategy(final IdleStrategy strategy) {
        this.idleStrategy = strategy;
        return this;
    }

    public IdleStrategy idleStrategy() {
        return idleStrategy;
    }

    @Override
    public String toString() {
        return "ClientContext{" +
                "aeronDirectoryName=" + aeronDirectoryName +
                " requestChannel=" + requestChannel +
                " requestStreamId=" + requestStreamId +
                " requestTermLength=" + requestTermLength +
                " responseChannel=" + responseChannel +
                " responseStreamId=" + responseStreamId +
                " principal=" + principal +
                " hasKey=" + (key != null || keyFile != null) +
                " connectTimeoutNs=" + connectTimeoutNs +
                " heartbeatIntervalNs=" + heartbeatIntervalNs +
                " driverTimeoutMs=" + driverTimeoutMs +
                " serviceInterval=" + serviceInterval +
                " firstCorrelationId=" + firstCorrelationId +
                '}';
    }

    private static void requireChannel(final String name, final String channel) {
        require(channel != null && channel.startsWith("aeron:"), name, channel, "must start with aeron:");
        require(channel.length() <= Frames.MAX_CHANNEL_LENGTH, name, channel,
                "must not be longer than " + Frames.MAX_CHANNEL_LENGTH);
        try {
            ChannelUri.parse(channel);
        } catch (final IllegalArgumentException ex) {
            throw new IllegalArgumentException(name + "=" + channel + " is no Aeron channel: " + ex.getMessage(), ex);
        }
    }

    private static void requirePositive(final String name, final long value) {
        require(value > 0, name, value, "must be above 0");
    }

    private static void require(final boolean isMet, final String name, final Object value, final String rule) {
        if (!isMet) {
            throw new IllegalArgumentException(name + "=" + value + " " + rule);
        }
    }
}
