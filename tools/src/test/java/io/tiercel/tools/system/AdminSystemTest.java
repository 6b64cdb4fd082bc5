package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A model is swapped while a client asks it: canary, promotion, roll-back, a death, and the replay of it all. */
@Timeout(120)
class AdminSystemTest {

    @RegisterExtension
    private final Workbench bench = new Workbench();
    private Path clientKey;
    private Path adminKey;

    @Test
    void shouldSwapAndRollBackUnderLoadWithNoAnswerMissing() throws Exception {
        final Path first = bench.model(6);
        final Path second = bench.model(7);
        final String firstVersion = Bundle.open(first).versionHex();
        final String secondVersion = Bundle.open(second).versionHex();
        final ServeConfig config = bench.config(first).more("access:\n  keys: " + keys() + "\n");
        final TiercelProcess appliance = bench.serve(config);
        final TiercelProcess probe = bench.begin("ops", "probe", "--aeron", bench.aeronDirectory().toString(),
                "--principal", "desk-1", "--key", clientKey.toString(), "--every", "100ms", "--late", "20s",
                "--timeout",
                "20s", "--until-stdin-closes");
        probe.awaitLine("probe: outcome=OK ");
        final TiercelProcess client = bench.client("desk-1", "--key", clientKey.toString());
        client.awaitLine("answered=500 ");

        assertApplied("load", second.toString());
        assertApplied("route", firstVersion.substring(0, 8) + "=90", secondVersion.substring(0, 8) + "=10");
        assertApplied("promote", secondVersion.substring(0, 12), "--drain");
        client.awaitLines("answered=", client.out("answered=").size() + 3);
        assertVersions("flow " + firstVersion + " drained 0.00 % 90.00 % ",
                "flow " + secondVersion + " routed 100.00 % 10.00 % ");
        assertApplied("rollback");
        assertApplied("snapshot");
        client.awaitLines("answered=", client.out("answered=").size() + 3);
        assertVersions("flow " + firstVersion + " routed 90.00 % 0.00 % ",
                "flow " + secondVersion + " routed 10.00 % 0.00 % ");
        assertEquals(0, client.closeInput(), () -> "every answer has come: " + client);
        assertEquals(0, probe.closeInput(), probe::toString);
        assertEquals(List.of(), probe.out("probe: outcome=WRONG_BITS"), "its session was with another version");
        final String before = versions().out();

        appliance.kill();
        final TiercelProcess again = bench.serve(config);
        assertEquals(before, versions().out(), "versions, routes and sessions after a death");
        assertEquals(0, again.terminate(), again::toString);
        final TiercelProcess replay = bench.run("replay", "verify", "--journal", config.journal().toString());
        assertEquals(ExitCode.OK, replay.awaitExit(), replay::toString);
        final TiercelProcess snapshots = bench.run("snapshot", "verify", "--journal", config.journal().toString());
        assertEquals(ExitCode.OK, snapshots.awaitExit(), snapshots::toString);
    }

    @Test
    void shouldSayInALineWhatCannotBe() {
        final ServeConfig config = bench.config(bench.model(6)).more("access:\n  keys: " + keys() + "\n");
        assertRefused(ExitCode.ENVIRONMENT, "no media driver", admin("versions"));
        final TiercelProcess appliance = bench.serve(config);
        assertRefused(ExitCode.BAD_ARGUMENTS, "version=00 begins none of model=flow", admin("promote", "00"));
        assertRefused(ExitCode.BAD_ARGUMENTS, "--model=tape is unknown; this principal may administer [flow]",
                admin("rollback", "--model", "tape"));
        assertRefused(ExitCode.CHECK_FAILED, "ROLL_BACK refused: code=NO_FORMER_ROUTE modelId=0", admin("rollback"));
        assertRefused(ExitCode.CHECK_FAILED, "LOAD refused: code=BUNDLE_REFUSED", admin("load", clientKey.toString()));
        assertRefused(ExitCode.ENVIRONMENT, "NOT_AN_ADMINISTRATOR", CapturedCommand.run(
                List.of("admin", "versions", "--aeron", bench.aeronDirectory().toString(), "--key",
                        clientKey.toString(), "--principal", "desk-1")));
        assertEquals(0, appliance.terminate(), appliance::toString);
    }

    private Path keys() {
        final Path keys = bench.directory().resolve("keys");
        clientKey = bench.directory().resolve("desk-1.key");
        adminKey = bench.directory().resolve("chief.key");
        assertEquals(0, CapturedCommand.run(List.of("ops", "key", "desk-1", "--keys", keys.toString(), "--client",
                clientKey.toString())).exitCode());
        assertEquals(0, CapturedCommand.run(List.of("ops", "key", "chief", "--roles", "admin", "--keys",
                keys.toString(), "--client", adminKey.toString())).exitCode());
        return keys;
    }

    private CapturedCommand admin(final String command, final String... arguments) {
        return CapturedCommand.run(List.of("admin", command, "--aeron", bench.aeronDirectory().toString(), "--key",
                adminKey.toString(), "--principal", "chief"), arguments);
    }

    private CapturedCommand versions() {
        final CapturedCommand versions = admin("versions");
        assertEquals(0, versions.exitCode(), versions::toString);
        return versions;
    }

    private void assertVersions(final String... parts) {
        final CapturedCommand versions = versions();
        for (final String part : parts) {
            assertTrue(versions.out().replaceAll(" +", " ").contains(part), part + "\n" + versions.out());
        }
    }

    private void assertApplied(final String command, final String... arguments) {
        final CapturedCommand applied = admin(command, arguments);
        assertEquals(0, applied.exitCode(), applied::toString);
        assertTrue(applied.out().contains("applied: " + command), applied::toString);
    }

    private static void assertRefused(final int exitCode, final String reason, final CapturedCommand command) {
        assertTrue(command.err().contains(reason), command::toString);
        assertEquals(exitCode, command.exitCode(), command::toString);
    }
}
