package io.tiercel.tools.admin;

import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ServedVersion;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.TextTable;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tiercel admin versions}: the versions of each model, and their routes. */
@Command(
        name = "versions",
        mixinStandardHelpOptions = true,
        description = {
            "Lists the versions of the models that this principal may administer, and how new sessions "
                    + "are split over them."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it has had its effect",
            "1:it was refused, and has had none",
            "2:bad arguments",
            "3:no appliance, no answer, or a file failed"
        })
public final class VersionsCommand implements Callable<Integer> {

    @Mixin
    private AdminOptions options;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        try (AdminSession session = options.open()) {
            final TextTable table =
                    TextTable.ofNumbersAfter(3, "model", "version", "state", "new sessions", "formerly",
                            "sessions");
            for (final ServedVersion version : session.versions()) {
                table.row(aliasOf(session, version), version.version(), stateOf(version), percent(version.weight()),
                        percent(version.formerWeight()), Long.toString(version.sessionCount()));
            }
            spec.commandLine().getOut().print(table);
            spec.commandLine().getOut().flush();
        }
        return ExitCode.OK;
    }

    private static String aliasOf(final AdminSession session, final ServedVersion version) {
        for (final ModelInfo model : session.models()) {
            if (model.modelId() == version.modelId()) {
                return model.alias();
            }
        }
        return Integer.toString(version.modelId());
    }

    private static String percent(final int weight) {
        return String.format(Locale.ROOT, "%.2f %%", weight / 100.0);
    }

    private static String stateOf(final ServedVersion version) {
        if (version.weight() > 0) {
            return "routed";
        }
        return version.isDrained() ? "drained" : "kept";
    }
}
