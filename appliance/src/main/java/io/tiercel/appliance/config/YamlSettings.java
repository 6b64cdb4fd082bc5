package io.tiercel.appliance.config;

import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.LoadSettingsBuilder;

/** How whoever reads YAML here has it parsed. */
public final class YamlSettings {

    /** The second half of a pair of characters, and one for the parser to see that nothing follows. */
    private static final int SPARE_CHARACTERS = 2;

    private YamlSettings() {
    }

    /**
     * For a text that is read as a whole. The parser's buffer holds all of it: where a smaller one ends between the two
     * characters of a pair, such as an emoji, the parser (3.0.1) reads past the buffer's end and throws.
     */
    public static LoadSettingsBuilder forText(final String text) {
        return LoadSettings.builder().setBufferSize(text.length() + SPARE_CHARACTERS);
    }
}
