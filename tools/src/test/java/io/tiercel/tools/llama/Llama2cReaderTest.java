package io.tiercel.tools.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ModelInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class Llama2cReaderTest {

    private static final LlamaShape SHAPE =
            new LlamaShape(4, 2, 2, 1, 2, 3, 7, 5, 0, 0, 10_000, 1e-5f, false);
    private static final LlamaWeights WEIGHTS = RandomLlama.weights(SHAPE, 1);

    @Test
    void shouldRefuseInOneLineWhenANumberOfTheHeaderIsWrong() {
        refused(changed(0, 0, 0), "test: dimension=0 is not in 1..16384");
        refused(changed(0, 0, 5), "test: dimension=5 is not a multiple of heads=2");
        refused(changed(0, 4, 70_000), "test: hidden=70000 is not in 1..65536");
        refused(changed(0, 8, 3), "test: file size=");
        refused(changed(0, 12, 4), "test: headSize=1 is not in 2..512");
        refused(changed(0, 16, 3), "test: keyValueHeads=3 is not in 1..2");
        refused(changed(0, 20, Integer.MIN_VALUE), "test: vocabulary=-2147483648 is not in 2..262144");
        refused(changed(0, 24, -1), "test: contextTokens=-1 is not in 1..1048576");
        refused(changed(1, 4, 2), "test: version=2 of llama2.c's format is not supported: its weights are rounded");
        refused(changed(1, 4, 3), "test: version=3 of llama2.c's format is not supported; export version 0 or 1");
        refused(changed(1, 36, 2), "test: tied=2 is not 0 or 1");
        refused(changed(0, 28, Float.floatToRawIntBits(Float.NaN)),
                "test: tensor=embedding index=0 value=NaN is not finite");
    }

    @Test
    void shouldRefuseWhenTheNetworkIsTooLarge() {
        final byte[] file = LlamaFiles.llama2c(WEIGHTS, 0);
        final ByteBuffer header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(0, 16_384).putInt(4, 65_536).putInt(8, 128).putInt(12, 256).putInt(16, 256).putInt(20, 262_144);
        refused(file, "is above the limit of 268435456");
    }

    @Test
    void shouldCountEveryParameter() {
        // embedding and head 2*28, layers 2 * (norms 8, query 16, key 8, value 8, output 16, feed-forward 36), norm 4
        assertEquals(56 + 2 * 92 + 4, SHAPE.parameterCount());
    }

    private static byte[] changed(final int version, final int offset, final int value) {
        final byte[] file = LlamaFiles.llama2c(WEIGHTS, version);
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(offset, value);
        return file;
    }

    private static void refused(final byte[] file, final String expected) {
        final String message =
                assertThrows(ModelInputException.class, () -> Llama2cReader.read("test", file)).getMessage();
        assertTrue(message.contains(expected), message);
    }
}
