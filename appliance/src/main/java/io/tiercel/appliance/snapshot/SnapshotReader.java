package io.tiercel.appliance.snapshot;

import io.tiercel.appliance.session.KnownAnswer;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.journal.MessageHeaderDecoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.journal.SnapshotAnswerDecoder;
import io.tiercel.protocol.journal.SnapshotEndDecoder;
import io.tiercel.protocol.journal.SnapshotHeaderDecoder;
import io.tiercel.protocol.journal.SnapshotModelDecoder;
import io.tiercel.protocol.journal.SnapshotSessionDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Reads one snapshot file. All of it is checked when it is opened, checksum and structure, before anything is made of
 * it; then the sessions are walked one by one, and then the answers. One thread; changes nothing.
 */
public final class SnapshotReader implements AutoCloseable {

    private static final int HEADER_LENGTH = MessageHeaderDecoder.ENCODED_LENGTH;
    private static final int END_LENGTH =
            SnapshotWriter.LENGTH_BYTES + HEADER_LENGTH + SnapshotEndDecoder.BLOCK_LENGTH;
    private static final int SESSION_LENGTH = HEADER_LENGTH + SnapshotSessionDecoder.BLOCK_LENGTH +
            SnapshotSessionDecoder.stateHeaderLength();
    private static final int BUFFER_LENGTH = 1 << 20;

    private final Path file;
    private final FileChannel channel;
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final SnapshotSessionDecoder session = new SnapshotSessionDecoder();
    private final SnapshotAnswerDecoder answer = new SnapshotAnswerDecoder();
    private final UnsafeBuffer state = new UnsafeBuffer(0, 0);
    private final List<ModelEntry> models = new ArrayList<>();
    private final UnsafeBuffer message = new UnsafeBuffer(0, 0);
    private ByteBuffer bytes = ByteBuffer.allocateDirect(BUFFER_LENGTH);
    private long fileLength;
    private long position;
    private long firstSessionPosition;
    private long sequence;
    private int sessionCount;
    private int answerCount;
    private int nextSession;
    private long firstAnswerPosition;
    private int nextAnswer;
    /** Of an answer, in the version that the snapshot is of. */
    private int answerBlockLength;

    /** A version of a model as the snapshot has it; see {@link io.tiercel.appliance.routing.Routes}. */
    public record ModelEntry(
            String alias, String versionHex, int stateLength, int modelId, int weight, int formerWeight,
            boolean isDrained) {

        /** Of a snapshot from before models had versions. */
        static ModelEntry only(
                final String alias, final String versionHex, final int stateLength, final int modelId) {
            return new ModelEntry(alias, versionHex, stateLength, modelId, Frames.FULL_WEIGHT, 0, false);
        }
    }

    private SnapshotReader(final Path file) throws IOException {
        this.file = file;
        channel = FileChannel.open(file, StandardOpenOption.READ);
    }

    /**
     * Opens a file and checks all of it.
     *
     * @throws SnapshotException if it is cut short, damaged, of another version, or cannot be read.
     */
    public static SnapshotReader open(final Path file) {
        SnapshotReader reader = null;
        try {
            reader = new SnapshotReader(file);
            reader.check();
            return reader;
        } catch (final IOException ex) {
            closeQuietly(reader);
            throw new SnapshotException("snapshot cannot be read: file=" + file + " " + ex, ex);
        } catch (final RuntimeException ex) {
            closeQuietly(reader);
            throw ex;
        }
    }

    public Path file() {
        return file;
    }

    public long fileLength() {
        return fileLength;
    }

    /** The last request whose effect is in it. */
    public long sequence() {
        return sequence;
    }

    /** By model index. */
    public List<ModelEntry> models() {
        return List.copyOf(models);
    }

    public int sessionCount() {
        return sessionCount;
    }

    /** Answers of the retry windows. */
    public int answerCount() {
        return answerCount;
    }

    /** Goes to the next session; false behind the last. */
    public boolean nextSession() {
        if (nextSession == sessionCount) {
            return false;
        }
        if (nextSession == 0) {
            position = firstSessionPosition;
        }
        nextSession++;
        try {
            next(SnapshotSessionDecoder.TEMPLATE_ID, SnapshotSessionDecoder.BLOCK_LENGTH);
        } catch (final IOException ex) {
            throw new SnapshotException("snapshot cannot be read: file=" + file + " " + ex, ex);
        }
        wrapSession();
        return true;
    }

