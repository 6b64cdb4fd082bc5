package io.tiercel.replay.otel;

import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Spans to a collector, as OTLP in protobuf over HTTP. */
public final class SpanCollector implements SpanSink, Closeable {

    /** Of one batch, what OpenTelemetry's exporter tries again included. */
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    /** The exporter logs each failure with its stack; here it is an exception that says the same. */
    private static final Logger EXPORTER_LOG = Logger.getLogger("io.opentelemetry.exporter");

    private final String endpoint;
    private final OtlpHttpSpanExporter exporter;

    /**
     * Connects to nothing yet.
     *
     * @param endpoint such as {@code http://localhost:4318/v1/traces}.
     * @throws IllegalArgumentException if that is not one.
     */
    public SpanCollector(final String endpoint) {
        this.endpoint = endpoint;
        EXPORTER_LOG.setLevel(Level.OFF);
        exporter = OtlpHttpSpanExporter.builder()
                .setEndpoint(endpoint)
                .setTimeout(TIMEOUT)
                .setMeterProvider(MeterProvider.noop())
                .build();
    }

    @Override
    public void write(final Collection<SpanData> spans) throws IOException {
        final CompletableResultCode result =
                exporter.export(spans).join(2 * TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        if (!result.isSuccess()) {
            final Throwable cause = result.getFailureThrowable();
            throw new IOException("the collector did not take " + spans.size() + " spans: endpoint=" + endpoint +
                    (cause == null ? "" : " " + cause), cause);
        }
    }

    @Override
    public void close() {
        exporter.close();
    }
}
