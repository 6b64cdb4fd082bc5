package io.tiercel.ops;

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
import java.nio.file.Path;
import java.util.Arrays;
import org.HdrHistogram.Histogram;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.concurrent.broadcast.BroadcastTransmitter;

/** Tells a desk what a test wants it to hear, through a telemetry file as an appliance writes it. */
public final class MadeUpAppliance implements AutoCloseable {

    private static final int VERSION_LENGTH = 32;

    private final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final TelemetryFile file;
    private final BroadcastTransmitter transmitter;
    private long number;

    public MadeUpAppliance(final Path directory, final String name, final long startMs) throws IOException {
        file = TelemetryFile.create(directory, name, 42, startMs);
        transmitter = new BroadcastTransmitter(file.ring());
    }

    /**
     * @param aliases of its models; the version of each is its index + 1, in every byte. New sessions come to the first
     *                one, the others are drained.
     */
    public void facts(final String... aliases) {
        final FactsEncoder facts = new FactsEncoder().wrapAndApplyHeader(buffer, 0, header)
                .number(number++).startMs(0).pid(42).intervalMs(1_000)
                .maxClients(64).maxSessions(4_096).maxGenerations(256).maxInFlight(1_024).maxBatch(32)
                .maxRatePerSecond(0).ringCapacity(256).inferWorkers(1)
                .warnFreeBytes(2L << 30).refuseFreeBytes(256L << 20).clientCount(1);
        final FactsEncoder.ModelsEncoder models = facts.modelsCount(aliases.length);
        for (int index = 0; index < aliases.length; index++) {
            final byte[] version = new byte[VERSION_LENGTH];
            Arrays.fill(version, (byte) (index + 1));
            models.next().modelIndex(index).alias(aliases[index]).putVersion(version, 0, version.length)
                    .family("lstm").backend("cpu").weight(index == 0 ? 9_500 : 0)
                    .drained((short) (index == 0 ? 0 : 1));
        }
        facts.clientsCount(1).next().sessionId(1).sinceMs(0).principal("desk-7");
        facts.name("desk-1").layout("paired").journalDirectory("/data/journal");
        transmit(FactsEncoder.TEMPLATE_ID, facts.encodedLength());
    }

    public void histogram(final Series series, final int modelIndex, final String thread, final Histogram histogramNs) {
        final ByteBuffer bytes = ByteBuffer.allocate(histogramNs.getNeededByteBufferCapacity());
        final int length = histogramNs.encodeIntoCompressedByteBuffer(bytes);
        final IntervalHistogramEncoder message = new IntervalHistogramEncoder().wrapAndApplyHeader(buffer, 0, header)
                .number(number++).startMs(startMsOf(histogramNs)).endMs(endMsOf(histogramNs)).modelIndex(modelIndex)
                .series(series)
                .thread(thread).putHistogram(bytes.array(), 0, length);
        transmit(IntervalHistogramEncoder.TEMPLATE_ID, message.encodedLength());
    }

    /** Of the first second, unless the histogram says otherwise. */
    private static long endMsOf(final Histogram histogramNs) {
        return histogramNs.getEndTimeStamp() == 0 ? 1_000 : histogramNs.getEndTimeStamp();
    }

    private static long startMsOf(final Histogram histogramNs) {
        return endMsOf(histogramNs) - 1_000;
    }

    public void intervalEnd(final Phase phase) {
        intervalEnd(0, 1_000, phase);
    }

    public void intervalEnd(final long startMs, final long endMs, final Phase phase) {
        final IntervalEndEncoder end = new IntervalEndEncoder().wrapAndApplyHeader(buffer, 0, header)
                .number(number++).startMs(startMs).endMs(endMs).takenSequence(25).recordedSequence(20)
                .maxUnfinishedCount(7).journalBytes(1 << 20).rolledCount(2).phase(phase);
        transmit(IntervalEndEncoder.TEMPLATE_ID, end.encodedLength());
    }

    public void event(final EventKind kind, final long startNs, final long durationNs, final String subject) {
        final EventEncoder event = new EventEncoder().wrapAndApplyHeader(buffer, 0, header)
                .number(number++).startNs(startNs).durationNs(durationNs).value(3).kind(kind).subject(subject);
        transmit(EventEncoder.TEMPLATE_ID, event.encodedLength());
    }

    public void stop() {
        file.stopped();
    }

    @Override
    public void close() {
        file.close();
    }

    private void transmit(final int templateId, final int bodyLength) {
        transmitter.transmit(templateId, buffer, 0, MessageHeaderEncoder.ENCODED_LENGTH + bodyLength);
    }
}
