package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.NanoClock;

/**
 * The ways of a transformer on a GPU, of which the fastest is taken: a kernel that stays, of one block or of several
 * that share a step, as a cluster too where there are any, or graphs of launches. More blocks are tried as long as they
 * were faster than fewer.
 */
final class TransformerWays {

    /** Of a team: what is between them differs by less than measurements do. */
    private static final List<Integer> BLOCKS = List.of(1, 8, 32);
    /** What every GPU allows that has clusters. */
    private static final int MOST_CLUSTER_BLOCKS = 8;

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

    /**
     * By a kernel that stays, the fewest blocks first, and a cluster before as many that are none. None where no kernel
     * may stay, or other ones leave no multiprocessor.
     */
    static List<TransformerTeam> residentTeams() {
        final CudaDevice device = CudaDevice.retain();
        try {
            final int free = device.obstacleToStaying() == null ? device.freeMultiprocessors() : 0;
            final List<TransformerTeam> teams = new ArrayList<>();
            for (final int blocks : BLOCKS) {
                if (blocks <= free && blocks > 1 && blocks <= MOST_CLUSTER_BLOCKS && device.hasClusters()) {
                    teams.add(TransformerTeam.cluster(blocks));
                }
                if (blocks <= free) {
                    teams.add(TransformerTeam.of(blocks));
                }
            }
            return teams;
        } finally {
            device.release();
        }
    }

    private CudaTransformerModel load() {
        final List<TransformerTeam> resident = settings.mode() == DeviceMode.GRAPHS ? List.of() : residentTeams();
        if (settings.mode() == DeviceMode.RESIDENT && resident.isEmpty()) {
            throw new CudaException("gpu-mode=" + DeviceMode.RESIDENT + " cannot be: " + obstacle());
        }
        if (resident.isEmpty()) {
            return open(TransformerTeam.GRAPHS);
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

    private void tryOut(final FastestWay<CudaTransformerModel> ways, final List<TransformerTeam> resident) {
        boolean isFaster = true;
        boolean isClusterFaster = false;
        for (int i = 0; i < resident.size() && isFaster; i++) {
            final TransformerTeam team = resident.get(i);
            if (team.isCluster()) {
                isClusterFaster = ways.considerIfItCan(() -> open(team));
            } else {
                isFaster = ways.consider(() -> open(team)) || isClusterFaster;
                isClusterFaster = false;
            }
        }
        if (settings.mode() == DeviceMode.AUTO) {
            ways.consider(() -> open(TransformerTeam.GRAPHS));
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

    private CudaTransformerModel open(final TransformerTeam team) {
        return new CudaTransformerModel(parameters, CudaDevice.retain(), clock, settings, team);
    }
}
