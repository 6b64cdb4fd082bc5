package io.tiercel.ops.doctor;

/**
 * A file of the kernel's that mends a finding once it holds a value, until the next start of the host.
 *
 * @param file  absolute, as {@code /proc/sys/vm/swappiness}.
 * @param value what to write.
 */
public record Setting(String file, String value) {

    /** The command that does the same. */
    public String command() {
        return "echo " + value + " > " + file;
    }
}
