package io.tiercel.tools;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitCallTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The arrows between modules and packages, and what must not be called where. Stands in the last module because it sees
 * all others. A rule that fails says what it is for; when it is the rule that is wrong, change it here and in the
 * design.
 */
class ArchitectureTest {

    private static final String APPLIANCE = "io.tiercel.appliance";

    /** Module by root package, and what it may depend on of the others. */
    private static final Map<String, List<String>> MODULES = Map.of(
            "io.tiercel.protocol", List.of(),
            "io.tiercel.appliance", List.of("io.tiercel.protocol"),
            "io.tiercel.nativecuda", List.of("io.tiercel.protocol", "io.tiercel.appliance"),
            "io.tiercel.replay", List.of("io.tiercel.protocol", "io.tiercel.appliance"),
            "io.tiercel.ops", List.of("io.tiercel.protocol"));

    /**
     * Package of the appliance, and what it may depend on of the others; all may use the protocol. A request meets them
     * as ingress, sequencer, journal beside infer, egress: no stage knows another, each knows the ring (sequencer) and
     * what stands below it. Only the root package, which puts the graph together, knows all.
     */
    private static final Map<String, List<String>> PACKAGES = Map.ofEntries(
            Map.entry("config", List.of()),
            Map.entry("engine.bundle", List.of()),
            Map.entry("engine", List.of("engine.bundle")),
            Map.entry("engine.exact", List.of()),
            Map.entry("engine.matrix", List.of("engine.bundle")),
            Map.entry("engine.lstm", List.of("engine.bundle", "engine.matrix")),
            Map.entry("engine.onnx", List.of("engine", "engine.bundle")),
            Map.entry("engine.transformer", List.of("engine", "engine.bundle", "engine.matrix")),
            Map.entry("engine.reference", List.of(
                    "engine", "engine.bundle", "engine.exact", "engine.matrix", "engine.lstm", "engine.transformer")),
            Map.entry("sequencer", List.of("engine")),
            Map.entry("transport", List.of()),
            Map.entry("telemetry", List.of("sequencer")),
            Map.entry("cycle", List.of("config", "sequencer", "telemetry")),
            Map.entry("session", List.of("engine", "engine.bundle", "transport")),
            Map.entry("access", List.of("config", "session")),
            Map.entry("routing", List.of("engine")),
            Map.entry("rollout", List.of("engine", "engine.bundle", "session")),
            Map.entry("generation", List.of("engine", "engine.exact")),
            Map.entry("journal", List.of("config", "engine", "engine.bundle", "sequencer", "telemetry", "cycle")),
            Map.entry("snapshot", List.of("engine", "routing", "session", "telemetry")),
            Map.entry("recovery", List.of(
                    "engine", "engine.bundle", "generation", "journal", "routing", "session", "sequencer",
                    "snapshot")),
            Map.entry("ingress", List.of(
                    "access", "config", "engine", "engine.bundle", "generation", "rollout", "routing", "sequencer",
                    "session", "snapshot", "telemetry",
                    "transport",
                    "cycle")),
            Map.entry("infer", List.of(
                    "engine", "engine.bundle", "generation", "sequencer", "session", "snapshot", "telemetry", "cycle")),
            Map.entry("egress", List.of(
                    "engine", "engine.bundle", "generation", "routing", "sequencer", "session", "telemetry",
                    "transport",
                    "cycle")));

    /** Where time and chance may be taken from the machine: what begins a process, or states a default. */
    private static final Set<String> COMPOSITION_ROOTS = Set.of(
            "io.tiercel.appliance.Appliance",
            "io.tiercel.appliance.Foundation",
            "io.tiercel.appliance.journal.JournalSettings",
            "io.tiercel.nativecuda.cuda.CudaBackend",
            "io.tiercel.nativecuda.tensorrt.TensorRtBackend",
            "io.tiercel.protocol.client.ClientContext",
            "io.tiercel.replay.ReplayOptions");

    /** Where bytes that nobody can foresee come from: keys and nonces. */
    private static final Set<String> SECRET_MAKERS = Set.of(
            "io.tiercel.appliance.Foundation", "io.tiercel.protocol.client.ClientContext");

