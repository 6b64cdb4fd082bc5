package io.tiercel.protocol;

import static io.tiercel.protocol.LayoutAssertions.assertField;
import static io.tiercel.protocol.LayoutAssertions.assertMessage;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.protocol.telemetry.EventDecoder;
import io.tiercel.protocol.telemetry.EventEncoder;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.FactsDecoder;
import io.tiercel.protocol.telemetry.FactsEncoder;
import io.tiercel.protocol.telemetry.IntervalEndDecoder;
import io.tiercel.protocol.telemetry.IntervalHistogramDecoder;
import io.tiercel.protocol.telemetry.MessageHeaderDecoder;
import io.tiercel.protocol.telemetry.MessageHeaderEncoder;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.broadcast.BroadcastBufferDescriptor;
import org.agrona.concurrent.broadcast.BroadcastTransmitter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The offsets that README.md's section Telemetry prints: of the file, and of each message from its first byte. */
class TelemetryLayoutTest {

    private static final int HEADER = 8;
    private static final int RING = 4096;

    @Test
    void shouldHaveTheFileOfTheReadme(@TempDir final Path directory) throws IOException {
        final ExpandableArrayBuffer message = new ExpandableArrayBuffer();
        final int length = HEADER + event(message).encodedLength();
        try (TelemetryFile file = TelemetryFile.create(directory, "desk-1", 42, 1_000)) {
            new BroadcastTransmitter(file.ring()).transmit(EventEncoder.TEMPLATE_ID, message, 0, length);
            file.heartbeat(2_000);
            file.stopped();
        }
        final UnsafeBuffer bytes = new UnsafeBuffer(Files.readAllBytes(directory.resolve("telemetry.dat")));
        assertEquals("TIERCEL1", bytes.getStringWithoutLengthAscii(0, 8));
        assertEquals(1, bytes.getInt(8, LITTLE_ENDIAN));
        assertEquals(EventDecoder.SCHEMA_VERSION, bytes.getInt(12, LITTLE_ENDIAN));
        assertEquals(42, bytes.getLong(16, LITTLE_ENDIAN));
        assertEquals(1_000, bytes.getLong(24, LITTLE_ENDIAN));
        assertEquals(2_000, bytes.getLong(32, LITTLE_ENDIAN));
        assertEquals(2, bytes.getInt(40, LITTLE_ENDIAN));
        final int ringLength = bytes.getInt(44, LITTLE_ENDIAN);
        assertEquals(1 << 20, ringLength);
        assertEquals("desk-1\0", bytes.getStringWithoutLengthAscii(48, 7));
        assertEquals(4224 + ringLength, bytes.capacity());

        assertEquals(HEADER + length, bytes.getInt(RING, LITTLE_ENDIAN));
        assertEquals(4, bytes.getInt(RING + 4, LITTLE_ENDIAN));
        assertEquals("desk-7", bytes.getStringWithoutLengthAscii(RING + 8 + 45, 6));
        final int end = HEADER + length + 7 & -8;
        assertEquals(end, bytes.getLong(RING + ringLength, LITTLE_ENDIAN));
        assertEquals(end, bytes.getLong(RING + 8 + ringLength, LITTLE_ENDIAN));
        assertEquals(0, bytes.getLong(RING + 16 + ringLength, LITTLE_ENDIAN));
        assertEquals(0, BroadcastBufferDescriptor.TAIL_INTENT_COUNTER_OFFSET);
        assertEquals(8, BroadcastBufferDescriptor.TAIL_COUNTER_OFFSET);
        assertEquals(16, BroadcastBufferDescriptor.LATEST_COUNTER_OFFSET);
    }

    @Test
    void shouldHaveTheHeaderOfTheReadme() {
        assertEquals(HEADER, MessageHeaderDecoder.ENCODED_LENGTH);
        assertEquals(0, MessageHeaderDecoder.blockLengthEncodingOffset());
        assertEquals(2, MessageHeaderDecoder.templateIdEncodingOffset());
        assertEquals(4, MessageHeaderDecoder.schemaIdEncodingOffset());
        assertEquals(6, MessageHeaderDecoder.versionEncodingOffset());
        assertEquals(7003, MessageHeaderDecoder.SCHEMA_ID);
        assertEquals(2, MessageHeaderDecoder.SCHEMA_VERSION);
    }

