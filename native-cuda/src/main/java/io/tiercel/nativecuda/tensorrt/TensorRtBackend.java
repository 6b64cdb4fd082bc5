package io.tiercel.nativecuda.tensorrt;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.SharedLibraries;
import java.util.function.Supplier;
import org.agrona.concurrent.SystemNanoClock;

/**
 * NVIDIA's TensorRT on a GPU, for graphs of other programs: not exact. The GPU can be lost in mid-run, so another
 * backend of the family stands by. The first load of a bundle on a GPU makes its plan, which takes seconds to minutes;
 * {@link EngineCache} keeps it.
 */
public final class TensorRtBackend implements Backend {

    public static final String NAME = "tensorrt";

    /** Behind every exact backend, and behind ONNX Runtime: only where the configuration names it. */
    private static final int PREFERENCE = -2;

    private final Supplier<String> obstacle;
    private final Supplier<EngineFactory> factory;
    private final Supplier<EngineCache> cache;

    /** What {@link java.util.ServiceLoader} makes. */
    public TensorRtBackend() {
        this(() -> TensorRtProbe.obstacle(TensorRtBackend.class.getClassLoader(), SharedLibraries.ofMachine()),
                () -> NvInfer.open(SystemNanoClock.INSTANCE), EngineCache::ofUser);
    }

    /**
     * @param obstacle what stands against it; null if nothing.
     * @param factory  asked only where nothing does.
     */
    TensorRtBackend(
            final Supplier<String> obstacle, final Supplier<EngineFactory> factory,
            final Supplier<EngineCache> cache) {
        this.obstacle = obstacle;
        this.factory = factory;
        this.cache = cache;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int preference() {
        return PREFERENCE;
    }

    @Override
    public BackendProbe probe() {
        final String reason = obstacle.get();
        return reason == null
                ? BackendProbe.available("TensorRT on a GPU, for family=" + GraphParameters.FAMILY +
                        ", within the bundle's tolerance")
                : BackendProbe.unavailable(reason);
    }

    @Override
    public boolean supports(final Bundle bundle) {
        return GraphParameters.FAMILY.equals(bundle.manifest().family());
    }

    @Override
    public boolean canBeLost() {
        return true;
    }

    @Override
    public Model load(final Bundle bundle, final int threads) {
        final String reason = obstacle.get();
        if (reason != null) {
            throw new BundleException(bundle.path() + ": backend=" + NAME + " cannot load it: " + reason);
        }
        return TensorRtModel.load(bundle, factory, cache.get());
    }
}