    /**
     * Goes to the next answer of the retry windows, which come behind the sessions; false behind the last.
     *
     * @param known filled; its outputs are good until the next call.
     */
    public boolean nextAnswer(final KnownAnswer known) {
        if (nextAnswer == answerCount) {
            return false;
        }
        if (nextAnswer == 0) {
            position = firstAnswerPosition;
        }
        nextAnswer++;
        try {
            next(SnapshotAnswerDecoder.TEMPLATE_ID, answerBlockLength);
        } catch (final IOException ex) {
            throw new SnapshotException("snapshot cannot be read: file=" + file + " " + ex, ex);
        }
        answer.wrapAndApplyHeader(message, 0, header);
        known.principalId = answer.principalId();
        known.correlationId = answer.correlationId();
        known.sequence = answer.sequence();
        known.sessionKey = answer.sessionKey();
        known.frameChecksum = (int) answer.frameChecksum();
        known.applianceNs = answer.applianceNs();
        known.modelId = answer.modelIndex();
        known.batchSize = answer.batchSize();
        known.slotCount = answer.slotCount();
        known.outputCount = answer.outputCount();
        known.status = ResultStatus.get(answer.statusRaw());
        known.hasSessionBegun = hasFlags() && answer.flags().sessionBegan();
        known.outputs.wrap(message, answerLength(), message.capacity() - answerLength());
        return true;
    }

    /** Whether answers say that their session began with them: earlier snapshots do not. */
    public boolean hasFlags() {
        return answerBlockLength == SnapshotAnswerDecoder.BLOCK_LENGTH;
    }

    public long principalId() {
        return session.principalId();
    }

    public long sessionKey() {
        return session.sessionKey();
    }

    /** Of {@link #models}: the version that the session is with. */
    public int modelIndex() {
        return session.modelIndex();
    }

    /** What the session's model is called in requests. */
    public int modelId() {
        return models.get(session.modelIndex()).modelId();
    }

    public long stateHash() {
        return session.stateHash();
    }

    /** The canonical state, from offset 0, good until {@link #nextSession}. */
    public DirectBuffer state() {
        return state;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (final IOException ex) {
            throw new SnapshotException("snapshot cannot be closed: file=" + file + " " + ex, ex);
        }
    }

    private void check() throws IOException {
        fileLength = channel.size();
        checkChecksum();
        position = 0;
        next(SnapshotHeaderDecoder.TEMPLATE_ID, SnapshotHeaderDecoder.BLOCK_LENGTH);
        final SnapshotHeaderDecoder decoder = new SnapshotHeaderDecoder();
        decoder.wrapAndApplyHeader(message, 0, header);
        answerBlockLength = decoder.actingVersion() < SnapshotAnswerDecoder.flagsSinceVersion()
                ? SnapshotAnswerDecoder.flagsEncodingOffset()
                : SnapshotAnswerDecoder.BLOCK_LENGTH;
        sequence = decoder.sequence();
        sessionCount = (int) decoder.sessionCount();
        checkModels(decoder.modelCount(), decoder.actingVersion() >= SnapshotModelDecoder.modelIdSinceVersion());
        firstSessionPosition = position;
        for (int index = 0; index < sessionCount; index++) {
            next(SnapshotSessionDecoder.TEMPLATE_ID, SnapshotSessionDecoder.BLOCK_LENGTH);
            checkSession(index);
        }
        firstAnswerPosition = position;
        int count = 0;
        for (; position < fileLength - END_LENGTH; count++) {
            next(SnapshotAnswerDecoder.TEMPLATE_ID, answerBlockLength);
            checkAnswer(count);
        }
        if (count != answerCount) {
            throw new SnapshotException(file, "answerCount=" + answerCount + " but there are " + count);
        }
    }

    private void checkAnswer(final int index) {
        answer.wrapAndApplyHeader(message, 0, header);
        final int frameCount = answer.statusRaw() == OutcomeStatus.OK.value() ? answer.slotCount() : 0;
        final int outputsLength = frameCount * answer.outputCount() * Float.BYTES;
        if (message.capacity() != answerLength() + outputsLength || answer.outputsLength() != outputsLength ||
                answer.slotCount() == 0 || answer.statusRaw() > OutcomeStatus.FORKED.value()) {
            throw new SnapshotException(file, "answer=" + index + " status=" + answer.statusRaw() + " slotCount=" +
                    answer.slotCount() + " outputCount=" + answer.outputCount() + " length=" + message.capacity() +
                    " contradict each other");
        }
    }

    /** Up to the outputs. */
    private int answerLength() {
        return HEADER_LENGTH + answerBlockLength + SnapshotAnswerDecoder.outputsHeaderLength();
    }

    private void checkChecksum() throws IOException {
        if (fileLength < END_LENGTH) {
            throw new SnapshotException(file, "bytes=" + fileLength + " are fewer than the shortest snapshot has");
        }
        position = fileLength - END_LENGTH;
        if (!hasEnd()) {
            throw new SnapshotException(file, "bytes=" + fileLength +
                    ": it does not end as a snapshot does, so it is cut short, or none");
        }
        next(SnapshotEndDecoder.TEMPLATE_ID, SnapshotEndDecoder.BLOCK_LENGTH);
        final SnapshotEndDecoder end = new SnapshotEndDecoder();
        final long stored = end.wrapAndApplyHeader(message, 0, header).crc32c();
        answerCount = (int) end.answerCount();
        final CRC32C crc = new CRC32C();
        for (long at = 0; at < fileLength - END_LENGTH; at += bytes.limit()) {
            read(at, (int) Math.min(bytes.capacity(), fileLength - END_LENGTH - at));
            crc.update(bytes);
        }
        if (crc.getValue() != stored) {
            throw new SnapshotException(file, "crc32c=" + Long.toHexString(stored) + " but that of its bytes is " +
                    Long.toHexString(crc.getValue()));
        }
    }

