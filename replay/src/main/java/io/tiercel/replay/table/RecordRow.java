package io.tiercel.replay.table;

import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.ModelCells;
import io.tiercel.replay.OutcomeFrame;
import io.tiercel.replay.RequestFrame;
import io.tiercel.replay.RowText;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The record at which a journal stands, with the texts of its header ready as bytes: neighbours are mostly of the same
 * model and of few principals. One thread.
 */
final class RecordRow {

    private static final int VERSION_BYTES = 32;

    private final JoinedJournal journal;
    private final ModelCells models;
    private final UnsafeBuffer lastVersion = new UnsafeBuffer(new byte[VERSION_BYTES]);
    private final Map<Long, byte[]> principals = new HashMap<>();
    private byte[] versionText;
    private ModelCells.Cells cells;

    RecordRow(final JoinedJournal journal, final ModelCells models) {
        this.journal = journal;
        this.models = models;
    }

    long sequence() {
        return journal.sequence();
    }

    long ingressNs() {
        return journal.ingressNs();
    }

    RequestFrame request() {
        return journal.requestFrame();
    }

    OutcomeFrame outcome() {
        return journal.outcomeFrame();
    }

    /** 16 hexadecimal digits. */
    byte[] principal() {
        return principals.computeIfAbsent(journal.principalId(), id -> ascii(RowText.hex(id)));
    }

    /** 64 hexadecimal digits. */
    byte[] modelVersion() {
        final DirectBuffer version = journal.modelVersion();
        if (versionText == null || !isLastVersion(version)) {
            lastVersion.putBytes(0, version, 0, VERSION_BYTES);
            versionText = ascii(RowText.hex(version, VERSION_BYTES));
            cells = null;
        }
        return versionText;
    }

    /** @throws io.tiercel.replay.DamageException if the bundle, which says what the bytes mean, cannot be had. */
    ModelCells.Cells cells() {
        modelVersion();
        if (cells == null) {
            cells = models.require(lastVersion, journal.sequence());
        }
        return cells;
    }

    private boolean isLastVersion(final DirectBuffer version) {
        for (int offset = 0; offset < VERSION_BYTES; offset += Long.BYTES) {
            if (version.getLong(offset) != lastVersion.getLong(offset)) {
                return false;
            }
        }
        return true;
    }

    private static byte[] ascii(final String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
