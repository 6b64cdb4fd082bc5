package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteOrder;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class RandomRequestsTest {

    @Test
    void shouldAskEveryTokenOfTheVocabularyAndNoOther() {
        final RandomRequests requests = new RandomRequests(1, 23, 4, 9);
        final TreeSet<Integer> tokens = new TreeSet<>();
        for (long index = 0; index < 2_000; index++) {
            tokens.add(requests.features().getInt(requests.featuresOffset(index), ByteOrder.LITTLE_ENDIAN));
        }
        assertEquals(23, tokens.size());
        assertEquals(0, tokens.first());
        assertEquals(22, tokens.last());
    }

    @Test
    void shouldAskFeaturesFromMinusOneToOneWhenThereIsNoVocabulary() {
        final RandomRequests requests = new RandomRequests(5, 4, 9);
        float least = 1;
        float most = -1;
        for (long index = 0; index < 500; index++) {
            for (int i = 0; i < 5; i++) {
                final float feature = requests.features()
                        .getFloat(requests.featuresOffset(index) + i * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
                least = Math.min(least, feature);
                most = Math.max(most, feature);
            }
        }
        assertTrue(least >= -1 && least < -0.9, "least=" + least);
        assertTrue(most <= 1 && most > 0.9, "most=" + most);
    }
}
