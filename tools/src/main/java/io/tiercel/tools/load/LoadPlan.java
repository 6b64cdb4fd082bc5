package io.tiercel.tools.load;

import io.aeron.Aeron;
import io.tiercel.protocol.client.ClientContext;
import java.nio.file.Path;

/**
 * What {@code tiercel load} was asked for, checked.
 *
 * @param keyFile        null for what {@code tiercel.client.key.file} says.
 * @param overloadFactor times the sustainable rate; 0 for no run of overload.
 */
record LoadPlan(
        String aeronDirectoryName,
        String requestChannel,
        int requestStreamId,
        String principal,
        Path keyFile,
        String modelAlias,
        double rate,
        int sessions,
        long durationNs,
        LoadCommand.Pattern pattern,
        int burstSize,
        long budgetNs,
        boolean isTape,
        long seed,
        boolean findSustainable,
        double overloadFactor,
        Path output) {

    /** More than one thread can send. */
    static final double MAX_RATE = 10_000_000;
    static final int MAX_BURST = 1_000_000;
    static final double MAX_OVERLOAD = 100;

    ClientContext clientContext(final Aeron aeron) {
        final ClientContext context = new ClientContext()
                .aeron(aeron)
                .requestChannel(requestChannel)
                .requestStreamId(requestStreamId)
                .principal(principal);
        return keyFile == null ? context : context.keyFile(keyFile.toString());
    }

    /** The plan's pattern, at another mean rate. */
    Schedule schedule(final double atRate) {
        switch (pattern) {
            case BURST:
                return Schedules.burst(atRate, burstSize);
            case ONE_HERTZ:
                return Schedules.oneHertz(burstSize);
            case POISSON:
                return Schedules.poisson(atRate, seed);
            default:
                return Schedules.constant(atRate);
        }
    }
}
