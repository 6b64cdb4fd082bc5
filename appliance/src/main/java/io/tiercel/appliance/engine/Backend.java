package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;

/**
 * A way of computing models: the Java reference, the CPU kernels, a GPU. Found with {@link java.util.ServiceLoader};
 * the appliance never names one.
 *
 * <p>Not on a hot path: called at start and when a model is loaded.
 */
public interface Backend {

    /** Short lower-case name, as in the configuration: {@code reference}, {@code cpu}, {@code cuda}. */
    String name();

    /**
     * Order of preference among available backends, highest first, when the configuration says {@code auto}. The
     * reference is 0.
     */
    int preference();

    /** Whether this backend can run here, and if not, why. Never throws; loads nothing that cannot be unloaded. */
    BackendProbe probe();

    /** Whether this backend can compute the bundle's family and quantisation. */
    boolean supports(Bundle bundle);

    /**
     * Whether its device can be lost in mid-run, as a GPU can: then another backend stands by, and goes on when an
     * executor throws {@link DeviceLostException}. See {@link Backends#load}.
     */
    default boolean canBeLost() {
        return false;
    }

    /**
     * Builds a model from a verified bundle. The bundle may be closed afterwards.
     *
     * @param threads the most threads that one executor of the model may use, its caller's included, 1..64; it changes
     *                no bit of an exact backend's results. A backend that computes on its caller's thread ignores it.
     * @throws io.tiercel.appliance.engine.bundle.BundleException if the tensors disagree with the manifest.
     */
    Model load(Bundle bundle, int threads);

    /** As {@link #load(Bundle, int)}, with what the configuration says of the device. */
    default Model load(final Bundle bundle, final int threads, final DeviceSettings device) {
        return load(bundle, threads);
    }
}
