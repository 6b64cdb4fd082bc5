package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import java.util.List;
import org.agrona.concurrent.NanoClock;

/**
 * The ways of a transformer on a GPU, of which the fastest is taken: a kernel that stays, of one block or of several
 * that share a step, or graphs of launches. More blocks are tried as long as they were faster than fewer.
 */
final class TransformerWays {

    /** Of a team: what is between them differs by less than measurements do. */
    private static final List<Integer> BLOCKS = List.of(1, 8, 32);

    private final TransformerParameters parameters;
    private final NanoClock clock;
    private final DeviceSettings settings;

    private TransformerWays(
            final TransformerParameters parameters, final NanoClock clock, final DeviceSettings settings) {
        this.parameters = parameters;
        this.clock = clock;
        this.settings = settings;
    }

    /** @throws CudaException if it does not fit, or not in the way that the settings ask for, or the driver fails. */
    static CudaTransformerModel load(
            final TransformerParameters parameters, final NanoClock clock, final DeviceSettings settings) {
        return new TransformerWays(parameters, clock, settings).load();
    }

    /** Of a team, the fewest first; none where no kernel may stay, or other ones leave no multiprocessor. */
    static List<Integer> residentBlocks() {
        final CudaDevice device = CudaDevice.retain();
        try {
            final int free = device.obstacleToStaying() == null ? device.freeMultiprocessors() : 0;
            return BLOCKS.stream().filter(blocks -> blocks <= free).toList();
        } finally {
            device.release();
        }
    }

    private CudaTransformerModel load() {
        final List<Integer> resident = settings.mode() == DeviceMode.GRAPHS ? List.of() : residentBlocks();
        if (settings.mode() == DeviceMode.RESIDENT && resident.isEmpty()) {
            throw new CudaException("gpu-mode=" + DeviceMode.RESIDENT + " cannot be: " + obstacle());
        }
        if (resident.isEmpty()) {
            return open(CudaTransformerModel.GRAPHS);
        }
        if (settings.mode() == DeviceMode.RESIDENT && resident.size() == 1) {
            return open(resident.get(0));
        }
        try (FastestWay<CudaTransformerModel> ways = new FastestWay<>(clock)) {
            tryOut(ways, resident);
            return ways.take();
        } catch (final DeviceLostException ex) {
            throw new CudaException(ex.getMessage());
        }
    }

    private void tryOut(final FastestWay<CudaTransformerModel> ways, final List<Integer> resident) {
        boolean isFaster = true;
        for (int i = 0; i < resident.size() && isFaster; i++) {
            final int blocks = resident.get(i);
            isFaster = ways.consider(() -> open(blocks));
        }
        if (settings.mode() == DeviceMode.AUTO) {
            ways.consider(() -> open(CudaTransformerModel.GRAPHS));
        }
    }

    private static String obstacle() {
        final CudaDevice device = CudaDevice.retain();
        final String obstacle = device.obstacleToStaying() == null
                ? "other kernels stay on all multiprocessors"
                : device.name() + " lets no kernel stay: " + device.obstacleToStaying();
        device.release();
        return obstacle;
    }

    private CudaTransformerModel open(final int blocks) {
        return new CudaTransformerModel(parameters, CudaDevice.retain(), clock, settings, blocks);
    }
}
