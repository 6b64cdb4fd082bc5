package io.tiercel.ops.desk;

import io.tiercel.protocol.telemetry.EventKind;

/** Something that happened; what {@code value} and {@code subject} are depends on the kind, as the schema says. */
public record DeskEvent(EventKind kind, long startNs, long durationNs, long value, String subject) {
}
