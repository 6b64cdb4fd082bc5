package io.tiercel.tools;

import java.nio.file.Path;

/** Values in the configuration files that commands write. */
public final class YamlText {

    private YamlText() {
    }

    /** A single-quoted scalar: only the quote itself needs care. */
    public static String quoted(final String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    public static String quoted(final Path path) {
        return quoted(path.toString());
    }
}
