package io.tiercel.replay;

import io.tiercel.appliance.journal.JournalDamageException;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalView;
import io.tiercel.appliance.journal.RecordReader;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;
import org.agrona.DirectBuffer;

/** One of a journal directory's queues. The checks are {@link RecordReader}'s; here they get this package's words. */
final class QueueRecordSource implements RecordSource {

    private final String name;
    private final long firstSequence;
    private final Supplier<RecordReader> readers;
    private final RecordReader reader;

    private QueueRecordSource(final String name, final long firstSequence, final Supplier<RecordReader> readers) {
        this.name = name;
        this.firstSequence = firstSequence;
        this.readers = readers;
        this.reader = open();
    }

    static JoinedJournal open(final Path journalDirectory, final JoinedJournal.Queues queues) {
        final JournalView view = JournalDirectory.openForRead(journalDirectory);
        final long firstSequence = view.firstSequence();
        final RecordSource requests = queues == JoinedJournal.Queues.OUTCOMES
                ? null
                : new QueueRecordSource(JoinedJournal.REQUESTS, firstSequence, view::requests);
        try {
            final RecordSource outcomes = queues == JoinedJournal.Queues.REQUESTS
                    ? null
                    : new QueueRecordSource(JoinedJournal.OUTCOMES, firstSequence, view::outcomes);
            return begun(new JoinedJournal(requests, outcomes));
        } catch (final RuntimeException ex) {
            if (requests != null) {
                requests.close();
            }
            throw ex;
        }
    }

    /** Older records may have been removed at different places in the two queues. */
    private static JoinedJournal begun(final JoinedJournal journal) {
        if (journal.firstSequence() > 0) {
            journal.seek(journal.firstSequence());
        }
        return journal;
    }

    @Override
    public boolean next() {
        try {
            return reader.next();
        } catch (final JournalDamageException ex) {
            throw translated(ex);
        }
    }

    @Override
    public long sequence() {
        return reader.sequence();
    }

    @Override
    public long ingressNs() {
        return reader.ingressNs();
    }

    @Override
    public long principalId() {
        return reader.principalId();
    }

    @Override
    public long index() {
        return reader.index();
    }

    @Override
    public DirectBuffer modelVersion() {
        return reader.modelVersion();
    }

    @Override
    public DirectBuffer frame() {
        return reader.frame();
    }

    @Override
    public int frameOffset() {
        return 0;
    }

    @Override
    public int frameLength() {
        return reader.frameLength();
    }

    @Override
    public boolean seek(final long sequence) {
        try {
            return reader.seek(sequence);
        } catch (final JournalDamageException ex) {
            throw translated(ex);
        }
    }

    @Override
    public long firstSequence() {
        return firstSequence;
    }

    /** By bisection: a dozen or two look-ups, however long the queue is. */
    @Override
    public long endSequence() {
        long low = firstSequence;
        try (RecordReader counter = open()) {
            long high = firstSequence + 1;
            while (counter.seek(high - 1) && counter.next()) {
                low = high;
                high += high - firstSequence;
            }
            while (high - low > 1) {
                final long middle = (low + high) >>> 1;
                if (counter.seek(middle - 1) && counter.next()) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
        } catch (final JournalDamageException | DamageException ex) {
            // Whoever counts is about to read, and will meet it and report it with its place.
            return low;
        }
        return low;
    }

    @Override
    public void close() {
        reader.close();
    }

    private RecordReader open() {
        try {
            return readers.get();
        } catch (final JournalDamageException ex) {
            throw translated(ex);
        }
    }

    private DamageException translated(final JournalDamageException ex) {
        final DamageKind kind;
        switch (ex.damage()) {
            case BAD_CHECKSUM:
                kind = DamageKind.BAD_CHECKSUM;
                break;
            case SEQUENCE_GAP:
            case SEQUENCE_REPETITION:
                kind = DamageKind.GAP;
                break;
            case TRUNCATED:
                kind = DamageKind.TRUNCATED;
                break;
            case UNKNOWN_SCHEMA:
            case UNKNOWN_VERSION:
                kind = DamageKind.UNKNOWN_SCHEMA;
                break;
            case LENGTH_MISMATCH:
            case UNKNOWN_TEMPLATE:
                kind = DamageKind.MALFORMED_FRAME;
                break;
            default:
                kind = DamageKind.UNREADABLE;
                break;
        }
        return new DamageException(new Damage(kind, name, ex.sequence(), detail(ex)), ex);
    }

    private static String detail(final JournalDamageException ex) {
        final StringBuilder detail = new StringBuilder();
        switch (ex.damage()) {
            case BAD_CHECKSUM:
                detail.append(String.format(Locale.ROOT, "crc32c is %08x, of the bytes %08x",
                        ex.expected(), ex.actual()));
                break;
            case SEQUENCE_GAP:
            case SEQUENCE_REPETITION:
                detail.append("found sequence=").append(ex.actual());
                break;
            case UNKNOWN_SCHEMA:
                detail.append("schemaId=").append(ex.actual()).append(", known is ").append(ex.expected());
                break;
            case UNKNOWN_VERSION:
                detail.append("version=").append(ex.actual()).append(", known is ").append(ex.expected());
                break;
            case UNKNOWN_TEMPLATE:
                detail.append("templateId=").append(ex.actual()).append(" does not belong here");
                break;
            case LENGTH_MISMATCH:
                detail.append("frameLength=").append(ex.actual()).append(" but there are ").append(ex.expected());
                break;
            case TRUNCATED:
                detail.append("bytes=").append(ex.actual()).append(" of at least ").append(ex.expected());
                break;
            default:
                detail.append(ex.getCause() == null ? ex.getMessage() : ex.getCause().toString());
                break;
        }
        return detail.append(", file=").append(ex.file())
                .append(" index=").append(Long.toHexString(ex.index())).toString();
    }
}
