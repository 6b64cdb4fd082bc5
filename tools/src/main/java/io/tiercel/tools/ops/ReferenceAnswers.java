package io.tiercel.tools.ops;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.NoBackendException;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.ops.probe.KnownAnswers;
import io.tiercel.ops.probe.ProbeQuestion;
import io.tiercel.protocol.client.ModelInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Answers that the Java reference computes from the model's bundle: the version that the appliance names is looked for
 * among the bundles that were given, and among those that the appliance keeps beside its journal. What the reference
 * does not compute (graphs of ONNX) is left to whoever knows otherwise. Computed once for each version.
 */
final class ReferenceAnswers implements KnownAnswers {

    private static final String BUNDLES = "bundles";
    private static final String SUFFIX = ".safetensors";

    private final List<Path> bundles;
    private final Supplier<Path> journal;
    private final KnownAnswers otherwise;
    private final Consumer<String> messages;
    private final Map<String, int[]> bitsByVersion = new HashMap<>();

    /**
     * @param journal   where the appliance has its journal; gives null as long as nobody knows.
     * @param otherwise is asked about what is not found; null for nobody.
     * @param messages  takes a line for each version, once.
     */
    ReferenceAnswers(
            final List<Path> bundles, final Supplier<Path> journal, final KnownAnswers otherwise,
            final Consumer<String> messages) {
        this.bundles = bundles;
        this.journal = journal;
        this.otherwise = otherwise;
        this.messages = messages;
    }

    @Override
    public int[] outputBits(final ModelInfo model, final ProbeQuestion question) {
        int[] bits = bitsByVersion.get(model.version());
        if (bits == null) {
            final Path path = find(model.version());
            bits = path == null ? null : compute(path, model, question);
        }
        if (bits == null || bits.length == 0) {
            return otherwise == null ? null : otherwise.outputBits(model, question);
        }
        return bits;
    }

    /** Whatever the appliance keeps beside its journal: a version is there before any session is with it. */
    @Override
    public List<String> otherVersions(final ModelInfo model) {
        final Path directory = journal.get();
        final Path kept = directory == null ? null : directory.resolve(BUNDLES);
        if (kept == null || !Files.isReadable(kept)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(kept)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(SUFFIX))
                    .map(name -> name.substring(0, name.length() - SUFFIX.length()))
                    .filter(version -> !version.equals(model.version())).sorted().toList();
        } catch (final IOException ex) {
            throw new UncheckedIOException("cannot read " + kept, ex);
        }
    }

    @Override
    public boolean learn(final ModelInfo model, final ProbeQuestion question, final int[] outputBits) {
        return otherwise != null && otherwise.learn(model, question, outputBits);
    }

    /** Null if there is none. */
    private Path find(final String version) {
        for (final Path bundle : bundles) {
            if (Bundle.open(bundle).versionHex().equals(version)) {
                return bundle;
            }
        }
        final Path directory = journal.get();
        final Path kept = directory == null ? null : directory.resolve(BUNDLES).resolve(version + SUFFIX);
        return kept != null && Files.isReadable(kept) ? kept : null;
    }

    /** Empty, and kept so, if the reference cannot. */
    private int[] compute(final Path path, final ModelInfo info, final ProbeQuestion question) {
        int[] bits = {};
        try {
            bits = compute(Bundle.open(path), info, question);
            if (bits.length > 0) {
                messages.accept("knows the answer of model=" + info.alias() + " version=" + info.version()
                        + ": computed by the reference from " + path);
            }
        } catch (final NoBackendException | BundleException ex) {
            messages.accept("cannot compute the answer of model=" + info.alias() + ": " + ex.getMessage());
        }
        bitsByVersion.put(info.version(), bits);
        return bits;
    }

    /** Empty if it is not a version of the model: it takes or gives something else. */
    private static int[] compute(final Bundle bundle, final ModelInfo info, final ProbeQuestion question) {
        try (Model model = Backends.load(Backends.select(ReferenceBackend.NAME, bundle), bundle, 1);
                ModelExecutor executor = model.newExecutor(1);
                SessionStates states = new SessionStates(1, model, bundle.version())) {
            final ModelShape shape = model.shape();
            if (shape.featureCount() != info.featureCount() || shape.outputCount() != info.outputCount()
                    || shape.vocabularySize() != info.vocabularySize()) {
                return new int[0];
            }
            states.touchAhead();
            states.reset(0, executor);
            final int outputCount = shape.outputCount();
            final UnsafeBuffer outputs = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                    outputCount * Float.BYTES, BitUtil.CACHE_LINE_LENGTH));
            executor.steps(states.stateAddress(0), question.inputs().addressOffset(), question.stepCount(),
                    outputs.addressOffset(), 0, states.hash(0));
            final int[] bits = new int[outputCount];
            Arrays.setAll(bits, index -> outputs.getInt(index * Float.BYTES, LITTLE_ENDIAN));
            return bits;
        }
    }
}
