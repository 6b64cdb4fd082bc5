package io.tiercel.replay.otel;

import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.util.Collection;

/** Where spans go. */
public interface SpanSink {

    /** @throws IOException if they did not get there. */
    void write(Collection<SpanData> spans) throws IOException;
}
