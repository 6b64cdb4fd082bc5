package io.tiercel.appliance.config;

import java.nio.file.Path;
import java.util.Objects;

/**
 * One model to serve.
 *
 * @param alias   the name clients know it by: 1 to 32 of A-Z a-z 0-9 . _ -
 * @param bundle  the bundle file.
 * @param backend name of the backend that computes it, or {@link #AUTO_BACKEND} for the best that can.
 * @param threads most threads that compute it for one infer worker, that worker's included: 1 to 64.
 */
public record ModelConfig(String alias, Path bundle, String backend, int threads) {

    public static final String AUTO_BACKEND = "auto";

    public ModelConfig {
        Objects.requireNonNull(alias, "alias");
        Objects.requireNonNull(bundle, "bundle");
        Objects.requireNonNull(backend, "backend");
    }

    public ModelConfig(final String alias, final Path bundle) {
        this(alias, bundle, AUTO_BACKEND, 1);
    }

    /** As in {@code alias=bundle@backend threads=1}. */
    @Override
    public String toString() {
        return alias + "=" + bundle + "@" + backend + " threads=" + threads;
    }
}
