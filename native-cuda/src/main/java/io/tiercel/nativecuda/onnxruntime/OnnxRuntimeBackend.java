package io.tiercel.nativecuda.onnxruntime;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.onnx.GraphParameters;

/** ONNX Runtime on the CPU, for graphs of other programs: not exact. Nobody else computes their family. */
public final class OnnxRuntimeBackend implements Backend {

    public static final String NAME = "onnxruntime";

    /** Behind every exact backend. */
    private static final int PREFERENCE = -1;

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
        final String obstacle = OnnxRuntimeProbe.obstacle();
        return obstacle == null
                ? BackendProbe.available("ONNX Runtime on the CPU, for family=" + GraphParameters.FAMILY +
                        ", within the bundle's tolerance")
                : BackendProbe.unavailable(obstacle);
    }

    @Override
    public boolean supports(final Bundle bundle) {
        return GraphParameters.FAMILY.equals(bundle.manifest().family());
    }

    @Override
    public Model load(final Bundle bundle, final int threads) {
        final String obstacle = OnnxRuntimeProbe.obstacle();
        if (obstacle != null) {
            throw new BundleException(bundle.path() + ": backend=" + NAME + " cannot load it: " + obstacle);
        }
        return OnnxModel.load(bundle, threads);
    }
}
