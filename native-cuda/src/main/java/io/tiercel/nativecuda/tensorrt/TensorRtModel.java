package io.tiercel.nativecuda.tensorrt;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.graph.GraphException;
import io.tiercel.nativecuda.graph.GraphExecutor;
import io.tiercel.nativecuda.graph.GraphTrial;
import io.tiercel.protocol.journal.Arithmetic;
import java.util.function.Supplier;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An {@code onnx} bundle as an engine of TensorRT, which all executors share. Immutable; closed after its executors.
 */
final class TensorRtModel implements Model {

    /**
     * Of one run; a batch of more is run in parts. A plan has to be made for some number, before any batch is known.
     */
    static final int MAX_POSITIONS = 32;

    private static final Logger LOG = LoggerFactory.getLogger(TensorRtModel.class);

    private final GraphParameters parameters;
    private final ModelShape shape;
    private final Engine engine;

    private TensorRtModel(final GraphParameters parameters, final Engine engine) {
        this.parameters = parameters;
        this.engine = engine;
        shape = parameters.modelShape();
    }

    /**
     * Takes the bundle's plan from the cache or makes it, holds the graph's input and output against the manifest's,
     * and lets it run.
     *
     * @throws BundleException if the bundle is no good, TensorRT refuses its graph or cannot be used, or the graph is
     *                         another one than the manifest says.
     */
    static Model load(final Bundle bundle, final Supplier<EngineFactory> factory, final EngineCache cache) {
        final GraphParameters parameters = GraphParameters.read(bundle);
        TensorRtModel model = null;
        boolean isGood = false;
        try {
            model = new TensorRtModel(parameters, engine(bundle, parameters, factory.get(), cache));
            model.engine.signature().check(parameters.format());
            new GraphTrial(model, parameters).run();
            isGood = true;
            return model;
        } catch (final GraphException | DeviceLostException ex) {
            throw new BundleException(
                    bundle.path() + ": backend=" + TensorRtBackend.NAME + ": " + ex.getMessage(), ex);
        } finally {
            if (!isGood) {
                CloseHelper.quietClose(model);
            }
        }
    }

    /** A plan that TensorRT does not take any more is made anew. */
    private static Engine engine(
            final Bundle bundle, final GraphParameters parameters, final EngineFactory factory,
            final EngineCache cache) {
        final String platform = factory.platform();
        final byte[] known = cache.read(bundle.versionHex(), platform);
        if (known != null) {
            try {
                return factory.open(known);
            } catch (final GraphException ex) {
                LOG.warn("{}: its plan for {} is refused, and made again: {}", bundle.path(), platform,
                        ex.getMessage());
            }
        }
        LOG.info("{}: making a plan for {}; it is kept for the next start", bundle.path(), platform);
        final byte[] plan = factory.build(parameters, parameters.format().hasBatches() ? MAX_POSITIONS : 1);
        final Engine engine = factory.open(plan);
        cache.write(bundle.versionHex(), platform, plan);
        return engine;
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    @Override
    public Arithmetic arithmetic() {
        return Arithmetic.TOLERANCE;
    }

    @Override
    public Tolerance tolerance() {
        return parameters.format().tolerance();
    }

    @Override
    public ModelExecutor newExecutor(final int maxBatch) {
        final int capacity = parameters.format().hasBatches() ? Math.min(maxBatch, MAX_POSITIONS) : 1;
        return new GraphExecutor(engine.newRunner(parameters, capacity), parameters);
    }

    @Override
    public void close() {
        engine.close();
    }
}
