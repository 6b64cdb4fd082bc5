package io.tiercel.appliance.journal;

import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.DurabilityLevel;
import org.agrona.BitUtil;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.SystemEpochNanoClock;

import java.util.concurrent.TimeUnit;

/** How a journal is written. Set what differs from the defaults, then open; not to be changed afterwards. */
public final class JournalSettings {

    /** The smallest populate-ahead that a burst of a few thousand records does not outrun at once. */
    public static final long MIN_POPULATE_AHEAD_BYTES = 1 << 20;
    static final long MIN_BLOCK_BYTES = 1 << 20;
    static final long MAX_BLOCK_BYTES = 1L << 30;

    private static final long SCRATCH_BLOCK_BYTES = 64L << 20;
    private static final long SCRATCH_AHEAD_BYTES = 16L << 20;

    private long blockBytes = 256L << 20;
    private long populateAheadBytes = 64L << 20;
    private long refreshAheadBytes = 512L << 10;
    private long minimumFreeBytes = 64L << 20;
    private long rollLeadNs = TimeUnit.SECONDS.toNanos(60);
    private long rollGraceNs = TimeUnit.SECONDS.toNanos(5);
    private RollPeriod roll = RollPeriod.DAILY;
    private boolean keeperThread = true;
    private boolean isDurable = true;
    private boolean isWrittenThrough;
    private long warnFreeBytes;
    private long refuseFreeBytes;
    private long keepForNs;
    private long keepBytes;
    private PageSync pageSync = new PageSync();
    private boolean hasPopulateWrite = true;
    private EpochNanoClock clock = SystemEpochNanoClock.INSTANCE;

    /** As an appliance is configured. */
    public static JournalSettings of(final ApplianceContext context) {
        return new JournalSettings()
                .blockBytes(context.journalBlockBytes())
                .populateAheadBytes(context.journalPopulateAheadBytes())
                .roll(RollPeriod.parse(context.journalRoll()))
                .isWrittenThrough(context.durability() == DurabilityLevel.DISK)
                .warnFreeBytes(context.journalWarnFreeBytes())
                .refuseFreeBytes(context.journalRefuseFreeBytes())
                .keepForNs(context.journalKeepForNs())
                .keepBytes(context.journalKeepBytes());
    }

    /** For a journal that is thrown away: small, and never written through to the device. */
    public static JournalSettings scratch(final ApplianceContext context) {
        return of(context)
                .blockBytes(Math.min(context.journalBlockBytes(), SCRATCH_BLOCK_BYTES))
                .populateAheadBytes(Math.min(context.journalPopulateAheadBytes(), SCRATCH_AHEAD_BYTES))
                .warnFreeBytes(0)
                .refuseFreeBytes(0)
                .isWrittenThrough(false)
                .isDurable(false);
    }

    /** Address space mapped at a time; a power of two from 1 MiB to 1 GiB. The file is sparse. */
    public JournalSettings blockBytes(final long blockBytes) {
        this.blockBytes = blockBytes;
        return this;
    }

    public long blockBytes() {
        return blockBytes;
    }

    /** Memory kept allocated and mapped writable in front of the writer, per queue. */
    public JournalSettings populateAheadBytes(final long populateAheadBytes) {
        this.populateAheadBytes = populateAheadBytes;
        return this;
    }

    public long populateAheadBytes() {
        return populateAheadBytes;
    }

    /** Of that, what is made writable again and again, because write-back makes it read-only behind our back. */
    public JournalSettings refreshAheadBytes(final long refreshAheadBytes) {
        this.refreshAheadBytes = refreshAheadBytes;
        return this;
    }

    public long refreshAheadBytes() {
        return refreshAheadBytes;
    }

    /** The journal fails, and with it the answering of requests, when the file system has less usable space. */
    public JournalSettings minimumFreeBytes(final long minimumFreeBytes) {
        this.minimumFreeBytes = minimumFreeBytes;
        return this;
    }

    public long minimumFreeBytes() {
        return minimumFreeBytes;
    }

    /** How long before the end of a period the next file is made. */
    public JournalSettings rollLeadNs(final long rollLeadNs) {
        this.rollLeadNs = rollLeadNs;
        return this;
    }

    public long rollLeadNs() {
        return rollLeadNs;
    }

    /** How long after the end of a period a busy writer may go on in the old file, waiting for an idle moment. */
    public JournalSettings rollGraceNs(final long rollGraceNs) {
        this.rollGraceNs = rollGraceNs;
        return this;
    }

