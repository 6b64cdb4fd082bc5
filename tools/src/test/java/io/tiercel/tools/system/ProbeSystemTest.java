package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.ops.probe.KnownAnswers;
import io.tiercel.ops.probe.Probe;
import io.tiercel.ops.probe.ProbeOutcome;
import io.tiercel.ops.probe.ProbeQuestion;
import io.tiercel.ops.probe.ProbeResult;
import io.tiercel.ops.probe.ProbeSettings;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The probe, against an appliance that answers, stops, dies and comes back. */
@Timeout(120)
class ProbeSystemTest {

    /** Longer than any hiccup of the machine: whether an answer is in time is not what is tested. */
    private static final List<String> PATIENT = List.of("--late", "20s", "--timeout", "20s");

    @RegisterExtension
    private final Workbench bench = new Workbench();

    @Test
    void shouldTellTheRightAnswerFromOthersAndOutliveTheAppliance() throws Exception {
        assertOutcome("NOT_CONNECTED", probe("--once", "--late", "10ms", "--timeout", "10ms"));
        final TiercelProcess exporter = bench.begin("ops", "exporter", "--aeron", bench.aeronDirectory().toString(),
                "--probe", "--listen", "0", "--every", "100ms", "--late", "2s", "--timeout", "2s",
                "--until-stdin-closes");
        final String metrics = exporter.awaitLine("metrics: ").split(" ")[1];
        final ServeConfig config = bench.config(bench.model(1));
        final TiercelProcess first = bench.serve(config);
        exporter.awaitLine("probe: outcome=OK ");

        assertOutcomes(config);

        first.kill();
        exporter.awaitLine("probe: outcome=NOT_CONNECTED ");
        final TiercelProcess second = bench.serve(config);
        exporter.awaitLines("probe: outcome=OK ", 2);
        final String page = get(metrics);
        assertTrue(page.contains("\ntiercel_probe_ok 1.0\n"), page);
        assertTrue(page.contains("\ntiercel_probe_results_total{outcome=\"wrong_bits\"} 0.0\n"), page);
        assertTrue(page.contains("\ntiercel_probe_duration_seconds_count "), page);
        assertTrue(page.contains("\ntiercel_up 1.0\n"), page);
        assertEquals(0, second.terminate(), second::toString);
        assertEquals(0, exporter.terminate(), exporter::toString);
        exporter.awaitLine("probe: asked=");
        assertEquals(List.of(), exporter.err());
    }

    /** Its driver stands still too: this client bears that for longer than the command's, which takes it for dead. */
    @Test
    void shouldSayThatThereIsNoAnswerWhileTheApplianceStandsStill() {
        final TiercelProcess appliance = bench.serve(bench.config(bench.model(1)));
        final ClientContext context = new ClientContext().aeronDirectoryName(bench.aeronDirectory().toString())
                .principal("probe").driverTimeoutMs(TimeUnit.MINUTES.toMillis(10));
        final long timeoutNs = TimeUnit.SECONDS.toNanos(2);
        try (Probe probe = new Probe(new ProbeSettings("flow", timeoutNs, timeoutNs), context, new WhateverComes(),
                SystemNanoClock.INSTANCE, new SleepingMillisIdleStrategy(1))) {
            askUntilAnswered(probe);
            appliance.stop();
            final ProbeResult nothing = probe.ask();
            assertEquals(ProbeOutcome.NO_ANSWER, nothing.outcome(), nothing::toString);
            assertEquals("flow", nothing.model());
            assertEquals("timeoutNs=" + timeoutNs, nothing.detail());
            assertFalse(nothing.isAnswered());
            appliance.resume();
            askUntilAnswered(probe);
        }
        assertEquals(0, appliance.terminate(), appliance::toString);
    }

    /** However long the machine takes; the answers to the questions before, which come late, are not taken for it. */
    private static void askUntilAnswered(final Probe probe) {
        ProbeResult result = probe.ask();
        while (result.outcome() != ProbeOutcome.OK) {
            assertNotEquals(ProbeOutcome.WRONG_BITS, result.outcome(), result::toString);
            result = probe.ask();
        }
    }

    /** Takes the first answer for right. */
    private static final class WhateverComes implements KnownAnswers {

        private int[] learned;

        @Override
        public int[] outputBits(final ModelInfo model, final ProbeQuestion question) {
            return learned;
        }

        @Override
        public boolean learn(final ModelInfo model, final ProbeQuestion question, final int[] outputBits) {
            learned = outputBits;
            return true;
        }
    }

    private void assertOutcomes(final ServeConfig config) throws IOException {
        final CapturedCommand right = ask();
        assertOutcome("OK", right);
        assertTrue(right.out().contains("computed by the reference from " + config.journal()), right.out());
        assertOutcome("OK", ask("--bundle", bench.model(1).toString(), "--journal", "nowhere"));
        assertOutcome("LATE", probe("--once", "--late", "1ns", "--timeout", "20s"));
        assertOutcome("REFUSED", ask("--model", "other"));
        assertOutcome("UNKNOWN_ANSWER", ask("--journal", "nowhere"));

        final Path golden = bench.home().resolve("golden");
        final String[] learned = {"--journal", "nowhere", "--golden", golden.toString()};
        assertTrue(ask(learned).out().contains(" learned "));
        assertOutcome("OK", ask(learned));
        final String line = Files.readString(golden);
        Files.writeString(golden, line.replaceFirst(": [0-9a-f]{8}", ": 00000001"));
        final CapturedCommand wrong = ask(learned);
        assertOutcome("WRONG_BITS", wrong);
        assertTrue(wrong.out().contains(" output=0 expected=00000001 actual="), wrong.out());
        Files.writeString(golden, "flow 1: zero\n");
        assertEquals(ExitCode.BAD_ARGUMENTS, ask(learned).exitCode());
    }

    private CapturedCommand ask(final String... arguments) {
        final List<String> all = new ArrayList<>(List.of("--once"));
        all.addAll(PATIENT);
        all.addAll(List.of(arguments));
        return probe(all.toArray(String[]::new));
    }

    private CapturedCommand probe(final String... arguments) {
        return CapturedCommand.run(List.of("ops", "probe", "--aeron", bench.aeronDirectory().toString()), arguments);
    }

    private static void assertOutcome(final String outcome, final CapturedCommand command) {
        assertTrue(command.out().contains("probe: outcome=" + outcome + " "), command.toString());
        assertEquals(outcome.equals("OK") ? ExitCode.OK : ExitCode.CHECK_FAILED, command.exitCode());
    }

    private static String get(final String url) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(url)).header("Accept", "text/plain").build(),
                        BodyHandlers.ofString())
                .body();
    }
}
