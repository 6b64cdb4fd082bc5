package io.tiercel.tools.load;

import io.aeron.Aeron;
import io.aeron.ChannelUri;
import io.aeron.CommonContext;
import io.aeron.ExclusivePublication;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.Header;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.ErrorHandler;
import org.agrona.collections.Int2ObjectHashMap;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.ManyToOneConcurrentLinkedQueue;
import org.agrona.concurrent.SleepingMillisIdleStrategy;

/**
 * The least that a server over Aeron can do, as the yardstick: every message goes back unchanged, copied once into a
 * claimed slot of a response stream that carries the session id of the client's own publication, exactly as the
 * appliance answers.
 *
 * <p>One thread calls {@link #doWork}; with an embedded invoker driver that thread runs the media driver too, every
 * {@code driverCycleInterval}th cycle, as the appliance's compact layout does. Allocates only when a client comes or
 * goes. A full response stream aborts the poll, so the message is read again on the next cycle.
 */
public final class EchoServer implements AutoCloseable {

    private static final int FRAGMENT_LIMIT = 32;
    /** As in the appliance: the driver's file-making thread must not wake a thousand times a second. */
    private static final long EXECUTOR_SLEEP_MS = 10;
    private static final int TERM_LENGTH = 1024 * 1024;

    private final MediaDriver driver;
    private final AgentInvoker driverInvoker;
    private final Aeron aeron;
    private final AgentInvoker clientInvoker;
    private final Subscription subscription;
    private final String channel;
    private final int responseStreamId;
    private final int driverCycleInterval;
    private final Int2ObjectHashMap<ExclusivePublication> publications = new Int2ObjectHashMap<>();
    private final ManyToOneConcurrentLinkedQueue<Image> newImages = new ManyToOneConcurrentLinkedQueue<>();
    private final ManyToOneConcurrentLinkedQueue<Image> goneImages = new ManyToOneConcurrentLinkedQueue<>();
    private final BufferClaim claim = new BufferClaim();
    private final ControlledFragmentHandler fragmentHandler = this::onFragment;
    private int cyclesToDriver;

    private EchoServer(
            final MediaDriver driver,
            final Aeron.Context aeronContext,
            final String channel,
            final int requestStreamId,
            final int responseStreamId,
            final int driverCycleInterval) {
        this.driver = driver;
        this.driverInvoker = driver.sharedAgentInvoker();
        this.aeron = Aeron.connect(aeronContext);
        this.clientInvoker = aeron.conductorAgentInvoker();
        this.channel = channel;
        this.responseStreamId = responseStreamId;
        this.driverCycleInterval = driverCycleInterval;
        this.subscription = aeron.addSubscription(channel, requestStreamId, newImages::offer, goneImages::offer);
    }

    /**
     * Starts a media driver of its own and serves on it.
     *
     * @param driverThread        whether the driver has threads of its own (the {@code dedicated} layout) or is
     *                            invoked by the serving thread.
     * @param driverCycleInterval cycles of {@link #doWork} between two invocations of the driver.
     */
    public static EchoServer launch(
            final String aeronDirectoryName,
            final String channel,
            final int requestStreamId,
            final int responseStreamId,
            final boolean driverThread,
            final int driverCycleInterval,
            final ErrorHandler errorHandler) {
        final MediaDriver driver = MediaDriver.launch(new MediaDriver.Context()
                .aeronDirectoryName(aeronDirectoryName)
                .dirDeleteOnStart(true)
                .dirDeleteOnShutdown(true)
                .threadingMode(driverThread ? ThreadingMode.DEDICATED : ThreadingMode.INVOKER)
                .ipcTermBufferLength(TERM_LENGTH)
                .termBufferSparseFile(false)
                .asyncExecutorIdleStrategy(new SleepingMillisIdleStrategy(EXECUTOR_SLEEP_MS))
                .errorHandler(errorHandler));
        try {
            final Aeron.Context aeronContext = new Aeron.Context()
                    .aeronDirectoryName(aeronDirectoryName)
                    .useConductorAgentInvoker(true)
                    .errorHandler(errorHandler);
            if (driver.sharedAgentInvoker() != null) {
                aeronContext.driverAgentInvoker(driver.sharedAgentInvoker());
            }
            return new EchoServer(
                    driver, aeronContext, channel, requestStreamId, responseStreamId, driverCycleInterval);
        } catch (final RuntimeException e) {
            CloseHelper.close(driver);
            throw e;
        }
    }

    /** One duty cycle. */
    public int doWork() {
        int work = 0;
        if (--cyclesToDriver <= 0) {
            cyclesToDriver = driverCycleInterval;
            if (driverInvoker != null) {
                work += driverInvoker.invoke();
            }
            work += clientInvoker.invoke();
            work += welcomeImages();
        }
        return work + subscription.controlledPoll(fragmentHandler, FRAGMENT_LIMIT);
    }

    private int welcomeImages() {
        int work = 0;
        Image image;
        while ((image = newImages.poll()) != null) {
            final ChannelUri responseChannel = ChannelUri.parse(channel);
            responseChannel.put(CommonContext.SESSION_ID_PARAM_NAME, Integer.toString(image.sessionId()));
            publications.put(
                    image.sessionId(), aeron.addExclusivePublication(responseChannel.toString(), responseStreamId));
            work++;
        }
        while ((image = goneImages.poll()) != null) {
            CloseHelper.close(publications.remove(image.sessionId()));
            work++;
        }
        return work;
    }

    private ControlledFragmentHandler.Action onFragment(
            final DirectBuffer buffer, final int offset, final int length, final Header header) {
        final ExclusivePublication publication = publications.get(header.sessionId());
        if (publication == null) {
            return ControlledFragmentHandler.Action.ABORT; // its image is announced, its response stream not made yet
        }
        final long position = publication.tryClaim(length, claim);
        if (position > 0) {
            claim.buffer().putBytes(claim.offset(), buffer, offset, length);
            claim.commit();
            return ControlledFragmentHandler.Action.COMMIT;
        }
        final boolean isGone =
                position == ExclusivePublication.CLOSED || position == ExclusivePublication.NOT_CONNECTED;
        return isGone ? ControlledFragmentHandler.Action.CONTINUE : ControlledFragmentHandler.Action.ABORT;
    }

    @Override
    public void close() {
        CloseHelper.closeAll(aeron, driver);
    }
}
