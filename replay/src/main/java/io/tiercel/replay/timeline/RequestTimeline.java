package io.tiercel.replay.timeline;

import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.OutcomeFrame;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import org.agrona.DirectBuffer;

/**
 * The requests of a stretch of a journal that have an outcome, with their time stamps: columns, because there may be
 * millions. A request is named by its index, its place in the stretch; sequences have no gap, so it is as many behind
 * the first sequence. Times are nanoseconds since the epoch on the appliance's clock.
 *
 * <p>An outcome that was decided by the clock is journaled before its answer leaves, so it has no time of egress:
 * {@link #isTimed} is false, and its way is taken to end where it was computed.
 */
public final class RequestTimeline {

    private static final int INITIAL_CAPACITY = 1 << 12;
    private static final int VERSION_LENGTH = 32;
    private static final OutcomeStatus[] STATUSES = OutcomeStatus.values();

    private long firstSequence;
    private int size;
    private long openTailCount;
    private long[] ingressNs = new long[INITIAL_CAPACITY];
    private long[] principalIds = new long[INITIAL_CAPACITY];
    private long[] sessionKeys = new long[INITIAL_CAPACITY];
    private long[] correlationIds = new long[INITIAL_CAPACITY];
    private int[] journaledNs = new int[INITIAL_CAPACITY];
    private int[] inferStartNs = new int[INITIAL_CAPACITY];
    private int[] inferEndNs = new int[INITIAL_CAPACITY];
    private int[] egressNs = new int[INITIAL_CAPACITY];
    private short[] batchSizes = new short[INITIAL_CAPACITY];
    private short[] stepCounts = new short[INITIAL_CAPACITY];
    private short[] modelIds = new short[INITIAL_CAPACITY];
    private byte[] statuses = new byte[INITIAL_CAPACITY];
    private short[] versionIndexes = new short[INITIAL_CAPACITY];
    /** As hexadecimal digits: few, in the order in which they come. */
    private final List<String> versions = new ArrayList<>();
    private final byte[] lastVersion = new byte[VERSION_LENGTH];
    /** Those that are the first record of a file. */
    private final BitSet rolled = new BitSet();
    private boolean isSerial = true;
    private int versionIndex;

    /** Whose request it is, of which session and model. */
    record Asked(long principalId, long sessionKey, long correlationId, int modelId) {
    }

    /** One request, as its outcome has it: the stamps count from the arrival. */
    record Row(long sequence, long ingressNs, Asked asked, long journaledNs, long inferStartNs, long inferEndNs,
            long egressNs, int batchSize, int stepCount, OutcomeStatus status) {
    }

    RequestTimeline() {
    }

    /** A request without an outcome, behind all that have one. */
    void addOpen() {
        openTailCount++;
    }

    void add(final JoinedJournal journal, final boolean isFirstOfFile) {
        final OutcomeFrame outcome = journal.outcomeFrame();
        nextVersion(journal.modelVersion());
        add(new Row(journal.sequence(), journal.ingressNs(),
                new Asked(journal.principalId(), outcome.sessionKey(), outcome.correlationId(), outcome.modelId()),
                outcome.journaledNs(), outcome.inferStartNs(), outcome.inferEndNs(), outcome.egressNs(),
                outcome.batchSize(), outcome.stepCount(), outcome.status()), isFirstOfFile);
    }

    /** The version of the rows that are added from here on. */
    void nextVersion(final DirectBuffer version) {
        if (versions.isEmpty() || !isLastVersion(version)) {
            version.getBytes(0, lastVersion);
            final String hex = HexFormat.of().formatHex(lastVersion);
            versionIndex = versions.indexOf(hex);
            if (versionIndex < 0) {
                versionIndex = versions.size();
                versions.add(hex);
            }
        }
    }

    private boolean isLastVersion(final DirectBuffer version) {
        for (int i = 0; i < VERSION_LENGTH; i++) {
            if (version.getByte(i) != lastVersion[i]) {
                return false;
            }
        }
        return true;
    }

    void add(final Row row, final boolean isFirstOfFile) {
        if (size == 0) {
            firstSequence = row.sequence;
        } else if (isFirstOfFile) {
            rolled.set(size);
        }
        if (size == ingressNs.length) {
            grow(2 * size);
        }
        ingressNs[size] = row.ingressNs;
        principalIds[size] = row.asked.principalId;
        sessionKeys[size] = row.asked.sessionKey;
        correlationIds[size] = row.asked.correlationId;
        journaledNs[size] = (int) row.journaledNs;
        inferStartNs[size] = (int) row.inferStartNs;
        inferEndNs[size] = (int) row.inferEndNs;
        egressNs[size] = (int) row.egressNs;
        batchSizes[size] = (short) row.batchSize;
        stepCounts[size] = (short) row.stepCount;
        modelIds[size] = (short) row.asked.modelId;
        versionIndexes[size] = (short) versionIndex;
        statuses[size] = (byte) row.status.ordinal();
        isSerial &= row.inferStartNs >= row.journaledNs;
        size++;
    }

