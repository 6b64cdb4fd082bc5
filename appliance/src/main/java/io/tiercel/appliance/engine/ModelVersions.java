package io.tiercel.appliance.engine;

import java.util.AbstractList;
import java.util.List;
import java.util.RandomAccess;

/**
 * The versions of all models that are served, by index: first those that the configuration names, one for each model,
 * then what is loaded while the appliance runs. Grows up to its capacity, never shrinks, and no index is given again.
 *
 * <p>One thread at a time adds. A reader sees what was added before the size that it reads (release, acquire), or
 * before whatever else ordered it behind the addition: a request for a new version comes through the ring.
 */
public final class ModelVersions extends AbstractList<LoadedModel> implements RandomAccess {

    private final LoadedModel[] versions;
    private volatile int size;

    /** @param capacity versions of all models together. */
    public ModelVersions(final int capacity) {
        versions = new LoadedModel[capacity];
    }

    /** These, and no room for more. */
    public static ModelVersions of(final List<LoadedModel> models) {
        final ModelVersions versions = new ModelVersions(models.size());
        versions.addAll(models);
        return versions;
    }

    @Override
    public LoadedModel get(final int index) {
        return versions[index];
    }

    @Override
    public int size() {
        return size;
    }

    public int capacity() {
        return versions.length;
    }

    public boolean isFull() {
        return size == versions.length;
    }

    /** @param version whose index is the next one. */
    @Override
    public boolean add(final LoadedModel version) {
        if (isFull() || version.index() != size) {
            throw new IllegalArgumentException(
                    "index=" + version.index() + " size=" + size + " capacity=" + versions.length);
        }
        versions[size] = version;
        size = size + 1; // One thread adds.
        return true;
    }

    @Override
    public void clear() {
        throw new UnsupportedOperationException("versions stay");
    }
}
