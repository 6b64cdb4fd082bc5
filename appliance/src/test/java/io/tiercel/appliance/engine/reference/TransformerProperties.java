package io.tiercel.appliance.engine.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.engine.FootprintCheck;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TentativeCheck;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.session.ForkCheck;
import java.util.SplittableRandom;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.agrona.UnsafeApi;

/** The reference against the specification written a second time, on random models of odd sizes. */
class TransformerProperties {

    private static final int SESSIONS = 3;

    @Property(tries = 150, edgeCases = EdgeCasesMode.NONE)
    void shouldEqualTheSpecificationBitForBit(@ForAll final long seed) {
        final TransformerSetting setting = TransformerSetting.random(seed);
        final Bundle bundle = setting.bundle();
        final Model model = new ReferenceBackend().load(bundle, 1);
        final TokenExecutor executor = (TokenExecutor) model.newExecutor(1);
        final ModelSession session = new ModelSession(model.shape(), executor);
        final PlainTransformer plain = new PlainTransformer(bundle);
        final SplittableRandom random = new SplittableRandom(seed);
        for (int step = 0; step < setting.stepsPastContext(); step++) {
            final int[] input = setting.input(random);
            session.input(input).step(0);
            final float[] logits = plain.step(input);
            for (int i = 0; i < logits.length; i++) {
                assertEquals(Float.floatToRawIntBits(logits[i]),
                        UnsafeApi.getInt(executor.logitsAddress(0) + 4L * i),
                        setting + " step " + step + " logit " + i);
            }
        }
    }

    @Property(tries = 40, edgeCases = EdgeCasesMode.NONE)
    void shouldTakeAStepBackAndTakeItAgainWithoutComputingIt(@ForAll final long seed) {
        final TransformerSetting setting = TransformerSetting.random(seed);
        FootprintCheck.check(setting, new ReferenceBackend().load(setting.bundle(), 1), seed);
    }

    @Property(tries = 10, edgeCases = EdgeCasesMode.NONE)
    void shouldChangeNoBitByPagesThatSessionsShare(@ForAll final long seed) {
        final TransformerSetting setting = TransformerSetting.randomOfPages(seed);
        final Model model = new ReferenceBackend().load(setting.bundle(), 1);
        ForkCheck.check(setting, model, model, seed);
    }

    @Property(tries = 40, edgeCases = EdgeCasesMode.NONE)
    void shouldKeepOfATentativeRowWhatStands(@ForAll final long seed) {
        final TransformerSetting setting = TransformerSetting.randomOfTokens(seed);
        final Model model = new ReferenceBackend().load(setting.bundle(), 1);
        TentativeCheck.check(setting, model, model, seed);
    }

    @Property(tries = 40, edgeCases = EdgeCasesMode.NONE)
    void shouldChangeNoBitByABatch(@ForAll final long seed) {
        final TransformerSetting setting = TransformerSetting.random(seed);
        final Model model = new ReferenceBackend().load(setting.bundle(), 1);
        final TokenExecutor executor = (TokenExecutor) model.newExecutor(SESSIONS);
        final TokenExecutor alone = (TokenExecutor) model.newExecutor(1);
        final ModelSession[] together = new ModelSession[SESSIONS];
        final ModelSession[] single = new ModelSession[SESSIONS];
        for (int i = 0; i < SESSIONS; i++) {
            together[i] = new ModelSession(model.shape(), executor);
            single[i] = new ModelSession(model.shape(), alone);
        }
        final SplittableRandom random = new SplittableRandom(seed);
        final StepBatch batch = new StepBatch(SESSIONS);
        for (int step = 0; step < 20; step++) {
            batch.clear();
            for (int i = step % SESSIONS; i < SESSIONS; i++) {
                final int[] input = setting.input(random);
                single[i].input(input).step(0);
                together[i].input(input);
                batch.add(together[i].features.addressOffset(), together[i].state.addressOffset(),
                        together[i].outputs.addressOffset());
            }
            executor.step(batch);
            executor.ahead(batch);
            for (int i = 0; i < SESSIONS; i++) {
                assertArrayEquals(single[i].outputs(), together[i].outputs());
                assertArrayEquals(single[i].wholeState(), together[i].wholeState());
            }
        }
    }
}
