package io.tiercel.tools.admin;

import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ServedVersion;
import io.tiercel.tools.TextTable;
import java.util.Locale;
import picocli.CommandLine.Command;

/** {@code tiercel admin versions}: the versions of each model, and their routes. */
@Command(
        name = "versions",
        description = {
            "Lists the versions of the models that this principal may administer, and how new sessions "
                    + "are split over them."
        })
public final class VersionsCommand extends AdminSubcommand {

    @Override
    void run(final AdminSession session) {
        final TextTable table =
                TextTable.ofNumbersAfter(3, "model", "version", "state", "new sessions", "formerly",
                        "sessions");
        for (final ServedVersion version : session.versions()) {
            table.row(aliasOf(session, version), version.version(), stateOf(version), percent(version.weight()),
                    percent(version.formerWeight()), Long.toString(version.sessionCount()));
        }
        print(table);
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
