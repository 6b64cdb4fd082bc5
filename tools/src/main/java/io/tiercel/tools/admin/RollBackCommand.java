package io.tiercel.tools.admin;

import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ModelInfo;
import picocli.CommandLine.Command;

/** {@code tiercel admin rollback}: the route before this one. */
@Command(
        name = "rollback",
        description = {
            "Puts the route back that there was before, once, and drains the versions that only the "
                    + "present one has: their sessions begin anew at their next request. To take every session off "
                    + "a version, promote another with --drain."
        })
public final class RollBackCommand extends ModelSubcommand {

    @Override
    void run(final AdminSession session, final ModelInfo which) {
        sayApplied(session.command(AdminRequest.rollBack(which.modelId())), "rollback", which.alias());
    }
}
