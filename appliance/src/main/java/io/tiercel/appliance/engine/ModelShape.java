package io.tiercel.appliance.engine;

/**
 * The sizes that the pipeline needs of a model.
 *
 * @param family           {@code lstm}, {@code transformer}.
 * @param featureCount     floats in a step's input, 1 to 65,535.
 * @param outputCount      floats in a step's output, 1 to 65,535.
 * @param stateBytes       memory of one session, a multiple of 64: the canonical state first, then what the backend
 *                         derives from it (recurrent partial sums) and may lay out as it likes.
 * @param canonicalBytes   the first part of {@code stateBytes}: the layout that hashes, snapshots and other backends
 *                         agree on, written down in the family's package.
 */
public record ModelShape(
        String family, int featureCount, int outputCount, int stateBytes, int canonicalBytes) {
}
