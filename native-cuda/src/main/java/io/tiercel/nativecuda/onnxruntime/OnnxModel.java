package io.tiercel.nativecuda.onnxruntime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
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
import org.agrona.CloseHelper;

/**
 * An {@code onnx} bundle in a session of ONNX Runtime, which all executors share: it may run on several threads at
 * once. Immutable; to be closed after its executors.
 */
final class OnnxModel implements Model {

    private final OrtEnvironment environment;
    private final GraphParameters parameters;
    private final ModelShape shape;
    private final SessionOptions options;
    private final OrtSession session;

    private OnnxModel(final OrtEnvironment environment, final GraphParameters parameters, final int threads)
            throws OrtException {
        this.environment = environment;
        this.parameters = parameters;
        shape = parameters.modelShape();
        options = OnnxRuntimeLibrary.newSessionOptions(threads);
        OrtSession created = null;
        try {
            created = environment.createSession(parameters.graph(), options);
        } finally {
            if (created == null) {
                options.close();
            }
        }
        session = created;
    }

    /**
     * Loads the library, if it is not there yet, and the graph; holds the graph's input and output against the
     * manifest's, and lets it run.
     *
     * @throws BundleException if the bundle is no good, its graph is another one than the manifest says, or the library
     *                         does not load.
     */
    static Model load(final Bundle bundle, final int threads) {
        final GraphParameters parameters = GraphParameters.read(bundle);
        OnnxModel model = null;
        boolean isGood = false;
        try {
            model = new OnnxModel(OnnxRuntimeLibrary.environment(), parameters, threads);
            OnnxGraphs.signature(model.session).check(parameters.format());
            new GraphTrial(model, parameters).run();
            isGood = true;
            return model;
        } catch (final OrtException ex) {
            throw new BundleException(bundle.path() + ": tensor=graph is refused by ONNX Runtime: " + ex.getMessage(),
                    ex);
        } catch (final GraphException ex) {
            throw new BundleException(bundle.path() + ": " + ex.getMessage(), ex);
        } finally {
            if (!isGood) {
                CloseHelper.quietClose(model);
            }
        }
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
        return new GraphExecutor(new OnnxRunner(environment, session, parameters, maxBatch), parameters);
    }

    @Override
    public void close() {
        CloseHelper.closeAll(session, options);
    }
}
