package io.tiercel.appliance.telemetry;

import java.util.List;

/**
 * What an appliance is, for whoever looks at it.
 *
 * @param name             of the appliance.
 * @param layout           of its threads.
 * @param journalDirectory as the configuration has it.
 * @param limits           what it keeps to.
 * @param models           in the order of their indices; may grow.
 */
public record TelemetryFacts(
        String name, String layout, String journalDirectory, Limits limits, List<ServedModel> models) {

    /** The limits, as in the configuration; sizes in bytes. */
    public record Limits(
            int maxClients,
            int maxSessions,
            int maxGenerations,
            int maxInFlight,
            int maxBatch,
            int maxRatePerSecond,
            int ringCapacity,
            int inferWorkers,
            long warnFreeBytes,
            long refuseFreeBytes) {
    }

    /**
     * A version of a model that is served.
     *
     * @param version   SHA-256 of its bundle.
     * @param weight    of 10,000 new sessions of the alias, how many come to it.
     * @param isDrained whether sessions that are with it begin anew with another.
     */
    public record ServedModel(
            String alias, byte[] version, String family, String backend, int weight, boolean isDrained) {
    }
}