    private boolean hasEnd() throws IOException {
        read(position, END_LENGTH);
        bytes.order(ByteOrder.LITTLE_ENDIAN);
        header.wrap(new UnsafeBuffer(bytes), SnapshotWriter.LENGTH_BYTES);
        return bytes.getInt(0) == END_LENGTH - SnapshotWriter.LENGTH_BYTES &&
                header.templateId() == SnapshotEndDecoder.TEMPLATE_ID &&
                header.schemaId() == SnapshotEndDecoder.SCHEMA_ID;
    }

    private void checkModels(final int modelCount, final boolean hasVersions) throws IOException {
        final SnapshotModelDecoder model = new SnapshotModelDecoder();
        final byte[] version = new byte[SnapshotModelDecoder.modelVersionLength()];
        for (int index = 0; index < modelCount; index++) {
            next(SnapshotModelDecoder.TEMPLATE_ID, hasVersions
                    ? SnapshotModelDecoder.BLOCK_LENGTH
                    : SnapshotModelDecoder.modelIdEncodingOffset());
            model.wrapAndApplyHeader(message, 0, header);
            model.getModelVersion(version, 0, version.length);
            final String versionHex = HexFormat.of().formatHex(version);
            final int stateLength = (int) model.stateLength();
            models.add(hasVersions
                    ? new ModelEntry(model.alias(), versionHex, stateLength, model.modelId(), model.weight(),
                            model.formerWeight(), model.drained() != 0)
                    : ModelEntry.only(model.alias(), versionHex, stateLength, index));
        }
    }

    private void checkSession(final int index) {
        if (message.capacity() < SESSION_LENGTH) {
            throw new SnapshotException(file, "session=" + index + " has a message of " + message.capacity() +
                    " bytes, which are fewer than " + SESSION_LENGTH);
        }
        wrapSession();
        if (session.modelIndex() >= models.size() ||
                session.stateLength() != models.get(session.modelIndex()).stateLength() ||
                SESSION_LENGTH + session.stateLength() != message.capacity()) {
            throw new SnapshotException(file, "session=" + index + " modelIndex=" + session.modelIndex() +
                    " stateLength=" + session.stateLength() + " do not belong to one of its models=" + models);
        }
    }

    private void wrapSession() {
        session.wrapAndApplyHeader(message, 0, header);
        state.wrap(message, SESSION_LENGTH, message.capacity() - SESSION_LENGTH);
    }

    /** Reads the message at the position, which is to be of one kind, and goes behind it. */
    private void next(final int templateId, final int blockLength) throws IOException {
        final long remaining = fileLength - position - SnapshotWriter.LENGTH_BYTES;
        if (remaining < HEADER_LENGTH) {
            throw cutShort(templateId);
        }
        read(position, SnapshotWriter.LENGTH_BYTES);
        final int length = bytes.order(ByteOrder.LITTLE_ENDIAN).getInt(0);
        if (length < HEADER_LENGTH + blockLength || length > remaining) {
            throw new SnapshotException(file, "length=" + length + " of the message at " + position +
                    ", where templateId=" + templateId + " is to be, is not from " + (HEADER_LENGTH + blockLength) +
                    " to " + remaining);
        }
        read(position + SnapshotWriter.LENGTH_BYTES, length);
        message.wrap(bytes, 0, length);
        header.wrap(message, 0);
        if (header.schemaId() != SnapshotHeaderDecoder.SCHEMA_ID ||
                header.version() < 1 || header.version() > SnapshotHeaderDecoder.SCHEMA_VERSION ||
                header.templateId() != templateId || header.blockLength() != blockLength) {
            throw new SnapshotException(file, "at " + position + ": schemaId=" + header.schemaId() + " version=" +
                    header.version() + " templateId=" + header.templateId() + " blockLength=" + header.blockLength() +
                    " expected=" + SnapshotHeaderDecoder.SCHEMA_ID + "/" + SnapshotHeaderDecoder.SCHEMA_VERSION + "/" +
                    templateId + "/" + blockLength);
        }
        position += SnapshotWriter.LENGTH_BYTES + length;
    }

    private SnapshotException cutShort(final int templateId) {
        return new SnapshotException(file, "bytes=" + fileLength + ": it is cut short before templateId=" + templateId);
    }

    private void read(final long from, final int length) throws IOException {
        if (length > bytes.capacity()) {
            bytes = ByteBuffer.allocateDirect(length);
        }
        bytes.clear().limit(length);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, from + bytes.position()) < 0) {
                throw new SnapshotException(file, "bytes=" + fileLength + ": it was cut short while it was read");
            }
        }
        bytes.rewind();
    }

    private static void closeQuietly(final SnapshotReader reader) {
        if (reader != null) {
            reader.close();
        }
    }
}
