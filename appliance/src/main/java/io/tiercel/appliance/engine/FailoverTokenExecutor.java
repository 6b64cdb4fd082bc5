package io.tiercel.appliance.engine;

/**
 * A {@link FailoverExecutor} of executors of tokens. Rows of steps go to the device as rows, of as many at once as are
 * made as a whole or not at all: {@link DeviceLostException}.
 */
final class FailoverTokenExecutor extends FailoverExecutor implements TokenExecutor {

    /** Null if it could not be made. */
    private final TokenExecutor primary;
    private final TokenExecutor standby;
    private final int inputBytes;
    /** Who has made the last steps: it has their logits, and keeps of a row what stands. */
    private TokenExecutor last;

    FailoverTokenExecutor(
            final FailoverModel model, final TokenExecutor primary, final TokenExecutor standby, final int maxBatch) {
        super(model, primary, standby, maxBatch);
        this.primary = primary;
        this.standby = standby;
        inputBytes = model.shape().featureCount() * Float.BYTES;
        last = standby;
    }

    @Override
    public void step(final StepBatch batch) {
        super.step(batch);
        last = isOnStandby() ? standby : primary;
    }

    @Override
    public long steps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        long hash = previousHash;
        for (int first = 0; first < stepCount; first += MAX_DRAFT) {
            hash = someSteps(stateAddress, featuresAddress + (long) first * inputBytes,
                    Math.min(MAX_DRAFT, stepCount - first), outputsAddress + (long) first * outputsStride,
                    outputsStride, hash);
        }
        return hash;
    }

    @Override
    public void stepTentatively(
            final long stateAddress, final long tokensAddress, final int tokenCount, final long outputsAddress,
            final int outputsStride) {
        if (!isOnStandby()) {
            try {
                own(stateAddress, primary, OF_PRIMARY);
                primary.stepTentatively(stateAddress, tokensAddress, tokenCount, outputsAddress, outputsStride);
                last = primary;
                return;
            } catch (final DeviceLostException ex) {
                fail(ex);
            }
        }
        own(stateAddress, standby, OF_STANDBY);
        standby.stepTentatively(stateAddress, tokensAddress, tokenCount, outputsAddress, outputsStride);
        last = standby;
    }

    @Override
    public long keep(final long stateAddress, final int keptCount, final long previousHash) {
        return last.keep(stateAddress, keptCount, previousHash);
    }

    @Override
    public int vocabularySize() {
        return standby.vocabularySize();
    }

    @Override
    public Footprint footprint() {
        return standby.footprint();
    }

    @Override
    public long logitsAddress(final int position) {
        return last.logitsAddress(position);
    }

    private long someSteps(
            final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
            final int outputsStride, final long previousHash) {
        if (!isOnStandby()) {
            try {
                own(stateAddress, primary, OF_PRIMARY);
                final long hash = primary.steps(
                        stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
                last = primary;
                return hash;
            } catch (final DeviceLostException ex) {
                fail(ex);
            }
        }
        own(stateAddress, standby, OF_STANDBY);
        last = standby;
        return standby.steps(stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
    }
}
