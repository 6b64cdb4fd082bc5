package io.tiercel.tools.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.tiercel.protocol.journal.MessageHeaderDecoder;
import io.tiercel.protocol.journal.OutcomeDecoder;
import io.tiercel.replay.JournalFixture;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.TiercelCommand;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code replay tail} and {@code replay trace} as a user calls them, on a journal of files. */
class TailAndTraceTest {

    private static final int COUNT = 200;
    private static final int SLOW = 120;
    private static final int HEADER_LENGTH = MessageHeaderDecoder.ENCODED_LENGTH;

    @TempDir
    Path directory;

    private static final StringWriter OUT = new StringWriter();
    private static final StringWriter ERR = new StringWriter();
    private static CommandLine commandLine;
    private static JournalFixture fixture;
    private Path journal;

    @BeforeAll
    static void makeWhatAllShare() {
        commandLine = TiercelCommand.commandLine(new PrintWriter(OUT), new PrintWriter(ERR));
        fixture = JournalFixture.of(3, COUNT);
        stamp(SLOW, OutcomeDecoder.inferEndNsEncodingOffset(), 902_300);
        stamp(SLOW, OutcomeDecoder.egressNsEncodingOffset(), 902_600);
    }

    @BeforeEach
    void makeJournal() {
        journal = directory.resolve("journal");
        fixture.write(journal);
    }

    @Test
    void shouldExplainTheSlowestAndChangeNothing() throws IOException {
        final Map<String, String> before = content();
        final Path json = directory.resolve("tail.json");
        final Path html = directory.resolve("tail.html");

        assertEquals(ExitCode.OK, run("tail", "--slowest", "3", "--json", json.toString(), "--html", html.toString()),
                ERR::toString);

        assertTrue(OUT.toString().contains("stalls, pauses and snapshots are not known"), OUT::toString);
        final JsonNode report = new ObjectMapper().readTree(Files.readString(json));
        final JsonNode slowest = report.get("slowest").get(0);
        assertEquals(SLOW, slowest.get("sequence").asInt());
        assertEquals(902_600, slowest.get("totalNs").asInt());
        assertEquals("compute", slowest.get("longestLeg").asText());
        assertEquals(3, report.get("slowest").size());
        assertTrue(Files.readString(html).contains("<td class=\"number\">" + SLOW + "</td>"), "no row of the slowest");
        assertEquals(before, content());
    }

    @Test
    void shouldBlameWhatTheTracksHave() throws IOException {
        final Path run = Files.createDirectories(directory.resolve("telemetry/run-1"));
        final long ingressNs = fixture.outcomes.get(SLOW).ingressNs;
        Files.writeString(run.resolve("run.properties"),
                "formatVersion=1\nstartNs=" + (ingressNs - 1) + "\nepochOffsetNs=0\nthreads=io\ninferWorkers=1\n");
        Files.writeString(run.resolve("stalls.csv"),
                "startNs,durationNs,thread,work,waitedNs\n" + (ingressNs + 1_000) + ",900000,io,4,890000\n");

        assertEquals(ExitCode.OK, run("tail", "--past", "99.5", "--telemetry", run.getParent().toString()),
                ERR::toString);

        final String row = OUT.toString().lines().filter(line -> line.startsWith(SLOW + " ")).findFirst()
                .orElseThrow();
        assertTrue(row.contains("preemption 900.0"), row);
        assertTrue(OUT.toString().contains("1 stalls and long rounds"), OUT::toString);
    }

    @Test
    void shouldWriteATraceOfARangeOrOfTheLastTime() throws IOException {
        final Map<String, String> before = content();
        final Path trace = directory.resolve("trace.json");

        assertEquals(ExitCode.OK, run("trace", "--from", "100", "--to", "149", "-o", trace.toString()),
                ERR::toString);

        assertTrue(OUT.toString().startsWith("trace: 50 requests, sequence 100 to 149, "), OUT::toString);
        assertEquals(50, requestsIn(trace));
        assertEquals(ExitCode.OK, run("trace", "--last", "20us", "-o", trace.toString()), ERR::toString);
        assertEquals(fixture.outcomes.stream()
                .filter(outcome -> outcome.ingressNs >= fixture.outcomes.get(COUNT - 1).ingressNs - 20_000).count(),
                requestsIn(trace));
        assertEquals(before, content());
    }

