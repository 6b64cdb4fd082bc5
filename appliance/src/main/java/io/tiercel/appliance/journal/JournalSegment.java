package io.tiercel.appliance.journal;

import net.openhft.chronicle.bytes.MappedBytes;
import net.openhft.chronicle.bytes.MappedBytesStore;
import net.openhft.chronicle.bytes.MappedFile;
import net.openhft.chronicle.core.io.ReferenceOwner;
import net.openhft.chronicle.queue.impl.ExcerptContext;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueStore;
import net.openhft.chronicle.wire.Wire;
import net.openhft.chronicle.wire.Wires;
import org.agrona.UnsafeApi;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.StreamCorruptedException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * One file of a queue: made by Chronicle, prepared by the keeper, filled by the writer.
 *
 * <pre>
 *   0            tail                  prepared              end of block
 *   | header,    |                     |                     |
 *   | indexes,   | populated: may be   | mapped, not         | the next block is mapped
 *   | records    | written, no fault   | populated yet       | before this one is used up
 * </pre>
 *
 * <p>The keeper's thread calls everything that maps, populates, follows, syncs or lets go. The writer reads
 * {@link #preparedPosition()} and {@link #blockAddress}, and writes {@link #tailPosition(long)}. It may use the address
 * of a block below the prepared position, because the two were stored in that order with release semantics. A block is
 * let go after the tail has left it, so the writer never holds an address that is unmapped.
 */
final class JournalSegment implements ReferenceOwner, ExcerptContext {

    private static final int INITIAL_BLOCK_COUNT = 64;
    private static final VarHandle TAIL;
    private static final VarHandle PREPARED;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            TAIL = lookup.findVarHandle(JournalSegment.class, "tailPosition", long.class);
            PREPARED = lookup.findVarHandle(JournalSegment.class, "preparedPosition", long.class);
        } catch (final ReflectiveOperationException ex) {
            throw new ExceptionInInitializerError(ex);
        }
    }

    private final int cycle;
    private final long blockBytes;
    private final long overlapBytes;
    private final SingleChronicleQueue queue;
    private final SingleChronicleQueueStore store;
    private final MappedBytes indexBytes;
    private final Wire indexWire;
    private final MappedFile mappedFile;
    private final long firstPosition;
    private final long indexedCount;
    private final int indexSpacing;
    private MappedBytesStore[] blocks = new MappedBytesStore[INITIAL_BLOCK_COUNT];
    private long[] blockAddresses = new long[INITIAL_BLOCK_COUNT];
    private int releasedBlockCount = 1;
    private long followedPosition;
    private long followedCount;
    private long lastPosition;
    private long toldPosition;
    private long preparedPosition;
    private long tailPosition;
    private volatile long followablePosition = Long.MAX_VALUE;

    /**
     * Has Chronicle make the file, or open it if it is there.
     *
     * @param overlapBytes how far behind the end of a block the record may reach that begins in it.
     * @param end          where the file's records end, nothing behind them; {@link JournalEnd#EMPTY} if it has none.
     */
    JournalSegment(
            final SingleChronicleQueue queue,
            final int cycle,
            final long overlapBytes,
            final JournalEnd end) throws IOException {
        this.queue = queue;
        this.cycle = cycle;
        this.blockBytes = queue.blockSize();
        this.overlapBytes = overlapBytes;
        store = queue.storeForCycle(cycle, queue.epoch(), true, null);
        indexBytes = store.bytes();
        indexWire = queue.wireType().apply(indexBytes);
        indexWire.usePadding(store.dataVersion() > 0);
        mappedFile = indexBytes.mappedFile();
        firstPosition = skipMetadata(block(0).addressForWrite(0), 0);
        tailPosition = firstPosition;
        followedPosition = firstPosition;
        indexedCount = (long) queue.indexCount() * queue.indexSpacing();
        indexSpacing = queue.indexSpacing();
        if (end.recordCount() > 0) {
            resume(end);
        }
    }

    int cycle() {
        return cycle;
    }

    File file() {
        return mappedFile.file();
    }

    /** The writer's: end of the memory it may write without a page fault. */
    long preparedPosition() {
        return (long) PREPARED.getAcquire(this);
    }

    /** The writer's: of a block that begins below {@link #preparedPosition()}. */
    long blockAddress(final int index) {
        return blockAddresses[index];
    }

    /** The writer's: where the next record will begin, or a little before it. */
    void tailPosition(final long position) {
        TAIL.setRelease(this, position);
    }

    long tailPosition() {
        return (long) TAIL.getAcquire(this);
    }

    /** The writer's: what lies behind it, Chronicle's header is not told of yet. */
    void followablePosition(final long position) {
        followablePosition = position;
    }

    /** Prepares up to the next {@code stepBytes}, not past the block they begin in. @return 0 or an errno. */
    int prepare(final PagePopulator populator, final long stepBytes) throws IOException {
        final long from = preparedPosition;
        final int blockIndex = (int) (from / blockBytes);
        final long blockStart = blockIndex * blockBytes;
        final long blockEnd = blockStart + blockBytes;
        final boolean isLastOfBlock = from + stepBytes >= blockEnd;
        final long to = isLastOfBlock ? blockEnd : from + stepBytes;
        // The record that straddles the end of a block is written through the mapping that it begins in.
        final long mappedTo = isLastOfBlock ? to + overlapBytes : to;
        final long address = block(blockIndex).addressForWrite(blockStart);
        final int errno = populator.populate(file(), from, address + (from - blockStart), mappedTo - from);
        if (errno == 0) {
            PREPARED.setRelease(this, to);
        }
        return errno;
    }

    /** Makes the pages that are written next writable again. @return 0 or an errno. */
    int refresh(final PagePopulator populator, final long refreshBytes) {
        final long tail = tailPosition() & -PagePopulator.PAGE_BYTES;
        final int blockIndex = (int) (tail / blockBytes);
        final long blockStart = blockIndex * blockBytes;
        final long to = Math.min(Math.min(tail + refreshBytes, preparedPosition), blockStart + blockBytes);
        return to > tail ? populator.refresh(blockAddresses[blockIndex] + (tail - blockStart), to - tail) : 0;
    }

    /**
     * Brings Chronicle's header and index up to what has been written. The writer does not do it, so that it never
     * writes to the header's page, which write-back makes read-only every half minute; readers walk on from the place
     * that the header names, so they miss nothing when it lags.
     *
     * <p>Chronicle would put a second index where the next record goes. The first holds 2^31 records or more; beyond
     * it there is none, and readers scan.
     *
     * @return whether there was more than {@code limit} records.
     */
    boolean follow(final int limit) throws StreamCorruptedException {
        return follow(limit, Math.min(preparedPosition - Integer.BYTES, followablePosition - 1));
    }

    private boolean follow(final int limit, final long toPosition) throws StreamCorruptedException {
        int count = 0;
        while (count < limit && followedPosition <= toPosition) {
            final long position = followedPosition;
            final int word = UnsafeApi.getIntAcquire(null, addressOf(position));
            if (!Wires.isReadyData(word)) {
                break;
            }
            final boolean isIndexed = (followedCount & (indexSpacing - 1)) == 0 && followedCount < indexedCount;
            // Chronicle wants to be told at least once in a block.
            if (isIndexed || position - toldPosition >= blockBytes / 2) {
                tell(followedCount, position);
            }
            followedPosition = align(position + Integer.BYTES + Wires.lengthOf(word));
            lastPosition = position;
            followedCount++;
            count++;
        }
        if (lastPosition > toldPosition) {
            tell(followedCount - 1, lastPosition);
        }
        return count == limit;
    }

    /** Lets go of the blocks that are written and followed for good; the first, with the header, stays. */
    void releaseBlocksBehind() {
        final long position = Math.min(tailPosition(), followedPosition);
        final int tailBlock = (int) ((position - overlapBytes) / blockBytes);
        while (releasedBlockCount < tailBlock) {
            blocks[releasedBlockCount].release(this);
            blocks[releasedBlockCount] = null;
            releasedBlockCount++;
        }
    }

    /** The first position at or behind {@code position} that is not the header word of a finished metadata document. */
    static long skipMetadata(final long blockAddress, final long position) {
        long at = align(position);
        int word = UnsafeApi.getIntVolatile(null, blockAddress + at);
        while (QueueFile.isMetadata(word)) {
            at = align(at + Integer.BYTES + Wires.lengthOf(word));
            word = UnsafeApi.getIntVolatile(null, blockAddress + at);
        }
        return at;
    }

    /** Chronicle's header words begin on multiples of 4. */
    static long align(final long position) {
        return (position + Integer.BYTES - 1) & -Integer.BYTES;
    }

    /** Writes all of the file through to the device. Any thread. */
    void sync() throws IOException {
        mappedFile.raf().getChannel().force(false);
    }

    /** Gives everything back, and cuts off what was prepared and not used. */
    void retire() throws IOException {
        follow(Integer.MAX_VALUE);
        final File file = file();
        final long usedBytes = Math.max(tailPosition(), QueueFile.MAX_METADATA_LENGTH);
        close();
        truncate(file, usedBytes);
    }

    @Override
    public Wire wire() {
        return indexWire;
    }

    @Override
    public Wire wireForIndex() {
        return indexWire;
    }

    @Override
    public long timeoutMS() {
        return 0;
    }

    /**
     * Goes to the end of the records that are there. A writer that died leaves Chronicle's header behind them, so it is
     * told of what follows the last record that it names; the number of that one is known by counting from there on.
     */
    private void resume(final JournalEnd end) throws IOException {
        final long position = align(end.position());
        toldPosition = store.writePosition();
        lastPosition = toldPosition;
        followedPosition = toldPosition == 0 ? firstPosition : toldPosition;
        releasedBlockCount = Math.max(1, (int) (followedPosition / blockBytes));
        for (int index = releasedBlockCount; index <= position / blockBytes; index++) {
            block(index);
        }
        followedCount = end.recordCount() - countRecords(followedPosition, position);
        if (followedCount < 0 || toldPosition == 0 && followedCount > 0) {
            throw new StreamCorruptedException("file is not what was read: file=" + file() + " end: " + end +
                    " writePosition=" + toldPosition + " number=" + followedCount);
        }
        tailPosition = position;
        preparedPosition = position & -PagePopulator.PAGE_BYTES;
        follow(Integer.MAX_VALUE, position - Integer.BYTES);
    }

    private long countRecords(final long from, final long to) throws StreamCorruptedException {
        long count = 0;
        for (long at = from; at < to; count++) {
            final int word = UnsafeApi.getIntAcquire(null, addressOf(at));
            if (!Wires.isReadyData(word)) {
                throw new StreamCorruptedException("no record there: file=" + file() + " position=" + at);
            }
            at = align(at + Integer.BYTES + Wires.lengthOf(word));
        }
        return count;
    }

    /** Sets Chronicle's position and sequence, and its index if the number is one that is indexed. */
    private void tell(final long number, final long position) throws StreamCorruptedException {
        store.writePosition(position);
        if (number < indexedCount || (number & (indexSpacing - 1)) != 0) {
            store.setPositionForSequenceNumber(this, number, position);
        }
        toldPosition = position;
    }

    private long addressOf(final long position) {
        final int blockIndex = (int) (position / blockBytes);
        return blockAddresses[blockIndex] + (position - blockIndex * blockBytes);
    }

    private void close() {
        for (final MappedBytesStore block : blocks) {
            if (block != null) {
                block.release(this);
            }
        }
        Arrays.fill(blocks, null);
        indexBytes.releaseLast();
        queue.closeStore(store);
    }

    private static void truncate(final File file, final long usedBytes) throws IOException {
        // A reader looks at the header word behind the last record: leave it a page.
        final long lengthBytes = (usedBytes & -PagePopulator.PAGE_BYTES) + 2L * PagePopulator.PAGE_BYTES;
        try (RandomAccessFile access = new RandomAccessFile(file, "rw")) {
            if (access.length() > lengthBytes) {
                access.setLength(lengthBytes);
            }
        }
    }

    private MappedBytesStore block(final int index) throws IOException {
        if (index >= blocks.length) {
            blocks = Arrays.copyOf(blocks, 2 * index);
            blockAddresses = Arrays.copyOf(blockAddresses, 2 * index);
        }
        if (blocks[index] == null) {
            blocks[index] = mappedFile.acquireByteStore(this, index * blockBytes);
            blockAddresses[index] = blocks[index].addressForWrite(index * blockBytes);
        }
        return blocks[index];
    }
}
