package io.tiercel.appliance.telemetry;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A text file of one line for each thing that has happened, with a header. It is bounded: when it is full it takes the
 * place of {@code NAME.1}, and a new one begins; so the newest half to whole of the bound is always there. A process
 * that dies leaves whole lines, but for the last one. Where it cannot be written any more, on a full disk, it is given
 * up, and says nothing: the journal's own refusal is what an operator has to hear. One thread.
 */
final class TrackFile implements AutoCloseable {

    private final Path path;
    private final String header;
    private final long maxLength;
    private Writer writer;
    private long length;
    private boolean isGivenUp;

    /** @param maxLength of one file, of two; a line that begins before it is written whole. */
    TrackFile(final Path path, final String header, final long maxLength) throws IOException {
        this.path = path;
        this.header = header;
        this.maxLength = maxLength;
        begin();
    }

    /** @param line ASCII. */
    void append(final String line) throws IOException {
        if (isGivenUp) {
            return;
        }
        try {
            if (length >= maxLength) {
                writer.close();
                Files.move(path, path.resolveSibling(path.getFileName() + ".1"), StandardCopyOption.REPLACE_EXISTING);
                begin();
            }
            write(line);
        } catch (final IOException ex) {
            isGivenUp = true;
        }
    }

    void flush() throws IOException {
        if (!isGivenUp) {
            try {
                writer.flush();
            } catch (final IOException ex) {
                isGivenUp = true;
            }
        }
    }

    @Override
    public void close() throws IOException {
        if (!isGivenUp) {
            writer.close();
        }
    }

    private void begin() throws IOException {
        writer = Files.newBufferedWriter(path, StandardCharsets.US_ASCII);
        length = 0;
        write(header);
    }

    private void write(final String line) throws IOException {
        writer.write(line);
        writer.write('\n');
        length += line.length() + 1;
    }
}
