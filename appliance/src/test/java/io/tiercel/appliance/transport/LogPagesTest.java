package io.tiercel.appliance.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FragmentHandler;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Logs of a real driver, and what the operating system says of their pages. */
@Timeout(60)
class LogPagesTest {

    private static final int TERM_LENGTH = 1 << 20;
    private static final int STREAM = 1;
    private static final int MTU_LENGTH = 1408;
    private static final int KIB = 1024;
    private static final int WARM_UP_ROUNDS = 1_000;

    @TempDir
    private Path directory;

    private final LogPages pages = new LogPages();
    private final UnsafeBuffer message = new UnsafeBuffer(new byte[3 * MTU_LENGTH]);
    private MediaDriver driver;
    private Aeron aeron;
    private Subscription subscription;
    private ExclusivePublication publication;
    /** Of a term buffer. */
    private long address;

    @BeforeEach
    void connect() {
        driver = MediaDriver.launch(new MediaDriver.Context()
                .aeronDirectoryName(directory.resolve("driver").toString())
                .threadingMode(ThreadingMode.INVOKER)
                .ipcMtuLength(MTU_LENGTH));
        aeron = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(driver.aeronDirectoryName())
                .driverAgentInvoker(driver.sharedAgentInvoker())
                .useConductorAgentInvoker(true));
    }

    @AfterEach
    void close() {
        aeron.close();
        driver.close();
    }

    @Test
    void shouldTouchAllPagesOfTheLogThatAFragmentLiesIn() throws IOException {
        open(TERM_LENGTH);
        receive(1, (buffer, offset, length, header) -> {
            address = buffer.addressOffset();
            pages.begin(buffer, header);
        });
        assertTrue(residentBytes() < TERM_LENGTH, "touched already");
        touchAll();
        assertTrue(residentBytes() >= 3 * TERM_LENGTH, residentBytes() + " bytes are there");
    }

    /** Of a later term too: the log begins before it. */
    @Test
    void shouldTouchTheSameFromALaterTermOn() throws IOException {
        open(TERM_LENGTH);
        for (int i = 0; i < 3 * TERM_LENGTH / 2 / KIB; i++) {
            receive(KIB, (buffer, offset, length, header) -> {
                address = buffer.addressOffset();
                pages.begin(buffer, header);
            });
        }
        touchAll();
        assertTrue(residentBytes() >= 3 * TERM_LENGTH, residentBytes() + " bytes are there");
    }

    @Test
    void shouldTouchAllPagesOfTheLogOfAClaim() throws IOException {
        open(TERM_LENGTH);
        final BufferClaim claim = new BufferClaim();
        send(100);
        assertTrue(publication.tryClaim(17, claim) > 0);
        claim.commit();
        address = claim.buffer().addressOffset();
        pages.begin(publication, claim);
        touchAll();
        assertTrue(residentBytes() >= 3 * TERM_LENGTH, residentBytes() + " bytes are there");
    }

    @Test
    void shouldTouchNothingOfALongLogOrOfAMessageInPieces() {
        open(32 << 20);
        receive(1, (buffer, offset, length, header) -> pages.begin(buffer, header));
        assertFalse(pages.hasMore());
        publication.close();
        subscription.close();
        open(TERM_LENGTH);
        receive(2 * MTU_LENGTH, (buffer, offset, length, header) -> {
            assertEquals(2 * MTU_LENGTH, length);
            pages.begin(buffer, header);
        });
        assertFalse(pages.hasMore());
    }

    /** Compiled it does the same. */
    @Test
    void shouldTouchAsMuchWhenItIsCompiled() throws IOException {
        open(TERM_LENGTH);
        receive(1, (buffer, offset, length, header) -> pages.begin(buffer, header));
        for (int round = 0; round < WARM_UP_ROUNDS; round++) {
            while (pages.hasMore()) {
                pages.touchSome();
            }
            receive(1, (buffer, offset, length, header) -> pages.begin(buffer, header));
        }
        pages.forget();
        publication.close();
        subscription.close();
        shouldTouchAllPagesOfTheLogThatAFragmentLiesIn();
    }

    @Test
    void shouldForget() {
        open(TERM_LENGTH);
        receive(1, (buffer, offset, length, header) -> pages.begin(buffer, header));
        assertTrue(pages.hasMore());
        pages.forget();
        assertFalse(pages.hasMore());
        pages.touchSome();
    }

    @Test
    void shouldTouchNothingWhenThereIsLittleMemoryLeft() {
        open(TERM_LENGTH);
        receive(1, (buffer, offset, length, header) -> pages.begin(buffer, header));
        pages.forgetIfScarce(directoryWith(12L * TERM_LENGTH));
        assertTrue(pages.hasMore());
        pages.forgetIfScarce(directoryWith(12L * TERM_LENGTH - 1));
        assertFalse(pages.hasMore());
    }

    private File directoryWith(final long usableBytes) {
        return new File(directory.toString()) {
            private static final long serialVersionUID = 1;

            @Override
            public long getUsableSpace() {
                return usableBytes;
            }
        };
    }

    private void open(final int termLength) {
        subscription = aeron.addSubscription("aeron:ipc", STREAM);
        publication = aeron.addExclusivePublication("aeron:ipc?sparse=true|term-length=" + termLength, STREAM);
        while (!publication.isConnected() || subscription.imageCount() == 0) {
            turn();
        }
    }

    private void send(final int length) {
        while (publication.offer(message, 0, length) < 0) {
            turn();
        }
    }

    private void receive(final int length, final FragmentHandler handler) {
        send(length);
        final FragmentAssembler assembler = new FragmentAssembler(handler);
        while (subscription.poll(assembler, 10) == 0) {
            turn();
        }
        while (subscription.poll(assembler, 10) > 0) {
            turn();
        }
    }

    private void turn() {
        driver.sharedAgentInvoker().invoke();
        aeron.conductorAgentInvoker().invoke();
    }

    private void touchAll() {
        int rounds = 0;
        while (pages.hasMore()) {
            pages.touchSome();
            rounds++;
        }
        assertEquals(3 * TERM_LENGTH / (64 * KIB), rounds);
    }

    /** Of the mapping in which the term buffer lies. */
    private long residentBytes() throws IOException {
        final Iterator<String> lines = Files.readAllLines(Path.of("/proc/self/smaps")).iterator();
        while (lines.hasNext()) {
            final String[] range = lines.next().split(" ")[0].split("-");
            if (range.length == 2 && Long.parseUnsignedLong(range[0], 16) <= address &&
                    address < Long.parseUnsignedLong(range[1], 16)) {
                String line = lines.next();
                while (!line.startsWith("Rss:")) {
                    line = lines.next();
                }
                return Long.parseLong(line.replaceAll("\\D", "")) * KIB;
            }
        }
        throw new AssertionError("no mapping at " + address);
    }
}
