package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.NanoClock;

/**
 * The ways of an LSTM on a GPU by a kernel that stays: its blocks speak by the GPU's memory, or they are a cluster, of
 * several shapes, and speak by their shared memory. Where there may be clusters all of them are tried out, and the
 * fastest is taken; where no kernel can stay, graphs of launches are.
 */
final class LstmWays {

    private final LstmParameters parameters;
    private final NanoClock clock;
    private final DeviceSettings settings;

    private LstmWays(final LstmParameters parameters, final NanoClock clock, final DeviceSettings settings) {
        this.parameters = parameters;
        this.clock = clock;
        this.settings = settings;
    }

    /** @throws CudaException if it does not fit, or not in the way that the settings ask for, or the driver fails. */
    static CudaLstmModel load(
            final LstmParameters parameters, final NanoClock clock, final DeviceSettings settings) {
        return new LstmWays(parameters, clock, settings).load();
    }

    /**
     * Ways by a kernel that stays, to be opened one at a time; none where none can.
     *
     * @throws CudaException with what stands against the GPU.
     */
    static List<Integer> residentWays(
            final LstmParameters parameters, final NanoClock clock, final DeviceSettings settings) {
        final List<Integer> ways = new ArrayList<>();
        final LstmWays of =
                new LstmWays(parameters, clock, new DeviceSettings(DeviceMode.AUTO, settings.answerLimitNs()));
        try (CudaLstmModel first = of.open(CudaLstmModel.PERSISTENT)) {
            if (first.size(CudaDriver.IS_PERSISTENT) != 0) {
                ways.add(CudaLstmModel.PERSISTENT);
                ways.addAll(first.clusterWays());
            }
        }
        return ways;
    }

    private CudaLstmModel load() {
        final CudaLstmModel first = open(CudaLstmModel.PERSISTENT);
        final List<Integer> clusters = first.clusterWays();
        if (clusters.isEmpty()) {
            return first;
        }
        try (FastestWay<CudaLstmModel> ways = new FastestWay<>(clock)) {
            ways.consider(() -> first);
            clusters.forEach(way -> ways.considerIfItCan(() -> open(way)));
            return ways.take();
        } catch (final DeviceLostException ex) {
            throw new CudaException(ex.getMessage());
        }
    }

    private CudaLstmModel open(final int way) {
        return new CudaLstmModel(parameters, CudaDevice.retain(), clock, settings, way);
    }
}
