package io.tiercel.tools.model;

import io.tiercel.appliance.config.YamlSettings;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Reads the YAML beside the weights. Every key is optional; one that is not known is refused with its line.
 *
 * <pre>
 *   task: classification            # or regression
 *   labels: [down, flat, up]        # one for each output
 *   features:
 *     bits: 8                       # of a quantised feature: 8 or 16
 *     names: [f_return, f_volume]
 *     mean: [0.0, 3.1]              # as in training: (x - mean) / deviation
 *     deviation: [1.0, 2.2]
 *   provenance:                     # free text
 *     data: Bitstamp trades, first 70 %
 * </pre>
 */
final class QuantiseSettingsReader {

    private final Path path;
    private final QuantiseSettings settings;

    private QuantiseSettingsReader(final Path path, final QuantiseSettings settings) {
        this.path = path;
        this.settings = settings;
    }

    static void read(final Path path, final QuantiseSettings settings) throws IOException {
        new QuantiseSettingsReader(path, settings).read();
    }

    private void read() throws IOException {
        final Node root;
        try {
            final String text = Files.readString(path);
            final LoadSettings loadSettings = YamlSettings.forText(text)
                    .setLabel(path.toString())
                    .setMaxAliasesForCollections(0)
                    .setCodePointLimit(1 << 20)
                    .build();
            root = new Compose(loadSettings).composeString(text).orElse(null);
        } catch (final NoSuchFileException ex) {
            throw new ModelInputException(path + ": no such file", ex);
        } catch (final MarkedYamlEngineException ex) {
            throw new ModelInputException(path + ": line=" +
                    ex.getProblemMark().map(mark -> mark.getLine() + 1).orElse(0) + ": " + ex.getProblem(), ex);
        } catch (final YamlEngineException | NumberFormatException ex) {
            // The second is what the parser lets through where a file ends within an escape.
            throw new ModelInputException(path + ": " + ex.getMessage(), ex);
        }
        for (final NodeTuple entry : entries("(root)", root)) {
            final String key = scalar("key", entry.getKeyNode());
            final Node value = entry.getValueNode();
            switch (key) {
                case "task" -> settings.task(task(value));
                case "labels" -> settings.labels(scalars(key, value));
                case "features" -> readFeatures(value);
                case "provenance" -> readProvenance(value);
                default -> throw unknown(key, entry.getKeyNode());
            }
        }
    }

    private void readFeatures(final Node node) {
        for (final NodeTuple entry : entries("features", node)) {
            final String key = "features." + scalar("key", entry.getKeyNode());
            final Node value = entry.getValueNode();
            switch (key) {
                case "features.bits" -> settings.featureBits((int) number(key, value));
                case "features.names" -> settings.featureNames(scalars(key, value));
                case "features.mean" -> settings.means(floats(key, value));
                case "features.deviation" -> settings.deviations(floats(key, value));
                default -> throw unknown(key, entry.getKeyNode());
            }
        }
    }

    private void readProvenance(final Node node) {
        for (final NodeTuple entry : entries("provenance", node)) {
            final String key = scalar("key", entry.getKeyNode());
            settings.provenance(key, scalar("provenance." + key, entry.getValueNode()));
        }
    }

    private Task task(final Node node) {
        final String name = scalar("task", node);
        for (final Task task : Task.values()) {
            if (task.name().toLowerCase(Locale.ROOT).equals(name)) {
                return task;
            }
        }
        throw at(node, "task=" + name + " is not classification or regression");
    }

    private List<NodeTuple> entries(final String key, final Node node) {
        if (!(node instanceof final MappingNode mapping)) {
            throw at(node, key + " is not a map");
        }
        final Set<String> seen = new HashSet<>();
        for (final NodeTuple entry : mapping.getValue()) {
            final String name = scalar("key", entry.getKeyNode());
            if (!seen.add(name)) {
                throw at(entry.getKeyNode(), "key=" + name + " is there twice");
            }
        }
        return mapping.getValue();
    }

    private List<String> scalars(final String key, final Node node) {
        if (!(node instanceof final SequenceNode sequence)) {
            throw at(node, key + " is not a list");
        }
        final List<String> values = new ArrayList<>();
        for (final Node element : sequence.getValue()) {
            values.add(scalar(key, element));
        }
        return values;
    }

    private float[] floats(final String key, final Node node) {
        final List<String> texts = scalars(key, node);
        final float[] values = new float[texts.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) number(key, ((SequenceNode) node).getValue().get(i));
        }
        return values;
    }

    private double number(final String key, final Node node) {
        final String text = scalar(key, node);
        try {
            return Double.parseDouble(text);
        } catch (final NumberFormatException ex) {
            throw at(node, key + "=" + text + " is not a number");
        }
    }

    private String scalar(final String key, final Node node) {
        if (!(node instanceof final ScalarNode scalar)) {
            throw at(node, key + " is not a single value");
        }
        return scalar.getValue();
    }

    private ModelInputException unknown(final String key, final Node node) {
        return at(node, "key=" + key + " is not known");
    }

    private ModelInputException at(final Node node, final String problem) {
        final int line = node == null ? 1 : node.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
        return new ModelInputException(path + ": line=" + line + ": " + problem);
    }
}
