package io.tiercel.tools.demo;

import io.tiercel.appliance.config.DurabilityLevel;
import io.tiercel.appliance.config.Layout;
import io.tiercel.tools.market.PlayedTape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the demo was asked for, checked.
 *
 * @param bundle    the model to serve.
 * @param outputCount cells in the model's answer.
 * @param layout    never {@code AUTO}.
 * @param durability what an answered request survives.
 * @param replayBackend what computes the journal again; another than {@code backend} shows that both have the same
 *                      bits.
 * @param foreseenTokens of the appliance's configuration: steps computed before they are asked for.
 * @param journal   directory of the journal, fresh.
 * @param folder    where configuration, logs and the bundle lie: inside the journal's directory.
 */
record DemoPlan(
        PlayedTape tape,
        Path bundle,
        int outputCount,
        Layout layout,
        DurabilityLevel durability,
        String backend,
        String replayBackend,
        int foreseenTokens,
        double rate,
        Path journal,
        Path folder) {

    static final String ALIAS = "demo";
    static final String PRINCIPAL = "demo-desk";
    /**
     * From an answer to the next request where requests follow answers: longer than the work that the appliance does
     * after an answer to a small model's request, short enough that everything stays hot.
     */
    static final long PAUSE_NS = 10_000;

    private static final int MAX_PARTS = 10;
    private static final int MIN_PART_EVENTS = 100;

    /**
     * A stretch of the tape: its first events are sent when they are due, then a tenth of them each a pause after the
     * last answer.
     */
    record Part(int firstEvent, int firstClosedLoopEvent, int endEvent) {

        int pacedCount() {
            return firstClosedLoopEvent - firstEvent;
        }

        int closedLoopCount() {
            return endEvent - firstClosedLoopEvent;
        }
    }

    /** The tape cut up, so that the raw echo can be measured in between: the machine's moods change by the second. */
    List<Part> parts() {
        final int eventCount = tape.eventCount();
        final int partCount = Math.max(1, Math.min(MAX_PARTS, eventCount / MIN_PART_EVENTS));
        final List<Part> parts = new ArrayList<>();
        for (int index = 0; index < partCount; index++) {
            final int first = (int) ((long) eventCount * index / partCount);
            final int end = (int) ((long) eventCount * (index + 1) / partCount);
            parts.add(new Part(first, end - (end - first) / 10, end));
        }
        return parts;
    }

    int pacedCount() {
        return parts().stream().mapToInt(Part::pacedCount).sum();
    }
}
