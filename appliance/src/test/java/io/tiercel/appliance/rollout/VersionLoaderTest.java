package io.tiercel.appliance.rollout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.PreparedExecutor;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.protocol.wire.RejectCode;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.agrona.UnsafeApi;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VersionLoaderTest {

    private static final int WORKERS = 2;

    @TempDir
    private Path directory;
    private Bundle bundle;
    private LoadedModel first;
    /** Which step of the backend under test is wrong, by a bit of its first output; none if negative. */
    private int wrongStep = -1;
    private boolean hasNoMemory;
    private final List<String> kept = new ArrayList<>();
    private final VersionLoader loader = new VersionLoader(new TestedWorks());

    /** Loads on a backend that may be wrong. */
    private final class TestedWorks implements VersionLoader.Works {

        @Override
        public LoadedModel load(final LoadedModel ofModel, final Bundle loaded) {
            return LoadedModel.of(1, "tape", loaded.version(), "tested", wrong(model(loaded)));
        }

        @Override
        public SessionStates newStates(final LoadedModel version) {
            if (hasNoMemory) {
                throw new IllegalStateException("no memory for the states");
            }
            return new SessionStates(4, version.model(), version.versionBytes());
        }

        @Override
        public PreparedExecutor[] newExecutors(final LoadedModel version) {
            final PreparedExecutor[] executors = new PreparedExecutor[WORKERS];
            for (int worker = 0; worker < WORKERS; worker++) {
                executors[worker] = PreparedExecutor.of(version, 4, true);
            }
            return executors;
        }

        @Override
        public void keep(final Bundle loaded) {
            kept.add(loaded.versionHex());
        }
    }

    @BeforeEach
    void writeBundle() {
        bundle = Bundle.open(RandomModels.lstm(7).write(directory));
        first = LoadedModel.of(0, "tape", bundle.version(), "reference", model(bundle));
    }

    @Test
    void shouldHandOverAVersionThatComputesAsTheReferenceDoes() {
        try (VersionLoader.Loaded loaded = load(bundle.versionHex())) {
            assertFalse(loaded.isRefused(), loaded.reason());
            assertEquals(WORKERS, loaded.executors().length);
            assertEquals(4, loaded.states().maxSessions());
            assertEquals(List.of(bundle.versionHex()), kept);
        }
        assertNull(loader.poll());
    }

    @Test
    void shouldRefuseAVersionWhenItsBackendIsWrongByABit() {
        wrongStep = 150;
        final VersionLoader.Loaded loaded = load(bundle.versionHex());
        assertEquals(RejectCode.SELF_TEST_FAILED, loaded.code());
        assertTrue(loaded.reason().contains("backend=tested step=150 outputs[0]=0x"), loaded.reason());
        assertEquals(List.of(), kept, "nothing of it is left with the journal");
    }

    @Test
    void shouldRefuseAVersionWhenItIsAnotherThanWasMeant() {
        final VersionLoader.Loaded loaded = load("00".repeat(32));
        assertEquals(RejectCode.BUNDLE_REFUSED, loaded.code());
        assertTrue(loaded.reason().contains("has version=" + bundle.versionHex()), loaded.reason());
    }

    @Test
    void shouldRefuseAVersionWhenThereIsNoMemoryForItsSessions() {
        hasNoMemory = true;
        final VersionLoader.Loaded loaded = load(bundle.versionHex());
        assertEquals(RejectCode.BUNDLE_REFUSED, loaded.code());
        assertEquals("no memory for the states", loaded.reason());
    }

    private VersionLoader.Loaded load(final String version) {
        assertEquals(0, loader.doWork());
        loader.order(new VersionLoader.Order(first, version, bundle.path().toString()));
        assertNull(loader.poll());
        assertEquals(1, loader.doWork());
        return loader.poll();
    }

    private static Model model(final Bundle loaded) {
        return Backends.load(Backends.reference(loaded), loaded, 1);
    }

    private Model wrong(final Model right) {
        return proxy(Model.class, (proxy, method, arguments) -> {
            final Object result = call(right, method, arguments);
            return result instanceof final ModelExecutor executor ? wrong(executor) : result;
        });
    }

    private ModelExecutor wrong(final ModelExecutor right) {
        final int[] stepCount = new int[1];
        return proxy(ModelExecutor.class, (proxy, method, arguments) -> {
            final Object result = call(right, method, arguments);
            if (method.getName().equals("step")) {
                flip(((StepBatch) arguments[0]).outputsAddress(0), stepCount[0]++);
            } else if (method.getName().equals("steps")) {
                flip((long) arguments[3], stepCount[0]++);
            }
            return result;
        });
    }

    private void flip(final long outputsAddress, final int step) {
        if (step == wrongStep) {
            UnsafeApi.putByte(outputsAddress, (byte) (UnsafeApi.getByte(outputsAddress) ^ 1));
        }
    }

    private static Object call(final Object target, final Method method, final Object[] arguments)
            throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (final InvocationTargetException ex) {
            throw ex.getCause();
        }
    }

    private static <T> T proxy(final Class<T> type, final InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
