package io.tiercel.nativecuda.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.protocol.journal.Arithmetic;
import java.util.ServiceLoader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class CpuBackendTest {

    private final Bundle bundle = RandomModels.lstm(3).layers(2).hidden(64).features(24).bundle();

    @BeforeAll
    static void needKernels() {
        KernelsAreBuilt.orSkip("the cpu backend");
    }

    @Test
    void shouldBeTheDefaultWhereverItIsAvailable() {
        assertTrue(ServiceLoader.load(Backend.class).stream().anyMatch(found -> found.type() == CpuBackend.class));
        assertEquals("cpu", Backends.select(Backends.AUTO, bundle).name());
    }

    @Test
    void shouldSayWhichKernelsItHasChosen() {
        assertTrue(new CpuBackend().probe().detail().matches("(portable C\\+\\+|AVX2|AVX-512 VNNI) kernels, exact"));
        for (final KernelSet kernels : KernelSet.values()) {
            assertEquals(KernelSet.available().contains(kernels), CpuBackend.with(kernels).probe().available());
        }
    }

    @Test
    void shouldRefuseKernelsThatTheProcessorCannotRun() {
        for (final KernelSet kernels : KernelSet.values()) {
            if (!KernelSet.available().contains(kernels)) {
                final BundleException ex =
                        assertThrows(BundleException.class, () -> CpuBackend.with(kernels).load(bundle, 1));
                assertTrue(ex.getMessage().contains(kernels.title()), ex.getMessage());
            }
        }
    }

    @Test
    void shouldBeExactAndCountItsBytes() {
        try (CpuLstmModel model = (CpuLstmModel) new CpuBackend().load(bundle, 1)) {
            assertEquals(Arithmetic.EXACT, model.arithmetic());
            // 256 rows of 32 and of 64 columns, their scales; and 32 rows of the head with scales and biases.
            assertEquals(256 * (32 + 64) + 2 * 256 * 4 + 32 * 64 + 2 * 32 * 4, model.stepBytes());
            assertEquals(2 * (256 * 64 + 2 * 256 * 4), model.aheadBytes());
        }
    }

    @Test
    void shouldUseNoMoreThreadsThanAreFaster() {
        try (CpuLstmModel model = (CpuLstmModel) new CpuBackend().load(bundle, 8);
                CpuLstmExecutor executor = model.newCpuExecutor(1)) {
            assertTrue(executor.threads() >= 1 && executor.threads() <= 2, "threads=" + executor.threads());
        }
    }

    @Test
    void shouldRefuseABatchThatIsTooLargeAndUseAfterClose() {
        try (Model model = new CpuBackend().load(bundle, 1)) {
            final ModelExecutor executor = model.newExecutor(1);
            final StepBatch batch = new StepBatch(2);
            batch.add(64, 64, 64);
            batch.add(64, 64, 64);
            assertThrows(IllegalStateException.class, () -> executor.step(batch));
            executor.close();
            executor.close();
            batch.clear();
            assertThrows(IllegalStateException.class, () -> executor.step(batch));
        }
    }

    @Test
    void shouldHaveEveryKernelSetThatComesBeforeTheBest() {
        assertTrue(KernelSet.available().contains(KernelSet.PORTABLE));
        assertFalse(KernelSet.available().contains(KernelSet.AVX512_VNNI) &&
                !KernelSet.available().contains(KernelSet.AVX2));
    }
}
