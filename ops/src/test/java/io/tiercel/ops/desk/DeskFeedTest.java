package io.tiercel.ops.desk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.ops.MadeUpAppliance;
import io.tiercel.ops.MadeUpCounters;
import io.tiercel.protocol.TelemetryFile;
import io.tiercel.protocol.telemetry.EventEncoder;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.FactsEncoder;
import io.tiercel.protocol.telemetry.IntervalEndEncoder;
import io.tiercel.protocol.telemetry.IntervalHistogramEncoder;
import io.tiercel.protocol.telemetry.MessageHeaderEncoder;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.concurrent.broadcast.BroadcastTransmitter;
import org.agrona.concurrent.status.AtomicCounter;
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
    void shouldReadTheCountersAndFollowTheDriver() throws IOException {
        try (MadeUpAppliance appliance = new MadeUpAppliance(directory, "desk-1", nowMs);
                DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            assertEquals(0, feed.state().counter("requests"));
            try (MadeUpCounters counters = new MadeUpCounters(directory)) {
                final AtomicCounter requests =
                        counters.counter(7_000, "tiercel requests: requests taken into the ring");
                counters.counter(11, "tiercel but somebody else's: no");
                counters.counter(7_001, "another program's").set(3);
                requests.set(100);
                feed.poll();
                assertEquals(0, feed.state().counters().size(), "the driver's file is not ready");
                counters.ready();
                appliance.intervalEnd(0, 1_000, Phase.SERVING);
                feed.poll();
                assertEquals(
                        Map.of("requests", new Counter("requests", "requests taken into the ring", 100)),
                        feed.state().counters());
                requests.set(350);
                feed.poll();
                appliance.intervalEnd(1_000, 1_500, Phase.SERVING);
                feed.poll();
                assertEquals(350, feed.state().counter("requests"));
                assertEquals(500, feed.state().perSecond("requests", 1_000));
                assertEquals(0, feed.state().perSecond("sessions", 1_000));
            }
            Files.delete(directory.resolve("cnc.dat"));
            feed.poll();
            assertEquals(0, feed.state().counters().size());
            try (MadeUpCounters next = new MadeUpCounters(directory)) {
                next.counter(7_005, "tiercel sessions: sessions in memory").set(9);
                next.ready();
                feed.poll();
                assertEquals(9, feed.state().counter("sessions"));
            }
            Files.delete(directory.resolve("cnc.dat"));
            Files.write(directory.resolve("cnc.dat"), new byte[100]);
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            assertEquals(0, feed.state().counters().size(), "cut short");
        }
    }

    /** A desk may be newer than its appliance: a model had no weight then. */
    @Test
    void shouldReadWhatAnApplianceOfTheFirstVersionSays() throws IOException {
        final TelemetryFile file = begin("one");
        try (DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            final FactsEncoder facts = new FactsEncoder().wrapAndApplyHeader(buffer, 0, header).number(number++);
            facts.modelsCount(1).next().alias("flow").backend("cpu");
            final int modelsEnd = facts.limit();
            facts.clientsCount(1).next().sessionId(1).principal("desk-7");
            facts.name("one").layout("paired").journalDirectory("/j");
            final byte[] rest = new byte[facts.limit() - modelsEnd];
            buffer.getBytes(modelsEnd, rest);
            final int firstModelLength = FactsEncoder.ModelsEncoder.weightEncodingOffset();
            final int dropped = FactsEncoder.ModelsEncoder.sbeBlockLength() - firstModelLength;
            buffer.putBytes(modelsEnd - dropped, rest);
            header.wrap(buffer, 0).version(1);
            buffer.putShort(MessageHeaderEncoder.ENCODED_LENGTH + FactsEncoder.BLOCK_LENGTH, (short) firstModelLength,
                    ByteOrder.LITTLE_ENDIAN);
            transmitter.transmit(FactsEncoder.TEMPLATE_ID, buffer, 0, facts.limit() - dropped);
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            assertEquals(new DeskState.Model(0, "flow", "00".repeat(32), "", "cpu", DeskState.Model.UNTOLD, false),
                    feed.state().models().get(0));
            assertEquals("", feed.state().models().get(0).share());
            assertEquals("desk-7", feed.state().clients().get(0).principal());
        }
        file.close();
    }

    @Test
    void shouldKnowWhatTheApplianceSaysOfItself() throws IOException {
        try (MadeUpAppliance appliance = new MadeUpAppliance(directory, "desk-1", nowMs);
                DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            appliance.facts("bitstamp", "other");
            feed.poll();
            final DeskState.Facts facts = feed.state().facts();
            assertEquals(42, facts.pid());
            assertEquals("paired", facts.layout());
            assertEquals("/data/journal", facts.journalDirectory());
            assertEquals(new DeskState.Limits(64, 4_096, 256, 1_024, 32, 0, 256, 1, 2L << 30, 256L << 20),
                    facts.limits());
            assertEquals(2, feed.state().models().size());
            assertEquals("95 %", feed.state().models().get(0).share());
            assertEquals("drained", feed.state().models().get(1).share());
            assertEquals("desk-7", feed.state().clients().get(0).principal());
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
    void shouldGoOnWhenAnApplianceOfALaterVersionTellsWhatItHasNoNameFor() throws IOException {
        begin("one");
        try (DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            feed.poll();
            final EventEncoder event = encode(EventKind.CLIENT_GONE);
            buffer.putByte(8 + EventEncoder.kindEncodingOffset(), (byte) 200);
            transmitter.transmit(EventEncoder.TEMPLATE_ID, buffer, 0, 8 + event.encodedLength());
            event(EventKind.CLIENT_GONE);
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            assertEquals(List.of("something of a later version: value=3 desk-7", "client desk-7 gone, session 3"),
                    feed.state().events().stream().map(DeskEvent::describe).toList());
            assertEquals(0, feed.state().lostCount());
        }
    }

    @Test
    void shouldPassOverAHistogramWhenItIsOfASeriesThatItHasNoNameFor() throws IOException {
        begin("one");
        try (DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            feed.poll();
            final IntervalHistogramEncoder later = encodeHistogram(0, 1_000);
            buffer.putByte(8 + IntervalHistogramEncoder.seriesEncodingOffset(), (byte) 200);
            transmitter.transmit(IntervalHistogramEncoder.TEMPLATE_ID, buffer, 0, 8 + later.encodedLength());
            interval(0, 1_000);
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            assertEquals(List.of(TOTAL), feed.state().sources());
            assertEquals(1, feed.state().histogram(TOTAL, 1_000).getTotalCount());
            assertEquals(0, feed.state().lostCount());
        }
    }

    @Test
    void shouldKnowHowThePipelineStandsWhenItIsInAPhaseThatItHasNoNameFor() throws IOException {
        begin("one");
        try (DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            feed.poll();
            final IntervalEndEncoder later = encodeEnd(0);
            buffer.putByte(8 + IntervalEndEncoder.phaseEncodingOffset(), (byte) 200);
            transmitter.transmit(IntervalEndEncoder.TEMPLATE_ID, buffer, 0, 8 + later.encodedLength());
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            assertEquals(Phase.NULL_VAL, feed.state().standing().phase());
            assertEquals("unknown", feed.state().standing().phaseName());
            assertEquals(5, feed.state().standing().takenSequence());
            interval(1_000, 1_000);
            assertEquals(DeskStatus.Code.LIVE, feed.poll().code());
            assertEquals("space_low", feed.state().standing().phaseName());
            assertEquals(0, feed.state().lostCount());
        }
    }

    @Test
    void shouldKeepWhatIsToldOnceWhenStallsAndPausesComeInFloods() throws IOException {
        begin("one");
        try (DeskFeed feed = new DeskFeed(directory, () -> nowMs)) {
            feed.poll();
            event(EventKind.CLIENT_WELCOMED);
            for (int stall = 0; stall < 1_000; stall++) {
                event(EventKind.THREAD_STALLED);
                event(EventKind.JVM_PAUSED);
                feed.poll();
            }
            event(EventKind.CLIENT_GONE);
            feed.poll();
            final List<EventKind> kinds = feed.state().events().stream().map(DeskEvent::kind).toList();
            assertEquals(2 + 2 * 32, kinds.size());
            assertEquals(EventKind.CLIENT_WELCOMED, kinds.get(0));
            assertEquals(32, Collections.frequency(kinds, EventKind.THREAD_STALLED));
            assertEquals(EventKind.CLIENT_GONE, kinds.get(kinds.size() - 1));
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
        transmitter.transmit(EventEncoder.TEMPLATE_ID, buffer, 0, 8 + encode(kind).encodedLength());
    }

    private EventEncoder encode(final EventKind kind) {
        return new EventEncoder().wrapAndApplyHeader(buffer, 0, header)
                .number(number++).startNs(1).durationNs(2).value(3).kind(kind).subject("desk-7");
    }

    private void interval(final long startMs, final long valueNs) {
        final IntervalHistogramEncoder message = encodeHistogram(startMs, valueNs);
        transmitter.transmit(IntervalHistogramEncoder.TEMPLATE_ID, buffer, 0, 8 + message.encodedLength());
        transmitter.transmit(IntervalEndEncoder.TEMPLATE_ID, buffer, 0, 8 + encodeEnd(startMs).encodedLength());
    }

    private IntervalHistogramEncoder encodeHistogram(final long startMs, final long valueNs) {
        final Histogram histogramNs = new Histogram(2);
        histogramNs.recordValue(valueNs);
        final ByteBuffer bytes = ByteBuffer.allocate(histogramNs.getNeededByteBufferCapacity());
        final int length = histogramNs.encodeIntoCompressedByteBuffer(bytes);
        return new IntervalHistogramEncoder().wrapAndApplyHeader(buffer, 0, header)
                .number(number++).startMs(startMs).endMs(startMs + 1_000).modelIndex(0).series(Series.TOTAL)
                .thread("").putHistogram(bytes.array(), 0, length);
    }

    private IntervalEndEncoder encodeEnd(final long startMs) {
        return new IntervalEndEncoder().wrapAndApplyHeader(buffer, 0, header)
                .number(number++).startMs(startMs).endMs(startMs + 1_000).takenSequence(5).recordedSequence(4)
                .maxUnfinishedCount(1).journalBytes(9).rolledCount(0).phase(Phase.SPACE_LOW);
    }
}
