package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.DeviceMode;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.lstm.LstmLayerParameters;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.lstm.LstmStateLayout;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.NanoClock;

/**
 * An {@code lstm} bundle in a GPU's memory, packed for the way in which its units are shared out there. Immutable; to
 * be closed after its executors, each of which has a kernel of its own on the GPU.
 *
 * <p>A session's canonical state is the host's. The derived part of it is a note of where the GPU has a copy:
 * {@link CudaLstmExecutor}.
 */
final class CudaLstmModel extends CudaModel {

    /** Ways: a kernel that stays, if it can; the same, which computes nothing; the first by a cluster. */
    static final int PERSISTENT = 1;
    static final int PING_PONG = -1;
    static final int FIRST_CLUSTER = 2;

    private static final int LAUNCHED = 0;
    /** As few as there may be for one position. */
    private static final int TRIAL_COPIES = 3;

    private final int way;
    private final boolean isInt4;
    private final LstmStateLayout layout;
    private final int layerCount;
    private final int hiddenCount;
    private final int[] sizes = new int[CudaDriver.LSTM_SIZES];
    private long handle;

    /**
     * @param device released by {@link #close}, and if this fails.
     * @param way    {@link #PERSISTENT}, {@link #PING_PONG}, or one of the {@link #clusterWays} of another of the same.
     * @throws CudaException if it does not fit, or not in the way that the settings ask for, or the driver fails.
     */
    CudaLstmModel(
            final LstmParameters parameters, final CudaDevice device, final NanoClock clock,
            final DeviceSettings settings, final int way) {
        super(shapeOf(parameters), device, clock, settings);
        this.way = way;
        isInt4 = parameters.layerFormat() == WeightFormat.INT4;
        layerCount = parameters.layerCount();
        hiddenCount = parameters.hiddenCount();
        layout = layoutOf(parameters);
        place(() -> pack(parameters),
                () -> device.newWeights(CudaDriver.lstmData(handle), CudaDriver.lstmBytes(handle)));
    }

    /** @throws DeviceLostException if the kernel cannot begin, or does not answer. */
    @Override
    public ModelExecutor newExecutor(final int maxBatch) {
        return newExecutor(maxBatch, PersistentKernel.FIRST_SEQUENCE);
    }

    /** With requests numbered from one on, if it is by a kernel that stays. */
    ModelExecutor newExecutor(final int maxBatch, final int firstSequence) {
        return newExecutor(
                maxBatch, StateCopies.countFor(sizes[CudaDriver.STATE_BYTES], maxBatch), firstSequence);
    }

    private ModelExecutor newExecutor(final int maxBatch, final int copyCount, final int firstSequence) {
        return make(() -> sizes[CudaDriver.IS_PERSISTENT] == 0
                ? new LstmGraphExecutor(this, maxBatch)
                : new CudaLstmExecutor(this, maxBatch, copyCount, firstSequence));
    }

    @Override
    ModelExecutor newTrialExecutor() {
        return newExecutor(1, TRIAL_COPIES, PersistentKernel.FIRST_SEQUENCE);
    }

    @Override
    String wayName() {
        if (sizes[CudaDriver.IS_PERSISTENT] == 0) {
            return "graphs";
        }
        return (isCluster() ? "resident cluster, " : "resident, ") + "blocks=" + sizes[CudaDriver.BLOCKS] +
                " threads=" + sizes[CudaDriver.THREADS];
    }

    /** Those of this model that there may be on this GPU, the one with the most blocks first. */
    List<Integer> clusterWays() {
        final List<Integer> ways = new ArrayList<>();
        if (sizes[CudaDriver.IS_PERSISTENT] != 0 && device().hasClusters()) {
            for (int i = 0; i < sizes[CudaDriver.CLUSTER_WAYS]; i++) {
                ways.add(FIRST_CLUSTER + i);
            }
        }
        return ways;
    }

    /**
     * Before its kernel begins.
     *
     * @throws CudaException if it would not be there as a whole.
     */
    void checkRoom() {
        device().checkRoomFor(sizes[CudaDriver.BLOCKS]);
        if (isCluster()) {
            allowSharedMemory(kernel());
            final int[] count = new int[1];
            CudaDriver.check(CudaDriver.activeClusters(handle, kernel(), count),
                    "cuOccupancyMaxActiveClusters(" + geometry() + ")");
            device().roomForClusters(sizes[CudaDriver.BLOCKS], count[0]);
        }
    }

    @Override
    void deletePacked() {
        if (handle != 0) {
            CudaDriver.deleteLstm(handle);
        }
    }

    LstmStateLayout layout() {
        return layout;
    }

    int layerCount() {
        return layerCount;
    }

    int hiddenCount() {
        return hiddenCount;
    }

    /** By the indices of {@link CudaDriver}. */
    int size(final int index) {
        return sizes[index];
    }

    /** Begins the kernel on a stream; the addresses are the GPU's. */
    void launch(
            final long stream, final long requests, final long responses, final int places, final int firstSequence,
            final long exchange, final long sessions) {
        allowSharedMemory(kernel());
        CudaDriver.check(
                CudaDriver.launch(handle, kernel(), stream, weightsAddress(), requests, responses, places,
                        firstSequence, exchange, sessions),
                (isCluster() ? "cuLaunchKernelEx(" : "cuLaunchCooperativeKernel(") + geometry() + ")");
    }

