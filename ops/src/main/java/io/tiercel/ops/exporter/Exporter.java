package io.tiercel.ops.exporter;

import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * Metrics over HTTP, under {@code /metrics}, in whatever format the one who scrapes asks for: Prometheus' text,
 * OpenMetrics, or protobuf, which alone has native histograms.
 */
public final class Exporter implements AutoCloseable {

    private final HTTPServer server;

    /**
     * Serves from now on, on threads of its own.
     *
     * @param address whose port may be 0 for any that is free.
     * @throws IOException if the address is taken, or is not this host's.
     */
    public Exporter(final InetSocketAddress address, final List<? extends MetricSource> sources) throws IOException {
        final PrometheusRegistry registry = new PrometheusRegistry();
        sources.forEach(registry::register);
        server = HTTPServer.builder()
                .inetAddress(address.getAddress())
                .port(address.getPort())
                .registry(registry)
                .buildAndStart();
    }

    public int port() {
        return server.getPort();
    }

    @Override
    public void close() {
        server.close();
    }
}
