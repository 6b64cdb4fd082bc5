package io.tiercel.tools.admin;

import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ModelInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code tiercel admin drain}: a version gives its sessions up. */
@Command(
        name = "drain",
        description = {
            "Drains a version to which no new sessions come: at its next request each of its sessions "
                    + "begins anew with another version, and the answer says so."
        })
public final class DrainCommand extends ModelSubcommand {

    @Parameters(paramLabel = "VERSION", description = "The first digits of the version's SHA-256, as versions says it.")
    private String version;

    @Override
    void run(final AdminSession session, final ModelInfo which) {
        final String drained = session.version(which, version).version();
        sayApplied(session.command(AdminRequest.drain(which.modelId(), drained)), "drain", drained);
    }
}
