package io.tiercel.tools.admin;

import io.tiercel.protocol.client.AdminRequest;
import picocli.CommandLine.Command;

/** {@code tiercel admin snapshot}: a snapshot now. */
@Command(
        name = "snapshot",
        description = {
            "Has the appliance take a snapshot of all sessions, as soon as it goes."
        })
public final class TakeSnapshotCommand extends AdminSubcommand {

    @Override
    void run(final AdminSession session) {
        sayApplied(session.command(AdminRequest.snapshot()), "snapshot", "asked for");
    }
}
