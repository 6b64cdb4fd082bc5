package io.tiercel.appliance.journal;

/**
 * Chronicle's process-wide switches, set before the first of its classes that reads them is loaded.
 *
 * <p>Chronicle reads these system properties into static finals. Every entry point of this package calls
 * {@link #apply()} first, so a user need set none of them; a value given on the command line wins.
 * <ul>
 *   <li>{@code chronicle.analytics.disable}: no usage analytics. Without it, and with the analytics jar on the class
 *       path, opening a queue makes a TLS connection and leaves a file in the home directory. The jar is excluded from
 *       the build as well.</li>
 *   <li>{@code chronicle.announcer.disable}: no banner on standard output.</li>
 *   <li>{@code chronicle.disk.monitor.disable}: no disk polling thread; {@link JournalKeeper} watches the space.</li>
 *   <li>{@code jna.tmpdir}: JNA, which Chronicle brings along, unpacks its library where this JVM keeps temporary
 *       files. By default it makes {@code ~/.cache/JNA} for that, and the user of a service may have no home.</li>
 * </ul>
 */
final class ChronicleSettings {

    private static final String[] PROPERTIES = {
        "chronicle.analytics.disable", "true",
        "chronicle.announcer.disable", "true",
        "chronicle.disk.monitor.disable", "true",
        "jna.tmpdir", System.getProperty("java.io.tmpdir"),
    };

    private ChronicleSettings() {
    }

    static void apply() {
        for (int i = 0; i < PROPERTIES.length; i += 2) {
            if (System.getProperty(PROPERTIES[i]) == null) {
                System.setProperty(PROPERTIES[i], PROPERTIES[i + 1]);
            }
        }
    }
}
