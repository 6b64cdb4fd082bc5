package io.tiercel.nativecuda.cpu;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import java.util.Collections;
import java.util.Set;

/**
 * The C++ kernels on this machine's processor: exact, bit for bit what the Java reference computes. Preferred wherever
 * it is available.
 *
 * <p>The probe loads the library of the kernels, since only then is it known that it can be loaded.
 */
public final class CpuBackend implements Backend {

    public static final String NAME = "cpu";

    private static final int PREFERENCE = 100;

    private final KernelSet wanted;

    /** With the best kernels that the machine can run: what {@link java.util.ServiceLoader} makes. */
    public CpuBackend() {
        this(null);
    }

    private CpuBackend(final KernelSet wanted) {
        this.wanted = wanted;
    }

    /** With these kernels, for tests and comparisons. */
    public static CpuBackend with(final KernelSet kernels) {
        return new CpuBackend(kernels);
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
        try {
            final Set<KernelSet> available = KernelSet.available();
            final KernelSet kernels = choose(available);
            return available.contains(kernels)
                    ? BackendProbe.available(kernels.title() + " kernels, exact")
                    : BackendProbe.unavailable("this processor cannot run the " + kernels.title() + " kernels");
        } catch (final UnsatisfiedLinkError ex) {
            return BackendProbe.unavailable(CpuKernels.LIBRARY.reason(ex));
        }
    }

    @Override
    public boolean supports(final Bundle bundle) {
        return isTransformer(bundle) || LstmParameters.FAMILY.equals(bundle.manifest().family());
    }

    @Override
    public Model load(final Bundle bundle, final int threads) {
        final BackendProbe probe = probe();
        if (!probe.available()) {
            throw new BundleException(bundle.path() + ": backend=" + NAME + " cannot load it: " + probe.detail());
        }
        final KernelSet kernels = choose(KernelSet.available());
        return isTransformer(bundle)
                ? new CpuTransformerModel(TransformerParameters.read(bundle), kernels)
                : new CpuLstmModel(LstmParameters.read(bundle), kernels, threads, CpuLstmModel.Teamwork.WHEN_FASTER);
    }

    private static boolean isTransformer(final Bundle bundle) {
        return TransformerParameters.FAMILY.equals(bundle.manifest().family());
    }

    private KernelSet choose(final Set<KernelSet> available) {
        return wanted == null ? Collections.max(available) : wanted;
    }
}
