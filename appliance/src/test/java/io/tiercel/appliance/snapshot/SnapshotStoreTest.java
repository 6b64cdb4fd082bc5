package io.tiercel.appliance.snapshot;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.KnownAnswer;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.journal.MessageHeaderDecoder;
import io.tiercel.protocol.journal.SnapshotAnswerDecoder;
import io.tiercel.protocol.journal.SnapshotEndDecoder;
import io.tiercel.protocol.journal.SnapshotModelDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class SnapshotStoreTest {

    private static final int SESSIONS = 5;
    private static final int HEADER = MessageHeaderDecoder.ENCODED_LENGTH;

    @TempDir
    Path directory;

    private SnapshotStore store;
    private LoadedModel model;
    private Sessions sessions;
    private RetryWindow retries;
    private long memory;

    @BeforeEach
    void setUp() {
        store = new SnapshotStore(directory);
        final Bundle bundle = Bundle.open(RandomModels.lstm(3).hidden(7).features(2).outputs(1).write(directory));
        model = LoadedModel.of(0, "tape", bundle.version(), "reference",
                Backends.select("reference", bundle).load(bundle, 1));
        sessions = new Sessions(List.of(model), 16);
        try (ModelExecutor executor = model.model().newExecutor(1)) {
            for (int index = 0; index < SESSIONS; index++) {
                sessions.states(0).begin(sessions.table().indexOf(7, 0, 100 + index), executor, 7, 100 + index);
                sessions.states(0).use(index, index);
            }
        }
        retries = new RetryWindow(2, 8, 1);
        memory = UnsafeApi.allocateMemory(SnapshotImage.bytesFor(sessions, SESSIONS));
    }

    @AfterEach
    void tearDown() {
        UnsafeApi.freeMemory(memory);
        retries.close();
        sessions.close();
        model.close();
    }

    @Test
    void shouldListTheNewestFirstAndKeepAsManyAsAsked() {
        for (final long sequence : new long[] {9, 1_000, 99}) {
            write(sequence);
        }
        assertEquals(List.of(1_000L, 99L, 9L), sequences());
        assertEquals(99, store.retain(2));
        assertEquals(List.of(1_000L, 99L), sequences());
        assertEquals(99, store.retain(5));
        assertEquals(-1, new SnapshotStore(directory.resolve("elsewhere")).retain(1));
    }

    @Test
    void shouldReadWhatWasWrittenInTheOrderOfLastUse() {
        sessions.states(0).use(0, 10);
        write(12);
        try (SnapshotReader snapshot = store.open(store.list().get(0))) {
            assertEquals(12, snapshot.sequence());
            assertEquals(SESSIONS, snapshot.sessionCount());
            assertEquals(List.of(new SnapshotReader.ModelEntry(
                    "tape", model.versionHex(), model.model().shape().canonicalBytes(), 0, Frames.FULL_WEIGHT, 0,
                    false)), snapshot.models());
            for (int index = 0; index < SESSIONS; index++) {
                assertTrue(snapshot.nextSession());
                assertEquals(7, snapshot.principalId());
                assertEquals(100 + (index + 1) % SESSIONS, snapshot.sessionKey());
                assertEquals(sessions.states(0).hash(index), snapshot.stateHash());
            }
            assertFalse(snapshot.nextSession());
        }
    }

    @Test
    void shouldKeepWhetherASessionBeganWithAnAnswer() throws IOException {
        final Path file = writeWithAnswers();
        assertEquals(List.of(true, false), readBeginnings());
        toVersion3(file);
        assertEquals(List.of(false, false), readBeginnings());
    }

    /** What an appliance wrote whose answers had no flags yet. */
    private static void toVersion3(final Path file) throws IOException {
        final ByteBuffer from = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        final ByteBuffer to = ByteBuffer.allocate(from.capacity()).order(ByteOrder.LITTLE_ENDIAN);
        final MessageHeaderDecoder header = new MessageHeaderDecoder();
        while (from.hasRemaining()) {
            final byte[] message = new byte[from.getInt()];
            from.get(message);
            final UnsafeBuffer buffer = new UnsafeBuffer(message);
            header.wrap(buffer, 0);
            buffer.putShort(MessageHeaderDecoder.versionEncodingOffset(), (short) 3, ByteOrder.LITTLE_ENDIAN);
            final int end = switch (header.templateId()) {
                case SnapshotAnswerDecoder.TEMPLATE_ID -> SnapshotAnswerDecoder.flagsEncodingOffset();
                case SnapshotModelDecoder.TEMPLATE_ID -> SnapshotModelDecoder.modelIdEncodingOffset();
                default -> header.blockLength();
            };
            final int dropped = header.blockLength() - end;
            buffer.putShort(0, (short) (header.blockLength() - dropped), ByteOrder.LITTLE_ENDIAN);
            if (header.templateId() == SnapshotEndDecoder.TEMPLATE_ID) {
                final CRC32C crc = new CRC32C();
                crc.update(to.array(), 0, to.position());
                buffer.putInt(HEADER + SnapshotEndDecoder.crc32cEncodingOffset(), (int) crc.getValue(),
                        ByteOrder.LITTLE_ENDIAN);
            }
            final int kept = dropped == 0 ? message.length : HEADER + end;
            to.putInt(message.length - dropped).put(message, 0, kept);
            to.put(message, kept + dropped, message.length - kept - dropped);
        }
        Files.write(file, Arrays.copyOf(to.array(), to.position()));
    }

    private Path writeWithAnswers() {
        final KnownAnswer answer = new KnownAnswer();
        answer.status = ResultStatus.RESET;
        answer.principalId = 7;
        answer.slotCount = 1;
        for (int sequence = 0; sequence < 2; sequence++) {
            answer.sequence = sequence;
            answer.correlationId = 1 + sequence;
            answer.hasSessionBegun = sequence == 0;
            retries.restore(answer);
        }
        return write(12);
    }

    private List<Boolean> readBeginnings() {
        final List<Boolean> beginnings = new ArrayList<>();
        try (SnapshotReader snapshot = store.open(store.list().get(0))) {
            for (final KnownAnswer answer = new KnownAnswer(); snapshot.nextAnswer(answer);) {
                beginnings.add(answer.hasSessionBegun);
            }
        }
        return beginnings;
    }

    @Test
    void shouldRefuseEveryLengthAndEveryChangedByte() throws IOException {
        final Path file = write(12);
        final byte[] bytes = Files.readAllBytes(file);
        for (int length = 0; length < bytes.length; length++) {
            Files.write(file, Arrays.copyOf(bytes, length));
            assertRefused(file);
        }
        for (int index = 0; index < bytes.length; index++) {
            final byte[] changed = bytes.clone();
            changed[index] ^= 0x10;
            Files.write(file, changed);
            assertRefused(file);
        }
        Files.write(file, Arrays.copyOf(bytes, bytes.length + 1));
        assertRefused(file);
    }

    @Test
    void shouldRefuseASnapshotWhenItHasTheNameOfAnother() throws IOException {
        final Path file = write(12);
        Files.move(file, file.resolveSibling("00000000000000000013.snapshot"));
        final SnapshotStore.Entry entry = store.list().get(0);
        assertThrows(SnapshotException.class, () -> store.open(entry));
    }

    @Test
    void shouldNeitherListNorKeepWhatWasLeftHalfWritten() throws IOException {
        final Path file = write(12);
        Files.write(file.resolveSibling("00000000000000000013.snapshot.tmp"), new byte[100]);
        Files.write(file.resolveSibling("notes.snapshot"), new byte[100]);
        assertEquals(List.of(12L), sequences());
        assertEquals(1, store.removeDrafts());
        assertEquals(0, store.removeDrafts());
        assertEquals(List.of(12L), sequences());
    }

    @Test
    void shouldSayWhatIsInTheWayWhenItCannotBeWritten() throws IOException {
        Files.write(directory.resolve(SnapshotStore.DIRECTORY), new byte[1]);
        final SnapshotException ex = assertThrows(SnapshotException.class, () -> write(12));
        assertTrue(ex.getMessage().startsWith("snapshot cannot be written: file=" + store.directory()),
                ex.getMessage());
    }

    private Path write(final long sequence) {
        final SnapshotImage image = new SnapshotImage(sessions, 1, memory, SESSIONS);
        image.cut(sequence, Math.min(SESSIONS, sessions.table().size()), Routes.ofConfigured(List.of(model), 1));
        for (int index = 0; index < image.sessionCount(); index++) {
            image.copy(index, 0);
        }
        image.onWorkerDone();
        assertTrue(image.isComplete());
        return store.write(image, List.of(model), retries);
    }

    private List<Long> sequences() {
        return store.list().stream().map(SnapshotStore.Entry::sequence).toList();
    }

    private static void assertRefused(final Path file) {
        final SnapshotException ex = assertThrows(SnapshotException.class, () -> SnapshotReader.open(file).close());
        assertTrue(ex.getMessage().contains(file.toString()), ex.getMessage());
    }
}