    @Test
    void shouldHaveTheFactsOfTheReadme() {
        assertMessage(1, 80, FactsDecoder.TEMPLATE_ID, FactsDecoder.BLOCK_LENGTH);
        assertField(8, 8, FactsDecoder.numberEncodingOffset(), FactsDecoder.numberEncodingLength());
        assertField(16, 8, FactsDecoder.startMsEncodingOffset(), FactsDecoder.startMsEncodingLength());
        assertField(24, 8, FactsDecoder.pidEncodingOffset(), FactsDecoder.pidEncodingLength());
        assertField(32, 4, FactsDecoder.intervalMsEncodingOffset(), FactsDecoder.intervalMsEncodingLength());
        assertField(36, 4, FactsDecoder.maxClientsEncodingOffset(), FactsDecoder.maxClientsEncodingLength());
        assertField(40, 4, FactsDecoder.maxSessionsEncodingOffset(), FactsDecoder.maxSessionsEncodingLength());
        assertField(44, 4, FactsDecoder.maxGenerationsEncodingOffset(), FactsDecoder.maxGenerationsEncodingLength());
        assertField(48, 4, FactsDecoder.maxInFlightEncodingOffset(), FactsDecoder.maxInFlightEncodingLength());
        assertField(52, 4, FactsDecoder.maxBatchEncodingOffset(), FactsDecoder.maxBatchEncodingLength());
        assertField(56, 4, FactsDecoder.maxRatePerSecondEncodingOffset(),
                FactsDecoder.maxRatePerSecondEncodingLength());
        assertField(60, 4, FactsDecoder.ringCapacityEncodingOffset(), FactsDecoder.ringCapacityEncodingLength());
        assertField(64, 4, FactsDecoder.inferWorkersEncodingOffset(), FactsDecoder.inferWorkersEncodingLength());
        assertField(68, 8, FactsDecoder.warnFreeBytesEncodingOffset(), FactsDecoder.warnFreeBytesEncodingLength());
        assertField(76, 8, FactsDecoder.refuseFreeBytesEncodingOffset(), FactsDecoder.refuseFreeBytesEncodingLength());
        assertField(84, 4, FactsDecoder.clientCountEncodingOffset(), FactsDecoder.clientCountEncodingLength());
        assertEquals(4, FactsDecoder.nameHeaderLength());
    }

    @Test
    void shouldHaveTheModelsAndClientsOfTheReadme() {
        assertEquals(133, FactsDecoder.ModelsDecoder.sbeBlockLength());
        assertEquals(0, FactsDecoder.ModelsDecoder.modelIndexEncodingOffset());
        assertEquals(2, FactsDecoder.ModelsDecoder.aliasEncodingOffset());
        assertEquals(34, FactsDecoder.ModelsDecoder.versionEncodingOffset());
        assertEquals(66, FactsDecoder.ModelsDecoder.familyEncodingOffset());
        assertEquals(98, FactsDecoder.ModelsDecoder.backendEncodingOffset());
        assertEquals(130, FactsDecoder.ModelsDecoder.weightEncodingOffset());
        assertEquals(132, FactsDecoder.ModelsDecoder.drainedEncodingOffset());
        assertEquals(76, FactsDecoder.ClientsDecoder.sbeBlockLength());
        assertEquals(0, FactsDecoder.ClientsDecoder.sessionIdEncodingOffset());
        assertEquals(4, FactsDecoder.ClientsDecoder.sinceMsEncodingOffset());
        assertEquals(12, FactsDecoder.ClientsDecoder.principalEncodingOffset());

        final ExpandableArrayBuffer bytes = new ExpandableArrayBuffer();
        final FactsEncoder facts = new FactsEncoder().wrapAndApplyHeader(bytes, 0, new MessageHeaderEncoder());
        facts.modelsCount(2).next().alias("flow").next().alias("book").backend("cpu").weight(9_500);
        facts.clientsCount(1).next().sessionId(-7).principal("desk-7");
        facts.name("desk-1").layout("paired").journalDirectory("/j");
        assertEquals(133, bytes.getShort(88, LITTLE_ENDIAN));
        assertEquals(2, bytes.getShort(90, LITTLE_ENDIAN));
        assertEquals("flow", bytes.getStringWithoutLengthAscii(94, 4));
        assertEquals("book", bytes.getStringWithoutLengthAscii(94 + 133, 4));
        assertEquals("cpu", bytes.getStringWithoutLengthAscii(190 + 133, 3));
        assertEquals(9_500, bytes.getShort(222 + 133, LITTLE_ENDIAN));
        final int clients = 2 * 133;
        assertEquals(76, bytes.getShort(92 + clients, LITTLE_ENDIAN));
        assertEquals(1, bytes.getShort(94 + clients, LITTLE_ENDIAN));
        assertEquals(-7, bytes.getInt(96 + clients, LITTLE_ENDIAN));
        assertEquals("desk-7", bytes.getStringWithoutLengthAscii(108 + clients, 6));
        final int texts = 96 + clients + 76;
        assertEquals(6, bytes.getInt(texts, LITTLE_ENDIAN));
        assertEquals("desk-1", bytes.getStringWithoutLengthAscii(texts + 4, 6));
        assertEquals("paired", bytes.getStringWithoutLengthAscii(texts + 14, 6));
        assertEquals("/j", bytes.getStringWithoutLengthAscii(texts + 24, 2));
    }

