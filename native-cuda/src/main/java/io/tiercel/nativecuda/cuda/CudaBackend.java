package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import java.util.List;
import java.util.function.Supplier;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;

/**
 * An NVIDIA GPU: exact, bit for bit what the Java reference computes, by a kernel that stays on it or by graphs of
 * launches ({@link DeviceMode}). The GPU can be lost in mid-run, so another backend stands by.
 *
 * <p>The probe loads the driver and the kernels, since only then is it known that they can be loaded.
 */
public final class CudaBackend implements Backend {

    public static final String NAME = "cuda";

    /** Behind the CPU's kernels: without the configuration's word nothing is moved behind a bus. */
    private static final int PREFERENCE = 50;

    private final NanoClock clock;
    /** Where the caller has none. */
    private final DeviceSettings settings;

    /** What {@link java.util.ServiceLoader} makes. */
    public CudaBackend() {
        this(SystemNanoClock.INSTANCE, DeviceSettings.DEFAULTS);
    }

    /** @param answerLimitNs after which a GPU that has not answered a request is lost. */
    CudaBackend(final NanoClock clock, final long answerLimitNs) {
        this(clock, new DeviceSettings(DeviceMode.AUTO, answerLimitNs));
    }

    CudaBackend(final NanoClock clock, final DeviceSettings settings) {
        this.clock = clock;
        this.settings = settings;
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
        return load(bundle, threads, settings);
    }

    @Override
    public Model load(final Bundle bundle, final int threads, final DeviceSettings device) {
        return load(bundle, () -> TransformerParameters.FAMILY.equals(bundle.manifest().family())
                ? TransformerWays.load(TransformerParameters.read(bundle), clock, device)
                : loadLstm(LstmParameters.read(bundle), device, false));
    }

    /**
     * Of an {@code lstm} bundle what speaks with the GPU, and nothing of what it computes: outputs and states are
     * zeros. What a request costs that way is the least that a step can.
     */
    public Model loadPingPong(final Bundle bundle) {
        final DeviceSettings device = new DeviceSettings(DeviceMode.RESIDENT, settings.answerLimitNs());
        return load(bundle, () -> loadLstm(LstmParameters.read(bundle), device, true));
    }

    /**
     * How many blocks can make a transformer's step together by a kernel that stays, the fewest first: what is tried
     * out when one is loaded. None where no kernel may stay.
     *
     * @throws CudaException with what stands against the GPU.
     */
    public List<Integer> residentBlocks() {
        return TransformerWays.residentBlocks();
    }

    /** Of a {@code transformer} bundle a step by a kernel that stays and so many blocks, whatever is the fastest. */
    public Model loadResident(final Bundle bundle, final int blocks) {
        final DeviceSettings device = new DeviceSettings(DeviceMode.RESIDENT, settings.answerLimitNs());
        return load(bundle, () -> new CudaTransformerModel(
                TransformerParameters.read(bundle), CudaDevice.retain(), clock, device, blocks));
    }

    private static Model load(final Bundle bundle, final Supplier<Model> loading) {
        try {
            return loading.get();
        } catch (final CudaException ex) {
            throw new BundleException(bundle.path() + ": backend=" + NAME + " cannot load it: " + ex.getMessage());
        }
    }

    private Model loadLstm(
            final LstmParameters parameters, final DeviceSettings device, final boolean isPingPong) {
        return new CudaLstmModel(parameters, CudaDevice.retain(), clock, device, isPingPong);
    }
}
