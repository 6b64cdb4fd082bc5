package io.tiercel.appliance.telemetry;

import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.protocol.TelemetryFile;
import io.tiercel.protocol.telemetry.EventDecoder;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.FactsDecoder;
import io.tiercel.protocol.telemetry.IntervalEndDecoder;
import io.tiercel.protocol.telemetry.IntervalHistogramDecoder;
import io.tiercel.protocol.telemetry.MessageHeaderDecoder;
import org.HdrHistogram.Histogram;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.broadcast.BroadcastReceiver;
import org.agrona.concurrent.broadcast.CopyBroadcastReceiver;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a reader with a mapping of its own finds in the file. */
class DeskAgentTest {

    private static final long START_MS = 1_700_000_000_000L;
    private static final long OFFSET_NS = 5_000;
    private static final int SCRATCH_BYTES = 1 << 17;

    @TempDir
    Path directory;
    private final Happenings happenings = new Happenings();
    private final PipelineState state = new PipelineState();
    private final List<String> heard = new ArrayList<>();
    private long takenSequence = 9;
    private long rolledCount;
    private TelemetryFile seen;
    private CopyBroadcastReceiver receiver;
    private DeskAgent desk;

    @BeforeEach
    void begin() throws IOException {
        final TelemetryFacts facts = new TelemetryFacts("desk-1", "compact", "/journal",
                new TelemetryFacts.Limits(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
                List.of(new TelemetryFacts.ServedModel("flow", new byte[32], "lstm", "cpu", 9_500, true)));
        final DeskAgent.Sources sources = new DeskAgent.Sources(
                state, () -> takenSequence, () -> 4, () -> 77, () -> rolledCount, () -> 1_000, OFFSET_NS);
        desk = new DeskAgent(TelemetryFile.create(directory, "desk-1", 42, START_MS), facts, sources, happenings,
                () -> START_MS + 100, 1_000);
        seen = TelemetryFile.open(TelemetryFile.in(directory));
        receiver = new CopyBroadcastReceiver(new BroadcastReceiver(seen.ring()), SCRATCH_BYTES);
        desk.onStart();
    }

    @Test
    void shouldSayWhatItIsAndThatItBegins() {
        assertEquals("desk-1", seen.applianceName());
        assertEquals(42, seen.pid());
        assertEquals(List.of("0 facts desk-1 compact /journal limits=1,2,10 models=[flow lstm cpu 9500 1] clients=[]",
                "1 event APPLIANCE_STARTED at=6000 value=10 "), read());
    }

    @Test
    void shouldTellClientsThatComeAndGoAndNameThoseThatStay() {
        read();
        happenings.tell(EventKind.CLIENT_WELCOMED, -7, "desk-7");
        happenings.tell(EventKind.CLIENT_WELCOMED, 8, "d\u00fcsk");
        happenings.tell(EventKind.CLIENT_GONE, -7, "desk-7");
        happenings.tell(EventKind.SNAPSHOT_WRITTEN, 500, 20, 3, "");
        desk.doWork();
        desk.onIntervalEnd(START_MS, START_MS + 1_000);
        assertEquals(List.of(
                "2 event CLIENT_WELCOMED at=6000 value=-7 desk-7",
                "3 event CLIENT_WELCOMED at=6000 value=8 d?sk",
                "4 event CLIENT_GONE at=6000 value=-7 desk-7",
                "5 event SNAPSHOT_WRITTEN at=5500 value=3 ",
                "6 interval taken=9 recorded=4 unfinished=5 bytes=77 rolls=0 SERVING",
                "7 facts desk-1 compact /journal limits=1,2,10 models=[flow lstm cpu 9500 1] clients=[8 d?sk]"),
                read());
    }

    @Test
    void shouldTellWhatStateAndJournalSayWhenTheyChange() {
        read();
        happenings.tell(EventKind.DEVICE_LOST, 1, "");
        rolledCount = 2;
        state.drain();
        desk.doWork();
        desk.doWork();
        assertEquals(List.of("2 event DEVICE_LOST at=6000 value=1 ",
                "3 event PHASE_CHANGED at=6000 value=2 DRAINING", "4 event JOURNAL_ROLLED at=6000 value=2 "), read());
    }

    @Test
    void shouldCarryHistogramsAsTheyWereRecorded() {
        read();
        final Histogram histogramNs = StageRecorder.newHistogram();
        histogramNs.recordValue(1_500);
        histogramNs.recordValue(3_000_000);
        desk.onStage(Stage.INFER, 0, histogramNs);
        desk.onHiccups("io", histogramNs);
        assertEquals(
                List.of("2 INFER model=0 thread= count=2 maxUs=3", "3 HICCUP model=65535 thread=io count=2 maxUs=3"),
                read().stream().map(line -> line.replaceAll("maxUs=30\\d\\d", "maxUs=3")).toList());
    }

    @Test
    void shouldGoOnWhenAReaderNeverReadsAndWhenNoneIsThere() {
        for (int event = 0; event < 100_000; event++) {
            happenings.tell(EventKind.CLIENT_REFUSED, event, "nobody");
            if (event % 100 == 0) {
                desk.doWork();
            }
        }
        desk.onClose();
        assertTrue(seen.isStopped());
        assertEquals(START_MS + 100, seen.heartbeatMs());
        assertTrue(receiver.broadcastReceiver().capacity() < 100_000 * 64, "the ring has gone round");
    }

    @Test
    void shouldCountWhatFoundNoRoomOnItsWay() {
        read();
        for (int event = 0; event < 10_000; event++) {
            happenings.tell(EventKind.CLIENT_REFUSED, event, "nobody");
        }
        desk.doWork();
        final List<String> lines = read();
        assertEquals("EVENTS_LOST", lines.get(lines.size() - 1).split(" ")[2]);
        assertTrue(lines.get(lines.size() - 1).contains("value=" + (10_000 - (lines.size() - 1)) + " "));
    }

    private List<String> read() {
        heard.clear();
        while (receiver.receive((typeId, buffer, index, length) -> heard.add(line(typeId, buffer, index))) > 0) {
            continue;
        }
        return List.copyOf(heard);
    }

    private static String line(final int templateId, final DirectBuffer buffer, final int index) {
        final MessageHeaderDecoder header = new MessageHeaderDecoder();
        return switch (templateId) {
            case FactsDecoder.TEMPLATE_ID -> line(new FactsDecoder().wrapAndApplyHeader(buffer, index, header));
            case EventDecoder.TEMPLATE_ID -> line(new EventDecoder().wrapAndApplyHeader(buffer, index, header));
            case IntervalEndDecoder.TEMPLATE_ID ->
                    line(new IntervalEndDecoder().wrapAndApplyHeader(buffer, index, header));
            default -> line(new IntervalHistogramDecoder().wrapAndApplyHeader(buffer, index, header));
        };
    }

    private static String line(final FactsDecoder facts) {
        final List<String> models = new ArrayList<>();
        final String start = facts.number() + " facts ";
        final String limits = " limits=" + facts.maxClients() + "," + facts.maxSessions() + "," +
                facts.refuseFreeBytes();
        facts.models().forEach(model -> models.add(model.alias() + " " + model.family() + " " + model.backend() +
                " " + model.weight() + " " + model.drained()));
        final List<String> clients = new ArrayList<>();
        facts.clients().forEach(client -> clients.add(client.sessionId() + " " + client.principal()));
        return start + facts.name() + " " + facts.layout() + " " + facts.journalDirectory() + limits + " models=" +
                models + " clients=" + clients;
    }

    private static String line(final EventDecoder event) {
        return event.number() + " event " + event.kind() + " at=" + event.startNs() + " value=" + event.value() + " " +
                event.subject();
    }

    private static String line(final IntervalEndDecoder end) {
        return end.number() + " interval taken=" + end.takenSequence() + " recorded=" + end.recordedSequence() +
                " unfinished=" + end.maxUnfinishedCount() + " bytes=" + end.journalBytes() + " rolls=" +
                end.rolledCount() + " " + end.phase();
    }

    private static String line(final IntervalHistogramDecoder message) {
        final String start = message.number() + " " + message.series() + " model=" + message.modelIndex();
        final String thread = message.thread();
        final byte[] bytes = new byte[message.histogramLength()];
        message.getHistogram(bytes, 0, bytes.length);
        try {
            final Histogram histogramNs = Histogram.decodeFromCompressedByteBuffer(java.nio.ByteBuffer.wrap(bytes), 0);
            return start + " thread=" + thread + " count=" + histogramNs.getTotalCount() + " maxUs=" +
                    histogramNs.getMaxValue() / 1_000;
        } catch (final java.util.zip.DataFormatException ex) {
            throw new AssertionError(ex);
        }
    }
}
