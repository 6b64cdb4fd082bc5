package io.tiercel.replay.trace;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.Writer;
import java.util.Map;

/**
 * The events of a trace in Chrome's JSON format ("Trace Event Format", its object form), which Perfetto reads: one a
 * line. Times are microseconds since the trace's origin, with three digits for the nanoseconds. There is no
 * {@code displayTimeUnit}: some readers have taken it for the unit of the times.
 *
 * <p>A slice is a begin and an end ({@code B}, {@code E}), not one event with a duration ({@code X}): readers turn the
 * decimals into nanoseconds with a rounding of their own, and a sum of two rounded numbers may put a slice's end a
 * nanosecond behind that of the slice around it. Equal texts are equal times whatever the rounding. On one track slices
 * must nest, and events of the same time must be written in their order.
 *
 * <p>One thread. Whatever cannot be written is an {@link IOException}.
 */
final class TraceEvents implements AutoCloseable {

    private static final long NS_PER_US = 1_000;
    private static final String CATEGORY = "request";

    private final JsonGenerator json;
    private final long originNs;

    /** @param originNs since the epoch; what lies before it begins there. */
    TraceEvents(final Writer writer, final long originNs) throws IOException {
        json = new JsonFactory().createGenerator(writer);
        this.originNs = originNs;
        json.writeStartObject();
        json.writeArrayFieldStart("traceEvents");
    }

    void processName(final int processId, final String name) throws IOException {
        metadata("process_name", Track.of(processId), "name", name);
        metadata("process_sort_index", Track.of(processId), "sort_index", processId);
    }

    void trackName(final Track track, final String name) throws IOException {
        metadata("thread_name", track, "name", name);
        metadata("thread_sort_index", track, "sort_index", track.threadId());
    }

    void begin(final Track track, final long timeNs, final String name, final Map<String, ?> arguments)
            throws IOException {
        start("B", track, timeNs, name);
        arguments(arguments);
        end();
    }

    void end(final Track track, final long timeNs) throws IOException {
        start("E", track, timeNs, null);
        end();
    }

    /** A slice with nothing in it. */
    void slice(
            final Track track, final long startNs, final long endNs, final String name, final Map<String, ?> arguments)
            throws IOException {
        begin(track, startNs, name, arguments);
        end(track, endNs);
    }

    /** A slice of its own track, which readers lay beside the others of that name, so that any may overlap. */
    void free(
            final int processId, final long startNs, final long endNs, final String name, final long id,
            final Map<String, ?> arguments) throws IOException {
        start("b", Track.of(processId), startNs, name);
        json.writeStringField("cat", name);
        json.writeStringField("id", Long.toString(id));
        arguments(arguments);
        end();
        start("e", Track.of(processId), endNs, name);
        json.writeStringField("cat", name);
        json.writeStringField("id", Long.toString(id));
        end();
    }

    /** An arrow's begin ({@code s}), a station on it ({@code t}) or its end ({@code f}), at the slice around it. */
    void flow(final char phase, final Track track, final long timeNs, final long id) throws IOException {
        start(String.valueOf(phase), track, timeNs, CATEGORY);
        json.writeStringField("cat", CATEGORY);
        json.writeStringField("id", Long.toString(id));
        json.writeStringField("bp", "e");
        end();
    }

    void instant(final Track track, final long timeNs, final String name, final Map<String, ?> arguments)
            throws IOException {
        start("i", track, timeNs, name);
        json.writeStringField("s", "t");
        arguments(arguments);
        end();
    }

    void counter(final int processId, final long timeNs, final String name, final long value) throws IOException {
        start("C", Track.of(processId), timeNs, name);
        arguments(Map.of("requests", value));
        end();
    }

    /** Ends the events and says what they are of. */
    void finish(final Map<String, ?> description) throws IOException {
        json.writeEndArray();
        json.writeObjectFieldStart("otherData");
        writeFields(description);
        json.writeEndObject();
        json.writeEndObject();
        json.writeRaw('\n');
    }

    @Override
    public void close() throws IOException {
        json.close();
    }

    /** Microseconds with three decimals. */
    static String microseconds(final long ns) {
        return ns / NS_PER_US + "." + Long.toString(NS_PER_US + ns % NS_PER_US).substring(1);
    }

    private void metadata(final String kind, final Track track, final String key, final Object value)
            throws IOException {
        start("M", track, originNs, kind);
        arguments(Map.of(key, value));
        end();
    }

    private void start(final String phase, final Track track, final long timeNs, final String name)
            throws IOException {
        json.writeRaw('\n');
        json.writeStartObject();
        json.writeStringField("ph", phase);
        json.writeNumberField("pid", track.processId());
        json.writeNumberField("tid", track.threadId());
        json.writeFieldName("ts");
        json.writeNumber(microseconds(Math.max(0, timeNs - originNs)));
        if (name != null) {
            json.writeStringField("name", name);
        }
    }

    private void end() throws IOException {
        json.writeEndObject();
    }

    private void arguments(final Map<String, ?> arguments) throws IOException {
        if (!arguments.isEmpty()) {
            json.writeObjectFieldStart("args");
            writeFields(arguments);
            json.writeEndObject();
        }
    }

    private void writeFields(final Map<String, ?> fields) throws IOException {
        for (final Map.Entry<String, ?> field : fields.entrySet()) {
            if (field.getValue() instanceof Number number) {
                json.writeNumberField(field.getKey(), number.longValue());
            } else {
                json.writeStringField(field.getKey(), String.valueOf(field.getValue()));
            }
        }
    }
}
