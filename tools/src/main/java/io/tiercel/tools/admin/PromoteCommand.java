package io.tiercel.tools.admin;

import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ServedVersion;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tiercel admin promote}: all new sessions come to one version. */
@Command(
        name = "promote",
        description = {
            "Lets all new sessions come to one version. Those that there are stay where they are; with "
                    + "--drain they begin anew with it at their next request."
        })
public final class PromoteCommand extends ModelSubcommand {

    @Parameters(paramLabel = "VERSION", description = "The first digits of the version's SHA-256, as versions says it.")
    private String version;

    @Option(names = "--drain", description = "Then drains the versions from which the model was promoted.")
    private boolean drains;

    @Override
    void run(final AdminSession session, final ModelInfo which) {
        final String promoted = session.version(which, version).version();
        sayApplied(session.command(AdminRequest.promote(which.modelId(), promoted)), "promote", promoted);
        if (drains) {
            drainOthers(session, which, promoted);
        }
    }

    private void drainOthers(final AdminSession session, final ModelInfo which, final String promoted) {
        for (final ServedVersion other : session.versions()) {
            if (other.modelId() == which.modelId() && !other.version().equals(promoted) && !other.isDrained()) {
                sayApplied(session.command(AdminRequest.drain(which.modelId(), other.version())), "drain",
                        other.version());
            }
        }
    }
}
