package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import org.agrona.concurrent.NanoClock;

/**
 * Loads the models that are served, and owns their memory: at start what the configuration names, later, on another
 * thread, further versions of these.
 */
public final class ModelRegistry implements AutoCloseable {

    private final ModelVersions models;
    private final NanoClock clock;

    /**
     * @param capacity versions of all models together.
     * @param clock    for what is measured.
     */
    public ModelRegistry(final int capacity, final NanoClock clock) {
        models = new ModelVersions(capacity);
        this.clock = clock;
    }

    /**
     * Loads a bundle on a backend and gives it the next handle.
     *
     * @param backendName of the backend, or {@link Backends#AUTO}: then it is measured where there is a choice.
     * @param threads     that one executor may use, see {@link Backend#load}.
     * @throws BundleException if the alias is taken or the bundle cannot be loaded.
     */
    public LoadedModel load(
            final String alias, final Bundle bundle, final String backendName, final int threads) {
        return load(alias, bundle, backendName, threads, DeviceSettings.DEFAULTS);
    }

    /** As {@link #load(String, Bundle, String, int)}, with what the configuration says of the device. */
    public LoadedModel load(
            final String alias, final Bundle bundle, final String backendName, final int threads,
            final DeviceSettings device) {
        if (find(alias) != null) {
            throw new BundleException("model alias=" + alias + " is there twice");
        }
        final LoadedModel model = load(models.size(), alias, bundle, backendName, threads, device);
        models.add(model);
        return model;
    }

    /**
     * Loads a further version of a model. It is served when it is {@linkplain #models added}; until then it is the
     * caller's to close.
     *
     * @param first any version of the model.
     * @throws BundleException if the bundle cannot be loaded, or does not fit the clients of the first one.
     */
    public LoadedModel loadVersion(
            final LoadedModel first, final Bundle bundle, final String backendName, final int threads,
            final DeviceSettings device) {
        final LoadedModel loaded = load(first.modelId(), first.alias(), bundle, backendName, threads, device)
                .asVersionOf(first, models.size());
        if (!loaded.fits(first)) {
            loaded.close();
            throw new BundleException("it does not fit model=" + first.alias() + ": shape=" + loaded.model().shape() +
                    " expected=" + first.model().shape() + " but for its state");
        }
        return loaded;
    }

    private LoadedModel load(
            final int modelId, final String alias, final Bundle bundle, final String backendName, final int threads,
            final DeviceSettings device) {
        if (Backends.AUTO.equals(backendName)) {
            return LoadedModel.of(modelId, alias, bundle.version(),
                    Placement.choose(Backends.all(), bundle, threads, device, clock));
        }
        final Backend backend = Backends.select(backendName, bundle);
        return LoadedModel.of(modelId, alias, bundle.version(), backend.name(),
                Backends.load(backend, bundle, threads, device));
    }

    /** The first version of the model of that alias, or null. */
    public LoadedModel find(final String alias) {
        for (final LoadedModel model : models) {
            if (model.alias().equals(alias)) {
                return model;
            }
        }
        return null;
    }

    /** All versions that are served; of those from the configuration the index is the handle too. */
    public ModelVersions models() {
        return models;
    }

    @Override
    public void close() {
        models.forEach(LoadedModel::close);
    }
}
