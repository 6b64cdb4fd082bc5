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
import io.tiercel.appliance.engine.bundle.GraphFormat;
import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.appliance.engine.onnx.GraphParameters;
import io.tiercel.nativecuda.onnxruntime.GraphSignature.Port;
import io.tiercel.protocol.journal.Arithmetic;
import java.util.List;
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
            checkPorts(GraphSignature.of(model.session), parameters.format());
            new GraphTrial(model, parameters).run();
            isGood = true;
            return model;
        } catch (final OrtException ex) {
            throw new BundleException(bundle.path() + ": tensor=graph is refused by ONNX Runtime: " + ex.getMessage(),
                    ex);
        } catch (final OnnxRuntimeException ex) {
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
        return new OnnxExecutor(environment, session, parameters, maxBatch);
    }

    @Override
    public void close() {
        CloseHelper.closeAll(session, options);
    }

    private static void checkPorts(final GraphSignature signature, final GraphFormat format) {
        if (!List.of(format.input()).equals(List.copyOf(signature.inputs().keySet()))) {
            throw new OnnxRuntimeException("manifest key=graph.input value=" + format.input() +
                    " is not the graph's only input: " + signature.inputs(), null);
        }
        checkPort("input", format.inputShape(), signature.inputs().get(format.input()));
        final Port output = signature.outputs().get(format.output());
        if (output == null) {
            throw new OnnxRuntimeException("manifest key=graph.output value=" + format.output() +
                    " is not among the graph's outputs: " + signature.outputs(), null);
        }
        checkPort("output", format.outputShape(), output);
    }

    private static void checkPort(final String key, final List<Integer> shape, final Port port) {
        if (!port.fits(shape)) {
            throw new OnnxRuntimeException("manifest key=graph." + key + "Shape value=" + shape + ", but the graph's " +
                    key + " is " + port, null);
        }
    }
}
