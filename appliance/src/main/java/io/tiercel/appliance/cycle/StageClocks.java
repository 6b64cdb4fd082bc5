package io.tiercel.appliance.cycle;

import io.tiercel.appliance.config.Layout;
import java.util.Arrays;
import org.agrona.concurrent.NanoClock;

/**
 * The clock of each stage: the same object for stages that share a thread, by layout.
 *
 * @param io      of ingress, and of whatever shares its thread.
 * @param journal of the journal stage.
 * @param infer   of each infer worker.
 * @param egress  of egress.
 * @param outcome of the outcome stage.
 */
public record StageClocks(CycleClock io, CycleClock journal, CycleClock[] infer, CycleClock egress,
        CycleClock outcome) {

    public static StageClocks of(final Layout layout, final int workerCount, final NanoClock source) {
        final CycleClock io = new CycleClock(source);
        final CycleClock[] infer = new CycleClock[workerCount];
        Arrays.setAll(infer, worker -> new CycleClock(source));
        return switch (layout) {
            case COMPACT -> {
                Arrays.fill(infer, io);
                yield new StageClocks(io, io, infer, io, io);
            }
            case PAIRED -> {
                Arrays.fill(infer, infer[0]);
                yield new StageClocks(io, io, infer, io, io);
            }
            case DEDICATED ->
                    new StageClocks(io, new CycleClock(source), infer, new CycleClock(source), new CycleClock(source));
            case AUTO -> throw new IllegalStateException("layout=auto is resolved by the configuration");
        };
    }
}
