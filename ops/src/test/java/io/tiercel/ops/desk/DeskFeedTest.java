package io.tiercel.ops.desk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.protocol.TelemetryFile;
import io.tiercel.protocol.telemetry.EventEncoder;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.IntervalEndEncoder;
import io.tiercel.protocol.telemetry.IntervalHistogramEncoder;
import io.tiercel.protocol.telemetry.MessageHeaderEncoder;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.HdrHistogram.Histogram;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.concurrent.broadcast.BroadcastTransmitter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeskFeedTest {

    private static final DeskState.Source TOTAL = new DeskState.Source(Series.TOTAL, 0, "");

    @TempDir
    Path directory;
    private final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private BroadcastTransmitter transmitter;
    private long number;
    private long nowMs = 1_000;

    @Test
    void shouldFindAnApplianceThatStartsLaterAndTheNextOne() throws IOException {
        try (DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            assertEquals(DeskStatus.Code.ABSENT, feed.poll().code());
            final TelemetryFile first = begin("one");
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            event(EventKind.CLIENT_WELCOMED);
            first.stopped();
            assertEquals(DeskStatus.Code.STOPPED, feed.poll().code());
            assertEquals(1, feed.state().events().size());
            begin("two");
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            assertEquals("two", feed.state().name());
            nowMs += TelemetryFile.HEARTBEAT_TIMEOUT_MS + 1;
            assertEquals("pid=42 silentMs=3001", feed.poll().detail());
            first.close();
        }
    }

    @Test
    void shouldAddUpTheIntervalsOfAWindowAndForgetOldOnes() throws IOException {
        begin("one");
        try (DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            feed.poll();
            for (int second = 0; second < 400; second++) {
                interval(second * 1_000L, 1_000L + second);
                feed.poll();
            }
            assertEquals(1, feed.state().histogram(TOTAL, 1_000).getTotalCount());
            assertEquals(60, feed.state().histogram(TOTAL, 60_000).getTotalCount());
            assertEquals(300, feed.state().histogram(TOTAL, DeskState.KEEP_MS * 2).getTotalCount());
            assertEquals(1_399, feed.state().histogram(TOTAL, 1_000).getMaxValue(), 14);
            assertEquals(Phase.SPACE_LOW, feed.state().standing().phase());
            assertEquals(0, feed.state().lostCount());
        }
    }

    @Test
    void shouldKnowHowMuchItHasLostWhenItWasTooSlow() throws IOException {
        begin("one");
        try (DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            feed.poll();
            event(EventKind.CLIENT_GONE);
            feed.poll();
            for (int count = 0; count < 50_000; count++) {
                event(EventKind.CLIENT_REFUSED);
            }
            feed.poll();
            event(EventKind.CLIENT_GONE);
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            assertEquals(50_000, feed.state().lostCount());
            assertEquals(2, feed.state().events().size());
        }
    }

    @Test
    void shouldSayWhatIsWrongWithAFileThatItCannotRead() throws IOException {
        begin("one").close();
        final Path file = TelemetryFile.in(directory);
        final byte[] whole = Files.readAllBytes(file);
        assertEquals(DeskStatus.Code.TRUNCATED, statusOf(Arrays.copyOf(whole, 100)));
        assertEquals(DeskStatus.Code.TRUNCATED, statusOf(Arrays.copyOf(whole, whole.length - 1)));
        assertEquals(DeskStatus.Code.FOREIGN, statusOf(new byte[whole.length]));
        final byte[] later = whole.clone();
        later[8] = 9;
        assertEquals(DeskStatus.Code.OTHER_VERSION, statusOf(later));
        assertEquals(DeskStatus.Code.LIVE, statusOf(whole));
    }

    private DeskStatus.Code statusOf(final byte[] content) throws IOException {
        Files.write(TelemetryFile.in(directory), content);
        try (DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            return feed.poll().code();
        }
    }

    private TelemetryFile begin(final String name) throws IOException {
        final TelemetryFile file = TelemetryFile.create(directory, name, 42, nowMs);
        transmitter = new BroadcastTransmitter(file.ring());
        number = 0;
        return file;
    }

    private void event(final EventKind kind) {
        final EventEncoder event = new EventEncoder().wrapAndApplyHeader(buffer, 0, header)
                .number(number++).startNs(1).durationNs(2).value(3).kind(kind).subject("desk-7");
        transmitter.transmit(EventEncoder.TEMPLATE_ID, buffer, 0, 8 + event.encodedLength());
    }

    private void interval(final long startMs, final long valueNs) {
        final Histogram histogramNs = new Histogram(2);
        histogramNs.recordValue(valueNs);
        final ByteBuffer bytes = ByteBuffer.allocate(histogramNs.getNeededByteBufferCapacity());
        final int length = histogramNs.encodeIntoCompressedByteBuffer(bytes);
        final IntervalHistogramEncoder message = new IntervalHistogramEncoder().wrapAndApplyHeader(buffer, 0, header)
                .number(number++).startMs(startMs).endMs(startMs + 1_000).modelIndex(0).series(Series.TOTAL)
                .thread("").putHistogram(bytes.array(), 0, length);
        transmitter.transmit(IntervalHistogramEncoder.TEMPLATE_ID, buffer, 0, 8 + message.encodedLength());
        final IntervalEndEncoder end = new IntervalEndEncoder().wrapAndApplyHeader(buffer, 0, header)
                .number(number++).startMs(startMs).endMs(startMs + 1_000).takenSequence(5).recordedSequence(4)
                .maxUnfinishedCount(1).journalBytes(9).rolledCount(0).phase(Phase.SPACE_LOW);
        transmitter.transmit(IntervalEndEncoder.TEMPLATE_ID, buffer, 0, 8 + end.encodedLength());
    }
}
