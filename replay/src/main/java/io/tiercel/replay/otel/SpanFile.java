package io.tiercel.replay.otel;

import io.opentelemetry.exporter.internal.otlp.traces.TraceRequestMarshaler;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;

/**
 * Spans as a file of OTLP in JSON, one {@code TracesData} a line: what OpenTelemetry's "file exporter" writes, and its
 * collector's {@code otlpjsonfile} receiver reads.
 */
public final class SpanFile implements SpanSink, Closeable {

    private final OutputStream stream;

    public SpanFile(final Path file) throws IOException {
        stream = Files.newOutputStream(file);
    }

    @Override
    public void write(final Collection<SpanData> spans) throws IOException {
        final ByteArrayOutputStream line = new ByteArrayOutputStream();
        TraceRequestMarshaler.create(spans).writeJsonTo(line);
        line.write('\n');
        line.writeTo(stream);
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }
}
