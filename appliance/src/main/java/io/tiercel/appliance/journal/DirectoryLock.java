package io.tiercel.appliance.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Says which process may write a journal: an operating system lock on the file {@code lock}, which goes with the
 * process however it ends. The holder's process id is in the file, for the message that the next one prints.
 */
final class DirectoryLock implements AutoCloseable {

    private static final int MAX_HOLDER_LENGTH = 64;

    private final FileChannel channel;

    private DirectoryLock(final FileChannel channel) {
        this.channel = channel;
    }

    static DirectoryLock take(final Path file) {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (!tryLock(channel)) {
                throw new JournalException("journal is in use by another appliance: lock=" + file + holder(channel));
            }
            final String text = "pid=" + ProcessHandle.current().pid() + "\n";
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)), 0);
            return new DirectoryLock(channel);
        } catch (final IOException ex) {
            close(channel);
            throw new JournalException("journal cannot be locked: lock=" + file + " " + ex, ex);
        } catch (final JournalException ex) {
            close(channel);
            throw ex;
        }
    }

    /** Lets go of the lock; the file stays, because removing it would let two processes hold a lock on two files. */
    @Override
    public void close() {
        close(channel);
    }

    private static boolean tryLock(final FileChannel channel) throws IOException {
        try {
            final FileLock lock = channel.tryLock();
            return lock != null;
        } catch (final OverlappingFileLockException ex) {
            return false;
        }
    }

    private static String holder(final FileChannel channel) throws IOException {
        final ByteBuffer buffer = ByteBuffer.allocate(MAX_HOLDER_LENGTH);
        channel.read(buffer, 0);
        final String text = new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII).trim();
        return text.startsWith("pid=") ? " " + text : "";
    }

    private static void close(final FileChannel channel) {
        if (channel == null) {
            return;
        }
        try {
            channel.close();
        } catch (final IOException ex) {
            throw new JournalException("lock file cannot be closed: " + ex, ex);
        }
    }
}
