package io.tiercel.appliance.snapshot;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.KnownAnswer;
import io.tiercel.protocol.journal.MessageHeaderEncoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.journal.SnapshotAnswerEncoder;
import io.tiercel.protocol.journal.SnapshotEndEncoder;
import io.tiercel.protocol.journal.SnapshotHeaderEncoder;
import io.tiercel.protocol.journal.SnapshotModelEncoder;
import io.tiercel.protocol.journal.SnapshotSessionEncoder;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Writes one snapshot file, front to back. Snapshot thread only; bounded memory: a buffer, and the longest message.
 *
 * <pre>
 *   file     := message*                           SnapshotHeader, models, sessions, answers, SnapshotEnd
 *   message  := length (uint32), SBE header, block, variable data        length: of what follows it
 * </pre>
 */
final class SnapshotWriter implements AutoCloseable {

    static final int LENGTH_BYTES = Integer.BYTES;
    private static final int FLUSH_BYTES = 1 << 20;

    private final FileChannel channel;
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final SnapshotSessionEncoder session = new SnapshotSessionEncoder();
    private final SnapshotAnswerEncoder answer = new SnapshotAnswerEncoder();
    private final CRC32C crc = new CRC32C();
    private ByteBuffer bytes = allocate(2 * FLUSH_BYTES);
    private final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
    private int limit;
    private int answerCount;

    SnapshotWriter(final Path file) throws IOException {
        channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
    }

    void header(final long sequence, final int modelCount, final int sessionCount) throws IOException {
        begin(SnapshotHeaderEncoder.BLOCK_LENGTH);
        new SnapshotHeaderEncoder().wrapAndApplyHeader(buffer, limit + LENGTH_BYTES, header)
                .sequence(sequence)
                .sessionCount(sessionCount)
                .modelCount(modelCount);
        end(SnapshotHeaderEncoder.BLOCK_LENGTH);
    }

    void models(final List<LoadedModel> models, final Routes routes) throws IOException {
        for (final LoadedModel model : models) {
            begin(SnapshotModelEncoder.BLOCK_LENGTH);
            new SnapshotModelEncoder().wrapAndApplyHeader(buffer, limit + LENGTH_BYTES, header)
                    .stateLength(model.model().shape().canonicalBytes())
                    .alias(model.alias())
                    .putModelVersion(model.versionBytes(), 0, LoadedModel.VERSION_LENGTH)
                    .modelId(model.modelId())
                    .weight(routes.weight(model.index()))
                    .formerWeight(routes.formerWeight(model.index()))
                    .drained((short) (routes.isDrained(model.index()) ? 1 : 0));
            end(SnapshotModelEncoder.BLOCK_LENGTH);
        }
    }

    void session(
            final long principalId,
            final long sessionKey,
            final int modelIndex,
            final long stateHash,
            final DirectBuffer state) throws IOException {
        final int length = SnapshotSessionEncoder.BLOCK_LENGTH + SnapshotSessionEncoder.stateHeaderLength() +
                state.capacity();
        begin(length);
        session.wrapAndApplyHeader(buffer, limit + LENGTH_BYTES, header)
                .principalId(principalId)
                .sessionKey(sessionKey)
                .stateHash(stateHash)
                .modelIndex(modelIndex)
                .putState(state, 0, state.capacity());
        end(length);
    }

    void answer(final KnownAnswer known) throws IOException {
        final int outputsLength = known.outputsLength();
        final int length = SnapshotAnswerEncoder.BLOCK_LENGTH + SnapshotAnswerEncoder.outputsHeaderLength() +
                outputsLength;
        begin(length);
        answer.wrapAndApplyHeader(buffer, limit + LENGTH_BYTES, header)
                .principalId(known.principalId)
                .correlationId(known.correlationId)
                .sequence(known.sequence)
                .sessionKey(known.sessionKey)
                .frameChecksum(known.frameChecksum & 0xFFFF_FFFFL)
                .applianceNs(known.applianceNs)
                .modelIndex(known.modelId)
                .batchSize(known.batchSize)
                .slotCount(known.slotCount)
                .outputCount(known.outputCount)
                .status(OutcomeStatus.get(known.status.value()));
        answer.flags().clear().sessionBegan(known.hasSessionBegun);
        answer.putOutputs(known.outputs, 0, outputsLength);
        end(length);
        answerCount++;
    }

    /** Ends the file and writes it through to the device. @return its length in bytes. */
    long finish() throws IOException {
        flush();
        final long checksum = crc.getValue();
        begin(SnapshotEndEncoder.BLOCK_LENGTH);
        new SnapshotEndEncoder().wrapAndApplyHeader(buffer, limit + LENGTH_BYTES, header)
                .answerCount(answerCount)
                .crc32c(checksum);
        end(SnapshotEndEncoder.BLOCK_LENGTH);
        flush();
        channel.force(true);
        return channel.position();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private void begin(final int bodyLength) throws IOException {
        final int length = LENGTH_BYTES + MessageHeaderEncoder.ENCODED_LENGTH + bodyLength;
        if (limit + length > bytes.capacity()) {
            flush();
        }
        if (length > bytes.capacity()) {
            bytes = allocate(length);
            buffer.wrap(bytes);
        }
    }

    private void end(final int bodyLength) throws IOException {
        final int length = MessageHeaderEncoder.ENCODED_LENGTH + bodyLength;
        buffer.putInt(limit, length, ByteOrder.LITTLE_ENDIAN);
        limit += LENGTH_BYTES + length;
        if (limit >= FLUSH_BYTES) {
            flush();
        }
    }

    private void flush() throws IOException {
        bytes.clear().limit(limit);
        crc.update(bytes);
        bytes.rewind();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        bytes.clear();
        limit = 0;
    }

    private static ByteBuffer allocate(final int length) {
        return ByteBuffer.allocateDirect(length);
    }
}
