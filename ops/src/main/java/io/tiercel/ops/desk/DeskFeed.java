package io.tiercel.ops.desk;

import io.tiercel.protocol.TelemetryFile;
import io.tiercel.protocol.telemetry.EventDecoder;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.FactsDecoder;
import io.tiercel.protocol.telemetry.IntervalEndDecoder;
import io.tiercel.protocol.telemetry.IntervalHistogramDecoder;
import io.tiercel.protocol.telemetry.MessageHeaderDecoder;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.EpochClock;
import org.agrona.concurrent.broadcast.BroadcastReceiver;
import org.agrona.concurrent.broadcast.CopyBroadcastReceiver;

/**
 * Reads an appliance's {@link TelemetryFile} into a {@link DeskState}, from another process, by a mapping that cannot
 * write. It finds an appliance that starts later, and the next one after a restart; a file that cannot be read is a
 * {@link DeskStatus}, not an exception. Call {@link #poll} ten times a second or so. One thread.
 */
public final class DeskFeed implements AutoCloseable {

    private static final int VERSION_LENGTH = 32;

    private final Path path;
    private final CountersFile countersFile;
    private final EpochClock clock;
    private final DeskState state = new DeskState();
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private TelemetryFile file;
    private CopyBroadcastReceiver receiver;
    private Object fileKey;
    private long nextNumber;

    /**
     * @param aeronDirectory as in the appliance's {@code aeron.directory}.
     * @param clock          of this host.
     */
    public DeskFeed(final Path aeronDirectory, final EpochClock clock) {
        path = TelemetryFile.in(aeronDirectory);
        countersFile = new CountersFile(aeronDirectory);
        this.clock = clock;
    }

    public DeskState state() {
        return state;
    }

    /** Reads whatever is there. */
    public DeskStatus poll() {
        try {
            final Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
            if (file == null || !key.equals(fileKey)) {
                drain();
                open(key);
            }
            state.onCounters(countersFile.read());
        } catch (final NoSuchFileException ex) {
            drain();
            closeTelemetry();
            return new DeskStatus(DeskStatus.Code.ABSENT, "file=" + path);
        } catch (final TelemetryFile.UnreadableException ex) {
            closeTelemetry();
            return new DeskStatus(DeskStatus.Code.valueOf(ex.defect().name()), ex.getMessage());
        } catch (final IOException ex) {
            closeTelemetry();
            return new DeskStatus(DeskStatus.Code.UNREADABLE, "file=" + path + " " + ex);
        }
        drain();
        return status();
    }

    /** Lets go of the files; what was read stays. */
    @Override
    public void close() {
        countersFile.close();
        closeTelemetry();
    }

    private void closeTelemetry() {
        if (file != null) {
            file.close();
            file = null;
            receiver = null;
        }
    }

    private void open(final Object key) throws IOException {
        closeTelemetry();
        final TelemetryFile opened = TelemetryFile.open(path);
        receiver = new CopyBroadcastReceiver(new BroadcastReceiver(opened.ring()), TelemetryFile.RING_LENGTH / 8);
        file = opened;
        fileKey = key;
        nextNumber = -1;
        state.begin(opened.applianceName());
    }

    private DeskStatus status() {
        if (file.isStopped()) {
            return new DeskStatus(DeskStatus.Code.STOPPED, "pid=" + file.pid());
        }
        final long silentMs = clock.time() - file.heartbeatMs();
        return silentMs > TelemetryFile.HEARTBEAT_TIMEOUT_MS
                ? new DeskStatus(DeskStatus.Code.SILENT, "pid=" + file.pid() + " silentMs=" + silentMs)
                : new DeskStatus(DeskStatus.Code.LIVE, "");
    }

    private void drain() {
        boolean isMore = file != null;
        while (isMore) {
            try {
                isMore = receiver.receive((typeId, buffer, index, length) -> onMessage(typeId, buffer, index)) > 0;
            } catch (final IllegalStateException ex) {
                isMore = true; // Overtaken by the writer: it goes on at the newest, and the numbers say what is lost.
            }
        }
    }

    private void onMessage(final int templateId, final DirectBuffer buffer, final int index) {
        switch (templateId) {
            case FactsDecoder.TEMPLATE_ID -> onFacts(new FactsDecoder().wrapAndApplyHeader(buffer, index, header));
            case IntervalHistogramDecoder.TEMPLATE_ID ->
                    onHistogram(new IntervalHistogramDecoder().wrapAndApplyHeader(buffer, index, header));
            case IntervalEndDecoder.TEMPLATE_ID ->
                    onIntervalEnd(new IntervalEndDecoder().wrapAndApplyHeader(buffer, index, header));
            case EventDecoder.TEMPLATE_ID -> onEvent(new EventDecoder().wrapAndApplyHeader(buffer, index, header));
            default -> nextNumber = nextNumber < 0 ? nextNumber : nextNumber + 1; // Of a later version.
        }
    }

