package io.tiercel.appliance.journal;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.protocol.SecretFiles;
import io.tiercel.protocol.Sha256;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.locks.LockSupport;

/**
 * A journal being written: the directory, its lock, the two logs, and the keeper that prepares memory for both.
 *
 * <pre>
 *   lock                              held while a process writes; has its process id, and what it leaves to the next
 *   journal.yaml                      formatVersion, roll, firstSequence
 *   requests/  outcomes/              one Chronicle queue each
 *   bundles/&lt;sha-256&gt;.safetensors   every model that answered, so that a journal can be replayed by itself
 *   telemetry/*.hlog
 * </pre>
 */
public final class JournalDirectory implements AutoCloseable {

    private static final long KEEPER_SLEEP_NS = 20_000_000;
    private static final Logger LOG = LoggerFactory.getLogger(JournalDirectory.class);

    static {
        ChronicleSettings.apply();
    }

    private final Path directory;
    private final JournalSettings settings;
    private final DirectoryLock lock;
    private final ChronicleRecordLog requests;
    private final ChronicleRecordLog outcomes;
    private final JournalKeeper keeper;
    private final AgentRunner keeperRunner;
    private boolean isClosed;

    private JournalDirectory(
            final Path directory,
            final DirectoryLock lock,
            final JournalSettings settings,
            final QueueTail requestsTail,
            final QueueTail outcomesTail) {
        this.directory = directory;
        this.lock = lock;
        this.settings = settings;
        final SpaceWatch space = new SpaceWatch(directory.toFile(), settings);
        requests = new ChronicleRecordLog(directory.resolve(JournalLayout.REQUESTS), settings, requestsTail, space);
        try {
            outcomes =
                    new ChronicleRecordLog(directory.resolve(JournalLayout.OUTCOMES), settings, outcomesTail, space);
        } catch (final RuntimeException ex) {
            requests.close();
            throw ex;
        }
        keeper = new JournalKeeper(settings.clock(), space, requests.keeper(), outcomes.keeper());
        keeperRunner = settings.keeperThread() ? startKeeper() : null;
    }

    /**
     * Takes a journal's directory, making it for this user alone if it is not there, so that no other process writes
     * it. Changes nothing in a journal that exists.
     *
     * @throws JournalException if another process writes it, or if it is not a journal of this format and roll.
     */
    public static ClaimedJournal claim(final Path directory, final JournalSettings settings) {
        settings.validate();
        try {
            SecretFiles.createFolder(directory);
        } catch (final IOException ex) {
            throw new JournalException("journal directory cannot be made: directory=" + directory + " " + ex, ex);
        }
        final DirectoryLock lock = DirectoryLock.take(directory.resolve(JournalLayout.LOCK));
        try {
            check(directory, settings);
            return new ClaimedJournal(directory, settings, lock);
        } catch (final RuntimeException ex) {
            lock.close();
            throw ex;
        }
    }

    /**
     * Opens a new or empty journal for writing, making the directory if it is not there.
     *
     * @throws JournalException if another process writes it, if it has records already, if it is not a journal of this
     *                          format, or if the file system has no room for the first blocks.
     */
    public static JournalDirectory open(final Path directory, final JournalSettings settings) {
        try (ClaimedJournal claimed = claim(directory, settings)) {
            if (claimed.hasRecords()) {
                throw new JournalException("journal holds records already: directory=" + directory +
                        " (choose an empty directory, or recover from this one)");
            }
            return claimed.append(JournalEnd.EMPTY, JournalEnd.EMPTY);
        }
    }

    /** @throws JournalException before anything is changed, if the queues cannot be continued there at this time. */
    static JournalDirectory resume(
            final Path directory,
            final JournalSettings settings,
            final DirectoryLock lock,
            final JournalEnd requests,
            final JournalEnd outcomes) {
        final QueueTail requestsTail = new QueueTail(directory.resolve(JournalLayout.REQUESTS), settings, requests);
        final QueueTail outcomesTail = new QueueTail(directory.resolve(JournalLayout.OUTCOMES), settings, outcomes);
        requestsTail.check();
        outcomesTail.check();
        try {
            prepare(directory, settings);
            requestsTail.cut();
            outcomesTail.cut();
            return new JournalDirectory(directory, lock, settings, requestsTail, outcomesTail);
        } catch (final IOException ex) {
            throw new JournalException("journal cannot be opened: directory=" + directory + " " + ex, ex);
        }
    }

    /** Opens a journal for reading, also while it is being written or where nothing may be written. */
    public static JournalView openForRead(final Path directory) {
        return new JournalView(directory, JournalLayout.read(directory).roll());
    }

    public Path directory() {
        return directory;
    }

    /** For the thread that journals requests. */
    public RecordLog requests() {
        return requests;
    }

    /** For the thread that journals outcomes. */
    public RecordLog outcomes() {
        return outcomes;
    }

    /** To be run by the caller if, and only if, the settings say that it has no thread. */
    public JournalKeeper keeper() {
        return keeper;
    }

    /**
     * Writes through to the device what is in both queues now, while their writers go on. Any thread but a hot one.
     *
     * @throws JournalException if the device could not take it.
     */
    public void sync() {
        try {
            requests.keeper().syncBesideWriter();
            outcomes.keeper().syncBesideWriter();
        } catch (final IOException ex) {
            throw new JournalException("journal cannot be written through: directory=" + directory + " " + ex, ex);
        }
    }