    @Test
    void shouldHaveTheHistogramOfTheReadme() {
        assertMessage(2, 27, IntervalHistogramDecoder.TEMPLATE_ID, IntervalHistogramDecoder.BLOCK_LENGTH);
        assertField(8, 8, IntervalHistogramDecoder.numberEncodingOffset(),
                IntervalHistogramDecoder.numberEncodingLength());
        assertField(16, 8, IntervalHistogramDecoder.startMsEncodingOffset(),
                IntervalHistogramDecoder.startMsEncodingLength());
        assertField(24, 8, IntervalHistogramDecoder.endMsEncodingOffset(),
                IntervalHistogramDecoder.endMsEncodingLength());
        assertField(32, 2, IntervalHistogramDecoder.modelIndexEncodingOffset(),
                IntervalHistogramDecoder.modelIndexEncodingLength());
        assertField(34, 1, IntervalHistogramDecoder.seriesEncodingOffset(),
                IntervalHistogramDecoder.seriesEncodingLength());
        assertEquals(65_535, IntervalHistogramDecoder.modelIndexNullValue());
        assertEquals(4, IntervalHistogramDecoder.threadHeaderLength());
        assertEquals(4, IntervalHistogramDecoder.histogramHeaderLength());
        assertEquals(0, Series.JOURNAL.value());
        assertEquals(1, Series.QUEUE.value());
        assertEquals(2, Series.INFER.value());
        assertEquals(3, Series.EGRESS.value());
        assertEquals(4, Series.TOTAL.value());
        assertEquals(5, Series.HICCUP.value());
    }

    @Test
    void shouldHaveTheIntervalEndOfTheReadme() {
        assertMessage(3, 61, IntervalEndDecoder.TEMPLATE_ID, IntervalEndDecoder.BLOCK_LENGTH);
        assertField(8, 8, IntervalEndDecoder.numberEncodingOffset(), IntervalEndDecoder.numberEncodingLength());
        assertField(16, 8, IntervalEndDecoder.startMsEncodingOffset(), IntervalEndDecoder.startMsEncodingLength());
        assertField(24, 8, IntervalEndDecoder.endMsEncodingOffset(), IntervalEndDecoder.endMsEncodingLength());
        assertField(32, 8, IntervalEndDecoder.takenSequenceEncodingOffset(),
                IntervalEndDecoder.takenSequenceEncodingLength());
        assertField(40, 8, IntervalEndDecoder.recordedSequenceEncodingOffset(),
                IntervalEndDecoder.recordedSequenceEncodingLength());
        assertField(48, 4, IntervalEndDecoder.maxUnfinishedCountEncodingOffset(),
                IntervalEndDecoder.maxUnfinishedCountEncodingLength());
        assertField(52, 8, IntervalEndDecoder.journalBytesEncodingOffset(),
                IntervalEndDecoder.journalBytesEncodingLength());
        assertField(60, 8, IntervalEndDecoder.rolledCountEncodingOffset(),
                IntervalEndDecoder.rolledCountEncodingLength());
        assertField(68, 1, IntervalEndDecoder.phaseEncodingOffset(), IntervalEndDecoder.phaseEncodingLength());
        assertEquals(0, Phase.SERVING.value());
        assertEquals(1, Phase.SPACE_LOW.value());
        assertEquals(2, Phase.DRAINING.value());
        assertEquals(3, Phase.JOURNAL_FAILED.value());
    }

    @Test
    void shouldHaveTheEventOfTheReadme() {
        assertMessage(4, 33, EventDecoder.TEMPLATE_ID, EventDecoder.BLOCK_LENGTH);
        assertField(8, 8, EventDecoder.numberEncodingOffset(), EventDecoder.numberEncodingLength());
        assertField(16, 8, EventDecoder.startNsEncodingOffset(), EventDecoder.startNsEncodingLength());
        assertField(24, 8, EventDecoder.durationNsEncodingOffset(), EventDecoder.durationNsEncodingLength());
        assertField(32, 8, EventDecoder.valueEncodingOffset(), EventDecoder.valueEncodingLength());
        assertField(40, 1, EventDecoder.kindEncodingOffset(), EventDecoder.kindEncodingLength());
        final ExpandableArrayBuffer bytes = new ExpandableArrayBuffer();
        event(bytes);
        assertEquals(6, bytes.getInt(41, LITTLE_ENDIAN));
        assertEquals("desk-7", bytes.getStringWithoutLengthUtf8(45, 6));
    }

    /** In the order of the readme's table, which is that of their numbers. */
    @Test
    void shouldHaveTheKindsOfTheReadme() throws IOException {
        final List<String> rows = Files.readAllLines(Path.of("README.md")).stream()
                .dropWhile(line -> !line.startsWith("#### 4 Event"))
                .filter(line -> line.matches("\\| \\d+ \\| [A-Z_]+ \\|.*"))
                .map(line -> line.replaceFirst("\\| (\\d+) \\| ([A-Z_]+) \\|.*", "$1 $2"))
                .toList();
        assertEquals(
                Arrays.stream(EventKind.values()).filter(kind -> kind != EventKind.NULL_VAL)
                        .map(kind -> kind.value() + " " + kind).toList(),
                rows);
    }

    private static EventEncoder event(final ExpandableArrayBuffer buffer) {
        final byte[] subject = "desk-7".getBytes(StandardCharsets.UTF_8);
        return new EventEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .number(0).startNs(1).durationNs(2).value(3).kind(EventKind.CLIENT_GONE)
                .putSubject(subject, 0, subject.length);
    }
}
