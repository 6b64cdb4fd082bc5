package io.tiercel.appliance.engine;

/**
 * What a thread needs to compute a version, made beforehand by another thread.
 *
 * @param index  of the version.
 * @param shape  of its model.
 * @param unseen keeps it warm; null if nothing is kept warm.
 */
public record PreparedExecutor(int index, ModelShape shape, ModelExecutor executor, UnseenSession unseen)
        implements AutoCloseable {

    public static PreparedExecutor of(final LoadedModel version, final int maxBatch, final boolean isKeptWarm) {
        final ModelShape shape = version.model().shape();
        final ModelExecutor executor = version.model().newExecutor(maxBatch);
        return new PreparedExecutor(
                version.index(), shape, executor, isKeptWarm ? new UnseenSession(shape, executor) : null);
    }

    @Override
    public void close() {
        executor.close();
    }
}
