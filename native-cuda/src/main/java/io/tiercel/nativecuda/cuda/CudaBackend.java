package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;

/**
 * An NVIDIA GPU: exact, bit for bit what the Java reference computes. The {@code lstm} family by a kernel that stays on
 * it where the model fits, the {@code transformer} family by kernels that are launched for each batch. The GPU can be
 * lost in mid-run, so another backend stands by.
 *
 * <p>The probe loads the driver and the kernels, since only then is it known that they can be loaded. A GPU that drives
 * a display is refused: its driver would end a kernel that stays.
 */
public final class CudaBackend implements Backend {

    public static final String NAME = "cuda";

    /** Behind the CPU's kernels: without the configuration's word nothing is moved behind a bus. */
    private static final int PREFERENCE = 50;
    /** A hundred thousand times a step; no client waits longer, and what holds a GPU up for a moment is shorter. */
    private static final long ANSWER_LIMIT_NS = TimeUnit.SECONDS.toNanos(1);

    private final NanoClock clock;
    private final long answerLimitNs;

    /** What {@link java.util.ServiceLoader} makes. */
    public CudaBackend() {
        this(SystemNanoClock.INSTANCE, ANSWER_LIMIT_NS);
    }

    /** @param answerLimitNs after which a GPU that has not answered a request is lost. */
    CudaBackend(final NanoClock clock, final long answerLimitNs) {
        this.clock = clock;
        this.answerLimitNs = answerLimitNs;
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
            final CudaDevice device = CudaDevice.retain();
            final String description = device.description();
            device.release();
            return BackendProbe.available(description + ", exact");
        } catch (final CudaException ex) {
            return BackendProbe.unavailable(ex.getMessage());
        }
    }

    @Override
    public boolean supports(final Bundle bundle) {
        return LstmParameters.FAMILY.equals(bundle.manifest().family()) ||
                TransformerParameters.FAMILY.equals(bundle.manifest().family());
    }

    @Override
    public boolean canBeLost() {
        return true;
    }

    @Override
    public Model load(final Bundle bundle, final int threads) {
        try {
            return TransformerParameters.FAMILY.equals(bundle.manifest().family())
                    ? loadTransformer(TransformerParameters.read(bundle))
                    : loadLstm(LstmParameters.read(bundle));
        } catch (final CudaException ex) {
            throw new BundleException(bundle.path() + ": backend=" + NAME + " cannot load it: " + ex.getMessage());
        }
    }

    private Model loadLstm(final LstmParameters parameters) {
        return new CudaLstmModel(parameters, CudaDevice.retain(), clock, answerLimitNs);
    }

    private Model loadTransformer(final TransformerParameters parameters) {
        return new CudaTransformerModel(parameters, CudaDevice.retain(), clock, answerLimitNs);
    }
}
