package io.tiercel.ops.doctor;

import java.util.ArrayList;
import java.util.List;

/**
 * What one check has seen.
 *
 * @param name     of the check.
 * @param verdict  how much it matters.
 * @param found    what is there, in a few words.
 * @param reason   why it matters; empty if it is good.
 * @param commands that mend it, to be run by whoever has decided to; a line that begins with {@code #} is a remark.
 * @param settings that {@code --apply} writes; their commands stand among the others.
 */
public record Finding(
        String name, Verdict verdict, String found, String reason, List<String> commands, List<Setting> settings) {

    public Finding {
        commands = List.copyOf(commands);
        settings = List.copyOf(settings);
    }

    static Finding good(final String name, final String found) {
        return new Finding(name, Verdict.GOOD, found, "", List.of(), List.of());
    }

    static Finding unknown(final String name, final String reason) {
        return new Finding(name, Verdict.UNKNOWN, "not to be seen", reason, List.of(), List.of());
    }

    static Finding of(final String name, final Verdict verdict, final String found, final String reason) {
        return new Finding(name, verdict, found, reason, List.of(), List.of());
    }

    /** The same with one command more. */
    Finding command(final String command) {
        final List<String> more = new ArrayList<>(commands);
        more.add(command);
        return new Finding(name, verdict, found, reason, more, settings);
    }

    /** The same with settings more; where there are many that differ only in a number, one command stands for them. */
    Finding settings(final String command, final List<Setting> added) {
        final List<Setting> more = new ArrayList<>(settings);
        more.addAll(added);
        return new Finding(name, verdict, found, reason, commands, more).command(command);
    }

    Finding setting(final String file, final String value) {
        final Setting setting = new Setting(file, value);
        return settings(setting.command(), List.of(setting));
    }
}
