package io.tiercel.appliance.engine.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.engine.RandomModels;
import org.junit.jupiter.api.Test;

class LstmModelTest {

    @Test
    void shouldStateItsSizesWhenLoaded() {
        final LstmModel model =
                LstmModel.load(RandomModels.lstm(1).layers(2).hidden(73).features(9).outputs(4).bundle());
        assertEquals("lstm", model.shape().family());
        assertEquals(9, model.shape().featureCount());
        assertEquals(4, model.shape().outputCount());
        assertEquals(2 * (320 + 128), model.shape().canonicalBytes());
        assertEquals(2 * (320 + 128) + 2 * 1216, model.shape().stateBytes());
        assertEquals(896 + 1216, model.layout.aheadOffset(1));
    }
}
