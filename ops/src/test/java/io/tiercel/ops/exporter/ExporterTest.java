package io.tiercel.ops.exporter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.ops.MadeUpAppliance;
import io.tiercel.ops.desk.DeskFeed;
import io.tiercel.ops.desk.DeskStatus;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExporterTest {

    private static final long NOW_MS = 1_000;
    private static final String PROTOBUF = "application/vnd.google.protobuf;"
            + "proto=io.prometheus.client.MetricFamily;encoding=delimited";

    @TempDir
    Path directory;
    private DeskFeed feed;
    private ApplianceMetrics metrics;
    private Exporter exporter;
    private MadeUpAppliance appliance;

    @BeforeEach
    void start() throws IOException {
        feed = new DeskFeed(directory, () -> NOW_MS);
        metrics = new ApplianceMetrics(feed);
        exporter = new Exporter(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), List.of(metrics));
    }

    @AfterEach
    void stop() {
        exporter.close();
        feed.close();
        if (appliance != null) {
            appliance.close();
        }
    }

    @Test
    void shouldSayThatThereIsNoApplianceBeforeThereIsOneAndAfterIt() throws Exception {
        final String before = scrape();
        assertContains(before, "tiercel_up 0.0");
        assertContains(before, "tiercel_feed_status{status=\"absent\"} 1.0");
        assertFalse(before.contains("tiercel_phase"), before);
        startBusy();
        assertContains(scrape(), "tiercel_up 1.0");
        appliance.stop();
        final String after = scrape();
        assertContains(after, "tiercel_up 0.0");
        assertContains(after, "tiercel_feed_status{status=\"stopped\"} 1.0");
        assertFalse(after.contains("tiercel_phase"), after);
        assertContains(after, "tiercel_stage_duration_seconds_count"
                + "{model=\"flow\",stage=\"total\",version=\"010101010101\"} 100");
    }

    @Test
    void shouldTellLatenciesOfEachStageModelAndThreadInSeconds() throws Exception {
        startBusy();
        assertEquals(DeskStatus.Code.LIVE, metrics.poll().code());
        final String text = scrape();
        final String total = "{model=\"flow\",stage=\"total\",version=\"010101010101\"";
        assertContains(text, "tiercel_stage_duration_seconds_bucket" + total + ",le=\"2.0E-6\"} 0");
        assertContains(text, "tiercel_stage_duration_seconds_bucket" + total + ",le=\"5.0E-6\"} 99");
        assertContains(text, "tiercel_stage_recent_seconds" + total + ",quantile=\"0.5\"} 3.0");
        assertContains(text, "tiercel_stage_recent_seconds" + total + ",quantile=\"1.0\"} 0.00200");
        assertContains(text, "tiercel_stage_duration_seconds_count"
                + "{model=\"text\",stage=\"infer\",version=\"020202020202\"} 100");
        assertContains(text, "tiercel_hiccup_duration_seconds_count{thread=\"duty-cycle\"} 100");
        assertContains(text, "tiercel_route_weight{model=\"flow\",version=\"010101010101\"} 9500.0");
        assertContains(text, "tiercel_version_drained{model=\"text\",version=\"020202020202\"} 1.0");
        assertContains(text, "tiercel_requests_unfinished 5.0");
        assertContains(text, "tiercel_phase{phase=\"serving\"} 1.0");
        assertContains(text, "tiercel_events_total{kind=\"snapshot_written\"} 1.0");
        assertContains(text, "tiercel_events_total{kind=\"thread_stalled\"} 4.0"); // With three that were left out.
        assertContains(text, "tiercel_snapshot_written_timestamp_seconds 12.0");
        appliance.histogram(Series.TOTAL, 0, "", latencies());
        assertContains(scrape(), "tiercel_stage_duration_seconds_count" + total + "} 200");
    }

    @Test
    void shouldGoOnAddingUpWhenTheNextApplianceComes() throws Exception {
        startBusy();
        metrics.poll();
        appliance.stop();
        startBusy();
        metrics.poll();
        appliance.histogram(Series.TOTAL, 0, "", latencies());
        assertContains(scrape(), "tiercel_stage_duration_seconds_count"
                + "{model=\"flow\",stage=\"total\",version=\"010101010101\"} 300");
    }

    @Test
    void shouldHaveNativeHistogramsForWhoeverAsksForProtobuf() throws Exception {
        startBusy();
        metrics.poll();
        final HttpResponse<byte[]> answer = get(PROTOBUF);
        assertTrue(answer.headers().firstValue("Content-Type").orElse("").startsWith(
                "application/vnd.google.protobuf"), answer.headers().toString());
        assertTrue(new String(answer.body(), StandardCharsets.ISO_8859_1)
                .contains("tiercel_stage_duration_seconds"));
    }

    private void startBusy() throws IOException {
        if (appliance != null) {
            appliance.close();
        }
        appliance = new MadeUpAppliance(directory, "desk-1", NOW_MS);
        metrics.poll();
        appliance.facts("flow", "text");
        appliance.histogram(Series.TOTAL, 0, "", latencies());
        appliance.histogram(Series.INFER, 1, "", latencies());
        appliance.histogram(Series.HICCUP, 65_535, "duty-cycle", latencies());
        appliance.event(EventKind.SNAPSHOT_COPIED, 10_000_000_000L, 2_000_000L, "");
        appliance.event(EventKind.SNAPSHOT_WRITTEN, 10_500_000_000L, 1_500_000_000L, "");
        appliance.event(EventKind.THREAD_STALLED, 10_600_000_000L, 1_500_000L, "duty-cycle");
        appliance.intervalEnd(Phase.SERVING);
    }

    /** 99 of 3 microseconds and one of 2 milliseconds. */
    private static Histogram latencies() {
        final Histogram latenciesNs = new Histogram(60_000_000_000L, 2);
        latenciesNs.recordValueWithCount(3_000, 99);
        latenciesNs.recordValue(2_000_000);
        return latenciesNs;
    }

    private String scrape() throws IOException, InterruptedException {
        return new String(get("text/plain").body(), StandardCharsets.UTF_8);
    }

    private HttpResponse<byte[]> get(final String format) throws IOException, InterruptedException {
        final HttpResponse<byte[]> answer = HttpClient.newHttpClient().send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + exporter.port() + "/metrics"))
                        .header("Accept", format).build(),
                BodyHandlers.ofByteArray());
        assertEquals(200, answer.statusCode());
        return answer;
    }

    private static void assertContains(final String page, final String line) {
        assertTrue(page.contains(line), () -> "no " + line + " in\n" + page);
    }
}
