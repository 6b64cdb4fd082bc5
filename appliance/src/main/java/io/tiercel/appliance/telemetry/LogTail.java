package io.tiercel.appliance.telemetry;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.function.Consumer;

/**
 * The lines that a file gets while somebody else writes to it. Where its writer gives a full file another name and
 * begins a new one, both are read to their ends; so it has to be looked at before that happens twice. A file that is
 * not there has no lines yet. One thread; allocates as it likes.
 */
final class LogTail implements AutoCloseable {

    private static final int READ_BYTES = 8 << 10;

    private final Path path;
    private final ByteBuffer bytes = ByteBuffer.allocate(READ_BYTES);
    /** As far as it has been written. */
    private final StringBuilder line = new StringBuilder();
    private FileChannel channel;
    private Object fileKey;

    LogTail(final Path path) {
        this.path = path;
    }

    /**
     * Hands over the lines that have become whole since the last call, without their ends.
     *
     * <p>Whose name it is now is asked first: if it is another file's, nobody writes to the one at hand any more, and
     * what is read of it then is all of it.
     */
    void poll(final Consumer<String> handler) throws IOException {
        final Object key = keyOfName();
        readOn(handler);
        if (key != null && !key.equals(fileKey)) {
            close();
            channel = FileChannel.open(path, StandardOpenOption.READ);
            fileKey = key;
            line.setLength(0);
            readOn(handler);
        }
    }

    @Override
    public void close() throws IOException {
        if (channel != null) {
            channel.close();
            channel = null;
        }
    }

    /** Null if nothing has this name, as for a moment while the files change. */
    private Object keyOfName() throws IOException {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        } catch (final NoSuchFileException ex) {
            return null;
        }
    }

    private void readOn(final Consumer<String> handler) throws IOException {
        while (channel != null && channel.read(bytes.clear()) > 0) {
            bytes.flip();
            while (bytes.hasRemaining()) {
                final char character = (char) (bytes.get() & 0xFF);
                if (character == '\n') {
                    handler.accept(line.toString());
                    line.setLength(0);
                } else {
                    line.append(character);
                }
            }
        }
    }
}
