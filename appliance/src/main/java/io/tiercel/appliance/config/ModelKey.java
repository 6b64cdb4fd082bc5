package io.tiercel.appliance.config;

import java.util.Arrays;
import java.util.List;

/** The keys of one element of {@code models}: the part of the table in {@link ConfigKey} that repeats. */
public enum ModelKey {

    ALIAS("alias", ValueType.name(ConfigKey.MAX_ALIAS_LENGTH), null,
            "Name that clients know the model by, different for each. Must be given."),
    BUNDLE("bundle", ValueType.path("file"), null,
            "The model's bundle. Must be given."),
    BACKEND("backend", ValueType.name(ConfigKey.MAX_ALIAS_LENGTH), ModelConfig.AUTO_BACKEND,
            "What computes it; `tiercel backends` lists them. `auto` takes the best that is available and can; where a "
                    + "GPU is one of them it measures both at start, and takes the one with the smaller median."),
    THREADS("threads", ValueType.count(1, ConfigKey.MAX_MODEL_THREADS), "1",
            "Threads that compute one model, the infer thread included, for each of `infer-workers`; backends `cpu` "
                    + "and `onnxruntime`, whose workers share one pool. Pays for models past about 400 KB of weights "
                    + "when cores are free; an executor of `cpu` that is not faster with them uses fewer."),
    GPU_MODE("gpu-mode", ValueType.oneOf("auto", "resident", "graphs"), ModelConfig.AUTO_GPU_MODE,
            "How a GPU computes it, backend `cuda`. `resident`: by a kernel that stays there, the shortest way to an "
                    + "answer. `graphs`: by prepared launches for each batch, for throughput, and for a GPU that is "
                    + "shared or drives a display. `auto`: an `lstm` by `resident` where the GPU lets a kernel stay "
                    + "and the model fits, else by `graphs`; a `transformer` by what was faster when it was loaded."),
    GPU_ANSWER_LIMIT("gpu-answer-limit", ModelConfig.ANSWER_LIMIT_TYPE,
            ModelConfig.ANSWER_LIMIT_TYPE.print(ModelConfig.DEFAULT_ANSWER_LIMIT_NS),
            "A GPU that has not answered a batch for so long is lost, and another backend goes on for good; backend "
                    + "`cuda`. Longer than any hiccup that is to be waited for; a trip to the GPU takes "
                    + "microseconds.");

    static final String PREFIX = "models[].";
    static final List<String> KEYS = Arrays.stream(values()).map(ModelKey::key).toList();

    private final String key;
    private final ValueType<?> type;
    private final String defaultText;
    private final String doc;

    ModelKey(final String key, final ValueType<?> type, final String defaultText, final String doc) {
        this.key = key;
        this.type = type;
        this.defaultText = defaultText;
        this.doc = doc;
    }

    /** As in the file, inside the element. */
    public String key() {
        return key;
    }

    /** For messages and documentation. */
    public String dottedName() {
        return PREFIX + key;
    }

    /** What its values look like. */
    public String typeDescription() {
        return type.description();
    }

    /** As a file would state it; null if the value must be given. */
    public String defaultText() {
        return defaultText;
    }

    /** What it does, in Markdown. */
    public String doc() {
        return doc;
    }

    void check(final String text) {
        type.parse(text);
    }
}
