package io.tiercel.ops.exporter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.tiercel.ops.MadeUpAppliance;
import io.tiercel.ops.MadeUpCounters;
import io.tiercel.ops.Promtool;
import io.tiercel.ops.desk.DeskFeed;
import io.tiercel.ops.probe.ProbeOutcome;
import io.tiercel.ops.probe.ProbeResult;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.telemetry.Phase;
import io.tiercel.protocol.telemetry.Series;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** Alert rules and dashboards, as files for Prometheus and Grafana, against what the exporter has. */
class RulesTest {

    private static final Path RULES = Path.of("prometheus", "tiercel.rules.yaml");
    private static final Path CASES = Path.of("prometheus", "tiercel.rules.test.yaml");
    private static final Path RUNBOOK = Path.of("RUNBOOK.md");
    private static final Path DASHBOARDS = Path.of("grafana");
    private static final Path COUNTERS =
            Path.of("..", "appliance", "src", "main", "java", "io", "tiercel", "appliance", "telemetry",
                    "CounterId.java");
    private static final Pattern METRIC = Pattern.compile("\\btiercel_[a-z0-9_]+");
    private static final Pattern COUNTER = Pattern.compile("(?m)^    ([A-Z][A-Z0-9_]+)\\(\"");
    private static final Set<String> SEVERITIES = Set.of("critical", "warning", "trend", "predictive");

    @TempDir
    private Path directory;

    @Test
    void shouldGiveEachRuleASeverityALineInTheRunbookABreachAndAQuietCase() throws IOException {
        final String runbook = Files.readString(RUNBOOK);
        final String cases = Files.readString(CASES);
        final List<Map<?, ?>> rules = rules();
        assertFalse(rules.isEmpty());
        for (final Map<?, ?> rule : rules) {
            final String alert = (String) rule.get("alert");
            final Map<?, ?> annotations = (Map<?, ?>) rule.get("annotations");
            assertTrue(SEVERITIES.contains(((Map<?, ?>) rule.get("labels")).get("severity")), alert);
            assertFalse(((String) annotations.get("summary")).isBlank(), alert);
            assertEquals("ops/RUNBOOK.md#" + alert.toLowerCase(Locale.ROOT), annotations.get("runbook"));
            assertTrue(runbook.contains("\n### " + alert + "\n"), alert + " has no line in the runbook");
            assertTrue(cases.contains("name: " + alert + ", breach\n"), alert + " is not breached by a test");
            assertTrue(cases.contains("name: " + alert + ", quiet\n"), alert + " is not left quiet by a test");
        }
    }

    @Test
    void shouldFireEachRuleOnceAndNoOther() throws Exception {
        Promtool.check(null, "check", "rules", RULES.toString());
        Promtool.check(null, "test", "rules", CASES.toString());
    }

    @Test
    void shouldCallMetricsAsPrometheusWantsThem() throws Exception {
        final Path page = directory.resolve("metrics.txt");
        try (OutputStream out = Files.newOutputStream(page)) {
            ExpositionFormats.init().getPrometheusTextFormatWriter().write(out, everything());
        }
        assertEquals("", Promtool.check(page, "check", "metrics"));
    }

    @Test
    void shouldNameOnlyMetricsThatTheExporterHas() throws IOException {
        final Set<String> exported = exported();
        final List<String> texts = new ArrayList<>();
        rules().forEach(rule -> texts.add((String) rule.get("expr")));
        for (final Path dashboard : dashboards()) {
            collectExpressions(new ObjectMapper().readTree(dashboard.toFile()), texts);
        }
        for (final String text : texts) {
            final Matcher metric = METRIC.matcher(text);
            while (metric.find()) {
                assertTrue(exported.contains(metric.group()), () -> metric.group() + " in " + text);
            }
        }
    }

