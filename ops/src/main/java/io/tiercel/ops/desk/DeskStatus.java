package io.tiercel.ops.desk;

/**
 * How the feed stands.
 *
 * @param detail one line of {@code name=value}; empty if all is well.
 */
public record DeskStatus(Code code, String detail) {

    /** What became of the last look at the file. */
    public enum Code {
        /** The appliance lives and is read. */
        LIVE,
        /** There is no file: no appliance, or none yet. */
        ABSENT,
        /** The appliance has said that it stops. */
        STOPPED,
        /** No heartbeat: it is dead, or its telemetry thread does not get to run. */
        SILENT,
        /** A file that is not whole. */
        TRUNCATED,
        /** A file of somebody else's. */
        FOREIGN,
        /** A file of a version that this program does not read. */
        OTHER_VERSION,
        /** A file that cannot be read: permissions, an i/o error. */
        UNREADABLE
    }
}