    private boolean isCluster() {
        return way >= FIRST_CLUSTER;
    }

    /** That stays. */
    private long kernel() {
        if (way == PING_PONG) {
            return device().commonKernels().pingPong();
        }
        return isCluster() ? device().kernels(isInt4).cluster() : device().kernels(isInt4).persistent();
    }

    /** Before anything is launched for a batch. */
    void prepareBatches() {
        allowSharedMemory(device().kernels(isInt4).ahead());
        allowSharedMemory(device().kernels(isInt4).step());
        allowSharedMemory(device().commonKernels().bring());
        allowSharedMemory(device().commonKernels().settle());
    }

    /** Of each position of a table, at an address of the GPU: features, state and outputs. */
    void launchStep(final LaunchStream stream, final long positions, final int count) {
        launchBatch(device().kernels(isInt4).step(), "step", stream, positions, 1, count);
    }

    /** What can be computed before each position's next step, as {@link #launchStep} has them. */
    void launchAhead(final LaunchStream stream, final long positions, final int count) {
        launchBatch(device().kernels(isInt4).ahead(), "ahead", stream, positions, sizes[CudaDriver.BLOCKS], count);
    }

    /** Of each session of a table, at an address of the GPU: the state on the host, to the one there. */
    void launchBring(final LaunchStream stream, final long sessions, final int count) {
        launchBatch(device().commonKernels().bring(), "bring", stream, sessions, 1, count);
    }

    /** The way back of {@link #launchBring}. */
    void launchSettle(final LaunchStream stream, final long sessions, final int count) {
        launchBatch(device().commonKernels().settle(), "settle", stream, sessions, 1, count);
    }

    private void launchBatch(
            final long kernel, final String name, final LaunchStream stream, final long table, final int blocks,
            final int count) {
        CudaDriver.check(
                CudaDriver.launchBatch(handle, kernel, stream.handle(), weightsAddress(), table, blocks, count),
                "cuLaunchKernel(" + name + ")");
    }

    private void allowSharedMemory(final long kernel) {
        device().allowSharedMemory(kernel, geometry());
    }

    private String geometry() {
        return "blocks=" + sizes[CudaDriver.BLOCKS] + " threads=" + sizes[CudaDriver.THREADS] + " sharedBytes=" +
                sizes[CudaDriver.SHARED_BYTES];
    }

    private boolean mayStay() {
        return mode() != DeviceMode.GRAPHS && device().obstacleToStaying() == null;
    }

    private void pack(final LstmParameters parameters) {
        handle = CudaDriver.newLstm(layerCount, hiddenCount, parameters.featureCount(), parameters.outputCount(),
                flag(parameters.layerFormat()), flag(parameters.headFormat()), parameters.hasSoftmax() ? 1 : 0,
                parameters.featureMaximum(), device().sharedBytes(), device().multiprocessors(),
                mayStay() ? Math.max(way, PERSISTENT) : LAUNCHED);
        if (handle == 0) {
            throw new CudaException("no memory to pack layers=" + layerCount + " hidden=" + hiddenCount);
        }
        CudaDriver.lstmSizes(handle, sizes);
        if (sizes[CudaDriver.BLOCKS] == 0) {
            throw new CudaException("layers=" + layerCount + " hidden=" + hiddenCount + " features=" +
                    parameters.featureCount() + " need sharedBytes=" + sizes[CudaDriver.SHARED_BYTES] +
                    " a block, and " + device().name() + " has " + device().sharedBytes());
        }
        if (mode() == DeviceMode.RESIDENT && sizes[CudaDriver.IS_PERSISTENT] == 0) {
            throw new CudaException("gpu-mode=" + DeviceMode.RESIDENT + " cannot be: " +
                    (device().obstacleToStaying() == null
                            ? "layers=" + layerCount + " hidden=" + hiddenCount + " do not fit into the shared memory"
                                    + " of " + device().multiprocessors() + " multiprocessors"
                            : device().name() + " lets no kernel stay: " + device().obstacleToStaying()));
        }
        CudaDriver.setFeatures(handle, parameters.featureMeans(), parameters.inverseFeatureDeviations(),
                parameters.inverseFeatureScale());
        for (int i = 0; i < layerCount; i++) {
            final LstmLayerParameters layer = parameters.layer(i);
            CudaDriver.setLayer(handle, i,
                    layer.input().codes(), layer.input().multipliers(), layer.inputScales(),
                    layer.recurrent().codes(), layer.recurrent().multipliers(), layer.recurrentScales(),
                    layer.biases(), layer.inverseHiddenScale());
        }
        CudaDriver.setHead(handle, parameters.head().codes(), parameters.head().multipliers(),
                parameters.headScales(), parameters.headBiases());
    }

    private static LstmStateLayout layoutOf(final LstmParameters parameters) {
        return new LstmStateLayout(parameters.layerCount(), parameters.hiddenCount(), 0);
    }

    private static ModelShape shapeOf(final LstmParameters parameters) {
        final int canonicalBytes = layoutOf(parameters).canonicalBytes();
        return new ModelShape(LstmParameters.FAMILY, parameters.featureCount(), parameters.outputCount(),
                canonicalBytes + StateCopies.NOTE_BYTES, canonicalBytes);
    }

    private static int flag(final WeightFormat format) {
        return format == WeightFormat.INT4 ? 1 : 0;
    }
}
