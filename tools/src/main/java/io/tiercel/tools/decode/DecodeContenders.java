package io.tiercel.tools.decode;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.nativecuda.cpu.CpuBackend;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.ModelFiles;
import io.tiercel.tools.transformer.TransformerSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.NanoClock;

/**
 * Who takes part: the only place that knows all contenders. None is loaded yet. Of a GGUF file that is the engine, with
 * the network quantised in memory, and llama.cpp; of a bundle the engine.
 */
final class DecodeContenders {

    private static final String BUNDLE_SUFFIX = ".safetensors";
    private static final String GGUF = "GGUF";

    private DecodeContenders() {
    }

    /** @throws ToolException if it is no file. */
    static void check(final Path model) {
        if (!Files.isRegularFile(model) || !Files.isReadable(model)) {
            throw ToolException.badArgument("--model=" + model + " is not a file that can be read");
        }
    }

    /**
     * In the order of the rows.
     *
     * @throws ToolException if a file is no model.
     */
    static List<DecodeContender> of(final List<Path> models, final NanoClock clock) {
        final List<DecodeContender> contenders = new ArrayList<>();
        for (final Path model : models) {
            check(model);
            final String title = models.size() == 1 ? "" : model.getFileName() + ": ";
            if (model.toString().endsWith(BUNDLE_SUFFIX)) {
                addEngine(contenders, title, Bundle.open(model), clock);
            } else {
                final LlamaModel network = network(model);
                addEngine(contenders, title, model, network, clock);
                addPeers(contenders, title, model, network.shape().headSize(), clock);
            }
        }
        return contenders;
    }

    /** Read by the importer first: llama.cpp ends the process over some that it does not like. */
    private static LlamaModel network(final Path model) {
        final LlamaModel network = ModelFiles.read(model);
        if (!network.format().equals(GGUF)) {
            throw ToolException.badArgument(
                    "--model=" + model + " format=" + network.format() + " is neither GGUF, which the peer reads, nor"
                            + " a bundle");
        }
        return network;
    }

    private static void addEngine(
            final List<DecodeContender> contenders, final String title, final Bundle bundle, final NanoClock clock) {
        if (isCpuThere()) {
            contenders.add(new EngineContender(title, bundle, CpuBackend.NAME, clock));
        }
        contenders.add(new EngineContender(title, bundle, ReferenceBackend.NAME, clock));
    }

    /** The context is the peer's, whatever the file says. */
    private static void addEngine(
            final List<DecodeContender> contenders, final String title, final Path model, final LlamaModel network,
            final NanoClock clock) {
        final BenchBundles bundles = new BenchBundles(
                network, LlamaCppPeer.CONTEXT_TOKENS, TransformerSettings.DEFAULT_WINDOW);
        final Bundle int8 = bundles.bundle(model, WeightFormat.INT8, "8/8");
        if (isCpuThere()) {
            contenders.add(new EngineContender(title, int8, CpuBackend.NAME, clock));
            contenders.add(new EngineContender(title, bundles.bundle(model, WeightFormat.INT4, "4/4"), CpuBackend.NAME,
                    clock));
            contenders.add(new EngineContender(title, bundles.bundle(model, WeightFormat.INT16, "16/16"),
                    CpuBackend.NAME, clock));
        }
        contenders.add(new EngineContender(title, int8, ReferenceBackend.NAME, clock));
    }

    private static void addPeers(
            final List<DecodeContender> contenders, final String title, final Path model, final int headSize,
            final NanoClock clock) {
        for (final LlamaCppCache cache : LlamaCppCache.values()) {
            contenders.add(new LlamaCppContender(title, model, headSize, cache, true, clock));
        }
        // Of the fast caches once more, without a message for each token: which is faster depends on the model.
        for (final LlamaCppCache cache : List.of(LlamaCppCache.F32, LlamaCppCache.F16)) {
            contenders.add(new LlamaCppContender(title, model, headSize, cache, false, clock));
        }
    }

    private static boolean isCpuThere() {
        return new CpuBackend().probe().available();
    }
}
