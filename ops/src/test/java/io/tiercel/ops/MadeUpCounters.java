package io.tiercel.ops;

import io.aeron.CncFileDescriptor;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;
import org.agrona.concurrent.status.CountersManager;
import org.agrona.concurrent.status.CountersReader;

/** A media driver's file with counters and nothing else, for a desk to read. */
public final class MadeUpCounters implements AutoCloseable {

    private static final int PAGE_LENGTH = 4_096;
    private static final int MAX_COUNTERS = 64;

    private final MappedByteBuffer mapping;
    private final UnsafeBuffer metaData;
    private final CountersManager counters;

    public MadeUpCounters(final Path directory) throws IOException {
        final int valuesLength = MAX_COUNTERS * CountersReader.COUNTER_LENGTH;
        final int labelsLength = MAX_COUNTERS * CountersReader.METADATA_LENGTH;
        final int length =
                CncFileDescriptor.computeCncFileLength(2 * PAGE_LENGTH + labelsLength + valuesLength, PAGE_LENGTH);
        try (FileChannel channel = FileChannel.open(directory.resolve(CncFileDescriptor.CNC_FILE),
                StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
            mapping = channel.map(FileChannel.MapMode.READ_WRITE, 0, length);
        }
        metaData = CncFileDescriptor.createMetaDataBuffer(mapping);
        CncFileDescriptor.fillMetaData(metaData, PAGE_LENGTH, PAGE_LENGTH, labelsLength, valuesLength, 0, 0, 0, 42,
                PAGE_LENGTH);
        counters = new CountersManager(
                CncFileDescriptor.createCountersMetaDataBuffer(mapping, metaData),
                CncFileDescriptor.createCountersValuesBuffer(mapping, metaData));
    }

    /** Until then nobody may read it. */
    public void ready() {
        CncFileDescriptor.signalCncReady(metaData);
    }

    public AtomicCounter counter(final int typeId, final String label) {
        return counters.newCounter(label, typeId);
    }

    @Override
    public void close() {
        IoUtil.unmap(mapping);
    }
}
