package io.tiercel.appliance.journal;

import java.nio.file.Path;

/** What a journal has taken since it was opened. */
public record JournalReport(
        Path directory,
        long requestCount,
        long outcomeCount,
        long lastRequestSequence,
        long lastOutcomeSequence,
        long rolledCount) {

    @Override
    public String toString() {
        return "journal=" + directory + " requests=" + requestCount + " outcomes=" + outcomeCount +
                " lastRequestSequence=" + lastRequestSequence + " lastOutcomeSequence=" + lastOutcomeSequence +
                " rolls=" + rolledCount;
    }
}
