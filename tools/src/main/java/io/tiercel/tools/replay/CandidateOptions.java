package io.tiercel.tools.replay;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.replay.whatif.Candidate;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.model.ModelCommand;
import io.tiercel.tools.transformer.TransformerSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.agrona.IoUtil;
import picocli.CommandLine.Option;

/**
 * Which candidates to try: bundles as they are, and bundles made of an unquantised network by the very command behind
 * {@code model quantize}, in other widths and else like the journal's own model.
 */
final class CandidateOptions {

    private static final List<String> ALL_CACHES =
            List.of("16/16", "8/8", "4/4", "2/2", "1/1", "c4/c4", "c2/c2", "c1/c1");
    private static final String ALL = "all";
    private static final String HINT = ": it needs the unquantised network, --source=FILE, as model quantize takes it";

    @Option(names = "--model", split = ",", paramLabel = "BUNDLE", description = "Bundles to try, as they are.")
    private List<Path> models = List.of();

    @Option(names = "--weights", split = ",", paramLabel = "WIDTH",
            description = "Weights to try, of --source: int8, int4 or int16; without it, as the journal's model has "
                    + "them.")
    private List<String> weights = List.of();

    @Option(names = "--kv", split = ",", paramLabel = "K/V",
            description = "Codes of keys and values to try, of --source, as model quantize has them, or all: 16/16, "
                    + "8/8, 4/4, 2/2, 1/1 and coupled c4/c4, c2/c2, c1/c1. All else is as in the journal's model.")
    private List<String> caches = List.of();

    @Option(names = "--source", paramLabel = "FILE",
            description = "The unquantised network that the journal's model was made of: for --weights and --kv.")
    private Path source;

    @Option(names = "--calibrate", paramLabel = "FILE|JOURNAL",
            description = "What to calibrate by, as model quantize takes it.")
    private Path calibration;

    /** @throws ToolException if they do not go together, or one cannot be read or made. */
    List<Candidate> candidates(final Bundle journaled) {
        final boolean isQuantised = !weights.isEmpty() || !caches.isEmpty();
        if (models.isEmpty() && !isQuantised) {
            throw ToolException.badArgument("nothing to try: give --model=BUNDLE, or --weights or --kv with --source");
        }
        if (isQuantised && source == null) {
            throw ToolException.badArgument(
                    (weights.isEmpty() ? "--kv=" + String.join(",", caches) : "--weights=" + String.join(",", weights))
                            +
                            HINT);
        }
        if (!isQuantised && source != null) {
            throw ToolException.badArgument("--source=" + source + " is for --weights and --kv, and neither is given");
        }
        final List<Candidate> candidates = new ArrayList<>();
        for (final Path model : models) {
            candidates.add(new Candidate(model.getFileName().toString(), open(model)));
        }
        if (isQuantised) {
            addQuantised(candidates, journaled);
        }
        return candidates;
    }

    private static Bundle open(final Path model) {
        if (!Files.isRegularFile(model)) {
            throw ToolException.badArgument("--model=" + model + " is not a file");
        }
        try {
            return Bundle.open(model);
        } catch (final BundleException ex) {
            throw ToolException.badArgument("--model=" + model + " cannot be used: " + ex.getMessage());
        }
    }

    private void addQuantised(final List<Candidate> candidates, final Bundle journaled) {
        final boolean isTransformer = journaled.manifest().cache() != null;
        if (!caches.isEmpty() && !isTransformer) {
            throw ToolException.badArgument("--kv=" + String.join(",", caches) + " is for transformers, but the " +
                    "journal's model has family=" + journaled.manifest().family());
        }
        if (journaled.manifest().quantisation() == null) {
            throw ToolException.badArgument("--weights and --kv are for families lstm and transformer, but the " +
                    "journal's model has family=" + journaled.manifest().family());
        }
        final String own = journaled.manifest().quantisation().weights().name().toLowerCase(Locale.ROOT);
        final List<String> widths = weights.isEmpty() ? List.of(own) : weights;
        final Path folder = makeFolder();
        try {
            for (final String width : widths) {
                if (!isTransformer) {
                    candidates.add(quantised(folder, width, List.of("--weights", width)));
                    continue;
                }
                for (final String cache : cachesToTry(journaled.manifest())) {
                    candidates.add(quantised(folder, width + " kv " + cache,
                            transformerArguments(journaled.manifest(), width, cache)));
                }
            }
        } finally {
            IoUtil.delete(folder.toFile(), true);
        }
    }

    private List<String> cachesToTry(final Manifest manifest) {
        if (caches.isEmpty()) {
            return List.of(TransformerSettings.text(manifest.cache()));
        }
        return caches.equals(List.of(ALL)) ? ALL_CACHES : caches;
    }

    /** All that answers depend on, beside the widths, as the journal's model has it. */
    private static List<String> transformerArguments(
            final Manifest manifest, final String width, final String cache) {
        final Map<String, Integer> shape = manifest.shape();
        final List<String> arguments = new ArrayList<>(List.of(
                "--weights", width,
                "--kv", cache,
                "--sinks", Integer.toString(shape.get("sinks")),
                "--context", Integer.toString(shape.get("context")),
                "--top", Integer.toString(manifest.outputCount() / 2),
                "--when-full", manifest.cache().whenFull().name().toLowerCase(Locale.ROOT)));
        if (manifest.cache().recentBits() == Byte.SIZE) {
            arguments.addAll(List.of("--window", Integer.toString(shape.get("window"))));
        }
        if (manifest.cache().rotation() == Rotation.HADAMARD) {
            arguments.add("--rotate");
        }
        if (!width.equals("int16")) {
            arguments.addAll(List.of("--activations", Integer.toString(manifest.quantisation().activationBits())));
        }
        return arguments;
    }

    private Candidate quantised(final Path folder, final String name, final List<String> options) {
        final Path output = folder.resolve("candidate.safetensors");
        final List<String> arguments = new ArrayList<>(List.of("quantize", source.toString()));
        arguments.addAll(options);
        if (calibration != null) {
            arguments.addAll(List.of("--calibrate", calibration.toString()));
        }
        arguments.addAll(List.of("--output", output.toString()));
        final StringWriter errors = new StringWriter();
        final int exitCode = ModelCommand.commandLine()
                .setOut(new PrintWriter(Writer.nullWriter()))
                .setErr(new PrintWriter(errors, true))
                .execute(arguments.toArray(String[]::new));
        if (exitCode != ExitCode.OK) {
            throw new ToolException(exitCode, "candidate=" + name + " cannot be made: " +
                    errors.toString().lines().findFirst().orElse("exit code " + exitCode));
        }
        return new Candidate(name, Bundle.open(output));
    }

    private static Path makeFolder() {
        try {
            return Files.createTempDirectory("tiercel-whatif-");
        } catch (final IOException ex) {
            throw ToolException.environment("no room for the candidates: " + ex, ex);
        }
    }
}