    private void count(final long number) {
        if (nextNumber >= 0 && number > nextNumber) {
            state.onLost(number - nextNumber);
        }
        nextNumber = number + 1;
    }

    private void onFacts(final FactsDecoder facts) {
        count(facts.number());
        final List<DeskState.Model> models = new ArrayList<>();
        final byte[] version = new byte[VERSION_LENGTH];
        for (final FactsDecoder.ModelsDecoder model : facts.models()) {
            model.getVersion(version, 0, version.length);
            models.add(new DeskState.Model(model.modelIndex(), model.alias(), HexFormat.of().formatHex(version),
                    model.family(), model.backend(),
                    model.weight() == FactsDecoder.ModelsDecoder.weightNullValue()
                            ? DeskState.Model.UNTOLD
                            : model.weight(),
                    model.drained() == 1));
        }
        final List<DeskState.Client> clients = new ArrayList<>();
        for (final FactsDecoder.ClientsDecoder client : facts.clients()) {
            clients.add(new DeskState.Client(client.sessionId(), client.sinceMs(), client.principal()));
        }
        facts.skipName();
        final DeskState.Limits limits = new DeskState.Limits((int) facts.maxClients(), (int) facts.maxSessions(),
                (int) facts.maxGenerations(), (int) facts.maxInFlight(), (int) facts.maxBatch(),
                (int) facts.maxRatePerSecond(), (int) facts.ringCapacity(), (int) facts.inferWorkers(),
                facts.warnFreeBytes(), facts.refuseFreeBytes());
        final DeskState.Facts told = new DeskState.Facts(facts.startMs(), facts.pid(), facts.intervalMs(), limits,
                (int) facts.clientCount(), facts.layout(), facts.journalDirectory());
        state.onFacts(told, models, clients);
    }

    /** What a series of a later version is of, nobody here knows: it is passed over, and nothing is lost by that. */
    private void onHistogram(final IntervalHistogramDecoder message) {
        count(message.number());
        final Series series = seriesOf(message.seriesRaw());
        if (series == Series.NULL_VAL) {
            return;
        }
        final long startMs = message.startMs();
        final long endMs = message.endMs();
        final int modelIndex = message.modelIndex();
        final String thread = message.thread();
        final byte[] bytes = new byte[message.histogramLength()];
        message.getHistogram(bytes, 0, bytes.length);
        try {
            final Histogram histogramNs = Histogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(bytes), 0);
            histogramNs.setStartTimeStamp(startMs);
            histogramNs.setEndTimeStamp(endMs);
            state.onHistogram(new DeskState.Source(series, modelIndex, thread), histogramNs);
        } catch (final DataFormatException | IllegalArgumentException ex) {
            state.onLost(1);
        }
    }

    private void onIntervalEnd(final IntervalEndDecoder end) {
        count(end.number());
        state.onStanding(new DeskState.Standing(end.startMs(), end.endMs(), end.takenSequence(),
                end.recordedSequence(), end.maxUnfinishedCount(), end.journalBytes(), end.rolledCount(),
                phaseOf(end.phaseRaw())));
    }

    private void onEvent(final EventDecoder event) {
        count(event.number());
        final long startNs = event.startNs();
        state.onEvent(new DeskEvent(kindOf(event.kindRaw()), startNs, event.durationNs(), event.value(),
                event.subject()));
    }

    /** A desk outlives an upgrade of its appliance: a kind that it has no name for is an event nevertheless. */
    private static EventKind kindOf(final short code) {
        for (final EventKind kind : EventKind.values()) {
            if (kind.value() == code) {
                return kind;
            }
        }
        return EventKind.NULL_VAL;
    }

    private static Series seriesOf(final short code) {
        for (final Series series : Series.values()) {
            if (series.value() == code) {
                return series;
            }
        }
        return Series.NULL_VAL;
    }

    /** The rest of what is told with a phase of a later version is as good as ever. */
    private static Phase phaseOf(final short code) {
        for (final Phase phase : Phase.values()) {
            if (phase.value() == code) {
                return phase;
            }
        }
        return Phase.NULL_VAL;
    }
}