    @Test
    void shouldWriteOrSendTheSameStretchAsOpenTelemetrySpans() throws IOException {
        final Path file = directory.resolve("spans.jsonl");
        assertEquals(ExitCode.OK, run("trace", "--from", "100", "--to", "149", "--format", "otlp", "-o",
                file.toString()), ERR::toString);
        assertEquals(50, Files.readString(file).split("\"name\":\"request\"", -1).length - 1);

        final List<String> taken = new CopyOnWriteArrayList<>();
        final HttpServer collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        collector.createContext("/v1/traces", exchange -> {
            final int length = exchange.getRequestBody().readAllBytes().length;
            taken.add(exchange.getRequestHeaders().getFirst("Content-Type") + (length > 0));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        collector.start();
        final String endpoint = "http://localhost:" + collector.getAddress().getPort() + "/v1/traces";
        try {
            assertEquals(ExitCode.OK, run("trace", "--format", "otlp", "--endpoint", endpoint), ERR::toString);
        } finally {
            collector.stop(0);
        }
        assertEquals(List.of("application/x-protobuftrue"), taken);
        assertEquals(ExitCode.ENVIRONMENT, run("trace", "--format", "otlp", "--endpoint", endpoint));
        assertOneLine("the collector did not take");
    }

    @Test
    void shouldNeedNoBundle() throws IOException {
        Files.delete(fixture.bundlePath(journal, 0));
        assertEquals(ExitCode.OK, run("tail"), ERR::toString);
        assertEquals(ExitCode.OK, run("trace", "-o", directory.resolve("t.json").toString()), ERR::toString);
    }

    @Test
    void shouldSayInOneLineWhatIsDamagedAndExit1() throws IOException {
        JournalFixture.corruptOnDisk(journal.resolve("outcomes"), fixture.outcomes.get(33));
        assertEquals(ExitCode.CHECK_FAILED, run("tail"));
        assertOneLine("bad checksum in outcomes at sequence 33");
        assertEquals(ExitCode.CHECK_FAILED, run("trace", "-o", directory.resolve("t.json").toString()));
        assertOneLine("bad checksum in outcomes at sequence 33");
        assertFalse(Files.exists(directory.resolve("t.json")));
    }

    @Test
    void shouldSayWhenTheJournalIsCutShort() throws IOException {
        final Path file;
        try (Stream<Path> files = Files.list(journal.resolve("requests"))) {
            file = files.filter(path -> path.toString().endsWith(".cq4")).findFirst().orElseThrow();
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() / 2);
        }
        assertEquals(ExitCode.CHECK_FAILED, run("tail"), OUT::toString);
        assertOneLine(" in requests at sequence ");
    }

    @Test
    void shouldSayWhenAJournalIsOfAnotherVersion() throws IOException {
        Files.writeString(journal.resolve("journal.yaml"), "formatVersion: 99\nroll: daily\n");
        assertEquals(ExitCode.ENVIRONMENT, run("tail"));
        assertOneLine("formatVersion=99 supported=1");
    }

    @Test
    void shouldRefuseTracksThatAreNotTracksAndExit1() throws IOException {
        final Path run = Files.createDirectories(directory.resolve("telemetry/run-1"));
        Files.writeString(run.resolve("run.properties"), "formatVersion=1\nstartNs=soon\n");
        assertEquals(ExitCode.CHECK_FAILED, run("tail", "--telemetry", run.getParent().toString()));
        assertOneLine("startNs=soon");
    }

    @Test
    void shouldRefuseBadArgumentsInOneLineAndExit2() {
        final String file = directory.resolve("t.json").toString();
        assertRefused("--from=-1 is below 0", "tail", "--from", "-1");
        assertRefused("--to=3 is below --from=5", "tail", "--from", "5", "--to", "3");
        assertRefused("from=1000 is behind the last outcome, sequence=199", "tail", "--from", "1000");
        assertRefused("--slowest=0 is below 1", "tail", "--slowest", "0");
        assertRefused("--past=100.0 is not between 0 and 100", "tail", "--past", "100");
        assertRefused("--slowest=1 and --past=99.0 exclude each other", "tail", "--slowest", "1", "--past", "99");
        assertRefused("is not a directory", "tail", "--telemetry", file);
        assertRefused("is not a journal: it has no journal.yaml", "trace", "-o", file, "--journal",
                directory.toString());
        assertRefused("exclude each other", "trace", "-o", file, "--last", "1s", "--to", "5");
        assertRefused("nowhere to write to: --output=FILE", "trace");
        assertRefused("--endpoint=x needs --format otlp", "trace", "--endpoint", "x");
        assertRefused("--endpoint=x is not one", "trace", "--format", "otlp", "--endpoint", "x");
        assertRefused("exclude each other", "trace", "--format", "otlp", "--endpoint", "http://localhost", "-o", file);
        assertRefused("--sessions=-1 is not in 0..500", "trace", "-o", file, "--sessions", "-1");
        assertRefused("lies in the journal, which is only read", "trace", "-o", journal.resolve("t.json").toString());
        assertRefused("lies in the journal, which is only read", "tail", "--json",
                journal.resolve("../journal/telemetry/t.json").toString());
    }

    private void assertRefused(final String message, final String... arguments) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run(arguments), () -> message + " " + OUT + ERR);
        assertOneLine(message);
    }

    private void assertOneLine(final String message) {
        assertTrue(ERR.toString().contains(message), ERR::toString);
        assertEquals(1, ERR.toString().lines().count(), ERR::toString);
    }

    /** The journal is the test's own, unless the arguments name one. */
    private int run(final String... arguments) {
        OUT.getBuffer().setLength(0);
        ERR.getBuffer().setLength(0);
        final List<String> line = new ArrayList<>(List.of("replay"));
        line.addAll(List.of(arguments));
        if (!line.contains("--journal")) {
            line.addAll(List.of("--journal", journal.toString()));
        }
        return commandLine.execute(line.toArray(String[]::new));
    }

    private static void stamp(final int sequence, final int offset, final int valueNs) {
        fixture.outcomes.get(sequence).buffer().putInt(HEADER_LENGTH + offset, valueNs, ByteOrder.LITTLE_ENDIAN);
    }

    private static long requestsIn(final Path trace) throws IOException {
        long count = 0;
        for (final JsonNode event : new ObjectMapper().readTree(trace.toFile()).get("traceEvents")) {
            count += event.get("ph").asText().equals("B") && event.get("pid").asInt() == 2
                    && event.get("name").asText().startsWith("#") ? 1 : 0;
        }
        return count;
    }

    /** Every file below the journal, with its length and when it was changed. */
    private Map<String, String> content() throws IOException {
        try (Stream<Path> files = Files.walk(journal)) {
            return files.filter(Files::isRegularFile).collect(Collectors.toMap(Path::toString, path -> {
                try {
                    return Files.size(path) + " " + Files.getLastModifiedTime(path);
                } catch (final IOException ex) {
                    return ex.toString();
                }
            }, (one, other) -> one, TreeMap::new));
        }
    }
}
