package io.tiercel.appliance.transport;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import org.agrona.CloseHelper;
import org.agrona.LangUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class EchoAgentTest {

    private static final String CHANNEL = "aeron:ipc";
    private static final int STREAM = 100;
    private static final int TERM_LENGTH = 64 * 1024;
    private static final int MAX_ROUNDS = 100_000;

    @TempDir
    Path directory;
    private MediaDriver driver;
    private Aeron aeron;
    private EchoAgent echo;
    private final UnsafeBuffer message = new UnsafeBuffer(new byte[8]);

    @BeforeEach
    void setUp() {
        driver = MediaDriver.launch(new MediaDriver.Context()
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .threadingMode(ThreadingMode.INVOKER)
                .ipcTermBufferLength(TERM_LENGTH)
                .dirDeleteOnShutdown(true));
        aeron = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(driver.aeronDirectoryName())
                .useConductorAgentInvoker(true)
                .driverAgentInvoker(driver.sharedAgentInvoker())
                .subscriberErrorHandler(LangUtil::rethrowUnchecked));
        echo = new EchoAgent(aeron, CHANNEL, STREAM);
    }

    @AfterEach
    void tearDown() {
        echo.onClose();
        CloseHelper.closeAll(aeron, driver);
    }

    @Test
    void shouldReturnEachMessageToWhoSentItWhenThereAreSeveralPeers() {
        final Peer one = new Peer(CHANNEL);
        final Peer two = new Peer(CHANNEL);
        for (long value = 1; value <= 50; value++) {
            one.send(value);
            two.send(-value);
        }
        until(() -> one.poll().size() == 50 && two.poll().size() == 50);
        for (int index = 0; index < 50; index++) {
            assertEquals(index + 1, one.heard.get(index));
            assertEquals(-index - 1, two.heard.get(index));
        }
    }

    @Test
    void shouldLoseNoneWhenTheResponseLogTurnsToItsNextTerm() {
        final Peer peer = new Peer(CHANNEL);
        for (int sent = 1; sent <= 3 * TERM_LENGTH / Long.BYTES / Long.BYTES; sent++) {
            final int expected = sent;
            peer.send(sent);
            until(() -> peer.poll().size() == expected);
        }
    }

    @Test
    void shouldServeTheOthersWhenAPeersWayBackIsTaken() {
        final ExclusivePublication taken = aeron.addExclusivePublication(
                CHANNEL + "?session-id=77", STREAM + EchoAgent.RESPONSE_STREAM_STEP);
        final Peer refused = new Peer(CHANNEL + "?session-id=77");
        refused.send(5);
        final Peer other = new Peer(CHANNEL);
        other.send(6);
        until(() -> other.poll().size() == 1);
        assertTrue(refused.poll().isEmpty());
        taken.close();
    }

    @Test
    void shouldServeTheOthersWhenAPeerGoes() {
        final Peer one = new Peer(CHANNEL);
        final Peer two = new Peer(CHANNEL);
        one.send(1);
        until(() -> one.poll().size() == 1);
        one.publication.close();
        two.send(2);
        until(() -> two.poll().size() == 1);
    }

    private void until(final BooleanSupplier condition) {
        for (int round = 0; round < MAX_ROUNDS; round++) {
            if (condition.getAsBoolean()) {
                return;
            }
            driver.sharedAgentInvoker().invoke();
            aeron.conductorAgentInvoker().invoke();
            echo.doWork();
        }
        throw new AssertionError("not in " + MAX_ROUNDS + " rounds");
    }

    /** One that sends and listens for its echoes. */
    private final class Peer {
        private final ExclusivePublication publication;
        private final Subscription subscription;
        private final List<Long> heard = new ArrayList<>();

        private Peer(final String channel) {
            publication = aeron.addExclusivePublication(channel, STREAM + EchoAgent.REQUEST_STREAM_STEP);
            subscription = aeron.addSubscription(CHANNEL + "?session-id=" + publication.sessionId(),
                    STREAM + EchoAgent.RESPONSE_STREAM_STEP);
        }

        private void send(final long value) {
            message.putLong(0, value);
            until(() -> publication.offer(message, 0, Long.BYTES) > 0);
        }

        private List<Long> poll() {
            subscription.poll((buffer, offset, length, header) -> heard.add(buffer.getLong(offset)), 16);
            return heard;
        }
    }
}