    private static final Set<String> SYSTEM_CLOCKS = Set.of(
            "org.agrona.concurrent.SystemNanoClock",
            "org.agrona.concurrent.SystemEpochNanoClock",
            "org.agrona.concurrent.SystemEpochMicroClock",
            "org.agrona.concurrent.SystemEpochClock",
            "org.agrona.concurrent.HighResolutionClock",
            "org.agrona.concurrent.OffsetEpochNanoClock",
            "org.agrona.concurrent.HighResolutionTimer");

    private static final String[] HOT_PACKAGES = {
        APPLIANCE + ".sequencer..", APPLIANCE + ".ingress..", APPLIANCE + ".infer..", APPLIANCE + ".egress..",
        APPLIANCE + ".cycle..", APPLIANCE + ".engine.reference..", APPLIANCE + ".session..",
        "io.tiercel.protocol.client.."
    };

    private static JavaClasses shipped;

    @BeforeAll
    static void importClasses() {
        shipped = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .withImportOption(location -> !location.contains("-tests.jar"))
                .importPackages("io.tiercel");
        assertTrue(shipped.contain("io.tiercel.appliance.engine.Backend"), "no class was found");
    }

    @ParameterizedTest
    @MethodSource("modules")
    void shouldKeepToTheArrowsBetweenModules(final String module) {
        final List<String> allowed = new ArrayList<>(MODULES.get(module));
        allowed.add(module);
        check(noClasses().that().resideInAPackage(module + "..")
                .should().dependOnClassesThat(resideInAPackage("io.tiercel..")
                        .and(resideOutsideOfPackages(withSubpackages(allowed))))
                .because("of the Tiercel modules " + module + " may depend on " + MODULES.get(module) + " only"));
    }

    @ParameterizedTest
    @MethodSource("packages")
    void shouldKeepToTheArrowsBetweenPackagesOfTheAppliance(final String name) {
        final List<String> allowed = new ArrayList<>(PACKAGES.get(name).stream().map(ArchitectureTest::full).toList());
        allowed.add(full(name));
        check(noClasses().that(resideInAPackage(full(name)))
                .should().dependOnClassesThat(resideInAPackage(APPLIANCE + "..")
                        .and(resideOutsideOfPackages(allowed.toArray(String[]::new))))
                .because("of the appliance " + name + " may depend on " + PACKAGES.get(name) + " only"));
    }

    @Test
    void shouldHaveAnArrowForEachPackageOfTheAppliance() {
        final List<String> known = new ArrayList<>(PACKAGES.keySet().stream().map(ArchitectureTest::full).toList());
        known.add(APPLIANCE);
        check(classes().that().resideInAPackage(APPLIANCE + "..")
                .should().resideInAnyPackage(known.toArray(String[]::new))
                .because("a new package says in this test what it may depend on"));
    }

    @Test
    void shouldHaveNoCyclesBetweenPackages() {
        check(slices().matching(APPLIANCE + ".(**)").should().beFreeOfCycles());
        check(slices().matching("io.tiercel.replay.(*)..").should().beFreeOfCycles());
        check(slices().matching("io.tiercel.tools.(*)..").should().beFreeOfCycles());
    }

    @Test
    void shouldNameNoBackendOutsideOfIt() {
        check(noClasses().that(resideInAPackage(APPLIANCE + "..").and(resideOutsideOfPackages(
                APPLIANCE + ".engine.reference..")).or(resideInAPackage("io.tiercel.replay..")))
                .should().dependOnClassesThat().resideInAnyPackage(APPLIANCE + ".engine.reference..", "org.bytedeco..")
                .because("backends are found with ServiceLoader"));
    }

    @Test
    void shouldKeepChronicleBehindTheJournal() {
        check(noClasses().that(resideInAnyPackage("io.tiercel..")
                .and(resideOutsideOfPackages(APPLIANCE + ".journal..", "io.tiercel.tools..")))
                .should().dependOnClassesThat().resideInAPackage("net.openhft..")
                .because("the journal's queue is an implementation of RecordLog and RecordReader"));
    }

