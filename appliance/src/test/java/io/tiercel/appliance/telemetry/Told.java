package io.tiercel.appliance.telemetry;

import io.tiercel.protocol.telemetry.EventKind;
import java.util.ArrayList;
import java.util.List;

/** What the stages have told one by one since the last look, in place of the telemetry thread. */
public record Told(EventKind kind, long value, String subject) {

    public static List<Told> since(final Counters counters) {
        final List<Told> result = new ArrayList<>();
        counters.happenings()
                .drain((kind, startTickNs, durationNs, value, subject) -> result.add(new Told(kind, value, subject)));
        return result;
    }
}
