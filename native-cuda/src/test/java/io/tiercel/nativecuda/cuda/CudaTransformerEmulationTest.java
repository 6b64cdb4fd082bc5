package io.tiercel.nativecuda.cuda;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link CudaEmulation} of the {@code transformer} family. */
class CudaTransformerEmulationTest extends CudaEmulation {

    private static final int ACTS = 5;

    CudaTransformerEmulationTest() {
        super("emulated_transformer_test");
    }

    @Override
    Path writeOdd(final Path file, final int index) {
        return TransformerGoldenFiles.writeOdd(file, index, ACTS);
    }

    @Test
    void shouldEqualTheReferenceInAnyOrderOfThreads() throws IOException, InterruptedException {
        assertEqualToTheReference(12, 2);
    }

    @Test
    void shouldNoticeEachBarrierThatIsMissing() throws IOException, InterruptedException {
        assertEachBarrierIsNeeded(8, 2);
    }

    @ParameterizedTest
    @CsvSource({"'address,undefined,float-cast-overflow', 5, 1", "thread, 3, 1"})
    void shouldHaveNothingForASanitizerToFind(final String sanitizers, final int models, final int seeds)
            throws IOException, InterruptedException {
        assertSanitizersFindNothing(sanitizers, models, seeds);
    }
}