    @Test
    void shouldKeepOnnxRuntimeInItsBackendAndThePeer() {
        check(noClasses().that().resideOutsideOfPackages(
                "io.tiercel.nativecuda.onnxruntime..", "io.tiercel.tools.engine..")
                .should().dependOnClassesThat().resideInAPackage("ai.onnxruntime..")
                .because("it is optional, and loads only where its telemetry is known to be off"));
        check(noClasses().that().resideOutsideOfPackage("io.tiercel.tools.engine..")
                .and().haveNameNotMatching(".*\\.OnnxExternalData(\\$.*)?")
                .should().dependOnClassesThat().resideInAPackage("com.google.protobuf..")
                .because("it writes the peer's files, and looks for what is not in one"));
    }

    @Test
    void shouldFindTheOnnxRuntimeBackendWhereItsLibraryIsNotOnTheClassPath() {
        check(noClasses().that().haveFullyQualifiedName("io.tiercel.nativecuda.onnxruntime.OnnxRuntimeBackend")
                .or().haveFullyQualifiedName("io.tiercel.nativecuda.onnxruntime.OnnxRuntimeProbe")
                .should().dependOnClassesThat().resideInAPackage("ai.onnxruntime..")
                .because("a class that names one of its classes may need it when it is loaded"));
    }

    @Test
    void shouldFindTheTensorRtBackendWhereItsBindingsAreNotOnTheClassPath() {
        check(noClasses().that().resideInAPackage("io.tiercel..")
                .and().haveNameNotMatching(".*\\.tensorrt\\.(Nv.*|CudaRuntime)")
                .should().dependOnClassesThat().resideInAnyPackage("org.bytedeco.tensorrt..", "org.bytedeco.cuda..")
                .because("they are optional, and the libraries behind them the host's"));
    }

    @Test
    void shouldKeepDuckDbAndArrowInTheTables() {
        check(noClasses().that().resideOutsideOfPackage("io.tiercel.replay.table..")
                .should().dependOnClassesThat().resideInAnyPackage("org.duckdb..", "org.apache.arrow..")
                .because("who asks a journal knows SQL and rows, and starts no database otherwise"));
    }

    @Test
    void shouldKeepLlamaCppInThePeer() {
        check(noClasses().that().resideOutsideOfPackage("io.tiercel.tools.decode..")
                .should().dependOnClassesThat().resideInAPackage("de.kherud..")
                .because(
                        "it is there to be compared with, and loads only where this processor can run it"));
    }

    @Test
    void shouldKeepPrometheusInTheExporter() {
        check(noClasses().that().resideOutsideOfPackage("io.tiercel.ops.exporter..")
                .should().dependOnClassesThat().resideInAPackage("io.prometheus..")
                .because("how metrics are called and served is one package's matter"));
    }

    @Test
    void shouldDrawOnlyInReports() {
        check(noClasses().that().resideOutsideOfPackage("io.tiercel.replay.report..")
                .should().dependOnClassesThat().resideInAnyPackage("org.jfree..", "org.apache.batik..", "java.awt..")
                .because("what is drawn, and where there are no fonts, is one package's matter"));
    }

    @Test
    void shouldKeepMessagingOutOfEngineAndJournal() {
        check(noClasses().that().resideInAnyPackage(
                APPLIANCE + ".engine..", APPLIANCE + ".config..", APPLIANCE + ".sequencer..", "io.tiercel.replay..")
                .should().dependOnClassesThat(resideInAPackage("io.aeron..")
                        .and(describe("not only names", type -> !type.getName().equals("io.aeron.CommonContext"))))
                .because("what is computed and replayed does not know how it came"));
    }

    @Test
    void shouldTakeTimeAndChanceThroughInterfaces() {
        check(noClasses().that(resideOutsideOfPackages("io.tiercel.tools..")
                .and(describe("make no secrets", type -> !SECRET_MAKERS.contains(type.getName()))))
                .should().callCodeUnitWhere(isSystemTimeOrChance())
                .because(
                        "a run must be repeatable: use NanoClock or EpochNanoClock, a seed, or the request's time"));
    }

    @Test
    void shouldTakeSystemClocksOnlyAtCompositionRoots() {
        check(noClasses().that(resideOutsideOfPackages("io.tiercel.tools..")
                .and(describe("are no composition roots", type -> !isCompositionRoot(type))))
                .should().dependOnClassesThat(describe("are clocks of the system",
                        type -> SYSTEM_CLOCKS.contains(type.getName())))
                .because("clocks are handed down from " + COMPOSITION_ROOTS));
    }

