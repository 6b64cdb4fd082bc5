package io.tiercel.replay;

import java.util.List;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/** A queue that is a list. Checks nothing, so a test can hand over records that a good reader would refuse. */
final class MemoryRecords implements RecordSource {

    private final List<TestRecord> records;
    private final UnsafeBuffer modelVersion = new UnsafeBuffer(0, 0);
    private final UnsafeBuffer frame = new UnsafeBuffer(0, 0);
    private TestRecord current;
    private int index = -1;
    private boolean isClosed;

    MemoryRecords(final List<TestRecord> records) {
        this.records = records;
    }

    boolean isClosed() {
        return isClosed;
    }

    @Override
    public boolean next() {
        if (index + 1 >= records.size()) {
            return false;
        }
        current = records.get(++index);
        modelVersion.wrap(current.modelVersion);
        frame.wrap(current.frame);
        return true;
    }

    @Override
    public long sequence() {
        return current.sequence;
    }

    @Override
    public long ingressNs() {
        return current.ingressNs;
    }

    @Override
    public long principalId() {
        return current.principalId;
    }

    @Override
    public long index() {
        return index;
    }

    @Override
    public DirectBuffer modelVersion() {
        return modelVersion;
    }

    @Override
    public DirectBuffer frame() {
        return frame;
    }

    @Override
    public int frameOffset() {
        return 0;
    }

    @Override
    public int frameLength() {
        return current.frame.length;
    }

    @Override
    public boolean seek(final long sequence) {
        index = (int) Math.min(sequence, records.size()) - 1;
        return sequence < records.size();
    }

    @Override
    public long firstSequence() {
        return 0;
    }

    @Override
    public long endSequence() {
        return records.size();
    }

    @Override
    public void close() {
        isClosed = true;
    }
}
