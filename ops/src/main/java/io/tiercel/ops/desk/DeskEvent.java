package io.tiercel.ops.desk;

import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.wire.RejectCode;

/** Something that happened; what {@code value} and {@code subject} are depends on the kind, as the schema says. */
public record DeskEvent(EventKind kind, long startNs, long durationNs, long value, String subject) {

    private static final double NS_PER_MS = 1e6;

    /** How much it concerns an operator. */
    public enum Severity {
        /** Happens in the course of things. */
        INFO,
        /** Somebody is not served, or something did not succeed. */
        WARNING,
        /** The appliance, or a device of it, does not do its work any more. */
        CRITICAL
    }

    public Severity severity() {
        return switch (kind) {
            case CLIENT_REFUSED, CLIENT_SLOW, SNAPSHOT_FAILED, EVENTS_LOST, THREAD_STALLED, JVM_PAUSED,
                    COMMAND_REFUSED ->
                    Severity.WARNING;
            case DEVICE_LOST -> Severity.CRITICAL;
            case PHASE_CHANGED -> severityOfPhase();
            default -> Severity.INFO;
        };
    }

    /** How many it stands for: of those that come in floods, one in a while is told, with the number of the others. */
    public long count() {
        return isSparing() ? 1 + value : 1;
    }

    /** Whether there may be so many that they are told sparingly. */
    boolean isSparing() {
        return kind == EventKind.THREAD_STALLED || kind == EventKind.JVM_PAUSED;
    }

    /** A few words, without the time. */
    public String describe() {
        return switch (kind) {
            case APPLIANCE_STARTED -> "appliance started, next sequence " + value;
            case PHASE_CHANGED -> "phase is now " + subject;
            case CLIENT_WELCOMED -> "client " + subject + " welcomed, session " + value;
            case CLIENT_GONE -> "client " + subject + " gone, session " + value;
            case CLIENT_REFUSED -> "client " + subject + " refused: " + refusal();
            case CLIENT_SLOW -> "client " + subject + " does not read: disconnected, session " + value;
            case SNAPSHOT_COPIED -> "snapshot at " + value + " copied in " + durationMs();
            case SNAPSHOT_WRITTEN -> "snapshot at " + value + " written in " + durationMs();
            case SNAPSHOT_FAILED -> "snapshot failed: " + subject;
            case JOURNAL_ROLLED -> "journal went on to its next file, roll " + value;
            case DEVICE_LOST -> "device lost, another backend goes on for model " + value;
            case EVENTS_LOST -> value + " events found no room on their way";
            case THREAD_STALLED -> "thread " + subject + " held up for " + durationMs() + others();
            case JVM_PAUSED -> "JVM paused for " + durationMs() + ": " + subject + others();
            case COMMAND_APPLIED -> "command " + subject + ", sequence " + value;
            case COMMAND_REFUSED -> "command " + subject + " refused: " + refusal();
            case NULL_VAL -> "something of a later version: value=" + value + " " + subject;
        };
    }

    private Severity severityOfPhase() {
        if (value == Phase.JOURNAL_FAILED.value()) {
            return Severity.CRITICAL;
        }
        return value == Phase.SPACE_LOW.value() ? Severity.WARNING : Severity.INFO;
    }

    private String others() {
        return value == 0 ? "" : "; " + value + " more, none of them longer";
    }

    /** Of a later version, its number. */
    private String refusal() {
        for (final RejectCode code : RejectCode.values()) {
            if (code.value() == value) {
                return code.name();
            }
        }
        return "code " + value;
    }

    private String durationMs() {
        return Figures.fixed(durationNs / NS_PER_MS, 1) + " ms";
    }
}
