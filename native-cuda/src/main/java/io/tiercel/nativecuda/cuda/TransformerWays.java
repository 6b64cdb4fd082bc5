package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.CloseHelper;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which of a transformer's ways is the fastest on a GPU: a kernel that stays, of one block or of several that share a
 * step, or graphs of launches. Each that there may be is loaded and takes some steps, alone; the smallest median wins,
 * of equals the first. More blocks are tried as long as they were faster than fewer.
 */
final class TransformerWays {

    private static final Logger LOG = LoggerFactory.getLogger(TransformerWays.class);

    /** Of a team: what is between them differs by less than measurements do. */
    private static final List<Integer> BLOCKS = List.of(1, 8, 32);

    private static final int WARM_UP_STEPS = 4;
    private static final int LEAST_STEPS = 4;
    private static final int MOST_STEPS = 64;
    private static final long LONGEST_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int COPIES = 3;
    private static final double NS_PER_US = 1e3;

    private final TransformerParameters parameters;
    private final NanoClock clock;
    private final DeviceSettings settings;
    private CudaTransformerModel best;
    private long bestNs = Long.MAX_VALUE;
    private int waysTried;
    private final StringBuilder tried = new StringBuilder();

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
        try {
            tryOut(resident);
        } catch (final CudaException | DeviceLostException ex) {
            CloseHelper.close(best);
            throw new CudaException(ex.getMessage());
        }
        LOG.info("Median of a step{}: {}", tried, best.wayName());
        return best;
    }

    private void tryOut(final List<Integer> resident) {
        boolean isFaster = true;
        for (int i = 0; i < resident.size() && isFaster; i++) {
            isFaster = consider(resident.get(i));
        }
        if (settings.mode() == DeviceMode.AUTO) {
            consider(CudaTransformerModel.GRAPHS);
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

    /** Whether it is the best so far; else it is closed. */
    private boolean consider(final int blocks) {
        final CudaTransformerModel model = open(blocks);
        final long ns;
        try {
            ns = medianNs(model);
        } catch (final CudaException | DeviceLostException ex) {
            model.close();
            throw ex;
        }
        tried.append(waysTried++ == 0 ? " by " : ", by ").append(model.wayName()).append(' ').append(ns / NS_PER_US)
                .append(" us");
        final CudaTransformerModel worse = ns < bestNs ? best : model;
        if (worse != null) {
            worse.close();
        }
        if (worse == model) {
            return false;
        }
        best = model;
        bestNs = ns;
        return true;
    }

    private CudaTransformerModel open(final int blocks) {
        return new CudaTransformerModel(parameters, CudaDevice.retain(), clock, settings, blocks);
    }

    /** From a step's input to its outputs. */
    private long medianNs(final CudaTransformerModel model) {
        final UnsafeBuffer input = allocate(model.shape().featureCount() * Float.BYTES);
        final UnsafeBuffer state = allocate(model.shape().stateBytes());
        final UnsafeBuffer outputs = allocate(model.shape().outputCount() * Float.BYTES);
        final StepBatch batch = new StepBatch(1);
        batch.add(input.addressOffset(), state.addressOffset(), outputs.addressOffset());
        final long[] ns = new long[MOST_STEPS];
        int count = 0;
        try (TokenExecutor executor = model.newExecutor(1, COPIES)) {
            executor.initialise(state.addressOffset());
            final long begunNs = clock.nanoTime();
            for (int i = -WARM_UP_STEPS; i < LEAST_STEPS ||
                    i < MOST_STEPS && clock.nanoTime() - begunNs < LONGEST_NS; i++) {
                if (!executor.hasRoom(state.addressOffset(), 1)) {
                    executor.initialise(state.addressOffset());
                }
                final long stepBegunNs = clock.nanoTime();
                executor.step(batch);
                if (i >= 0) {
                    ns[count++] = clock.nanoTime() - stepBegunNs;
                }
                executor.ahead(batch);
            }
        }
        Arrays.sort(ns, 0, count);
        return ns[count / 2];
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                BitUtil.align(bytes, BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
    }
}
