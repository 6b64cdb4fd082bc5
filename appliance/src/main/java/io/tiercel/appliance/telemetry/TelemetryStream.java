package io.tiercel.appliance.telemetry;

import io.tiercel.protocol.TelemetryFile;
import io.tiercel.protocol.telemetry.EventEncoder;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.FactsEncoder;
import io.tiercel.protocol.telemetry.IntervalEndEncoder;
import io.tiercel.protocol.telemetry.IntervalHistogramEncoder;
import io.tiercel.protocol.telemetry.MessageHeaderEncoder;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import org.HdrHistogram.Histogram;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.concurrent.broadcast.BroadcastTransmitter;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Encodes what the telemetry thread tells, and puts it into the broadcast buffer of a {@link TelemetryFile}. It waits
 * for no reader and knows of none. One thread; allocates as it likes.
 */
final class TelemetryStream {

    private static final String NO_THREAD = "";

    private final BroadcastTransmitter transmitter;
    private final TelemetryFacts facts;
    private final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer(4096);
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final FactsEncoder factsEncoder = new FactsEncoder();
    private final IntervalHistogramEncoder histogramEncoder = new IntervalHistogramEncoder();
    private final IntervalEndEncoder intervalEncoder = new IntervalEndEncoder();
    private final EventEncoder eventEncoder = new EventEncoder();
    private ByteBuffer compressed = ByteBuffer.allocate(1024);
    private long nextNumber;

    /** A client that is connected. */
    record ConnectedClient(int sessionId, long sinceMs, String principal) {
    }

    /** How the pipeline stood at the end of an interval. */
    record Standing(
            long takenSequence, long recordedSequence, int maxUnfinishedCount, long journalBytes, long rolledCount,
            Phase phase) {
    }

    TelemetryStream(final TelemetryFile file, final TelemetryFacts facts) {
        transmitter = new BroadcastTransmitter(file.ring());
        this.facts = facts;
    }

    void facts(final long startMs, final long pid, final long intervalMs, final List<ConnectedClient> clients) {
        final TelemetryFacts.Limits limits = facts.limits();
        factsEncoder.wrapAndApplyHeader(buffer, 0, header)
                .number(nextNumber)
                .startMs(startMs)
                .pid(pid)
                .intervalMs(intervalMs)
                .maxClients(limits.maxClients())
                .maxSessions(limits.maxSessions())
                .maxGenerations(limits.maxGenerations())
                .maxInFlight(limits.maxInFlight())
                .maxBatch(limits.maxBatch())
                .maxRatePerSecond(limits.maxRatePerSecond())
                .ringCapacity(limits.ringCapacity())
                .inferWorkers(limits.inferWorkers())
                .warnFreeBytes(limits.warnFreeBytes())
                .refuseFreeBytes(limits.refuseFreeBytes())
                .clientCount(clients.size());
        final List<TelemetryFacts.ServedModel> served = List.copyOf(facts.models());
        final FactsEncoder.ModelsEncoder models = factsEncoder.modelsCount(served.size());
        for (int index = 0; index < served.size(); index++) {
            final TelemetryFacts.ServedModel model = served.get(index);
            models.next()
                    .modelIndex(index)
                    .alias(model.alias())
                    .putVersion(model.version(), 0, model.version().length)
                    .family(model.family())
                    .backend(model.backend())
                    .weight(model.weight())
                    .drained((short) (model.isDrained() ? 1 : 0));
        }
        final int namedCount = Math.min(clients.size(), maxClientsNamed());
        final FactsEncoder.ClientsEncoder named = factsEncoder.clientsCount(namedCount);
        for (final ConnectedClient client : clients.subList(0, namedCount)) {
            named.next().sessionId(client.sessionId()).sinceMs(client.sinceMs()).principal(client.principal());
        }
        factsEncoder.name(facts.name()).layout(facts.layout()).journalDirectory(facts.journalDirectory());
        transmit(FactsEncoder.TEMPLATE_ID, factsEncoder.encodedLength());
    }

    /** There may come to be more models. */
    private int maxClientsNamed() {
        final int modelsLength = facts.models().size() * FactsEncoder.ModelsEncoder.sbeBlockLength();
        return Math.max(0, (transmitter.maxMsgLength() / 2 - modelsLength) /
                FactsEncoder.ClientsEncoder.sbeBlockLength());
    }

    void stage(final Series series, final int modelIndex, final Histogram histogramNs) {
        histogram(series, modelIndex, NO_THREAD, histogramNs);
    }

    void hiccups(final String thread, final Histogram histogramNs) {
        histogram(Series.HICCUP, IntervalHistogramEncoder.modelIndexNullValue(), thread, histogramNs);
    }

    void intervalEnd(final long startMs, final long endMs, final Standing standing) {
        intervalEncoder.wrapAndApplyHeader(buffer, 0, header)
                .number(nextNumber)
                .startMs(startMs)
                .endMs(endMs)
                .takenSequence(standing.takenSequence())
                .recordedSequence(standing.recordedSequence())
                .maxUnfinishedCount(standing.maxUnfinishedCount())
                .journalBytes(standing.journalBytes())
                .rolledCount(standing.rolledCount())
                .phase(standing.phase());
        transmit(IntervalEndEncoder.TEMPLATE_ID, intervalEncoder.encodedLength());
    }

    void event(
            final EventKind kind, final long startNs, final long durationNs, final long value, final String subject) {
        eventEncoder.wrapAndApplyHeader(buffer, 0, header)
                .number(nextNumber)
                .startNs(startNs)
                .durationNs(durationNs)
                .value(value)
                .kind(kind);
        final byte[] text = subject.getBytes(StandardCharsets.UTF_8);
        eventEncoder.putSubject(text, 0, text.length);
        transmit(EventEncoder.TEMPLATE_ID, eventEncoder.encodedLength());
    }

    private void histogram(
            final Series series, final int modelIndex, final String thread, final Histogram histogramNs) {
        if (compressed.capacity() < histogramNs.getNeededByteBufferCapacity()) {
            compressed = ByteBuffer.allocate(histogramNs.getNeededByteBufferCapacity());
        }
        compressed.clear();
        final int length = histogramNs.encodeIntoCompressedByteBuffer(compressed);
        histogramEncoder.wrapAndApplyHeader(buffer, 0, header)
                .number(nextNumber)
                .startMs(histogramNs.getStartTimeStamp())
                .endMs(histogramNs.getEndTimeStamp())
                .modelIndex(modelIndex)
                .series(series)
                .thread(thread)
                .putHistogram(compressed.array(), 0, length);
        transmit(IntervalHistogramEncoder.TEMPLATE_ID, histogramEncoder.encodedLength());
    }

    private void transmit(final int templateId, final int bodyLength) {
        transmitter.transmit(templateId, buffer, 0, MessageHeaderEncoder.ENCODED_LENGTH + bodyLength);
        nextNumber++;
    }
}