    public int size() {
        return size;
    }

    /** Requests behind the last one here that have no outcome. */
    public long openTailCount() {
        return openTailCount;
    }

    /**
     * Whether no request was computed before it was journaled: so one thread does both, one after the other. Where they
     * have threads of their own, compute is the earlier one now and then.
     */
    public boolean isSerial() {
        return isSerial;
    }

    public long sequence(final int index) {
        return firstSequence + index;
    }

    /** @throws IndexOutOfBoundsException if the sequence is not in the stretch. */
    public int indexOf(final long sequence) {
        if (sequence < firstSequence || sequence >= firstSequence + size) {
            throw new IndexOutOfBoundsException("sequence=" + sequence + " first=" + firstSequence + " size=" + size);
        }
        return (int) (sequence - firstSequence);
    }

    public long ingressNs(final int index) {
        return ingressNs[index];
    }

    public long journaledNs(final int index) {
        return ingressNs[index] + Integer.toUnsignedLong(journaledNs[index]);
    }

    public long inferStartNs(final int index) {
        return ingressNs[index] + Integer.toUnsignedLong(inferStartNs[index]);
    }

    public long inferEndNs(final int index) {
        return ingressNs[index] + Integer.toUnsignedLong(inferEndNs[index]);
    }

    /** When the answer could leave: it was computed, and the request journaled. */
    public long readyNs(final int index) {
        return Math.max(journaledNs(index), inferEndNs(index));
    }

    /** Whether the outcome says when the answer left. */
    public boolean isTimed(final int index) {
        return egressNs[index] != 0;
    }

    /** When the answer left; where that is not known, when it could. */
    public long egressNs(final int index) {
        return isTimed(index) ? ingressNs[index] + Integer.toUnsignedLong(egressNs[index]) : readyNs(index);
    }

    /** From arrival to the answer. */
    public long totalNs(final int index) {
        return egressNs(index) - ingressNs[index];
    }

    public long principalId(final int index) {
        return principalIds[index];
    }

    public long sessionKey(final int index) {
        return sessionKeys[index];
    }

    /** The client's own: of one principal, no two requests that are known at once have the same. */
    public long correlationId(final int index) {
        return correlationIds[index];
    }

    /** SHA-256 of the bundle that answered. */
    public String modelVersion(final int index) {
        return versions.get(versionIndexes[index]);
    }

    public int modelId(final int index) {
        return Short.toUnsignedInt(modelIds[index]);
    }

    public int stepCount(final int index) {
        return Short.toUnsignedInt(stepCounts[index]);
    }

    public int batchSize(final int index) {
        return Short.toUnsignedInt(batchSizes[index]);
    }

    public OutcomeStatus status(final int index) {
        return STATUSES[statuses[index]];
    }

    /** Whether the journal had begun a new file with this request. */
    public boolean isFirstOfFile(final int index) {
        return rolled.get(index);
    }

    public int rollCount() {
        return rolled.cardinality();
    }

    /**
     * The requests that were computed in one step with this one, itself among them, in order: of one model, begun and
     * ended by the same two readings of one clock.
     */
    public int[] batchOf(final int index) {
        final int limit = Math.max(1, batchSize(index));
        final int[] members = new int[limit];
        int count = 0;
        // Between two of a batch stand at most those of the other workers; a batch is never far apart.
        for (int i = Math.max(0, index - reach(limit)); i < size && i <= index + reach(limit) && count < limit; i++) {
            if (isSameBatch(i, index)) {
                members[count++] = i;
            }
        }
        return Arrays.copyOf(members, count);
    }

    public boolean isSameBatch(final int one, final int other) {
        return inferStartNs(one) == inferStartNs(other) && inferEndNs(one) == inferEndNs(other) &&
                modelIds[one] == modelIds[other];
    }

    private static int reach(final int batchSize) {
        return batchSize == 1 ? 0 : 64 * batchSize;
    }

    private void grow(final int capacity) {
        ingressNs = Arrays.copyOf(ingressNs, capacity);
        principalIds = Arrays.copyOf(principalIds, capacity);
        sessionKeys = Arrays.copyOf(sessionKeys, capacity);
        correlationIds = Arrays.copyOf(correlationIds, capacity);
        journaledNs = Arrays.copyOf(journaledNs, capacity);
        inferStartNs = Arrays.copyOf(inferStartNs, capacity);
        inferEndNs = Arrays.copyOf(inferEndNs, capacity);
        egressNs = Arrays.copyOf(egressNs, capacity);
        batchSizes = Arrays.copyOf(batchSizes, capacity);
        stepCounts = Arrays.copyOf(stepCounts, capacity);
        modelIds = Arrays.copyOf(modelIds, capacity);
        statuses = Arrays.copyOf(statuses, capacity);
        versionIndexes = Arrays.copyOf(versionIndexes, capacity);
    }
}
