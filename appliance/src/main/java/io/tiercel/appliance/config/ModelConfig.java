package io.tiercel.appliance.config;

import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * One model to serve.
 *
 * @param alias   the name clients know it by: 1 to 32 of A-Z a-z 0-9 . _ -
 * @param bundle  the bundle file.
 * @param backend name of the backend that computes it, or {@link #AUTO_BACKEND} for the best that can.
 * @param threads most threads that compute it for one infer worker, that worker's included: 1 to 64.
 * @param gpuMode how a GPU computes it: {@link #AUTO_GPU_MODE}, resident or graphs.
 * @param gpuAnswerLimitNs after which a GPU that has not answered is lost.
 */
public record ModelConfig(
        String alias, Path bundle, String backend, int threads, String gpuMode, long gpuAnswerLimitNs) {

    public static final String AUTO_BACKEND = "auto";
    public static final String AUTO_GPU_MODE = "auto";
    public static final long DEFAULT_ANSWER_LIMIT_NS = TimeUnit.SECONDS.toNanos(1);

    static final ValueType<Long> ANSWER_LIMIT_TYPE =
            ValueType.durationNs(TimeUnit.MILLISECONDS.toNanos(1), TimeUnit.MINUTES.toNanos(1));

    public ModelConfig {
        Objects.requireNonNull(alias, "alias");
        Objects.requireNonNull(bundle, "bundle");
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(gpuMode, "gpuMode");
    }

    public ModelConfig(final String alias, final Path bundle, final String backend, final int threads) {
        this(alias, bundle, backend, threads, AUTO_GPU_MODE, DEFAULT_ANSWER_LIMIT_NS);
    }

    public ModelConfig(final String alias, final Path bundle) {
        this(alias, bundle, AUTO_BACKEND, 1);
    }

    /** As in {@code alias=bundle@backend threads=1}, and what else is not as it is by default. */
    @Override
    public String toString() {
        return alias + "=" + bundle + "@" + backend + " threads=" + threads +
                (AUTO_GPU_MODE.equals(gpuMode) ? "" : " gpu-mode=" + gpuMode) +
                (gpuAnswerLimitNs == DEFAULT_ANSWER_LIMIT_NS
                        ? ""
                        : " gpu-answer-limit=" + ANSWER_LIMIT_TYPE.print(gpuAnswerLimitNs));
    }
}
