package io.tiercel.ops.web;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** A headless Chromium with one page, driven over its DevTools protocol. */
final class Chromium implements AutoCloseable, WebSocket.Listener {

    private static final long TIMEOUT_S = 60;
    private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome");

    private final ObjectMapper mapper = new ObjectMapper();
    private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
    private final List<String> requested = Collections.synchronizedList(new ArrayList<>());
    private final List<String> complaints = Collections.synchronizedList(new ArrayList<>());
    private final StringBuilder incoming = new StringBuilder();
    private final Path profile;
    private final Process process;
    private final WebSocket socket;
    private int lastId;

    /** Where it is installed; null if it is not. */
    static Path installed() {
        return Stream.of(System.getenv("PATH").split(":"))
                .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable).findFirst().orElse(null);
    }

    Chromium(final Path program) throws Exception {
        profile = Files.createTempDirectory("chromium");
        process = new ProcessBuilder(program.toString(), "--headless=new", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", "--disable-crash-reporter", "--disable-breakpad",
                "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--remote-debugging-port=0", "--user-data-dir=" + profile, "about:blank")
                .redirectErrorStream(true).redirectOutput(profile.resolve("log").toFile()).start();
        final Path portFile = profile.resolve("DevToolsActivePort");
        final long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_S);
        while (!Files.exists(portFile) || Files.readString(portFile).isBlank()) {
            if (process.waitFor(50, TimeUnit.MILLISECONDS) || System.nanoTime() > deadlineNs) {
                process.destroyForcibly();
                throw new IOException("chromium did not start: " + Files.readString(profile.resolve("log")));
            }
        }
        final String port = Files.readAllLines(portFile).get(0);
        final HttpClient http = HttpClient.newHttpClient();
        final JsonNode targets = mapper.readTree(http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/json/list")).build(),
                BodyHandlers.ofString()).body());
        String page = null;
        for (final JsonNode target : targets) {
            if ("page".equals(target.get("type").textValue())) {
                page = target.get("webSocketDebuggerUrl").textValue();
            }
        }
        socket = http.newWebSocketBuilder().buildAsync(URI.create(page), this).get(TIMEOUT_S, TimeUnit.SECONDS);
        for (final String domain : List.of("Page", "Runtime", "Log", "Network")) {
            send(domain + ".enable", Map.of());
        }
    }

    void open(final String url, final int width, final int height) throws Exception {
        send("Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
        send("Page.navigate", Map.of("url", url));
    }

    /** What a script's promise comes to. */
    JsonNode await(final String script) throws Exception {
        final JsonNode result = send("Runtime.evaluate",
                Map.of("expression", script, "awaitPromise", true, "returnByValue", true));
        if (result.has("exceptionDetails")) {
            throw new AssertionError(result.get("exceptionDetails").toString());
        }
        return result.get("result").path("value");
    }

    /** Waits until an expression is true on the page. */
    void until(final String condition) throws Exception {
        await("new Promise((done, fail) => { const look = setInterval(() => { if (" + condition
                + ") { clearInterval(look); done(true); } }, 50); setTimeout(() => fail(document.body.innerText), "
                + TimeUnit.SECONDS.toMillis(TIMEOUT_S) / 2 + "); })");
    }

    void screenshot(final Path file) throws Exception {
        Files.write(file,
                Base64.getDecoder().decode(send("Page.captureScreenshot", Map.of()).get("data").textValue()));
    }

    /** URLs that the page has asked for. */
    List<String> requested() {
        return List.copyOf(requested);
    }

    /** Exceptions, and what the console was told that is not mere information. */
    List<String> complaints() {
        return List.copyOf(complaints);
    }

    /** Ends when every process of the browser has, for any of them may write to the profile until then. */
    @Override
    public void close() throws IOException {
        final List<ProcessHandle> family = Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
        process.destroy();
        for (final ProcessHandle member : family) {
            try {
                member.onExit().get(TIMEOUT_S, TimeUnit.SECONDS);
            } catch (final InterruptedException ex) {
                member.destroyForcibly();
                Thread.currentThread().interrupt();
            } catch (final ExecutionException | TimeoutException ex) {
                member.destroyForcibly();
                member.onExit().join();
            }
        }
        final List<Path> files;
        try (Stream<Path> tree = Files.walk(profile)) {
            files = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (final Path file : files) {
            Files.deleteIfExists(file);
        }
    }

    @Override
    public CompletionStage<?> onText(final WebSocket from, final CharSequence data, final boolean isLast) {
        incoming.append(data);
        if (isLast) {
            try {
                onMessage(mapper.readTree(incoming.toString()));
            } catch (final IOException ex) {
                complaints.add(ex.toString());
            }
            incoming.setLength(0);
        }
        from.request(1);
        return null;
    }

    private void onMessage(final JsonNode message) {
        if (message.has("id")) {
            answers.remove(message.get("id").intValue()).complete(message);
            return;
        }
        final JsonNode parameters = message.path("params");
        switch (message.get("method").textValue()) {
            case "Network.requestWillBeSent" -> requested.add(parameters.get("request").get("url").textValue());
            case "Runtime.exceptionThrown" -> complaints.add(parameters.toString());
            case "Runtime.consoleAPICalled", "Log.entryAdded" -> {
                final String level = parameters.path("entry").path("level").asText(parameters.path("type").asText());
                if (!"info".equals(level) && !"log".equals(level) && !"verbose".equals(level)) {
                    complaints.add(parameters.toString());
                }
            }
            default -> {
                // not asked for
            }
        }
    }

    private JsonNode send(final String method, final Map<String, Object> parameters) throws Exception {
        final ObjectNode message = mapper.createObjectNode().put("id", ++lastId).put("method", method);
        message.set("params", mapper.valueToTree(parameters));
        final CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        answers.put(lastId, answer);
        socket.sendText(message.toString(), true).get(TIMEOUT_S, TimeUnit.SECONDS);
        final JsonNode received = answer.get(TIMEOUT_S, TimeUnit.SECONDS);
        if (received.has("error")) {
            throw new IOException(method + ": " + received.get("error"));
        }
        return received.get("result");
    }
}