    /**
     * Appends an outcome that a crash has kept from the journal, waiting for memory where it has to. Before the outcome
     * stage runs, on the caller's thread.
     */
    public void appendOutcome(
            final long sequence,
            final long ingressNs,
            final long principalId,
            final DirectBuffer modelVersion,
            final DirectBuffer frame) {
        while (!outcomes.append(sequence, ingressNs, principalId, modelVersion, frame, 0, frame.capacity())) {
            if (keeperRunner == null) {
                keeper.doWork();
            } else {
                LockSupport.parkNanos(KEEPER_SLEEP_NS);
            }
        }
    }

    /** Leaves a line in the lock's file to the next process that holds it; it outlives this one however that ends. */
    public void leaveNote(final String line) {
        lock.leaveNote(line);
    }

    public Path telemetryDirectory() {
        return directory.resolve(JournalLayout.TELEMETRY);
    }

    /** Copies a model's bundle into the journal, unless it is there. */
    public void addBundle(final Bundle bundle) {
        addBundle(bundle.path(), bundle.versionHex());
    }

    /**
     * Copies a model's bundle into the journal, unless it is there, and checks what it copied.
     *
     * @param versionHex SHA-256 of the file in lower-case hex, as its records will name it.
     */
    public void addBundle(final Path bundle, final String versionHex) {
        final Path target = bundlePath(directory, versionHex);
        if (Files.exists(target)) {
            return;
        }
        final Path draft = target.resolveSibling(versionHex + ".tmp");
        try {
            final String copiedHex = copy(bundle, draft);
            if (!copiedHex.equals(versionHex)) {
                Files.delete(draft);
                throw new JournalException("bundle changed under our hands: file=" + bundle +
                        " expected=" + versionHex + " actual=" + copiedHex);
            }
            Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (final IOException ex) {
            throw new JournalException("bundle cannot be copied: file=" + bundle + " to=" + target + " " + ex, ex);
        }
    }

    /**
     * Removes the oldest files of both queues whose records all come before a sequence, as far as they are older than
     * {@link JournalSettings#keepForNs()}, or as long as the whole journal is larger than
     * {@link JournalSettings#keepBytes()}. Bundles stay, and so does the file that holds the newest record of a queue.
     * Any thread but a hot one, one at a time.
     *
     * @param keepFromSequence the first sequence that is needed.
     * @param nowNs            nanoseconds since the epoch.
     * @throws JournalException if a file cannot be read or removed; what is left is a whole journal.
     */
    public synchronized PruneReport prune(final long keepFromSequence, final long nowNs) {
        final Pruner.OpenFile[] openFiles = {requests.keeper().oldestOpen(), outcomes.keeper().oldestOpen()};
        try {
            return new Pruner(directory, settings).prune(keepFromSequence, nowNs, openFiles);
        } catch (final IOException ex) {
            throw new JournalException("journal cannot be pruned: directory=" + directory + " " + ex, ex);
        }
    }

    /** Of all that is in the directory; of files that are open, what is written. */
    public synchronized long sizeBytes() {
        final Pruner.OpenFile[] openFiles = {requests.keeper().oldestOpen(), outcomes.keeper().oldestOpen()};
        return new Pruner(directory, settings).sizeBytes(openFiles);
    }

    /** Counts since opening. Exact once the writing threads have stopped. */
    public JournalReport report() {
        return new JournalReport(directory, requests.recordCount(), outcomes.recordCount(), requests.lastSequence(),
                outcomes.lastSequence(), requests.rolledCount() + outcomes.rolledCount());
    }

    /** Stops the keeper, then syncs and closes requests, outcomes and the lock. Call it after the writing threads. */
    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        CloseHelper.closeAll(keeperRunner, requests, outcomes, lock);
        LOG.info("closed {}", report());
    }

    public static Path bundlePath(final Path directory, final String versionHex) {
        return directory.resolve(JournalLayout.BUNDLES).resolve(versionHex + JournalLayout.BUNDLE_SUFFIX);
    }

    private AgentRunner startKeeper() {
        final AgentRunner runner = new AgentRunner(
                new SleepingIdleStrategy(KEEPER_SLEEP_NS), ex -> LOG.error("journal keeper", ex), null, keeper);
        AgentRunner.startOnThread(runner);
        return runner;
    }

    private static void check(final Path directory, final JournalSettings settings) {
        if (!JournalLayout.exists(directory)) {
            refuseStranger(directory);
            return;
        }
        final RollPeriod roll = JournalLayout.read(directory).roll();
        if (roll != settings.roll()) {
            throw new JournalException("journal rolls otherwise: directory=" + directory +
                    " roll=" + roll + " configured=" + settings.roll());
        }
    }

    private static void prepare(final Path directory, final JournalSettings settings) throws IOException {
        if (!JournalLayout.exists(directory)) {
            JournalLayout.write(directory, new JournalLayout.Description(settings.roll(), 0));
        }
        for (final String name : new String[] {JournalLayout.REQUESTS, JournalLayout.OUTCOMES, JournalLayout.BUNDLES,
            JournalLayout.TELEMETRY}) {
            Files.createDirectories(directory.resolve(name));
        }
        if (settings.isWrittenThrough()) {
            JournalLayout.syncEntries(directory);
        }
    }

    private static void refuseStranger(final Path directory) {
        for (final String name : new String[] {JournalLayout.REQUESTS, JournalLayout.OUTCOMES}) {
            if (Files.exists(directory.resolve(name))) {
                throw new JournalException("not a journal: there is " + name + " but no " +
                        JournalLayout.DESCRIPTION + " in directory=" + directory);
            }
        }
    }

    private static String copy(final Path source, final Path target) throws IOException {
        final MessageDigest digest = Sha256.digest();
        try (InputStream in = new DigestInputStream(Files.newInputStream(source), digest)) {
            Files.copy(in, target, StandardCopyOption.REPLACE_EXISTING);
        }
        try (FileChannel channel = FileChannel.open(target, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
