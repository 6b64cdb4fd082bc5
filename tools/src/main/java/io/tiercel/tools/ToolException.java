package io.tiercel.tools;

/**
 * An expected failure of a command: its message is one clear line for the user, and its code the exit code of the
 * process. {@link TiercelCommand} prints the message without a stack trace.
 */
public final class ToolException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int exitCode;

    public ToolException(final int exitCode, final String message) {
        super(message);
        this.exitCode = exitCode;
    }

    public ToolException(final int exitCode, final String message, final Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    /** The user asked for something that cannot be. */
    public static ToolException badArgument(final String message) {
        return new ToolException(ExitCode.BAD_ARGUMENTS, message);
    }

    /** The machine, a file or another process did not do its part. */
    public static ToolException environment(final String message) {
        return new ToolException(ExitCode.ENVIRONMENT, message);
    }

    public static ToolException environment(final String message, final Throwable cause) {
        return new ToolException(ExitCode.ENVIRONMENT, message, cause);
    }

    public int exitCode() {
        return exitCode;
    }
}
