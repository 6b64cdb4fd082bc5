package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ExitCode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The appliance is killed, or stopped for a while, in the middle of traffic. */
@Timeout(120)
class CrashSystemTest {

    @RegisterExtension
    private final Workbench bench = new Workbench();

    @Test
    void shouldLeaveClientsThatEndAndSessionsThatGoOnWhenKilled() {
        final ServeConfig config = bench.config(bench.model(4));
        final TiercelProcess appliance = bench.serve(config);
        final TiercelProcess client = bench.client("desk-1");
        client.awaitLine("answered=1000 ");
        appliance.kill();

        assertEquals(0, client.awaitExit(), client::toString);
        client.awaitLine("disconnected cause=");
        assertEquals("sending-returns=CLOSED", client.awaitLine("sending-returns="));
        assertEquals(List.of(), client.err(), "Aeron prints nothing of its own");

        final long answered = SystemClient.valueOf(client.awaitLine("done "), "sequence=");
        assertReplays(config.journal(), answered);
        assertGoesOn(config, client);
    }

    @Test
    void shouldEndWithAReasonWhenItWasStoppedForLongerThanAeronAllows() {
        final ServeConfig config = bench.config(bench.model(5));
        final TiercelProcess appliance = bench.serve(config, "-Daeron.client.liveness.timeout=2s");
        final TiercelProcess client = bench.client("desk-1");
        client.awaitLine("answered=1000 ");
        appliance.pause(4_000);

        assertEquals(ExitCode.ENVIRONMENT, appliance.awaitExit(), appliance::toString);
        assertEquals(1, appliance.err().size(), appliance::toString);
        assertTrue(appliance.err().get(0).startsWith("failed: this process did not run for longer than Aeron allows"),
                appliance::toString);
        assertEquals(0, client.awaitExit(), client::toString);
        assertReplays(config.journal(), SystemClient.valueOf(client.awaitLine("done "), "sequence="));
    }

    /** What had been answered is there, and is right; at the very end there may be requests without an outcome. */
    private void assertReplays(final Path journal, final long answeredSequence) {
        final TiercelProcess replay =
                bench.run("replay", "verify", "--journal", journal.toString(), "--allow-open-tail");
        assertEquals(ExitCode.OK, replay.awaitExit(), replay::toString);
        final String result = replay.awaitLine("replay: ");
        final long compared = SystemClient.valueOf(result, "replay: ");
        assertEquals("replay: " + compared + " of " + compared + " outcomes bit-identical", result);

        final TiercelProcess dump = bench.run("journal", "dump", "--journal", journal.toString(), "--queue", "requests",
                "--format", "csv", "--from", Long.toString(answeredSequence), "--limit", "1");
        assertEquals(ExitCode.OK, dump.awaitExit(), dump::toString);
        assertTrue(dump.out().get(1).startsWith(answeredSequence + ","), "an answered request is journaled\n" + dump);
    }

    /**
     * On the same journal, in the same media driver directory, whose dead driver is no obstacle: the same features
     * bring other outputs than they brought to new sessions, and the whole journal is one straight run.
     */
    private void assertGoesOn(final ServeConfig config, final TiercelProcess firstClient) {
        final TiercelProcess again = bench.serve(config);
        final String recovered = again.awaitLine("recovered: ");
        again.awaitLine("ready ");
        assertTrue(again.err().stream().noneMatch(line -> line.contains("waiting until it counts as dead")),
                () -> "the driver is known to be dead\n" + again);
        final TiercelProcess client = bench.client("desk-1", "--requests", "100");
        assertEquals(0, client.awaitExit(), client::toString);
        assertEquals(0, again.terminate(), again::toString);

        final List<String> firstOutputs = firstClient.out("first session=");
        final List<String> outputs = client.out("first session=");
        assertEquals(firstOutputs.size(), outputs.size());
        assertTrue(outputs.stream().noneMatch(firstOutputs::contains), outputs + " are those of new sessions");

        final long total = SystemClient.valueOf(recovered, "next-sequence=") + 100;
        final TiercelProcess replay = bench.run("replay", "verify", "--journal", config.journal().toString());
        assertEquals(ExitCode.OK, replay.awaitExit(), replay::toString);
        replay.awaitLine("replay: " + total + " of " + total + " outcomes bit-identical");
    }
}