    public long rollGraceNs() {
        return rollGraceNs;
    }

    public JournalSettings roll(final RollPeriod roll) {
        this.roll = roll;
        return this;
    }

    public RollPeriod roll() {
        return roll;
    }

    /** False where the caller runs {@link JournalKeeper#doWork()} itself: in tests and simulations. */
    public JournalSettings keeperThread(final boolean keeperThread) {
        this.keeperThread = keeperThread;
        return this;
    }

    public boolean keeperThread() {
        return keeperThread;
    }

    /** Whether anything is written through to the device at all: by {@link RecordLog#sync()}, and at the close. */
    public JournalSettings isDurable(final boolean isDurable) {
        this.isDurable = isDurable;
        return this;
    }

    public boolean isDurable() {
        return isDurable;
    }

    /**
     * Whether the writers sync each batch before it is answered. Then a roll syncs too, and the files' headers name
     * only what is on the device: the death of the machine never leaves a header that names a record it has taken.
     */
    public JournalSettings isWrittenThrough(final boolean isWrittenThrough) {
        this.isWrittenThrough = isWrittenThrough;
        return this;
    }

    public boolean isWrittenThrough() {
        return isWrittenThrough;
    }

    /** Usable space below which the log gets a warning, once; 0 for never. */
    public JournalSettings warnFreeBytes(final long warnFreeBytes) {
        this.warnFreeBytes = warnFreeBytes;
        return this;
    }

    public long warnFreeBytes() {
        return warnFreeBytes;
    }

    /** Usable space below which {@link RecordLog#isSpaceLow()} says so; 0 for never. */
    public JournalSettings refuseFreeBytes(final long refuseFreeBytes) {
        this.refuseFreeBytes = refuseFreeBytes;
        return this;
    }

    public long refuseFreeBytes() {
        return refuseFreeBytes;
    }

    /** Age of a file's last record at which {@link JournalDirectory#prune} may remove the file; 0 for never. */
    public JournalSettings keepForNs(final long keepForNs) {
        this.keepForNs = keepForNs;
        return this;
    }

    public long keepForNs() {
        return keepForNs;
    }

    /** Size of the journal above which {@link JournalDirectory#prune} may remove its oldest files; 0 for no limit. */
    public JournalSettings keepBytes(final long keepBytes) {
        this.keepBytes = keepBytes;
        return this;
    }

    public long keepBytes() {
        return keepBytes;
    }

    /** Another than the operating system's: for tests. */
    JournalSettings pageSync(final PageSync pageSync) {
        this.pageSync = pageSync;
        return this;
    }

    PageSync pageSync() {
        return pageSync;
    }

    /** False makes it prepare memory as on a kernel without {@code MADV_POPULATE_WRITE}: for tests. */
    JournalSettings hasPopulateWrite(final boolean hasPopulateWrite) {
        this.hasPopulateWrite = hasPopulateWrite;
        return this;
    }

    boolean hasPopulateWrite() {
        return hasPopulateWrite;
    }

    /** What time it is: decides rolls, nothing else. Read by the keeper's thread only. */
    public JournalSettings clock(final EpochNanoClock clock) {
        this.clock = clock;
        return this;
    }

    public EpochNanoClock clock() {
        return clock;
    }

    void validate() {
        if (!BitUtil.isPowerOfTwo(blockBytes) || blockBytes < MIN_BLOCK_BYTES || blockBytes > MAX_BLOCK_BYTES) {
            throw new JournalException("journal block-size=" + blockBytes + " is not a power of two from 1m to 1g");
        }
        if (populateAheadBytes < MIN_POPULATE_AHEAD_BYTES) {
            throw new JournalException("journal populate-ahead=" + populateAheadBytes + " is below 1m");
        }
        if (warnFreeBytes < 0 || refuseFreeBytes < 0 || keepForNs < 0 || keepBytes < 0) {
            throw new JournalException("warnFreeBytes=" + warnFreeBytes + " refuseFreeBytes=" + refuseFreeBytes +
                    " keepForNs=" + keepForNs + " keepBytes=" + keepBytes + " may not be negative");
        }
        if (refreshAheadBytes < 0 || minimumFreeBytes < 0 || rollLeadNs < 0 || rollGraceNs < 0) {
            throw new JournalException("refreshAheadBytes=" + refreshAheadBytes +
                    " minimumFreeBytes=" + minimumFreeBytes + " rollLeadNs=" + rollLeadNs +
                    " rollGraceNs=" + rollGraceNs + " may not be negative");
        }
    }
}
