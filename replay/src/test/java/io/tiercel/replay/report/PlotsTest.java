package io.tiercel.replay.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlotsTest {

    private static final List<Plot> EVERY_KIND = everyKind();

    @TempDir
    private Path directory;

    @Test
    void shouldDrawEachKindAsSvgAndAsPngWhenThereAreValues() throws Exception {
        for (final Plot plot : EVERY_KIND) {
            final String svg = plot.svg("p1");
            DocumentBuilderFactory.newInstance().newDocumentBuilder()
                    .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
            assertTrue(svg.contains("currentColor"), plot.title());
            assertFalse(svg.contains("rgb(36,41,47)"), plot.title());
            final var image = ImageIO.read(new ByteArrayInputStream(plot.png()));
            assertEquals(2 * Theme.WIDTH_PX, image.getWidth());
        }
    }

    @Test
    void shouldDrawTheSameWhenAskedAgain() {
        final Plot first = EVERY_KIND.get(0);
        final Plot second = everyKind().get(0);

        assertEquals(first.svg("a"), second.svg("a"));
        assertArrayEquals(first.png(), second.png());
    }

    @Test
    void shouldDrawWhenThereIsNothing() {
        final List<Plot> plots = List.of(
                Plots.percentileCurve("none", Map.of()),
                Plots.percentileCurve("empty", Map.of("a", new Histogram(3))),
                Plots.lines("no lines", "x", "y", List.of(), EnumSet.allOf(Plots.Log.class)),
                Plots.lines("gaps", "x", "y", List.of(new Plots.Series("gap", new double[] {1, 2},
                        new double[] {Double.NaN, Double.NaN})), Set.of(Plots.Log.Y)),
                Plots.bars("no bars", "y", List.of(), List.of()),
                Plots.heatMap("no cells", new LatencyGrid()),
                Plots.estimates("no estimates", "%", List.of()));

        plots.forEach(plot -> assertTrue(plot.png().length > 0 && plot.svg("x").startsWith("<svg"), plot.title()));
    }

    @Test
    void shouldWriteOneFileThatLoadsNothingWhenReported() throws IOException {
        final HtmlReport report = new HtmlReport("a <b> & \"c\"").section("x").paragraph("1 < 2").section("y")
                .table(List.of("name", "p99"), List.of(List.of("<i>", "1,234.5 µs"), List.of("b", "-")));
        EVERY_KIND.forEach(report::plot);

        final Path html = directory.resolve("new/report.html");
        report.write(html);
        final List<Path> pngs = report.writePngs(directory.resolve("png"));

        final String page = Files.readString(html);
        assertTrue(page.contains("a &lt;b&gt; &amp; &quot;c&quot;"));
        assertTrue(page.contains("<td>&lt;i&gt;</td><td class=\"number\">1,234.5 µs</td>"));
        assertFalse(page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "")
                .replace("xmlns:xlink=\"http://www.w3.org/1999/xlink\"", "").contains("http"), "loads something");
        assertFalse(page.contains("<script"));
        assertEquals(EVERY_KIND.size(), pngs.size());
        assertTrue(Files.size(pngs.get(0)) > 1_000);
    }

    @Test
    void shouldKeepHighestAndLowestWhenThereAreTooManyPoints() {
        final double[] xs = new double[100_000];
        final double[] ys = new double[xs.length];
        for (int index = 0; index < xs.length; index++) {
            xs[index] = index;
        }
        ys[77_777] = 5;

        final String svg = Plots.lines("spike", "x", "y", List.of(new Plots.Series("s", xs, ys)), Set.of()).svg("p");

        assertTrue(svg.length() < 300_000, "length=" + svg.length());
    }

    @Test
    void shouldMergeColumnsWhenTheRunIsLong() {
        final LatencyGrid grid = new LatencyGrid();
        for (int second = 0; second < 10_000; second++) {
            grid.add(second * 1_000_000_000L, 1_000 * (1 + second % 7), 2);
        }

        long count = 0;
        for (int column = 0; column < grid.columnCount(); column++) {
            for (int row = grid.lowestRow(); row <= grid.highestRow(); row++) {
                count += grid.count(column, row);
            }
        }
        assertEquals(20_000, count);
        assertTrue(grid.columnCount() <= 160);
        assertEquals(0, LatencyGrid.rowLogUs(grid.lowestRow()), 1e-9);
    }

    static List<Plot> everyKind() {
        final Random random = new Random(1);
        final Map<String, Histogram> histograms = new LinkedHashMap<>();
        for (int index = 0; index < 5; index++) {
            final Histogram histogram = new Histogram(3);
            for (int count = 0; count < 20_000; count++) {
                histogram.recordValue(
                        (long) (2_000 * (index + 1) * Math.exp(random.nextGaussian() * 0.2) / Math.pow(
                                random.nextDouble(), 0.4)));
            }
            histograms.put(List.of("journal", "queue", "infer", "egress", "total").get(index), histogram);
        }
        final LatencyGrid grid = new LatencyGrid();
        for (int index = 0; index < 40_000; index++) {
            final double stall = index % 10_000 < 80 ? 300 : 1;
            grid.add(index * 500_000L,
                    (long) (stall * 3_000 * Math.exp(random.nextGaussian() * 0.2) / Math.pow(random.nextDouble(), 0.3)),
                    1);
        }
        final List<Plots.Series> series = new ArrayList<>();
        for (int index = 0; index < 3; index++) {
            final double[] xs = new double[40];
            final double[] ys = new double[40];
            for (int x = 0; x < xs.length; x++) {
                xs[x] = x + 1;
                ys[x] = 1_000 * (index + 1) / (1.0 + x);
            }
            series.add(new Plots.Series("series " + index, xs, ys));
        }
        final List<String> at = List.of("p50", "p90", "p99", "p99.9");
        final List<Plots.Bars> bars = List.of(
                new Plots.Bars("journal", new double[] {10, 20, 30, 40}),
                new Plots.Bars("queue", new double[] {20, 20, 30, 40}),
                new Plots.Bars("infer", new double[] {60, 50, 30, 10}),
                new Plots.Bars("egress", new double[] {10, 10, 10, 10}));
        return List.of(
                Plots.percentileCurve("Latency by percentile", histograms),
                Plots.lines("Rate over time", "time, s", "requests/s", series, Set.of()),
                Plots.lines("Both logarithmic", "rate, 1/s", "latency, µs", series, EnumSet.allOf(Plots.Log.class),
                        Map.of(10.0, "change")),
                Plots.bars("Grouped", "µs", at, bars),
                Plots.stackedBars("Stage breakdown", "share of the total, %", at, bars),
                Plots.heatMap("Latency over time", grid),
                Plots.estimates("Change of B against A", "change, %", List.of(
                        new Plots.Estimate("p50", -1, 0.5, 2), new Plots.Estimate("p99", 4, 9.5, 15))));
    }
}
