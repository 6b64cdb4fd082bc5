package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.DeviceSettings;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StatePages;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.engine.transformer.TransformerStateLayout;
import io.tiercel.nativecuda.TransformerSizes;
import io.tiercel.nativecuda.TransformerWeights;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.NanoClock;

/**
 * A {@code transformer} bundle in a GPU's memory, packed for a block of some threads. Immutable; to be closed after its
 * executors.
 *
 * <p>A session's canonical state is the host's, and its pages may be common to several there. Behind it and its table
 * of pages stands a note of where the GPU has a copy: {@link StateCopies}.
 */
final class CudaTransformerModel extends CudaModel {

    /** As few as there may be for one position. */
    private static final int TRIAL_COPIES = 3;

    private static final long NO_UNDO = 0;

    private final TransformerStateLayout layout;
    private final int window;
    private final int logitCount;
    private final TransformerTeam team;
    private final long[] sizes = new long[CudaDriver.TRANSFORMER_SIZES];
    private long handle;

    /**
     * @param device released by {@link #close}, and if this fails.
     * @param team   that makes a step by a kernel that stays, or {@link TransformerTeam#GRAPHS}.
     * @throws CudaException if it does not fit, or the driver fails.
     */
    CudaTransformerModel(
            final TransformerParameters parameters, final CudaDevice device, final NanoClock clock,
            final DeviceSettings settings, final TransformerTeam team) {
        super(shapeOf(parameters), device, clock, settings);
        layout = parameters.layout();
        window = parameters.shape().window();
        logitCount = parameters.logitCount();
        this.team = team;
        place(() -> pack(parameters), () -> device.newWeights(
                CudaDriver.transformerData(handle), CudaDriver.transformerBytes(handle)));
    }

    @Override
    public StatePages pages() {
        return layout.statePages();
    }

    /** @throws DeviceLostException if the driver fails. */
    @Override
    public CudaTransformerExecutor newExecutor(final int maxBatch) {
        return newExecutor(maxBatch, StateCopies.countFor(layout.stateBytes(), maxBatch));
    }

    /** With so many copies of states, at least two more than the batch has positions. */
    CudaTransformerExecutor newExecutor(final int maxBatch, final int copyCount) {
        return newExecutor(maxBatch, copyCount, TransformerResident.FIRST_SEQUENCE);
    }

    /** With requests numbered from one on, if it is by a kernel that stays. */
    CudaTransformerExecutor newExecutor(final int maxBatch, final int copyCount, final int firstSequence) {
        return make(() -> new CudaTransformerExecutor(this, maxBatch, copyCount, firstSequence));
    }

    @Override
    void deletePacked() {
        if (handle != 0) {
            CudaDriver.deleteTransformer(handle);
        }
    }

    TransformerStateLayout layout() {
        return layout;
    }

    TransformerTeam team() {
        return team;
    }

    /**
     * How many teams there may be, before any begins.
     *
     * @throws CudaException if it is none.
     */
    int roomForTeams() {
        device().checkRoomFor(team.blocks());
        final int room = device().freeMultiprocessors() / team.blocks();
        if (!team.isCluster()) {
            return room;
        }
        prepareToStay();
        final int[] count = new int[1];
        CudaDriver.check(
                CudaDriver.activeTeams(handle, device().transformerKernels().persistent(), count),
                "cuOccupancyMaxActiveClusters(blocks=" + team.blocks() + " " + geometry() + ")");
        return Math.min(room, device().roomForClusters(team.blocks(), count[0]));
    }

    @Override
    String wayName() {
        return team.toString();
    }

    @Override
    ModelExecutor newTrialExecutor() {
        return newExecutor(1, TRIAL_COPIES);
    }

    /** @throws CudaException if the driver fails; then nothing is left behind. */
    TransformerWay newWay(final int maxBatch, final int copyCount, final int firstSequence) {
        return team.equals(TransformerTeam.GRAPHS)
                ? new TransformerLaunches(this, maxBatch, copyCount)
                : new TransformerResident(this, maxBatch, copyCount, firstSequence);
    }

    int logitCount() {
        return logitCount;
    }

    /** By the indices of {@link CudaDriver}. */
    long size(final int index) {
        return sizes[index];
    }

    /** Whether a token is coded when it leaves the window, ahead of the step that displaces it; else in its own. */
    boolean hasWindow() {
        return window > 0;
    }

    /** Whether the next step of a session needs a token coded first. */
    boolean isAheadDue(final long stateAddress) {
        final long position = UnsafeApi.getLong(stateAddress + TransformerStateLayout.POSITION_OFFSET);
        final long codedTokens = UnsafeApi.getLong(stateAddress + TransformerStateLayout.CODED_OFFSET);
        return window > 0 && position - window >= codedTokens;
    }

    /** The host's state from the record of its step. */
    void putStep(final long stateAddress, final long recordAddress) {
        CudaDriver.putStep(handle, stateAddress, recordAddress, NO_UNDO);
    }

    /** The host's state from the record of its last step, if there is work ahead of the next one. */
    void putAhead(final long stateAddress, final long recordAddress) {
        CudaDriver.putAhead(handle, stateAddress, recordAddress, NO_UNDO);
    }

    /**
     * As {@link #putStep}, in a way that can be taken back, with the work ahead of it.
     *
     * @param aheadAddress of the record of the step before, 0 if the work ahead has been put.
     * @param undoAddress  of as many bytes as a record has.
     */
    void putTentatively(
            final long stateAddress, final long aheadAddress, final long recordAddress, final long undoAddress) {
        CudaDriver.beginStep(handle, stateAddress, undoAddress);
        if (aheadAddress != 0) {
            CudaDriver.putAhead(handle, stateAddress, aheadAddress, undoAddress);
        }
        CudaDriver.putStep(handle, stateAddress, recordAddress, undoAddress);
    }

