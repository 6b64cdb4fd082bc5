package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.agrona.concurrent.NanoClock;

/**
 * The models that are served, by handle and by alias. Filled at start; from then on read by any thread. Owns the
 * models' memory.
 */
public final class ModelRegistry implements AutoCloseable {

    private final List<LoadedModel> models = new ArrayList<>();
    private final NanoClock clock;

    /** @param clock for what is measured. */
    public ModelRegistry(final NanoClock clock) {
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
        final LoadedModel model = Backends.AUTO.equals(backendName)
                ? LoadedModel.of(models.size(), alias, bundle.version(),
                        Placement.choose(Backends.all(), bundle, threads, device, clock))
                : loadOn(Backends.select(backendName, bundle), alias, bundle, threads, device);
        models.add(model);
        return model;
    }

    private LoadedModel loadOn(
            final Backend backend, final String alias, final Bundle bundle, final int threads,
            final DeviceSettings device) {
        return LoadedModel.of(
                models.size(), alias, bundle.version(), backend.name(),
                Backends.load(backend, bundle, threads, device));
    }

    /** The model of that alias, or null. */
    public LoadedModel find(final String alias) {
        for (final LoadedModel model : models) {
            if (model.alias().equals(alias)) {
                return model;
            }
        }
        return null;
    }

    /** All models; the index is the handle. */
    public List<LoadedModel> models() {
        return Collections.unmodifiableList(models);
    }

    @Override
    public void close() {
        models.forEach(LoadedModel::close);
        models.clear();
    }
}
