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
 * process however it ends. In the file are the holder's process id, for the message that the next one prints, and a
 * line that a holder leaves to the next.
 */
final class DirectoryLock implements AutoCloseable {

    /** A process id and a note with a path in it. */
    private static final int MAX_TEXT_LENGTH = 8_192;

    private final FileChannel channel;
    private final String note;

    private DirectoryLock(final FileChannel channel, final String note) {
        this.channel = channel;
        this.note = note;
    }

    static DirectoryLock take(final Path file) {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (!tryLock(channel)) {
                final String holder = read(channel)[0];
                throw new JournalException("journal is in use by another appliance: lock=" + file +
                        (holder.startsWith("pid=") ? " " + holder : ""));
            }
            final String[] left = read(channel);
            final DirectoryLock lock = new DirectoryLock(channel, left.length > 1 ? left[1] : "");
            lock.write(lock.note);
            return lock;
        } catch (final IOException ex) {
            close(channel);
            throw new JournalException("journal cannot be locked: lock=" + file + " " + ex, ex);
        } catch (final JournalException ex) {
            close(channel);
            throw ex;
        }
    }

    /** What the last holder that left anything has left; empty if none has. */
    String note() {
        return note;
    }

    /** Leaves a line to the next holder, in the place of the last one. */
    void leaveNote(final String line) {
        try {
            write(line);
        } catch (final IOException ex) {
            throw new JournalException("lock file cannot be written: " + ex, ex);
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

    private void write(final String line) throws IOException {
        final String text = "pid=" + ProcessHandle.current().pid() + "\n" + line + "\n";
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), 0);
    }

    /** The lines; at least one, which may be empty. */
    private static String[] read(final FileChannel channel) throws IOException {
        final ByteBuffer buffer = ByteBuffer.allocate(MAX_TEXT_LENGTH);
        channel.read(buffer, 0);
        return new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8).split("\n", -1);
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