    /** The last {@link #putTentatively} that has not been taken back. */
    void takeBack(final long stateAddress, final long undoAddress) {
        CudaDriver.takeBack(handle, stateAddress, undoAddress);
    }

    /** Before anything is launched. */
    void prepareLaunches() {
        device().allowSharedMemory(device().transformerKernels().step(), geometry());
        device().allowSharedMemory(device().transformerKernels().steps(), geometry());
    }

    /** Before the kernel that stays begins. */
    void prepareToStay() {
        device().allowSharedMemory(device().transformerKernels().persistent(), geometry());
    }

    /** Begins the kernel that stays, of so many teams of blocks; by the indices of {@link CudaDriver}. */
    void stay(final long stream, final long[] link, final int teams) {
        CudaDriver.check(
                CudaDriver.stay(handle, device().transformerKernels().persistent(), stream, weightsAddress(), link,
                        teams),
                (team.isCluster() ? "cuLaunchKernelEx(teams=" : "cuLaunchCooperativeKernel(teams=") + teams +
                        " blocks=" + team.blocks() + " " + geometry() + ")");
    }

    /** A step of so many positions; addresses here and below are the GPU's. */
    void launchStep(
            final long stream, final long positions, final long records, final long vectors, final int count) {
        launch(device().transformerKernels().step(), stream, positions, records, vectors, count,
                (int) sizes[CudaDriver.TRANSFORMER_THREADS], (int) sizes[CudaDriver.TRANSFORMER_SHARED_BYTES], "step");
    }

    /** The work ahead. */
    void launchAhead(final long stream, final long positions, final long records, final int count) {
        launch(device().transformerKernels().ahead(), stream, positions, records, 0, count,
                (int) sizes[CudaDriver.TRANSFORMER_THREADS], 0, "ahead");
    }

    /** One row of steps, with the work ahead of each next one. */
    void launchRow(final long stream, final long row, final long records, final long vectors) {
        launch(device().transformerKernels().steps(), stream, row, records, vectors, 1,
                (int) sizes[CudaDriver.TRANSFORMER_THREADS], (int) sizes[CudaDriver.TRANSFORMER_SHARED_BYTES], "steps");
    }

    private void launch(
            final long kernel, final long stream, final long items, final long records, final long last,
            final int count, final int threads, final int sharedBytes, final String what) {
        final int code = CudaDriver.launchTransformer(handle, kernel, stream, weightsAddress(), items, records,
                last, count, threads, sharedBytes);
        if (code != CudaDriver.SUCCESS) {
            CudaDriver.check(code, "cuLaunchKernel(" + what + ")");
        }
    }

    private String geometry() {
        return "threads=" + sizes[CudaDriver.TRANSFORMER_THREADS] + " sharedBytes=" +
                sizes[CudaDriver.TRANSFORMER_SHARED_BYTES];
    }

    private static ModelShape shapeOf(final TransformerParameters parameters) {
        final ModelShape plain = parameters.modelShape();
        return new ModelShape(plain.family(), plain.featureCount(), plain.outputCount(),
                plain.stateBytes() + StateCopies.NOTE_BYTES, plain.canonicalBytes(), plain.vocabularySize(),
                plain.contextTokens(), plain.namesTokens());
    }

    private void pack(final TransformerParameters parameters) {
        handle = CudaDriver.newTransformer(
                TransformerSizes.of(parameters), TransformerSizes.numbers(parameters), device().sharedBytes(),
                Math.max(team.blocks(), 1));
        if (handle == 0) {
            throw new CudaException("no memory to pack " + parameters.shape());
        }
        CudaDriver.transformerSizes(handle, sizes);
        if (sizes[CudaDriver.TRANSFORMER_SHARED_BYTES] == 0) {
            throw new CudaException(parameters.shape() + " needs sharedBytes=" +
                    sizes[CudaDriver.TRANSFORMER_LEAST_SHARED_BYTES] + " a block, and " + device().name() + " has " +
                    device().sharedBytes());
        }
        if (sizes[CudaDriver.TRANSFORMER_STATE_BYTES] != layout.stateBytes()) {
            throw new IllegalStateException("stateBytes=" + sizes[CudaDriver.TRANSFORMER_STATE_BYTES] +
                    " in the kernels, " + layout.stateBytes() + " in the layout");
        }
        TransformerWeights.give(parameters, new Packing());
    }

    /** Packs them where they are copied from. */
    private final class Packing implements TransformerWeights.Target {

        @Override
        public void matrix(
                final int layer, final int matrix, final int expert, final byte[] codes, final byte[] lowCodes,
                final byte[] multipliers, final float[] scales) {
            CudaDriver.setTransformerMatrix(handle, layer, matrix, expert, codes, lowCodes, multipliers, scales);
        }

        @Override
        public void vector(final int layer, final int vector, final float[] values) {
            CudaDriver.setTransformerVector(handle, layer, vector, values);
        }

        @Override
        public void rotarySteps(final long[] steps) {
            CudaDriver.setRotarySteps(handle, steps);
        }

        @Override
        public void codec(
                final int layer, final int isValues, final float[] means, final float[] scales, final float[] steps,
                final int[] reciprocals, final byte[] codebook) {
            CudaDriver.setCodec(handle, layer, isValues, means, scales, steps, reciprocals, codebook);
        }
    }
}
