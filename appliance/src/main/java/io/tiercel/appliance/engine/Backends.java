package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/** The backends that are on the class path. Not on a hot path. */
public final class Backends {

    /** The name that leaves the choice to {@link #select}. */
    public static final String AUTO = "auto";

    private Backends() {
    }

    /** Every backend, available or not, the preferred first. */
    public static List<Backend> all() {
        final List<Backend> backends = new ArrayList<>();
        ServiceLoader.load(Backend.class).forEach(backends::add);
        backends.sort(Comparator.comparingInt(Backend::preference).reversed().thenComparing(Backend::name));
        return backends;
    }

    /**
     * The backend of this name, or for {@value #AUTO} the preferred one that is available and supports the bundle.
     *
     * @throws NoBackendException with what stands against each backend that came into question.
     */
    public static Backend select(final String name, final Bundle bundle) {
        return select(all(), name, bundle);
    }

    /**
     * What an exact backend is held against: the one preferred least of those that can serve the bundle.
     *
     * @throws NoBackendException if there is none.
     */
    public static Backend reference(final Bundle bundle) {
        final List<Backend> backends = all();
        Collections.reverse(backends);
        return select(backends, AUTO, bundle);
    }

    /** As {@link #select(String, Bundle)}, of these. */
    static Backend select(final List<Backend> backends, final String name, final Bundle bundle) {
        final StringBuilder reasons = new StringBuilder();
        for (final Backend backend : backends) {
            final boolean asked = AUTO.equals(name) || backend.name().equals(name);
            final String obstacle = asked ? obstacle(backend, bundle) : "not asked for";
            if (obstacle == null) {
                return backend;
            }
            reasons.append(reasons.isEmpty() ? "" : "; ").append(backend.name()).append(": ").append(obstacle);
        }
        throw new NoBackendException("backend=" + name + " cannot serve " + bundle.path() + ": " + reasons);
    }

    /**
     * Builds a model from a bundle, with the preferred backend that can stand in for this one if its device can be
     * lost: available, and not to be lost itself. Parameters and exceptions are those of {@link Backend#load}.
     */
    public static Model load(final Backend backend, final Bundle bundle, final int threads) {
        return secured(backend, backend.load(bundle, threads), bundle, threads);
    }

    /** As {@link #load(Backend, Bundle, int)}, with what the configuration says of the device. */
    public static Model load(
            final Backend backend, final Bundle bundle, final int threads, final DeviceSettings device) {
        return secured(backend, backend.load(bundle, threads, device), bundle, threads);
    }

    /** Whether it is available and supports the bundle. */
    static boolean canServe(final Backend backend, final Bundle bundle) {
        return obstacle(backend, bundle) == null;
    }

    private static Model secured(
            final Backend backend, final Model model, final Bundle bundle, final int threads) {
        try {
            return backend.canBeLost() ? withStandby(backend, model, bundle, threads) : model;
        } catch (final RuntimeException ex) {
            model.close();
            throw ex;
        }
    }

    private static Model withStandby(
            final Backend backend, final Model model, final Bundle bundle, final int threads) {
        for (final Backend other : all()) {
            if (!other.canBeLost() && canServe(other, bundle)) {
                return new FailoverModel(backend.name(), model, other.name(), other.load(bundle, threads));
            }
        }
        return model;
    }

    private static String obstacle(final Backend backend, final Bundle bundle) {
        final BackendProbe probe = backend.probe();
        if (!probe.available()) {
            return probe.detail();
        }
        if (backend.supports(bundle)) {
            return null;
        }
        final Manifest manifest = bundle.manifest();
        return "does not support family=" + manifest.family() +
                (manifest.quantisation() == null ? "" : " weights=" + manifest.quantisation().weights());
    }
}
