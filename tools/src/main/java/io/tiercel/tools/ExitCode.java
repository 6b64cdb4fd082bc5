package io.tiercel.tools;

/** Exit codes of every command. */
public final class ExitCode {

    public static final int OK = 0;

    /** The command ran, and what it checked does not hold. */
    public static final int CHECK_FAILED = 1;

    public static final int BAD_ARGUMENTS = 2;

    /** A file, the network, another process or this program itself failed. */
    public static final int ENVIRONMENT = 3;

    /** The command ran, and what it was given is not enough to tell. */
    public static final int CANNOT_TELL = 4;

    private ExitCode() {
    }
}
