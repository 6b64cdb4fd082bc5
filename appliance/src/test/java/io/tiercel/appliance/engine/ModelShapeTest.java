package io.tiercel.appliance.engine;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.engine.reference.TransformerModel;
import io.tiercel.appliance.engine.bundle.Bundle;
import java.nio.file.Path;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

class ModelShapeTest {

    private static final int OFFSET = 12;

    private final ModelShape words = new ModelShape("transformer", 1, 6, 64, 64, 100, 8, false);
    private final UnsafeBuffer inputs = new UnsafeBuffer(new byte[64]);

    @Test
    void shouldFindTheFirstStepWithAStrayToken() {
        put(0, 99, 100, -1);
        assertEquals(2, words.firstStrayStep(inputs, OFFSET, 4));
        assertEquals(-1, words.firstStrayStep(inputs, OFFSET, 2));
        assertEquals(100, ModelShape.tokenAt(inputs, OFFSET, 2));
        assertEquals(0xFFFF_FFFFL, ModelShape.tokenAt(inputs, OFFSET, 3));
    }

    @Test
    void shouldNotTakeANegativeNumberForASmallToken() {
        put(Integer.MIN_VALUE);
        assertEquals(0, words.firstStrayStep(inputs, OFFSET, 1));
        put(-1);
        assertEquals(0, words.firstStrayStep(inputs, OFFSET, 1));
    }

    @Test
    void shouldNotLookAtFeatures() {
        put(-1, Integer.MAX_VALUE);
        assertEquals(-1, new ModelShape("lstm", 2, 1, 64, 64).firstStrayStep(inputs, OFFSET, 1));
    }

    @Test
    void shouldSayWhatATransformersBundleSays() {
        final TransformerSetting tokens = TransformerSetting.tokens(1, 9);
        assertEquals(23, shape(tokens, WhenFull.REFUSE).vocabularySize());
        assertEquals(9, shape(tokens, WhenFull.REFUSE).contextTokens());
        assertEquals(0, shape(tokens, WhenFull.SLIDE).contextTokens());
        assertEquals(0, shape(TransformerSetting.features(1, 9), WhenFull.REFUSE).vocabularySize());
        assertEquals(9, shape(TransformerSetting.features(1, 9), WhenFull.REFUSE).contextTokens());
    }

    @Test
    void shouldHaveRoomForAContextOfSteps() {
        final TransformerModel model = model(TransformerSetting.tokens(1, 9), WhenFull.REFUSE);
        final UnsafeBuffer state =
                new UnsafeBuffer(BufferUtil.allocateDirectAligned(model.shape().stateBytes(), 64));
        final UnsafeBuffer outputs = new UnsafeBuffer(BufferUtil.allocateDirectAligned(64, 64));
        final UnsafeBuffer tokens = new UnsafeBuffer(BufferUtil.allocateDirectAligned(64, 64));
        try (ModelExecutor executor = model.newExecutor(1)) {
            executor.initialise(state.addressOffset());
            assertTrue(executor.hasRoom(state.addressOffset(), 9));
            assertFalse(executor.hasRoom(state.addressOffset(), 10));
            assertFalse(executor.hasRoom(state.addressOffset(), Integer.MAX_VALUE));
            executor.steps(state.addressOffset(), tokens.addressOffset(), 8, outputs.addressOffset(), 0, 1);
            assertTrue(executor.hasRoom(state.addressOffset(), 1));
            assertFalse(executor.hasRoom(state.addressOffset(), 2));
            executor.initialise(state.addressOffset());
            assertTrue(executor.hasRoom(state.addressOffset(), 9));
        }
    }

    private static ModelShape shape(final TransformerSetting setting, final WhenFull whenFull) {
        return model(setting, whenFull).shape();
    }

    private static TransformerModel model(final TransformerSetting setting, final WhenFull whenFull) {
        return TransformerModel.load(
                Bundle.of(Path.of("random"), RandomTransformers.toBytes(setting, whenFull)));
    }

    private void put(final int... tokens) {
        for (int step = 0; step < tokens.length; step++) {
            inputs.putInt(OFFSET + step * Integer.BYTES, tokens[step], LITTLE_ENDIAN);
        }
    }
}
