package io.tiercel.appliance.snapshot;

import java.nio.file.Path;

/** A snapshot cannot be written, or is not one that can be used; the message has the file and the values. */
public final class SnapshotException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    SnapshotException(final Path file, final String reason) {
        super("snapshot cannot be used: file=" + file + " " + reason);
    }

    SnapshotException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
