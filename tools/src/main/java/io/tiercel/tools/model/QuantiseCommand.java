package io.tiercel.tools.model;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import io.tiercel.tools.ModelInputException;
import io.tiercel.tools.llama.ModelFiles;
import io.tiercel.tools.transformer.TransformerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tiercel model quantize}: a trained network to a bundle. */
@Command(
        name = "quantize",
        aliases = "quantise",
        sortOptions = false,
        header = "Make a bundle from a trained LSTM, or from a transformer of the Llama shape.",
        description = {
            "A transformer is what tiercel model import reads or writes: a GGUF file, a llama2.c .bin, a directory of",
            "Hugging Face's, or the safetensors file that import makes. Options on its cache, calibration and text are",
            "under Transformers.",
            "",
            "An LSTM is a safetensors file with PyTorch's names: lstm.weight_ih_l0, lstm.weight_hh_l0,",
            "lstm.bias_ih_l0, lstm.bias_hh_l0, … and head.weight, head.bias. What it does not say is read from a",
            "YAML file beside it (the same name with .yaml) and from options, which win. Keys: task, labels,",
            "features.names, features.mean, features.deviation, features.bits, provenance."})
final class QuantiseCommand extends ModelSubcommand {

    @Parameters(paramLabel = "WEIGHTS", description = "The trained network, a .safetensors file.")
    private Path input;

    @Option(names = {"-o", "--output"}, required = true, paramLabel = "BUNDLE", description = "The bundle to write.")
    private Path output;

    @Option(names = "--weights", defaultValue = "int8", paramLabel = "int8|int4|int16",
            description = "How the layers' weights are held; int16 for transformers only (default: ${DEFAULT-VALUE}).")
    private String weights;

    @Option(names = "--settings", paramLabel = "YAML", description = "Instead of the YAML file beside the weights.")
    private Path settingsFile;

    @Option(names = "--task", paramLabel = "classification|regression",
            description = "What the outputs are: class scores through softmax, or values as they are.")
    private String task;

    @Option(names = "--labels", split = ",", paramLabel = "NAME", description = "One for each output.")
    private List<String> labels;

    @Option(names = "--features", split = ",", paramLabel = "NAME", description = "One for each input.")
    private List<String> features;

    @Option(names = "--mean", split = ",", paramLabel = "X", description = "Of each feature, as in training.")
    private float[] means;

    @Option(names = "--deviation", split = ",", paramLabel = "X", description = "Of each feature, as in training.")
    private float[] deviations;

    @Option(names = "--feature-bits", paramLabel = "8|16", description = "Of a quantised feature (default: 8).")
    private Integer featureBits;

    @Option(names = "--provenance", paramLabel = "KEY=TEXT", description = "Where the model comes from; repeatable.")
    private Map<String, String> provenance = Map.of();

    @Option(names = "--calibrate", paramLabel = "FILE|JOURNAL",
            description = "Rows (CSV) to choose the activations' scales by, of split=train where there is a split " +
                    "column; for a transformer tokens (CSV with a column token), text or the directory of a " +
                    "journal, to make its codecs by.")
    private Path calibrationRows;

    @Option(names = "--evaluate", paramLabel = "FILE",
            description = "Labelled rows to score fp32, int8 and int4 on, of split=test where there is a split " +
                    "column, or tokens or text likewise; the result goes into the manifest.")
    private Path evaluationRows;

    @ArgGroup(exclusive = false, heading = "Transformers:%n")
    private final TransformerOptions transformer = new TransformerOptions();

    @Override
    void execute() throws IOException {
        final WeightFormat format = constant(WeightFormat.class, "--weights", weights);
        if (ModelFiles.isLlama(existingAny(input))) {
            transformer.quantise(input, format, calibrationRows, evaluationRows, provenance(), output);
            new BundleReport(Bundle.open(output)).print(out());
            return;
        }
        if (format == WeightFormat.INT16) {
            throw new ModelInputException("--weights=int16 is for transformers");
        }
        final FloatLstm lstm = FloatLstm.read(SafetensorsReader.open(existing(input)));
        final QuantiseSettings settings = settings(lstm);
        final Normalisation normalisation = settings.normalisation();
        final Calibration calibration = calibrationRows == null
                ? Calibration.none(lstm)
                : Calibration.of(lstm, normalisation, settings.featureNames(), existing(calibrationRows));
        final LstmQuantiser quantiser = new LstmQuantiser(lstm, settings, normalisation, calibration);
        final Map<String, Object> accuracy = evaluate(lstm, settings, normalisation, quantiser);
        final BundleWriter bundle = quantiser.quantise(format, accuracy);
        Bundle.of(output, bundle.toBytes());
        bundle.write(output);
        new BundleReport(Bundle.open(output)).print(out());
    }

    private Map<String, Object> evaluate(
            final FloatLstm lstm, final QuantiseSettings settings, final Normalisation normalisation,
            final LstmQuantiser quantiser) throws IOException {
        if (evaluationRows == null) {
            return Map.of();
        }
        if (settings.task() != Task.CLASSIFICATION) {
            throw new ModelInputException("--evaluate scores classifiers, task=regression");
        }
        final Map<String, BundleSessions> quantised = new LinkedHashMap<>();
        for (final WeightFormat format : List.of(WeightFormat.INT8, WeightFormat.INT4)) {
            final Bundle bundle = Bundle.of(output, quantiser.quantise(format, Map.of()).toBytes());
            quantised.put(format.name().toLowerCase(Locale.ROOT),
                    new BundleSessions(bundle, Backends.select(ReferenceBackend.NAME, bundle)));
        }
        return Evaluation.of(lstm, normalisation, quantised, settings.featureNames(), existing(evaluationRows));
    }

    /** That of a directory lies in it, as the training script writes it. */
    private Map<String, String> provenance() throws IOException {
        final QuantiseSettings settings = new QuantiseSettings();
        final Path inside = input.resolve("provenance.yaml");
        if (Files.exists(inside)) {
            QuantiseSettingsReader.read(inside, settings);
        }
        provenance.forEach(settings::provenance);
        return settings.provenance();
    }

    private QuantiseSettings settings(final FloatLstm lstm) throws IOException {
        final QuantiseSettings settings = new QuantiseSettings();
        final Path beside = input.resolveSibling(
                input.getFileName().toString().replaceFirst("\\.safetensors$", "") + ".yaml");
        if (settingsFile != null) {
            QuantiseSettingsReader.read(settingsFile, settings);
        } else if (Files.exists(beside)) {
            QuantiseSettingsReader.read(beside, settings);
        }
        if (task != null) {
            settings.task(constant(Task.class, "--task", task));
        }
        if (labels != null) {
            settings.labels(labels);
        }
        if (features != null) {
            settings.featureNames(features);
        }
        if (means != null) {
            settings.means(means);
        }
        if (deviations != null) {
            settings.deviations(deviations);
        }
        if (featureBits != null) {
            settings.featureBits(featureBits);
        }
        provenance.forEach(settings::provenance);
        return settings.conclude(lstm);
    }

    private static Path existingAny(final Path path) {
        if (!Files.exists(path)) {
            throw new ModelInputException(path + ": no such file");
        }
        return path;
    }

    private static Path existing(final Path path) {
        if (!Files.isRegularFile(path)) {
            throw new ModelInputException(path + ": no such file");
        }
        return path;
    }

    private static <E extends Enum<E>> E constant(final Class<E> type, final String option, final String name) {
        for (final E constant : type.getEnumConstants()) {
            if (constant.name().equalsIgnoreCase(name)) {
                return constant;
            }
        }
        throw new ModelInputException(option + "=" + name + " is not known");
    }
}
