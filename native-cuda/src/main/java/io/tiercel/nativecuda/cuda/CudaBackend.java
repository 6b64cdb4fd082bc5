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
import java.util.function.Function;
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
                : LstmWays.load(LstmParameters.read(bundle), clock, device));
    }

    /**
     * Of an {@code lstm} bundle what speaks with the GPU, and nothing of what it computes: outputs and states are
     * zeros. What a request costs that way is the least that a step can.
     */
    public Model loadPingPong(final Bundle bundle) {
        final DeviceSettings device = new DeviceSettings(DeviceMode.RESIDENT, settings.answerLimitNs());
        return load(bundle, () -> openLstm(LstmParameters.read(bundle), device, CudaLstmModel.PING_PONG));
    }

    /**
     * The bundle in each way by a kernel that stays, of which the fastest is taken when it is loaded: to be got one
     * after the other, and closed. None where no kernel may stay.
     *
     * @throws BundleException with what stands against it.
     */
    public List<Supplier<Model>> residentWays(final Bundle bundle) {
        final DeviceSettings device = new DeviceSettings(DeviceMode.RESIDENT, settings.answerLimitNs());
        try {
            if (TransformerParameters.FAMILY.equals(bundle.manifest().family())) {
                final TransformerParameters parameters = TransformerParameters.read(bundle);
                return waysOf(bundle, TransformerWays.residentTeams(), team -> new CudaTransformerModel(
                        parameters, CudaDevice.retain(), clock, device, team));
            }
            final LstmParameters parameters = LstmParameters.read(bundle);
            return waysOf(bundle, LstmWays.residentWays(parameters, clock, device),
                    way -> openLstm(parameters, device, way));
        } catch (final CudaException ex) {
            throw refused(bundle, ex);
        }
    }

    /** How a model of this backend makes its steps, for people. */
    public static String wayOf(final Model model) {
        return ((CudaModel) model).wayName();
    }

    private static <W> List<Supplier<Model>> waysOf(
            final Bundle bundle, final List<W> ways, final Function<W, Model> opening) {
        return ways.stream().<Supplier<Model>>map(way -> () -> load(bundle, () -> opening.apply(way))).toList();
    }

    private static Model load(final Bundle bundle, final Supplier<Model> loading) {
        try {
            return loading.get();
        } catch (final CudaException ex) {
            throw refused(bundle, ex);
        }
    }

    private static BundleException refused(final Bundle bundle, final CudaException ex) {
        return new BundleException(bundle.path() + ": backend=" + NAME + " cannot load it: " + ex.getMessage());
    }

    private Model openLstm(final LstmParameters parameters, final DeviceSettings device, final int way) {
        return new CudaLstmModel(parameters, CudaDevice.retain(), clock, device, way);
    }
}