    @Test
    void shouldHaveDashboardsWhosePanelsAllAskForSomething() throws IOException {
        assertEquals(2, dashboards().size());
        for (final Path dashboard : dashboards()) {
            final JsonNode root = new ObjectMapper().readTree(dashboard.toFile());
            assertTrue(root.get("uid").textValue().startsWith("tiercel-"), dashboard.toString());
            for (final JsonNode panel : root.get("panels")) {
                assertFalse(panel.get("title").textValue().isBlank(), dashboard.toString());
                assertTrue("row".equals(panel.get("type").textValue()) || panel.get("targets").size() > 0,
                        panel.get("title").textValue());
            }
        }
    }

    private static List<Map<?, ?>> rules() throws IOException {
        final Map<?, ?> root = (Map<?, ?>) new Load(LoadSettings.builder().build())
                .loadFromString(Files.readString(RULES));
        final List<Map<?, ?>> rules = new ArrayList<>();
        for (final Object group : (List<?>) root.get("groups")) {
            ((List<?>) ((Map<?, ?>) group).get("rules")).forEach(rule -> rules.add((Map<?, ?>) rule));
        }
        return rules;
    }

    private static List<Path> dashboards() throws IOException {
        try (Stream<Path> files = Files.list(DASHBOARDS)) {
            return files.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        }
    }

    private static void collectExpressions(final JsonNode node, final List<String> expressions) {
        if (node.has("expr")) {
            expressions.add(node.get("expr").textValue());
        }
        node.forEach(child -> collectExpressions(child, expressions));
    }

    /** Names as queries have them. */
    private Set<String> exported() throws IOException {
        final Set<String> names = new TreeSet<>();
        everything().forEach(family -> names.addAll(namesOf(family)));
        return names;
    }

    /** Of an appliance with all the counters that there are, and of a probe. */
    private MetricSnapshots everything() throws IOException {
        try (MadeUpAppliance appliance = new MadeUpAppliance(directory, "desk-1", 0);
                MadeUpCounters counters = new MadeUpCounters(directory);
                DeskFeed feed = new DeskFeed(directory, () -> 0)) {
            final Matcher counter = COUNTER.matcher(Files.readString(COUNTERS));
            int typeId = 7_000;
            while (counter.find()) {
                final String name = counter.group(1).toLowerCase(Locale.ROOT).replace('_', '-');
                counters.counter(typeId++, "tiercel " + name + ": what it counts");
            }
            assertTrue(typeId > 7_030, "counters=" + (typeId - 7_000));
            counters.ready();
            final ApplianceMetrics metrics = new ApplianceMetrics(feed);
            metrics.poll();
            appliance.facts("flow");
            final Histogram histogramNs = new Histogram(2);
            histogramNs.recordValue(1_000);
            appliance.histogram(Series.TOTAL, 0, "", histogramNs);
            appliance.histogram(Series.HICCUP, 65_535, "io", histogramNs);
            appliance.event(EventKind.SNAPSHOT_COPIED, 0, 0, "");
            appliance.event(EventKind.SNAPSHOT_WRITTEN, 0, 0, "");
            appliance.intervalEnd(Phase.SERVING);
            final ProbeMetrics probe = new ProbeMetrics();
            probe.add(new ProbeResult(ProbeOutcome.OK, "flow", "", 1, 1, ""));
            return new MetricSnapshots(Stream.of(metrics.collect(), probe.collect())
                    .flatMap(MetricSnapshots::stream).toList());
        }
    }

    private static List<String> namesOf(final MetricSnapshot family) {
        final String name = family.getMetadata().getPrometheusName();
        if (family instanceof CounterSnapshot) {
            return List.of(name + "_total");
        }
        if (family instanceof InfoSnapshot) {
            return List.of(name + "_info");
        }
        return family instanceof HistogramSnapshot || family instanceof SummarySnapshot
                ? List.of(name, name + "_bucket", name + "_count", name + "_sum")
                : List.of(name);
    }
}
