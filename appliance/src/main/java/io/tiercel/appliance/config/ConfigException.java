package io.tiercel.appliance.config;

/**
 * A configuration that cannot be used. The message is one line for the person who wrote it: where it stands, the key,
 * the value, and what would do instead.
 */
public final class ConfigException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String file;
    private final int line;
    private final String key;

    /**
     * @param file   as its reader was given it, or null if the value did not come from a file.
     * @param line   from 1, or 0 if it is not known.
     * @param key    dotted, or null if the fault is not in one key.
     * @param detail what is wrong, beginning with {@code key=value} where there is one.
     */
    ConfigException(final String file, final int line, final String key, final String detail) {
        super(where(file, line) + detail);
        this.file = file;
        this.line = line;
        this.key = key;
    }

    /** The file that holds the fault, or null. */
    public String file() {
        return file;
    }

    /** The line of the fault, from 1, or 0 if it is not known. */
    public int line() {
        return line;
    }

    /** The dotted key at fault, or null. */
    public String key() {
        return key;
    }

    private static String where(final String file, final int line) {
        if (file == null) {
            return "";
        }
        return line > 0 ? file + ":" + line + ": " : file + ": ";
    }
}
