package io.tiercel.appliance.engine.bundle;

import java.util.List;

/**
 * What is fed to the graph of another program, and what is taken from it. Both are tensors of binary32, row-major,
 * whose first dimension is the batch. The graph itself is a tensor of the bundle.
 *
 * @param input       name of the input.
 * @param inputShape  {@value #ANY_BATCH} or 1, then sizes above 0.
 * @param output      name of the output that is the answer; the graph may have others.
 * @param outputShape the same, beginning as the input's shape does.
 * @param softmax     whether the answer is the softmax of the output, computed here; false: the output as it is.
 * @param tolerance   how near two computations of an answer are.
 */
public record GraphFormat(
        String input, List<Integer> inputShape, String output, List<Integer> outputShape, boolean softmax,
        Tolerance tolerance) {

    /** The first dimension of a graph that takes any number of positions at once. */
    public static final int ANY_BATCH = -1;

    public static final int MAX_RANK = 8;

    /** Elements of one position: no product of an accepted shape is above it. */
    public static final int MAX_ELEMENTS = 1 << 24;

    private static final int MAX_NAME_LENGTH = 256;

    public GraphFormat {
        checkName("input", input);
        checkName("output", output);
        inputShape = List.copyOf(inputShape);
        outputShape = List.copyOf(outputShape);
        checkShape("inputShape", inputShape);
        checkShape("outputShape", outputShape);
        if (!inputShape.get(0).equals(outputShape.get(0))) {
            throw new IllegalArgumentException("graph.inputShape=" + inputShape + " and graph.outputShape=" +
                    outputShape + " do not begin with the same batch");
        }
    }

    /** Whether several positions can be computed in one run. */
    public boolean hasBatches() {
        return inputShape.get(0) == ANY_BATCH;
    }

    /** Elements that a shape has for each position of a batch. */
    public static int elementCount(final List<Integer> shape) {
        long count = 1;
        for (final int size : shape.subList(1, shape.size())) {
            count *= size;
        }
        return (int) count;
    }

    /** The shape with a batch of so many, as a runtime takes it. */
    public static long[] shape(final List<Integer> shape, final int batch) {
        final long[] sizes = shape.stream().mapToLong(Integer::longValue).toArray();
        sizes[0] = batch;
        return sizes;
    }

    private static void checkName(final String key, final String name) {
        if (name.isEmpty() || name.length() > MAX_NAME_LENGTH) {
            throw new IllegalArgumentException(
                    "graph." + key + " has length=" + name.length() + ", which is not in 1.." +
                            MAX_NAME_LENGTH);
        }
    }

    private static void checkShape(final String key, final List<Integer> shape) {
        if (shape.size() < 2 || shape.size() > MAX_RANK) {
            throw new IllegalArgumentException("graph." + key + "=" + shape + " does not have 2 to " + MAX_RANK +
                    " dimensions, a batch first");
        }
        if (shape.get(0) != ANY_BATCH && shape.get(0) != 1) {
            throw new IllegalArgumentException("graph." + key + "=" + shape + " has a batch of " + shape.get(0) +
                    ", which is not 1 or " + ANY_BATCH + " for any");
        }
        long count = 1;
        for (final int size : shape.subList(1, shape.size())) {
            count *= size;
            if (size < 1 || count > MAX_ELEMENTS) {
                throw new IllegalArgumentException("graph." + key + "=" + shape + " has a size below 1, or more than " +
                        MAX_ELEMENTS + " elements");
            }
        }
    }
}
