package io.tiercel.appliance.engine.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.ExtremeTransformers;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelSession;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import java.util.SplittableRandom;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.agrona.UnsafeApi;

/**
 * Bundles whose numbers are as extreme as is accepted: no number of the forward pass leaves its range, whatever the
 * input. Integers that were made of what is no number would differ from those that the specification makes of it.
 */
class ExtremeTransformerProperties {

    private static final int STEPS = 6;

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void shouldStayInRangeWhenWeightsAreAsExtremeAsIsAccepted(@ForAll final long seed) {
        final TransformerSetting setting = TransformerSetting.random(seed);
        final Bundle bundle = ExtremeTransformers.bundle(seed);
        final Model model = new ReferenceBackend().load(bundle, 1);
        final TokenExecutor executor = (TokenExecutor) model.newExecutor(1);
        final ModelSession session = new ModelSession(model.shape(), executor);
        final PlainTransformer plain = new PlainTransformer(bundle);
        final SplittableRandom random = new SplittableRandom(seed);
        for (int step = 0; step < STEPS; step++) {
            final int[] input = ExtremeTransformers.input(setting, random);
            session.input(input).step(0);
            final float[] expected = plain.step(input);
            for (int i = 0; i < expected.length; i++) {
                final float logit = UnsafeApi.getFloat(executor.logitsAddress(0) + 4L * i);
                final String what = setting + " step " + step + " logit " + i;
                assertTrue(Float.isFinite(logit), what);
                assertEquals(Float.floatToRawIntBits(expected[i]), Float.floatToRawIntBits(logit), what);
            }
            for (int i = 0; i < session.outputs().length; i++) {
                final boolean isToken = setting.task() == Task.TOKENS && i % 2 == 0;
                assertTrue(isToken || Float.isFinite(session.outputs()[i]), setting + " step " + step);
            }
        }
    }
}
