package io.tiercel.appliance.config;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Reads a YAML file into an {@link ApplianceContext}. Only what {@link ConfigKey} lists is taken: an unknown key, a
 * key given twice, a value of the wrong kind or out of range ends the reading with file, line, key and value.
 *
 * <p>The file is input from outside: at most {@value #MAX_FILE_LENGTH} bytes of UTF-8, one document, no anchors,
 * aliases or tags, collections at most {@value #MAX_DEPTH} deep. So neither its memory nor its time can grow beyond
 * its own length.
 *
 * <p>Relative paths in a file are relative to the file.
 */
public final class ConfigReader {

    static final int MAX_FILE_LENGTH = 256 * 1024;
    static final int MAX_DEPTH = 8;

    private static final int MAX_QUOTED_LENGTH = 80;
    private static final int MAX_SUGGESTION_LENGTH = 40;

    private final String file;
    private final Path directory;
    private final ApplianceContext context = new ApplianceContext();

    private ConfigReader(final Path path) {
        file = path.toString();
        directory = path.toAbsolutePath().getParent();
    }

    /**
     * Reads a file. The context that comes back is not concluded, so that code (a command line) may still override.
     *
     * @throws ConfigException if the file cannot be read or used.
     */
    public static ApplianceContext read(final Path path) {
        final ConfigReader reader = new ConfigReader(path);
        return reader.read(reader.content(path));
    }

    private String content(final Path path) {
        final byte[] bytes;
        try {
            if (!Files.isRegularFile(path)) {
                throw refusal(0, null, Files.exists(path) ? "not a regular file" : "no such file");
            }
            final long length = Files.size(path);
            if (length > MAX_FILE_LENGTH) {
                throw refusal(0, null, "length=" + length + ": at most " + MAX_FILE_LENGTH + " bytes");
            }
            bytes = Files.readAllBytes(path);
        } catch (final NoSuchFileException ex) {
            throw refusal(0, null, "no such file");
        } catch (final AccessDeniedException ex) {
            throw refusal(0, null, "permission denied");
        } catch (final IOException ex) {
            throw refusal(0, null, "cannot be read: " + ex.getMessage());
        }
        return decode(bytes);
    }

    private String decode(final byte[] bytes) {
        final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        final ByteBuffer input = ByteBuffer.wrap(bytes);
        final CharBuffer output = CharBuffer.allocate(bytes.length);
        final CoderResult result = decoder.decode(input, output, true);
        output.flip();
        if (result.isError()) {
            final int line = 1 + (int) output.chars().filter(character -> character == '\n').count();
            throw refusal(line, null, "not UTF-8 at byte " + input.position());
        }
        final String text = output.toString();
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    private ApplianceContext read(final String text) {
        final LoadSettings settings = YamlSettings.forText(text)
                .setLabel(file)
                .setAllowDuplicateKeys(true)
                .setAllowNonScalarKeys(true)
                .setCodePointLimit(MAX_FILE_LENGTH)
                .build();
        try {
            ensureHarmless(new Parse(settings).parseString(text));
            final Node root = new Compose(settings).composeString(text).orElse(null);
            if (root == null || isNull(root)) {
                throw refusal(0, null, "the file is empty");
            }
            readSection("", root);
        } catch (final MarkedYamlEngineException ex) {
            final int line = ex.getProblemMark().map(ConfigReader::line).orElse(0);
            throw refusal(line, null, "not YAML: " + onOneLine(ex.getProblem()));
        } catch (final ReaderException ex) {
            final String character = String.format("U+%04X", ex.getCodePoint());
            throw refusal(0, null, "not YAML: character " + character + " at " + ex.getPosition());
        } catch (final YamlEngineException ex) {
            throw refusal(0, null, "not YAML: " + onOneLine(ex.getMessage()));
        } catch (final NumberFormatException ex) {
            // What the parser lets through where a file ends within an escape.
            throw refusal(0, null, "not YAML: an escape in quotes lacks its digits: " + onOneLine(ex.getMessage()));
        }
        return context;
    }

    /** Runs over the events, which take no memory, before a tree is made of them. */
    private void ensureHarmless(final Iterable<Event> events) {
        int depth = 0;
        int documentCount = 0;
        for (final Event event : events) {
            final int line = event.getStartMark().map(ConfigReader::line).orElse(0);
            if (event instanceof DocumentStartEvent && ++documentCount > 1) {
                throw refusal(line, null, "a second document begins: only one is read");
            }
            if (event instanceof AliasEvent || event instanceof NodeEvent node && node.getAnchor().isPresent()) {
                throw refusal(line, null, "anchors and aliases are not used here");
            }
            if (event instanceof CollectionStartEvent start) {
                ensureNoTag(start.getTag().isPresent(), line);
                if (++depth > MAX_DEPTH) {
                    throw refusal(line, null, "nested deeper than " + MAX_DEPTH);
                }
            } else if (event instanceof CollectionEndEvent) {
                depth--;
            } else if (event instanceof ScalarEvent scalar) {
                ensureNoTag(scalar.getTag().isPresent(), line);
            }
        }
    }

    private void ensureNoTag(final boolean hasTag, final int line) {
        if (hasTag) {
            throw refusal(line, null, "tags are not used here");
        }
    }

    /** Reads a mapping whose keys begin with a prefix: empty, or the section's name and a dot. */
    private void readSection(final String prefix, final Node node) {
        for (final Map.Entry<String, Node> entry : entries(prefix, node).entrySet()) {
            final String name = prefix + entry.getKey();
            final ConfigKey<?> key = ConfigKey.find(name).orElse(null);
            if (key == ConfigKey.MODELS) {
                readModels(entry.getValue());
            } else if (key != null) {
                readValue(key, entry.getValue());
            } else {
                readSection(name + ".", entry.getValue());
            }
        }
    }

    private void readValue(final ConfigKey<?> key, final Node node) {
        final String text = key.isList() ? listText(key.name(), node) : scalarText(key.name(), node);
        try {
            key.parseInto(context, text);
        } catch (final IllegalArgumentException ex) {
            throw refusal(line(node), key.name(), key.name() + "=" + quoted(text) + ": " + ex.getMessage());
        }
        resolvePaths(key);
        context.origin(key, file, line(node));
    }

    private void resolvePaths(final ConfigKey<?> key) {
        if (key == ConfigKey.JOURNAL_DIRECTORY) {
            context.journalDirectory(directory.resolve(context.journalDirectory()));
        } else if (key == ConfigKey.TELEMETRY_DIRECTORY) {
            context.telemetryDirectory(directory.resolve(context.telemetryDirectory()));
        } else if (key == ConfigKey.ACCESS_KEYS) {
            context.accessKeys(directory.resolve(context.accessKeys()));
        } else if (key == ConfigKey.AERON_DIRECTORY) {
            context.aeronDirectoryName(directory.resolve(context.aeronDirectoryName()).toString());
        }
    }

    private String listText(final String name, final Node node) {
        final List<String> texts = new ArrayList<>();
        for (final Node element : elements(name, node)) {
            final String text = scalarText(name, element);
            if (text.indexOf(',') >= 0) {
                throw refusal(line(element), name, name + "=" + quoted(text) + ": a comma cannot stand in a value");
            }
            texts.add(text);
        }
        return String.join(",", texts);
    }

    private void readModels(final Node node) {
        final List<ModelConfig> models = new ArrayList<>();
        for (final Node element : elements(ConfigKey.MODELS.name(), node)) {
            models.add(readModel(element));
        }
        context.models(models);
        context.origin(ConfigKey.MODELS, file, line(node));
    }

    private ModelConfig readModel(final Node node) {
        final Map<String, Node> entries = entries(ModelKey.PREFIX, node);
        final String alias = modelText(entries, ModelKey.ALIAS, node);
        final String bundle = modelText(entries, ModelKey.BUNDLE, node);
        final String backend = modelText(entries, ModelKey.BACKEND, node);
        final String threads = modelText(entries, ModelKey.THREADS, node);
        final String gpuMode = modelText(entries, ModelKey.GPU_MODE, node);
        final String gpuAnswerLimit = modelText(entries, ModelKey.GPU_ANSWER_LIMIT, node);
        return new ModelConfig(
                alias, directory.resolve(bundle), backend, (int) SuffixedValues.parseCount(threads), gpuMode,
                SuffixedValues.parseDurationNs(gpuAnswerLimit));
    }

    private String modelText(final Map<String, Node> entries, final ModelKey key, final Node model) {
        final Node node = entries.get(key.key());
        final String name = key.dottedName();
        if (node == null) {
            if (key.defaultText() == null) {
                throw refusal(line(model), name, name + " is missing");
            }
            return key.defaultText();
        }
        final String text = scalarText(name, node);
        try {
            key.check(text);
        } catch (final IllegalArgumentException ex) {
            throw refusal(line(node), name, name + "=" + quoted(text) + ": " + ex.getMessage());
        }
        return text;
    }

    /** The entries of a mapping in the file's order; every key is one that may stand there, once. */
    private Map<String, Node> entries(final String prefix, final Node node) {
        if (!(node instanceof MappingNode mapping)) {
            final String name = prefix.isEmpty() ? "the file" : prefix.substring(0, prefix.length() - 1);
            throw refusal(line(node), nameOrNull(prefix), name + ": must be a mapping of keys to values, not "
                    + kind(node));
        }
        final List<String> allowed = allowed(prefix);
        final Map<String, Node> entries = new LinkedHashMap<>();
        for (final NodeTuple tuple : mapping.getValue()) {
            final Node keyNode = tuple.getKeyNode();
            if (!(keyNode instanceof ScalarNode scalar)) {
                throw refusal(line(keyNode), nameOrNull(prefix), "a key must be a name, not " + kind(keyNode));
            }
            final String key = scalar.getValue();
            if (!allowed.contains(key)) {
                throw refusal(line(keyNode), prefix + key, "unknown key " + quoted(prefix + key)
                        + valueText(tuple.getValueNode()) + suggestion(prefix, key, allowed));
            }
            final Node before = entries.put(key, tuple.getValueNode());
            if (before != null) {
                throw refusal(line(keyNode), prefix + key, prefix + key + valueText(tuple.getValueNode())
                        + ": is there already, in line " + line(before));
            }
        }
        return entries;
    }

    /** What may stand under a prefix: the next parts of all keys that begin with it. */
    private static List<String> allowed(final String prefix) {
        if (ModelKey.PREFIX.equals(prefix)) {
            return ModelKey.KEYS;
        }
        return ConfigKey.all().stream()
                .map(ConfigKey::name)
                .filter(name -> name.startsWith(prefix))
                .map(name -> name.substring(prefix.length()).split("\\.")[0])
                .distinct()
                .toList();
    }

    private static String suggestion(final String prefix, final String key, final List<String> allowed) {
        if (ConfigKey.find(prefix + key).isPresent()) {
            return ": write its parts nested, not dotted";
        }
        final String near = key.length() > MAX_SUGGESTION_LENGTH ? null : nearest(key, allowed);
        if (near != null) {
            return ": did you mean " + prefix + near + "?";
        }
        for (final ConfigKey<?> other : ConfigKey.all()) {
            if (other.name().endsWith("." + key)) {
                return ": did you mean " + other.name() + "?";
            }
        }
        return ": known here are " + String.join(", ", allowed);
    }

    private static String nearest(final String key, final List<String> allowed) {
        String nearest = null;
        int nearestDistance = 1 + Math.max(1, key.length() / 3);
        for (final String candidate : allowed) {
            final int distance = EditDistance.between(key, candidate);
            if (distance < nearestDistance) {
                nearest = candidate;
                nearestDistance = distance;
            }
        }
        return nearest;
    }

    private List<Node> elements(final String name, final Node node) {
        if (!(node instanceof SequenceNode sequence)) {
            throw refusal(line(node), name, name + valueText(node) + ": must be a list, not " + kind(node));
        }
        return sequence.getValue();
    }

    private String scalarText(final String name, final Node node) {
        if (!(node instanceof ScalarNode scalar)) {
            throw refusal(line(node), name, name + ": must be a single value, not " + kind(node));
        }
        if (isNull(node)) {
            throw refusal(line(node), name, name + "=: must have a value");
        }
        return scalar.getValue();
    }

    private ConfigException refusal(final int line, final String key, final String detail) {
        return new ConfigException(file, line, key, detail);
    }

    private static boolean isNull(final Node node) {
        return node instanceof ScalarNode scalar && scalar.isPlain()
                && (scalar.getValue().isEmpty() || "null".equals(scalar.getValue()) || "~".equals(scalar.getValue()));
    }

    private static String kind(final Node node) {
        if (node instanceof MappingNode) {
            return "a mapping";
        }
        if (node instanceof SequenceNode) {
            return "a list";
        }
        return isNull(node) ? "nothing" : "a single value";
    }

    private static String nameOrNull(final String prefix) {
        return prefix.isEmpty() ? null : prefix.substring(0, prefix.length() - 1);
    }

    private static String valueText(final Node node) {
        return node instanceof ScalarNode scalar ? "=" + quoted(scalar.getValue()) : "";
    }

    /** Safe to print: one line, of bounded length. */
    private static String quoted(final String text) {
        final String line = text.replaceAll("\\p{Cntrl}", "?");
        return line.length() <= MAX_QUOTED_LENGTH ? line : line.substring(0, MAX_QUOTED_LENGTH) + "…";
    }

    /** The library quotes what it found, which may be a line's end or another control character. */
    private static String onOneLine(final String text) {
        return text == null ? "" : text.replaceAll("[\\p{Cntrl}\u0085\u2028\u2029]+", " ").strip();
    }

    private static int line(final Node node) {
        return node.getStartMark().map(ConfigReader::line).orElse(0);
    }

    private static int line(final Mark mark) {
        return mark.getLine() + 1;
    }
}
