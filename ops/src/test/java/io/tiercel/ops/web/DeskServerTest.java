package io.tiercel.ops.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.ops.MadeUpAppliance;
import io.tiercel.ops.MadeUpCounters;
import io.tiercel.ops.desk.DeskFeed;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeskServerTest {

    private static final long NOW_MS = 60_000;

    @TempDir
    private Path directory;
    private MadeUpAppliance appliance;
    private MadeUpCounters counters;
    private DeskServer server;
    private long endMs;

    @BeforeEach
    void begin() throws IOException {
        appliance = new MadeUpAppliance(directory, "desk-1", NOW_MS);
        counters = new MadeUpCounters(directory);
        counters.counter(7_001, "tiercel sessions: sessions in memory").set(2_048);
        counters.ready();
        server = new DeskServer(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                new DeskFeed(directory, () -> NOW_MS), () -> NOW_MS);
        server.poll();
    }

    @AfterEach
    void end() {
        server.close();
        counters.close();
        appliance.close();
    }

    @Test
    void shouldServeItsFilesToThisHostsPagesOnly() throws IOException {
        final String own = "localhost:" + server.port();
        assertEquals("HTTP/1.1 200 OK", first("GET / HTTP/1.1", own));
        assertEquals("HTTP/1.1 200 OK", first("GET /desk.js HTTP/1.1", "127.0.0.1:" + server.port()));
        assertEquals("HTTP/1.1 200 OK", first("GET /desk.css HTTP/1.1", "[::1]:" + server.port()));
        assertTrue(first("GET / HTTP/1.1", "elsewhere.example:" + server.port()).startsWith("HTTP/1.1 421"));
        assertTrue(first("POST / HTTP/1.1", own).startsWith("HTTP/1.1 405"));
        assertTrue(first("GET /../../etc/passwd HTTP/1.1", own).startsWith("HTTP/1.1 404"));
        assertTrue(first("GET /DeskServer.class HTTP/1.1", own).startsWith("HTTP/1.1 404"));
    }

    @Test
    void shouldAnswerToAnyNameWhereItIsServedToOtherHosts() throws IOException {
        server.close();
        server = new DeskServer(new InetSocketAddress(0), new DeskFeed(directory, () -> NOW_MS), () -> NOW_MS);
        assertEquals("HTTP/1.1 200 OK", first("GET / HTTP/1.1", "wall.example:" + server.port()));
    }

    @Test
    void shouldStreamWhatTheApplianceSaysToWhoeverReads() throws IOException {
        interval(3_000);
        try (Socket stalled = request("GET /live HTTP/1.1", "localhost:" + server.port());
                Socket reading = request("GET /live HTTP/1.1", "localhost:" + server.port())) {
            final BufferedReader lines = reader(reading);
            assertEquals(1, next(lines, "history").get("columns").size());
            assertEquals(2_999, next(lines, "frame").get("total").get("last").get("p50").longValue(), 40);
            for (int second = 0; second < 400; second++) {
                interval(20_000);
            }
            JsonNode frame = next(lines, "frame");
            while (frame.get("column").get("endMs").longValue() < endMs) {
                frame = next(lines, "frame");
            }
            assertEquals(101,
                    frame.get("models").get(0).get("stages").get("total").get("last").get("count").intValue());
            assertEquals("95 %", frame.get("models").get(0).get("share").textValue());
            assertEquals(2_048, frame.get("counters").get("sessions").get("value").intValue());
            assertTrue(stalled.isConnected(), "it never read, and nobody waited for it");
        }
    }

    @Test
    void shouldShowFiguresInARealBrowserAndAskNobodyElse() throws Exception {
        final Path program = Chromium.installed();
        if (program == null) {
            System.out.println("not run: chromium is not installed");
            abort("chromium is not installed");
        }
        for (int second = 0; second < 120; second++) {
            interval(2_500 + second * 20);
        }
        appliance.event(EventKind.DEVICE_LOST, 5_000_000_000L, 0, "");
        interval(2_500);
        final String own = "http://127.0.0.1:" + server.port() + "/";
        try (Chromium chromium = new Chromium(program)) {
            for (final int[] size : List.of(new int[] {1366, 768}, new int[] {2560, 1440})) {
                chromium.open(own, size[0], size[1]);
                chromium.until("document.getElementById('p50')?.textContent === '2.51'");
                assertEquals("LIVE", chromium.await("document.getElementById('status').textContent").textValue());
                assertTrue(chromium.await("document.body.innerText").textValue().contains("device lost"));
                assertTrue(chromium.await("document.getElementById('room').innerText").textValue()
                        .contains("2,048 / 4,096"));
                assertTrue(chromium.await("document.documentElement.scrollWidth <= innerWidth").booleanValue(),
                        "wider than the window");
                for (final String canvas : List.of("heat", "curve", "stages")) {
                    assertTrue(chromium.await("(() => { const c = document.getElementById('" + canvas
                            + "'); return c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
                            + ".some(value => value); })()").booleanValue(), canvas + " is empty");
                }
                chromium.screenshot(Path.of("target", "desk-" + size[0] + "x" + size[1] + ".png"));
            }
            interval(40_000);
            chromium.until("document.getElementById('p50').textContent.startsWith('40.')");
            server.close();
            chromium.until("document.getElementById('status').textContent === 'NO DESK'");
            assertTrue(chromium.requested().stream().allMatch(url -> url.startsWith(own) || url.startsWith("data:")),
                    () -> chromium.requested().toString());
            assertEquals(List.of(), chromium.complaints().stream()
                    .filter(complaint -> !complaint.contains("ERR_")).toList());
        }
    }

    private void interval(final long latencyNs) {
        final Histogram histogramNs = new Histogram(2);
        histogramNs.recordValueWithCount(latencyNs, 100);
        histogramNs.recordValue(50 * latencyNs);
        histogramNs.setEndTimeStamp(endMs + 1_000);
        appliance.facts("bitstamp");
        for (final Series stage : List.of(Series.TOTAL, Series.JOURNAL, Series.QUEUE, Series.INFER, Series.EGRESS)) {
            appliance.histogram(stage, 0, "", histogramNs);
        }
        appliance.intervalEnd(endMs, endMs + 1_000, Phase.SERVING);
        endMs += 1_000;
        server.poll();
    }

    private String first(final String requestLine, final String host) throws IOException {
        try (Socket socket = request(requestLine, host)) {
            return reader(socket).readLine();
        }
    }

    private Socket request(final String requestLine, final String host) throws IOException {
        final Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        final OutputStream out = socket.getOutputStream();
        out.write((requestLine + "\r\nHost: " + host + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        out.flush();
        return socket;
    }

    private static BufferedReader reader(final Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    private static JsonNode next(final BufferedReader lines, final String event) throws IOException {
        String line = lines.readLine();
        while (!line.equals("event: " + event)) {
            line = lines.readLine();
        }
        return new ObjectMapper().readTree(lines.readLine().substring("data: ".length()));
    }
}
