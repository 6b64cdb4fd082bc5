package io.tiercel.appliance.engine.bundle;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What a bundle says about itself. Names, sizes and provenance only: every number that enters the arithmetic
 * (weights, scales, normalisation) is a tensor, so that no decimal text stands between two implementations. A graph's
 * tolerance is in it too: it enters comparisons, and no output.
 *
 * <p>As JSON under the key {@value #METADATA_KEY} of the safetensors {@code __metadata__}; keys in a fixed order, so
 * the same manifest gives the same bytes. An unknown key is refused with its name: a bundle that says something this
 * version does not understand is not served.
 *
 * @param family       {@code lstm}, {@code transformer}, {@code onnx}.
 * @param shape        the family's sizes by name; for {@code lstm}: {@code layers}, {@code hidden}.
 * @param featureNames one for each input, in order.
 * @param labels       one for each output, in order.
 * @param task         what the outputs are.
 * @param quantisation how the numbers are held; null for a bundle that has a graph, which holds its own.
 * @param cache        how a transformer's keys and values are; null for a family that has none.
 * @param graph        what is fed to a graph of another program and taken from it; null for the exact families.
 * @param provenance   where the model came from, free text by key.
 * @param accuracy     the accuracy report: a JSON object of strings, numbers, lists and objects; may be empty.
 */
public record Manifest(
        String family,
        Map<String, Integer> shape,
        List<String> featureNames,
        List<String> labels,
        Task task,
        Quantisation quantisation,
        CacheFormat cache,
        GraphFormat graph,
        Map<String, String> provenance,
        Map<String, Object> accuracy) {

    public static final int FORMAT_VERSION = 1;
    public static final String METADATA_KEY = "tiercel";
    public static final int MAX_NAMES = 65_535;

    private static final Set<String> KEYS = Set.of("formatVersion", "family", "shape", "features", "labels", "task",
            "quantisation", "cache", "graph", "provenance", "accuracy");
    private static final Set<String> QUANTISATION_KEYS = Set.of("weights", "head", "featureBits", "activationBits");
    private static final Set<String> CACHE_KEYS = Set.of("keys", "values", "rotation", "whenFull", "recentBits");
    private static final Set<String> GRAPH_KEYS =
            Set.of("input", "inputShape", "output", "outputShape", "softmax", "tolerance");
    private static final Set<String> TOLERANCE_KEYS = Set.of("absolute", "relative");

    /** What the outputs are. */
    public enum Task {
        /** Probabilities of the labels, by softmax over the head. */
        CLASSIFICATION,
        /** The head's values as they are. */
        REGRESSION,
        /** The likeliest next tokens, each with its probability. */
        TOKENS
    }

    /** How a matrix is held; see the bundle format for the tensors of each. */
    public enum WeightFormat {
        INT8, INT4, INT16
    }

    /**
     * How the numbers are held.
     *
     * @param weights        of the layers.
     * @param head           of the last, dense layer; of a transformer also of the embedding.
     * @param featureBits    of a quantised input, 8 or 16.
     * @param activationBits of what a transformer's matrices are multiplied with, 8 or 16; 8 for other families.
     */
    public record Quantisation(WeightFormat weights, WeightFormat head, int featureBits, int activationBits) {

        public Quantisation {
            checkBits("featureBits", featureBits);
            checkBits("activationBits", activationBits);
        }

        public Quantisation(final WeightFormat weights, final WeightFormat head, final int featureBits) {
            this(weights, head, featureBits, Byte.SIZE);
        }

        /** The largest magnitude of a quantised feature: 127 or 32,767. */
        public int featureMaximum() {
            return (1 << (featureBits - 1)) - 1;
        }

        /** The largest magnitude of a quantised activation: 127 or 32,767. */
        public int activationMaximum() {
            return (1 << (activationBits - 1)) - 1;
        }

        private static void checkBits(final String name, final int bits) {
            if (bits != Byte.SIZE && bits != Short.SIZE) {
                throw new IllegalArgumentException(name + "=" + bits + " is not 8 or 16");
            }
        }
    }

    /** Of an exact family. */
    public Manifest(
            final String family, final Map<String, Integer> shape, final List<String> featureNames,
            final List<String> labels, final Task task, final Quantisation quantisation, final CacheFormat cache,
            final Map<String, String> provenance, final Map<String, Object> accuracy) {
        this(family, shape, featureNames, labels, task, quantisation, cache, null, provenance, accuracy);
    }

    /** Of an exact family without a cache. */
    public Manifest(
            final String family, final Map<String, Integer> shape, final List<String> featureNames,
            final List<String> labels, final Task task, final Quantisation quantisation,
            final Map<String, String> provenance, final Map<String, Object> accuracy) {
        this(family, shape, featureNames, labels, task, quantisation, null, provenance, accuracy);
    }

    public Manifest {
        if ((quantisation == null) == (graph == null)) {
            throw new IllegalArgumentException(graph == null
                    ? "key=quantisation is missing, and there is no key=graph"
                    : "key=quantisation and key=graph are both there");
        }
        shape = Collections.unmodifiableMap(new LinkedHashMap<>(shape));
        featureNames = checkNames("features", featureNames);
        labels = checkNames("labels", labels);
        provenance = Collections.unmodifiableMap(new LinkedHashMap<>(provenance));
        accuracy = Collections.unmodifiableMap(new LinkedHashMap<>(accuracy));
    }

    public int featureCount() {
        return featureNames.size();
    }

    public int outputCount() {
        return labels.size();
    }

    /** The manifest as JSON, in one line. */
    public String toJson() {
        final ObjectNode root = StrictJson.mapper().createObjectNode();
        root.put("formatVersion", FORMAT_VERSION);
        root.put("family", family);
        root.set("shape", StrictJson.mapper().valueToTree(shape));
        root.set("features", StrictJson.mapper().valueToTree(featureNames));
        root.set("labels", StrictJson.mapper().valueToTree(labels));
        root.put("task", lower(task));
        if (quantisation != null) {
            putQuantisation(root);
        }
        if (cache != null) {
            root.putObject("cache")
                    .put("keys", lower(cache.keys()))
                    .put("values", lower(cache.values()))
                    .put("rotation", lower(cache.rotation()))
                    .put("whenFull", lower(cache.whenFull()))
                    .put("recentBits", cache.recentBits());
        }
        if (graph != null) {
            putGraph(root);
        }
        root.set("provenance", StrictJson.mapper().valueToTree(provenance));
        root.set("accuracy", StrictJson.mapper().valueToTree(accuracy));
        return StrictJson.write(root);
    }

    private void putQuantisation(final ObjectNode root) {
        final ObjectNode formats = root.putObject("quantisation")
                .put("weights", lower(quantisation.weights()))
                .put("head", lower(quantisation.head()))
                .put("featureBits", quantisation.featureBits());
        if (cache != null || quantisation.activationBits() != Byte.SIZE) {
            formats.put("activationBits", quantisation.activationBits());
        }
    }

    private void putGraph(final ObjectNode root) {
        final ObjectNode node = root.putObject("graph");
        node.put("input", graph.input());
        node.set("inputShape", StrictJson.mapper().valueToTree(graph.inputShape()));
        node.put("output", graph.output());
        node.set("outputShape", StrictJson.mapper().valueToTree(graph.outputShape()));
        node.put("softmax", graph.softmax());
        node.putObject("tolerance")
                .put("absolute", graph.tolerance().absolute())
                .put("relative", graph.tolerance().relative());
    }

    /** Reads what {@link #toJson()} wrote; {@code source} stands in front of every error. */
    public static Manifest fromJson(final String source, final String json) {
        try {
            return read(StrictJson.parse(json));
        } catch (final JsonProcessingException ex) {
            throw new BundleException(source + ": manifest is not valid JSON: " + ex.getOriginalMessage(), ex);
        } catch (final IllegalArgumentException ex) {
            throw new BundleException(source + ": manifest " + ex.getMessage(), ex);
        }
    }

    private static Manifest read(final JsonNode root) {
        checkKeys("", root, KEYS);
        final int formatVersion = integer(root, "formatVersion");
        if (formatVersion != FORMAT_VERSION) {
            throw new IllegalArgumentException(
                    "key=formatVersion value=" + formatVersion + ", this program reads " + FORMAT_VERSION);
        }
        final Map<String, Integer> shape = new LinkedHashMap<>();
        object(root, "shape").properties().forEach(entry -> shape.put(entry.getKey(),
                integer(root.path("shape"), entry.getKey())));
        final Map<String, String> provenance = new LinkedHashMap<>();
        object(root, "provenance").properties().forEach(entry -> provenance.put(entry.getKey(),
                text(root.path("provenance"), entry.getKey())));
        return new Manifest(
                text(root, "family"),
                shape,
                texts(root, "features"),
                texts(root, "labels"),
                constant(Task.class, root, "task"),
                root.has("quantisation") ? quantisation(root.path("quantisation")) : null,
                root.has("cache") ? cache(root.path("cache")) : null,
                root.has("graph") ? graph(root.path("graph")) : null,
                provenance,
                plainMap(object(root, "accuracy")));
    }

    private static Quantisation quantisation(final JsonNode node) {
        checkKeys("quantisation.", node, QUANTISATION_KEYS);
        return new Quantisation(
                constant(WeightFormat.class, node, "weights"),
                constant(WeightFormat.class, node, "head"),
                integer(node, "featureBits"),
                node.has("activationBits") ? integer(node, "activationBits") : Byte.SIZE);
    }

    private static CacheFormat cache(final JsonNode node) {
        checkKeys("cache.", node, CACHE_KEYS);
        return new CacheFormat(
                constant(CacheFormat.Codec.class, node, "keys"),
                constant(CacheFormat.Codec.class, node, "values"),
                constant(CacheFormat.Rotation.class, node, "rotation"),
                constant(CacheFormat.WhenFull.class, node, "whenFull"),
                integer(node, "recentBits"));
    }

    private static GraphFormat graph(final JsonNode node) {
        checkKeys("graph.", node, GRAPH_KEYS);
        final JsonNode tolerance = object(node, "tolerance");
        checkKeys("graph.tolerance.", tolerance, TOLERANCE_KEYS);
        return new GraphFormat(
                text(node, "input"),
                integers(node, "inputShape"),
                text(node, "output"),
                integers(node, "outputShape"),
                flag(node, "softmax"),
                new Tolerance(number(tolerance, "absolute"), number(tolerance, "relative")));
    }

    private static void checkKeys(final String prefix, final JsonNode node, final Set<String> allowed) {
        if (!node.isObject()) {
            throw new IllegalArgumentException("key=" + (prefix.isEmpty() ? "(root)" : prefix) + " is not an object");
        }
        for (final Map.Entry<String, JsonNode> entry : node.properties()) {
            if (!allowed.contains(entry.getKey())) {
                throw new IllegalArgumentException("key=" + prefix + entry.getKey() + " is not known");
            }
        }
    }

    private static JsonNode object(final JsonNode node, final String key) {
        final JsonNode value = node.path(key);
        if (!value.isObject()) {
            throw new IllegalArgumentException("key=" + key + " value=" + value + " is not an object");
        }
        return value;
    }

    private static int integer(final JsonNode node, final String key) {
        final JsonNode value = node.path(key);
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new IllegalArgumentException("key=" + key + " value=" + value + " is not an integer");
        }
        return value.intValue();
    }

    private static List<Integer> integers(final JsonNode node, final String key) {
        final JsonNode values = node.path(key);
        if (!values.isArray() || values.size() > GraphFormat.MAX_RANK) {
            throw new IllegalArgumentException("key=" + key + " value=" + values + " is not a list of at most " +
                    GraphFormat.MAX_RANK + " integers");
        }
        final List<Integer> integers = new ArrayList<>();
        for (final JsonNode value : values) {
            if (!value.isIntegralNumber() || !value.canConvertToInt()) {
                throw new IllegalArgumentException("key=" + key + " value=" + value + " is not an integer");
            }
            integers.add(value.intValue());
        }
        return integers;
    }

    private static double number(final JsonNode node, final String key) {
        final JsonNode value = node.path(key);
        if (!value.isNumber()) {
            throw new IllegalArgumentException("key=" + key + " value=" + value + " is not a number");
        }
        return value.doubleValue();
    }

    private static boolean flag(final JsonNode node, final String key) {
        final JsonNode value = node.path(key);
        if (!value.isBoolean()) {
            throw new IllegalArgumentException("key=" + key + " value=" + value + " is not true or false");
        }
        return value.booleanValue();
    }

    private static String text(final JsonNode node, final String key) {
        final JsonNode value = node.path(key);
        if (!value.isTextual()) {
            throw new IllegalArgumentException("key=" + key + " value=" + value + " is not a string");
        }
        return value.textValue();
    }

    private static List<String> texts(final JsonNode node, final String key) {
        final JsonNode values = node.path(key);
        if (!values.isArray()) {
            throw new IllegalArgumentException("key=" + key + " value=" + values + " is not a list");
        }
        final List<String> texts = new ArrayList<>();
        for (final JsonNode value : values) {
            if (!value.isTextual()) {
                throw new IllegalArgumentException("key=" + key + " value=" + value + " is not a string");
            }
            texts.add(value.textValue());
        }
        return texts;
    }

    private static <E extends Enum<E>> E constant(final Class<E> type, final JsonNode node, final String key) {
        final String name = text(node, key);
        for (final E constant : type.getEnumConstants()) {
            if (lower(constant).equals(name)) {
                return constant;
            }
        }
        throw new IllegalArgumentException("key=" + key + " value=" + name + " is not known");
    }

    private static String lower(final Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static Map<String, Object> plainMap(final JsonNode node) {
        final Map<String, Object> map = new LinkedHashMap<>();
        for (final Map.Entry<String, JsonNode> entry : node.properties()) {
            map.put(entry.getKey(), plain(entry.getKey(), entry.getValue()));
        }
        return map;
    }

    private static Object plain(final String key, final JsonNode node) {
        if (node.isObject()) {
            return plainMap(node);
        }
        if (node.isArray()) {
            final List<Object> list = new ArrayList<>();
            node.forEach(element -> list.add(plain(key, element)));
            return list;
        }
        if (node.isTextual()) {
            return node.textValue();
        }
        if (node.isIntegralNumber() && node.canConvertToLong()) {
            return node.longValue();
        }
        if (node.isFloatingPointNumber() && Double.isFinite(node.doubleValue())) {
            return node.doubleValue();
        }
        throw new IllegalArgumentException("key=" + key + " value=" + node + " is not text, a number, a list or a map");
    }

    private static List<String> checkNames(final String key, final List<String> names) {
        if (names.isEmpty() || names.size() > MAX_NAMES) {
            throw new IllegalArgumentException("key=" + key + " count=" + names.size() + " is not in 1.." + MAX_NAMES);
        }
        final Set<String> seen = new HashSet<>();
        for (final String name : names) {
            if (name.isBlank() || !seen.add(name)) {
                throw new IllegalArgumentException("key=" + key + " name=" + name + " is blank or there twice");
            }
        }
        return List.copyOf(names);
    }
}
