package io.tiercel.ops.web;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tiercel.ops.desk.DeskFeed;
import io.tiercel.ops.desk.DeskStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.agrona.concurrent.EpochClock;

/**
 * One page, its style and its script, and a stream of server-sent events with what the appliance says. A browser that
 * does not read holds up its own thread here and nothing else; it gets the newest frame when it reads again.
 *
 * <p>Nothing is asked of another host, by the server or by the page, which its content security policy holds it to. On
 * the loopback interface a request whose {@code Host} is another name is refused, so that no page of another site can
 * read this one through a name that points here. Elsewhere whoever reaches the address may read it, by any name.
 */
public final class DeskServer implements AutoCloseable {

    private static final int MAX_STREAMS = 16;
    private static final int CLOSE_DELAY_S = 0;
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int METHOD_NOT_ALLOWED = 405;
    private static final int MISDIRECTED = 421;
    private static final int UNAVAILABLE = 503;
    private static final long KEEP_ALIVE_MS = 5_000;
    private static final Map<String, Resource> RESOURCES = Map.of(
            "/", new Resource("desk.html", "text/html"),
            "/desk.css", new Resource("desk.css", "text/css"),
            "/desk.js", new Resource("desk.js", "text/javascript"));

    private final HttpServer server;
    private final ExecutorService threads;
    private final Semaphore streams = new Semaphore(MAX_STREAMS);
    private final DeskFeed feed;
    private final DeskPage page;
    private final boolean isLoopback;
    private final Set<String> hosts;
    private final Object lock = new Object();
    private DeskStatus status;
    private String frame = "";
    private long frameNumber;
    private boolean isClosed;

    private record Resource(String name, String type) {
    }

    /**
     * @param feed is owned by this object from now on.
     * @throws IOException if the address cannot be had.
     */
    public DeskServer(final InetSocketAddress address, final DeskFeed feed, final EpochClock clock) throws IOException {
        this.feed = feed;
        page = new DeskPage(feed.state(), clock);
        server = HttpServer.create(address, 0);
        isLoopback = address.getAddress().isLoopbackAddress();
        final String port = ":" + port();
        hosts = Stream.of("127.0.0.1", "localhost", "[::1]", address.getHostString())
                .map(host -> host + port).collect(Collectors.toUnmodifiableSet());
        threads = Executors.newCachedThreadPool(task -> {
            final Thread thread = new Thread(task, "desk-web");
            thread.setDaemon(true);
            return thread;
        });
        server.setExecutor(threads);
        server.createContext("/", this::serve);
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    /** Reads what there is to read, and gives it to the browsers once an interval has ended or the status changed. */
    public DeskStatus poll() {
        synchronized (lock) {
            final DeskStatus now = feed.poll();
            if (page.take() || !now.equals(status)) {
                status = now;
                frame = page.frame(status);
                frameNumber++;
                lock.notifyAll();
            }
            return now;
        }
    }

    @Override
    public void close() {
        synchronized (lock) {
            isClosed = true;
            lock.notifyAll();
        }
        server.stop(CLOSE_DELAY_S);
        threads.shutdownNow();
        feed.close();
    }

    private void serve(final HttpExchange exchange) throws IOException {
        try (exchange) {
            final String path = exchange.getRequestURI().getPath();
            if (isLoopback && !hosts.contains(exchange.getRequestHeaders().getFirst("Host"))) {
                refuse(exchange, MISDIRECTED, "this is another host's page");
            } else if (!"GET".equals(exchange.getRequestMethod())) {
                refuse(exchange, METHOD_NOT_ALLOWED, "GET only");
            } else if ("/live".equals(path)) {
                stream(exchange);
            } else if (RESOURCES.containsKey(path)) {
                send(exchange, RESOURCES.get(path));
            } else {
                refuse(exchange, NOT_FOUND, "there is nothing here");
            }
        }
    }

    private static void send(final HttpExchange exchange, final Resource resource) throws IOException {
        try (InputStream in = DeskServer.class.getResourceAsStream(resource.name())) {
            final byte[] bytes = in.readAllBytes();
            begin(exchange, resource.type(), OK, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private static void refuse(final HttpExchange exchange, final int code, final String why) throws IOException {
        final byte[] bytes = (why + "\n").getBytes(StandardCharsets.UTF_8);
        begin(exchange, "text/plain", code, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private static void begin(final HttpExchange exchange, final String type, final int code, final long length)
            throws IOException {
        final Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", type + "; charset=utf-8");
        headers.set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "
                + "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(code, length);
    }

    private void stream(final HttpExchange exchange) throws IOException {
        if (!streams.tryAcquire()) {
            refuse(exchange, UNAVAILABLE, "streams=" + MAX_STREAMS + " maxStreams=" + MAX_STREAMS);
            return;
        }
        try {
            begin(exchange, "text/event-stream", OK, 0);
            final OutputStream out = exchange.getResponseBody();
            write(out, "history", history());
            long sent = -1;
            while (true) {
                final String next;
                synchronized (lock) {
                    if (sent == frameNumber && !isClosed) {
                        lock.wait(KEEP_ALIVE_MS);
                    }
                    if (isClosed) {
                        return;
                    }
                    next = sent == frameNumber ? null : frame;
                    sent = frameNumber;
                }
                if (next == null) {
                    out.write(":\n\n".getBytes(StandardCharsets.UTF_8)); // finds a browser that has gone
                    out.flush();
                } else {
                    write(out, "frame", next);
                }
            }
        } catch (final InterruptedException ex) {
            Thread.currentThread().interrupt();
        } finally {
            streams.release();
        }
    }

    private String history() {
        synchronized (lock) {
            return page.history();
        }
    }

    private static void write(final OutputStream out, final String event, final String json) throws IOException {
        out.write(("event: " + event + "\ndata: " + json + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
