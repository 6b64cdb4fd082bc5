package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.protocol.journal.RecordHeaderDecoder;
import io.tiercel.protocol.journal.RecordHeaderEncoder;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import java.util.Arrays;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Somebody changes a journal after the appliance has closed it. */
@Timeout(120)
class TamperedJournalSystemTest {

    @RegisterExtension
    private static final Workbench BENCH = new Workbench();

    private static Path journal;

    @BeforeAll
    static void writeJournal() {
        final ServeConfig config = BENCH.config(BENCH.model(5));
        final TiercelProcess appliance = BENCH.serve(config);
        assertEquals(0, BENCH.client("desk-1", "--requests", "500").awaitExit());
        assertEquals(0, appliance.terminate(), appliance::toString);
        journal = config.journal();
    }

    @Test
    void shouldNameTheSequenceWhenAnOutputByteIsFlipped() throws IOException {
        final Path copy = BENCH.copy(journal, "flipped");
        final StoredOutcome outcome = StoredOutcome.find(copy, 321);
        outcome.flipOutputBit();
        outcome.write();

        final TiercelProcess replay = verify(copy);
        assertEquals(ExitCode.CHECK_FAILED, replay.awaitExit(), replay::toString);
        final String result = replay.awaitLine("replay: FAILED");
        assertTrue(result.contains("checksum") && result.contains("321"), replay::toString);
    }

    @Test
    void shouldNameTheSequenceAndTheFieldWhenTheChecksumWasMadeToFit() throws IOException {
        final Path copy = BENCH.copy(journal, "forged");
        final StoredOutcome outcome = StoredOutcome.find(copy, 321);
        outcome.flipOutputBit();
        outcome.makeChecksumFit();
        outcome.write();

        final TiercelProcess replay = verify(copy);
        assertEquals(ExitCode.CHECK_FAILED, replay.awaitExit(), replay::toString);
        assertEquals("replay: DIVERGED at sequence 321 (321 outcomes before it bit-identical)",
                replay.awaitLine("replay: "));
        assertTrue(replay.awaitLine("  field").contains("outputs"), replay::toString);
    }

    @Test
    void shouldNameTheBundleWhenItIsMissing() throws IOException {
        final Path copy = BENCH.copy(journal, "without-bundle");
        final Path bundle;
        try (var files = Files.list(copy.resolve("bundles"))) {
            bundle = files.findFirst().orElseThrow();
        }
        Files.delete(bundle);

        final TiercelProcess replay = verify(copy);
        assertEquals(ExitCode.CHECK_FAILED, replay.awaitExit(), replay::toString);
        final String sha256 = bundle.getFileName().toString().replace(".safetensors", "");
        assertTrue(replay.awaitLine("replay: FAILED").contains(sha256), replay::toString);
    }

    private static TiercelProcess verify(final Path directory) {
        return BENCH.run("replay", "verify", "--journal", directory.toString());
    }

    /** One outcome in the bytes of its queue's file, found by what {@code journal dump} says of it. */
    private static final class StoredOutcome {

        private static final int CHECKED_OFFSET =
                RecordHeaderEncoder.crc32cEncodingOffset() + RecordHeaderEncoder.crc32cEncodingLength();

        private final Path file;
        private final byte[] bytes;
        private final int recordOffset;
        private final int outputsOffset;

        private StoredOutcome(final Path file, final byte[] bytes, final int recordOffset, final int outputsOffset) {
            this.file = file;
            this.bytes = bytes;
            this.recordOffset = recordOffset;
            this.outputsOffset = outputsOffset;
        }

        static StoredOutcome find(final Path directory, final long sequence) throws IOException {
            final Path file = queueFile(directory.resolve("outcomes"));
            final byte[] bytes = Files.readAllBytes(file);
            final byte[] outputs = outputs(directory, sequence);
            for (int at = 0; at + RecordHeaderDecoder.ENCODED_LENGTH < bytes.length; at += Integer.BYTES) {
                final RecordHeaderDecoder header = new RecordHeaderDecoder().wrap(new UnsafeBuffer(bytes), at);
                final int end = at + RecordHeaderDecoder.ENCODED_LENGTH + (int) header.frameLength();
                if (header.sequence() == sequence && isRecord(bytes, at, end)) {
                    final int outputsOffset = indexOf(bytes, at + RecordHeaderDecoder.ENCODED_LENGTH, end, outputs);
                    assertTrue(outputsOffset >= 0, "outputs of sequence=" + sequence);
                    return new StoredOutcome(file, bytes, at, outputsOffset);
                }
            }
            throw new AssertionError("sequence=" + sequence + " is not in " + file);
        }

        private static boolean isRecord(final byte[] bytes, final int begin, final int end) {
            return end > begin && end <= bytes.length && checksum(bytes, begin, end)
                    == new RecordHeaderDecoder().wrap(new UnsafeBuffer(bytes), begin).crc32c();
        }

        private static long checksum(final byte[] bytes, final int begin, final int end) {
            final CRC32C crc = new CRC32C();
            crc.update(bytes, begin + CHECKED_OFFSET, end - begin - CHECKED_OFFSET);
            return crc.getValue();
        }

        void flipOutputBit() {
            bytes[outputsOffset + 1] ^= 0x10;
        }

        void makeChecksumFit() {
            final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
            final RecordHeaderDecoder header = new RecordHeaderDecoder().wrap(buffer, recordOffset);
            final int end = recordOffset + RecordHeaderDecoder.ENCODED_LENGTH + (int) header.frameLength();
            new RecordHeaderEncoder().wrap(buffer, recordOffset).crc32c(checksum(bytes, recordOffset, end));
        }

        void write() throws IOException {
            Files.write(file, bytes);
        }

        private static Path queueFile(final Path queue) throws IOException {
            try (var files = Files.list(queue)) {
                return files.filter(file -> file.toString().endsWith(".cq4")).findFirst().orElseThrow();
            }
        }

        private static byte[] outputs(final Path directory, final long sequence) throws IOException {
            final TiercelProcess dump = BENCH.run("journal", "dump", "--journal", directory.toString(),
                    "--format", "json", "--from", Long.toString(sequence), "--limit", "1");
            final JsonNode values = new ObjectMapper().readTree(dump.out().get(0)).get("outcome").get("outputs");
            final ByteBuffer outputs = ByteBuffer.allocate(values.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            values.forEach(value -> outputs.putFloat(Float.parseFloat(value.asText())));
            return outputs.array();
        }

        private static int indexOf(final byte[] bytes, final int begin, final int end, final byte[] wanted) {
            for (int at = begin; at + wanted.length <= end; at++) {
                if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
                    return at;
                }
            }
            return -1;
        }
    }
}
