package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.protocol.journal.Arithmetic;
import java.util.HashMap;
import java.util.Map;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The reference on a device that is lost at a call of choice, as {@link DeviceLostException} says: outputs hold
 * anything then, and the canonical state is that before the step as long as its hash has not been returned. Its derived
 * part is of no use to anybody else.
 */
public final class LosableBackend implements Backend {

    /** Calls of its executors until the device is lost, that one included; 0 if an executor cannot even begin. */
    private int callsLeft;
    private final Runnable onStep;

    public LosableBackend(final int callsLeft) {
        this(callsLeft, () -> {});
    }

    /** @param onStep what else a step does. */
    LosableBackend(final int callsLeft, final Runnable onStep) {
        this.callsLeft = callsLeft;
        this.onStep = onStep;
    }

    @Override
    public String name() {
        return "losable";
    }

    @Override
    public int preference() {
        return 1;
    }

    @Override
    public BackendProbe probe() {
        return BackendProbe.available("until it is lost");
    }

    @Override
    public boolean supports(final Bundle bundle) {
        return true;
    }

    @Override
    public boolean canBeLost() {
        return true;
    }

    @Override
    public Model load(final Bundle bundle, final int threads) {
        return new LosableModel(new ReferenceBackend().load(bundle, threads));
    }

    private final class LosableModel implements Model {

        private final Model model;

        LosableModel(final Model model) {
            this.model = model;
        }

        @Override
        public ModelShape shape() {
            return model.shape();
        }

        @Override
        public Arithmetic arithmetic() {
            return model.arithmetic();
        }

        @Override
        public ModelExecutor newExecutor(final int maxBatch) {
            if (callsLeft == 0) {
                throw new DeviceLostException("cannot begin", null);
            }
            final ModelExecutor executor = model.newExecutor(maxBatch);
            return executor instanceof TokenExecutor
                    ? new LosableTokenExecutor(model.shape(), (TokenExecutor) executor)
                    : new LosableExecutor(model.shape(), executor);
        }

        @Override
        public StatePages pages() {
            return model.pages();
        }

        @Override
        public void close() {
            model.close();
        }
    }

    private class LosableExecutor implements ModelExecutor {

        private static final int WRONG = 0x7F7F7F7F;

        private final ModelShape shape;
        private final ModelExecutor executor;
        /** Whole states before steps that are not settled. */
        private final Map<Long, byte[]> before = new HashMap<>();

        LosableExecutor(final ModelShape shape, final ModelExecutor executor) {
            this.shape = shape;
            this.executor = executor;
        }

        @Override
        public void initialise(final long stateAddress) {
            call();
            executor.initialise(stateAddress);
        }

        @Override
        public void step(final StepBatch batch) {
            for (int i = 0; i < batch.size(); i++) {
                final byte[] state = new byte[shape.stateBytes()];
                state(batch.stateAddress(i)).getBytes(0, state);
                before.put(batch.stateAddress(i), state);
            }
            executor.step(batch);
            onStep.run();
            try {
                call();
            } catch (final DeviceLostException ex) {
                for (int i = 0; i < batch.size(); i++) {
                    new UnsafeBuffer(batch.outputsAddress(i), Float.BYTES).putInt(0, WRONG);
                }
                throw ex;
            }
        }

        @Override
        public long hash(final long stateAddress, final long previousHash) {
            call();
            before.remove(stateAddress);
            return executor.hash(stateAddress, previousHash);
        }

        @Override
        public void ahead(final StepBatch batch) {
            call();
            for (int i = 0; i < batch.size(); i++) {
                before.remove(batch.stateAddress(i));
            }
            executor.ahead(batch);
        }

        @Override
        public long steps(
                final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
                final int outputsStride, final long previousHash) {
            throw new UnsupportedOperationException("one step after the other");
        }

        @Override
        public void restore(final long stateAddress) {
            call();
            executor.restore(stateAddress);
        }

        @Override
        public void close() {
            executor.close();
        }

        final void call() {
            if (--callsLeft == 0) {
                before.forEach((address, state) -> state(address).putBytes(0, state));
                throw new DeviceLostException("lost", null);
            }
        }

        private UnsafeBuffer state(final long address) {
            return new UnsafeBuffer(address, shape.stateBytes());
        }
    }

    /** Rows are made as a whole or not at all. */
    private final class LosableTokenExecutor extends LosableExecutor implements TokenExecutor {

        private final TokenExecutor executor;

        LosableTokenExecutor(final ModelShape shape, final TokenExecutor executor) {
            super(shape, executor);
            this.executor = executor;
        }

        @Override
        public long steps(
                final long stateAddress, final long featuresAddress, final int stepCount, final long outputsAddress,
                final int outputsStride, final long previousHash) {
            call();
            return executor.steps(
                    stateAddress, featuresAddress, stepCount, outputsAddress, outputsStride, previousHash);
        }

        @Override
        public void stepTentatively(
                final long stateAddress, final long tokensAddress, final int tokenCount, final long outputsAddress,
                final int outputsStride) {
            call();
            executor.stepTentatively(stateAddress, tokensAddress, tokenCount, outputsAddress, outputsStride);
        }

        @Override
        public long keep(final long stateAddress, final int keptCount, final long previousHash) {
            return executor.keep(stateAddress, keptCount, previousHash);
        }

        @Override
        public int vocabularySize() {
            return executor.vocabularySize();
        }

        @Override
        public Footprint footprint() {
            return executor.footprint();
        }

        @Override
        public long logitsAddress(final int position) {
            return executor.logitsAddress(position);
        }
    }
}
