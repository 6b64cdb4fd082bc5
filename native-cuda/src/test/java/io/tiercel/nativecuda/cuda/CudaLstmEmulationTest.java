package io.tiercel.nativecuda.cuda;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link CudaEmulation} of the {@code lstm} family. */
class CudaLstmEmulationTest extends CudaEmulation {

    private static final int BATCHES = 4;

    CudaLstmEmulationTest() {
        super("emulated_test");
    }

    @Override
    Path writeOdd(final Path file, final int index) {
        return LstmGoldenFiles.writeOdd(file, index, BATCHES);
    }

    @Test
    void shouldEqualTheReferenceInAnyOrderOfThreads() throws IOException, InterruptedException {
        assertEqualToTheReference(16, 4);
    }

    @Test
    void shouldNoticeEachBarrierThatIsMissing() throws IOException, InterruptedException {
        assertEachBarrierIsNeeded(6, 4);
    }

    @ParameterizedTest
    @CsvSource({"'address,undefined,float-cast-overflow', 10, 2", "thread, 4, 1"})
    void shouldHaveNothingForASanitizerToFind(final String sanitizers, final int models, final int seeds)
            throws IOException, InterruptedException {
        assertSanitizersFindNothing(sanitizers, models, seeds);
    }
}
