package io.tiercel.ops.desk;

import io.aeron.CncFileDescriptor;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.LinkedHashMap;
import java.util.Map;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersReader;

/**
 * The appliance's counters in the media driver's file, by a mapping that cannot write. It follows the driver over a
 * restart. A file that is not there, not ready or of another Aeron has no counters, which is no error: the telemetry
 * file says how the appliance does. One thread.
 */
final class CountersFile implements AutoCloseable {

    /** The appliance's counters have type ids in this range, see its {@code CounterId}. */
    private static final int FIRST_TYPE_ID = 7_000;
    private static final int LAST_TYPE_ID = 7_999;
    private static final int NOT_READY = 0;
    private static final String PREFIX = "tiercel ";
    private static final String NAME_END = ": ";

    private final Path path;
    private MappedByteBuffer mapping;
    private CountersReader counters;
    private Object fileKey;

    CountersFile(final Path aeronDirectory) {
        path = aeronDirectory.resolve(CncFileDescriptor.CNC_FILE);
    }

    /** By name, in the order of their ids in the file; empty if there is nothing to read. */
    Map<String, Counter> read() {
        final Map<String, Counter> values = new LinkedHashMap<>();
        if (isOpen()) {
            counters.forEach((counterId, typeId, keyBuffer, label) -> {
                if (typeId >= FIRST_TYPE_ID && typeId <= LAST_TYPE_ID && label.startsWith(PREFIX)) {
                    final int end = label.indexOf(NAME_END);
                    final String name = label.substring(PREFIX.length(), end < 0 ? label.length() : end);
                    final String description = end < 0 ? "" : label.substring(end + NAME_END.length());
                    values.put(name, new Counter(name, description, counters.getCounterValue(counterId)));
                }
            });
        }
        return values;
    }

    @Override
    public void close() {
        if (mapping != null) {
            IoUtil.unmap(mapping);
            mapping = null;
            counters = null;
        }
    }

    private boolean isOpen() {
        try {
            final Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
            if (mapping == null || !key.equals(fileKey)) {
                close();
                open(key);
            }
        } catch (final NoSuchFileException ex) {
            close();
        } catch (final IOException | RuntimeException ex) {
            close(); // Not ready, not to be opened, or of another version: looked at again at the next poll.
        }
        return counters != null;
    }

    private void open(final Object key) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            if (channel.size() < CncFileDescriptor.META_DATA_LENGTH) {
                return;
            }
            mapping = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
        }
        final UnsafeBuffer metaData = CncFileDescriptor.createMetaDataBuffer(mapping);
        final int version = metaData.getIntVolatile(CncFileDescriptor.cncVersionOffset(0));
        CncFileDescriptor.checkVersion(version);
        if (version == NOT_READY || !CncFileDescriptor.isCncFileLengthSufficient(metaData, mapping.capacity())) {
            close();
            return;
        }
        counters = new CountersReader(
                CncFileDescriptor.createCountersMetaDataBuffer(mapping, metaData),
                CncFileDescriptor.createCountersValuesBuffer(mapping, metaData));
        fileKey = key;
    }
}
