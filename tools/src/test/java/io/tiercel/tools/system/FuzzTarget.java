package io.tiercel.tools.system;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What is fuzzed: a fuzz test in the module that owns the code, and the foreign code whose branches guide it too. */
enum FuzzTarget {

    FRAME("protocol", "io.tiercel.protocol.FrameFuzzTest", "shouldReadEveryFieldWhenAFrameIsAccepted", 200_000, ""),
    SAFETENSORS("appliance", "io.tiercel.appliance.engine.bundle.SafetensorsFuzzTest",
            "shouldReadEveryTensorWhenAFileIsAccepted", 100_000, "com.fasterxml.jackson.core.json.**"),
    BUNDLE("appliance", "io.tiercel.appliance.engine.bundle.BundleFuzzTest",
            "shouldAnswerInFiniteNumbersWhenABundleIsAccepted", 10_000, ""),
    CONFIG("appliance", "io.tiercel.appliance.config.ConfigFuzzTest", "shouldReadOrRefuseAnyFile", 5_000,
            "org.snakeyaml.engine.**"),
    QUEUE_FILE("appliance", "io.tiercel.appliance.journal.QueueFileFuzzTest", "shouldReadRecordsOrReportDamage",
            10_000, ""),
    DESCRIPTION("appliance", "io.tiercel.appliance.journal.DescriptionFuzzTest", "shouldReadOrRefuseAnyDescription",
            10_000, "org.snakeyaml.engine.**"),
    GGUF("tools", "io.tiercel.tools.llama.GgufFuzzTest", "shouldHaveANetworkThatRunsWhenAFileIsAccepted", 20_000, "");

    private static final int MAX_INPUT_LENGTH = 4096;
    /** The smallest transformer, with its table of cosines and a codebook. */
    private static final int MAX_BUNDLE_LENGTH = 12_288;
    private static final int TIMEOUT_S = 20;
    /** It takes each path that an input names for an attack, and puts this machine's paths into inputs. */
    private static final String PATH_DETECTOR = "com.code_intelligence.jazzer.sanitizers.FilePathTraversal";

    private final String module;
    private final String testClass;
    private final String method;
    private final int shortRunCount;
    private final String foreignCode;

    FuzzTarget(
            final String module, final String testClass, final String method, final int shortRunCount,
            final String foreignCode) {
        this.module = module;
        this.testClass = testClass;
        this.method = method;
        this.shortRunCount = shortRunCount;
        this.foreignCode = foreignCode;
    }

    static FuzzTarget parse(final String name) {
        for (final FuzzTarget target : values()) {
            if (target.toString().equals(name)) {
                return target;
            }
        }
        throw new IllegalArgumentException("target=" + name + " is none of " + Arrays.toString(values()));
    }

    /** Inputs that are tried in each build. */
    int shortRunCount() {
        return shortRunCount;
    }

    /** The committed inputs. */
    Path corpus(final Path root) {
        final int packageEnd = testClass.lastIndexOf('.');
        return root.resolve(module).resolve("src/test/resources")
                .resolve(testClass.substring(0, packageEnd).replace('.', '/'))
                .resolve(testClass.substring(packageEnd + 1) + "Inputs").resolve(method);
    }

    /**
     * Arguments of the fuzzer: its own begin with two hyphens, libFuzzer's with one, then come the directories.
     *
     * @param work   where what reaches new code is kept, to go on from, and where findings are put.
     * @param limits {@code -runs=N} or {@code -max_total_time=SECONDS}, and the like.
     */
    List<String> arguments(final Path root, final Path work, final List<String> limits) {
        final String instrumented = foreignCode.isEmpty() ? "io.tiercel.**" : "io.tiercel.**:" + foreignCode;
        final List<String> arguments = new ArrayList<>(List.of(
                "--target_class=" + testClass,
                "--target_method=" + method,
                "--instrumentation_includes=" + instrumented,
                "--custom_hook_includes=io.tiercel.**",
                "--hooks=true",
                "--disabled_hooks=" + PATH_DETECTOR,
                "--reproducer_path=" + work,
                "-artifact_prefix=" + work + "/",
                "-max_len=" + (this == BUNDLE ? MAX_BUNDLE_LENGTH : MAX_INPUT_LENGTH),
                "-timeout=" + TIMEOUT_S,
                "-print_final_stats=1"));
        arguments.addAll(limits);
        arguments.add(work.resolve("corpus").toString());
        arguments.add(corpus(root).toString());
        return arguments;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
