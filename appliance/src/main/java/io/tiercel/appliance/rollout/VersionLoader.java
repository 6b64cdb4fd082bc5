package io.tiercel.appliance.rollout;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.PreparedExecutor;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.protocol.wire.RejectCode;
import java.nio.file.Path;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.OneToOneConcurrentArrayQueue;

/**
 * Loads versions of models while the appliance runs: reads and checks the bundle, loads it on the model's backend, has
 * it {@linkplain SelfTest tested}, makes its states and executors, and keeps the bundle with the journal. All that can
 * fail, fails here; what comes out is only to be put into the list.
 *
 * <p>A thread that is not hot does the work; ingress orders, and takes what has come of it. One order at a time.
 */
public final class VersionLoader implements Agent {

    private final Works works;
    private final OneToOneConcurrentArrayQueue<Order> orders = new OneToOneConcurrentArrayQueue<>(1);
    private final OneToOneConcurrentArrayQueue<Loaded> loaded = new OneToOneConcurrentArrayQueue<>(1);

    /** What a version is made with. Called by the loading thread. */
    public interface Works {

        /**
         * @param first any version of the model.
         * @throws BundleException if the bundle cannot be loaded, or does not fit.
         */
        LoadedModel load(LoadedModel first, Bundle bundle);

        /** Room for all sessions. */
        SessionStates newStates(LoadedModel version);

        /** One for each infer worker. */
        PreparedExecutor[] newExecutors(LoadedModel version);

        /**
         * Copies the bundle to where a recovery and a replay find it.
         *
         * @throws IllegalStateException if that cannot be.
         */
        void keep(Bundle bundle);
    }

    /**
     * What to load.
     *
     * @param first   any version of the model.
     * @param version SHA-256 that the bundle is to have, in hex.
     * @param bundle  where it lies.
     */
    public record Order(LoadedModel first, String version, String bundle) {
    }

    /**
     * What came of it: a version with all that belongs to it, or why there is none.
     *
     * @param code null if it is loaded.
     */
    public record Loaded(
            LoadedModel version, SessionStates states, PreparedExecutor[] executors, RejectCode code, String reason)
            implements AutoCloseable {

        public boolean isRefused() {
            return code != null;
        }

        /** If nobody has taken it over. */
        @Override
        public void close() {
            if (executors != null) {
                CloseHelper.quietCloseAll(executors);
            }
            CloseHelper.quietCloseAll(states, version);
        }

        private static Loaded refused(final RejectCode code, final String reason) {
            return new Loaded(null, null, null, code, reason);
        }
    }

    public VersionLoader(final Works works) {
        this.works = works;
    }

    /** Ingress: orders a load; there must be none under way. */
    public void order(final Order order) {
        if (!orders.offer(order)) {
            throw new IllegalStateException("a load is under way");
        }
    }

    /** Ingress: what has come of the order, once; null as long as nothing has. It is the caller's to close. */
    public Loaded poll() {
        return loaded.poll();
    }

    @Override
    public int doWork() {
        final Order order = orders.poll();
        if (order == null) {
            return 0;
        }
        loaded.offer(load(order));
        return 1;
    }

    @Override
    public String roleName() {
        return "version-loader";
    }

    /** Ingress must not run any more. */
    @Override
    public void onClose() {
        CloseHelper.quietClose(loaded.poll());
    }

    private Loaded load(final Order order) {
        try {
            final Bundle bundle = Bundle.open(Path.of(order.bundle()));
            if (!bundle.versionHex().equals(order.version())) {
                return Loaded.refused(RejectCode.BUNDLE_REFUSED, "bundle=" + order.bundle() + " has version=" +
                        bundle.versionHex() + ", not " + order.version());
            }
            return load(order, bundle);
        } catch (final BundleException | IllegalArgumentException | IllegalStateException ex) {
            return Loaded.refused(RejectCode.BUNDLE_REFUSED, String.valueOf(ex.getMessage()));
        } catch (final OutOfMemoryError ex) {
            return Loaded.refused(RejectCode.BUNDLE_REFUSED, "no memory for it: " + ex.getMessage());
        }
    }

    private Loaded load(final Order order, final Bundle bundle) {
        final LoadedModel version = works.load(order.first(), bundle);
        SessionStates states = null;
        try {
            final String difference = new SelfTest(bundle, version).run();
            if (difference != null) {
                version.close();
                return Loaded.refused(RejectCode.SELF_TEST_FAILED, difference);
            }
            works.keep(bundle);
            states = works.newStates(version);
            return new Loaded(version, states, works.newExecutors(version), null, "");
        } catch (final RuntimeException | Error ex) {
            CloseHelper.quietCloseAll(states, version);
            throw ex;
        }
    }
}
