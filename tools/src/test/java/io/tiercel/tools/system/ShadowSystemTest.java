package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A candidate in the shadow of a running appliance: it follows the journal, and reports as any what-if. */
@Timeout(120)
class ShadowSystemTest {

    @RegisterExtension
    private final Workbench bench = new Workbench();

    @Test
    void shouldFollowTheJournalOfARunningApplianceAndReportInTheEnd() throws Exception {
        final ServeConfig config = bench.config(bench.model(6));
        final TiercelProcess appliance = bench.serve(config);
        final TiercelProcess client = bench.client("desk-1");
        client.awaitLine("answered=500 ");
        final TiercelProcess shadow = bench.begin("replay", "whatif", "--journal", config.journal().toString(),
                "--model", bench.model(7) + "," + bench.model(6), "--follow", "--every", "100ms",
                "--until-stdin-closes");
        shadow.awaitLines("shadow: ", 2);
        final String first = shadow.out("shadow: ").get(0);
        client.awaitLines("answered=", client.out("answered=").size() + 2);
        shadow.awaitLines("shadow: ", shadow.out("shadow: ").size() + 4);
        assertEquals(0, client.closeInput(), client::toString);
        shadow.awaitLines("shadow: ", shadow.out("shadow: ").size() + 4);
        assertEquals(ExitCode.OK, shadow.closeInput(), shadow::toString);
        assertEquals(0, appliance.terminate(), appliance::toString);

        final String last = shadow.out("shadow: ").get(shadow.out("shadow: ").size() - 2);
        final long sequence = SystemClient.valueOf(last, "sequence=");
        assertTrue(sequence > SystemClient.valueOf(first, "sequence="), shadow::toString);
        assertEquals(SystemClient.valueOf(client.awaitLine("done "), "sequence="), sequence, "all of it");
        assertEquals(sequence + 1, SystemClient.valueOf(last, "answers="));
        assertTrue(last.contains(" changed=100.00% "), last);
        assertTrue(shadow.out("the journal's own ").get(0).matches(".* " + (sequence + 1) + " +0\\.00 .*"),
                shadow::toString);
    }
}