    @Test
    void shouldPrintOnlyInTools() {
        check(noClasses().that().resideOutsideOfPackage("io.tiercel.tools..")
                .should().accessFieldWhere(describe("the target is System.out or System.err",
                        access -> access.getTargetOwner().isEquivalentTo(System.class)))
                .because("a library has no console: log, count, or throw"));
    }

    @Test
    void shouldUseNoStreamsAndNoOptionalOnHotPaths() {
        check(classes().that().resideInAnyPackage(HOT_PACKAGES).should(useNoStreamsAfterConstruction())
                .because("both allocate; in a constructor they may"));
    }

    @Test
    void shouldEndTheProcessOnlyInTools() {
        check(noClasses().that().resideOutsideOfPackage("io.tiercel.tools..")
                .should()
                .callCodeUnitWhere(describe("the target ends the process", call -> is(call, System.class, "exit")
                        || is(call, Runtime.class, "exit") || is(call, Runtime.class, "halt")))
                .because("whoever embeds the appliance decides what a failure ends"));
    }

    static Stream<String> modules() {
        return MODULES.keySet().stream().sorted();
    }

    static Stream<String> packages() {
        return PACKAGES.keySet().stream().sorted();
    }

    private static void check(final ArchRule rule) {
        rule.allowEmptyShould(true).check(shipped);
    }

    private static String full(final String name) {
        return APPLIANCE + "." + name;
    }

    private static String[] withSubpackages(final List<String> packages) {
        return packages.stream().map(name -> name + "..").toArray(String[]::new);
    }

    private static boolean isCompositionRoot(final JavaClass type) {
        return COMPOSITION_ROOTS.contains(type.getName().replaceFirst("\\$.*", ""));
    }

    private static DescribedPredicate<JavaAccess<?>> isSystemTimeOrChance() {
        return describe("the target is the system's time or chance", ArchitectureTest::isSystemTimeOrChance);
    }

    private static boolean isSystemTimeOrChance(final JavaAccess<?> access) {
        final String owner = access.getTargetOwner().getName();
        final String name = access.getName();
        return is(access, System.class, "nanoTime")
                || is(access, System.class, "currentTimeMillis")
                || is(access, Math.class, "random")
                || is(access, StrictMath.class, "random")
                || owner.startsWith("java.time.") && (name.equals("now") || name.startsWith("system"))
                || owner.equals("java.util.Date") && access.getTarget() instanceof CodeUnitCallTarget call
                        && call.getRawParameterTypes().isEmpty() && name.equals("<init>")
                || owner.equals("java.util.UUID") && name.equals("randomUUID")
                || owner.equals("java.util.concurrent.ThreadLocalRandom")
                || owner.equals("java.security.SecureRandom")
                || (owner.equals("java.util.Random") || owner.equals("java.util.SplittableRandom"))
                        && name.equals("<init>");
    }

    private static boolean is(final JavaAccess<?> access, final Class<?> owner, final String name) {
        return access.getTargetOwner().isEquivalentTo(owner) && access.getName().equals(name);
    }

    private static ArchCondition<JavaClass> useNoStreamsAfterConstruction() {
        return new ArchCondition<>("use neither streams nor Optional after construction") {
            @Override
            public void check(final JavaClass type, final ConditionEvents events) {
                for (final JavaMethod method : type.getMethods()) {
                    if (!isForConstruction(method)) {
                        method.getMethodCallsFromSelf().stream()
                                .filter(call -> isStreamOrOptional(call.getTargetOwner()))
                                .forEach(
                                        call -> events.add(SimpleConditionEvent.violated(type, call.getDescription())));
                    }
                }
            }
        };
    }

    /** Static methods of hot classes size and build things at start; what an agent does is an instance's. */
    private static boolean isForConstruction(final JavaMethod method) {
        return method.getModifiers().contains(JavaModifier.STATIC)
                || !method.getCallsOfSelf().isEmpty()
                        && method.getCallsOfSelf().stream().allMatch(call -> call.getOrigin().isConstructor());
    }

    private static boolean isStreamOrOptional(final JavaClass owner) {
        return owner.getPackageName().equals("java.util.stream") || owner.getName().startsWith("java.util.Optional");
    }
}
