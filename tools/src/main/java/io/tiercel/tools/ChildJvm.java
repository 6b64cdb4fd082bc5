package io.tiercel.tools;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * The command line that starts another {@code tiercel} command in a JVM like this one: the same program, flags and
 * class path. Flags that only one process at a time can have (agents, a class archive that is being written) are left
 * out.
 */
public final class ChildJvm {

    private static final List<String> OWN_ONLY = List.of(
            "-agentlib:", "-agentpath:", "-javaagent:", "-XX:ArchiveClassesAtExit", "-XX:AOTCacheOutput",
            "-XX:StartFlightRecording", "-Dcom.sun.management.jmxremote");

    private ChildJvm() {
    }

    public static List<String> command(final List<String> arguments) {
        return command(TiercelCommand.class, arguments);
    }

    /** The same for another program on the class path. */
    public static List<String> command(final Class<?> main, final List<String> arguments) {
        final List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + "/bin/java");
        for (final String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (OWN_ONLY.stream().noneMatch(flag::startsWith)) {
                command.add(flag);
            }
        }
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(main.getName());
        command.addAll(arguments);
        return command;
    }
}
