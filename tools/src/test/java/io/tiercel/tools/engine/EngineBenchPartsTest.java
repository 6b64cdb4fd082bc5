package io.tiercel.tools.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.ToolException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.CachedNanoClock;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the benchmark is made of, on a clock that only moves when something happens. */
@Timeout(60)
class EngineBenchPartsTest {

    private static final long STEP_NS = 2_000_000;
    private static final EngineRow.Label LABEL =
            new EngineRow.Label(new EngineShape(1, 8, 5).title(), "int8", "cpu", 1, "none", 96, 4_000_000);

    private final CachedNanoClock clock = new CachedNanoClock();

    /** Takes {@link #STEP_NS} and says so. */
    private final class FixedStep implements TimedStep {
        private final List<Integer> tapeIndexes = new ArrayList<>();
        private boolean isClosed;

        @Override
        public long stepNs(final int tapeIndex) {
            tapeIndexes.add(tapeIndex);
            clock.advance(STEP_NS);
            return STEP_NS;
        }

        @Override
        public void close() {
            isClosed = true;
        }
    }

    @Test
    void shouldNameShapesAsTheyAreRead() {
        for (final String title : List.of("2x128", "2x96/128", "16x4096/1", "1x1")) {
            assertEquals(title, EngineShape.parse(title).title());
        }
        assertEquals(List.of("2x128", "3x256", "3x480", "6x320", "3x960", "2x96/128", "3x160/192", "4x736/512"),
                Stream.of(EngineShape.DEFAULTS.split(",")).map(EngineShape::parse).map(EngineShape::title).toList());
        assertEquals("7x9", EngineShape.parse("7x9/9").title());
        assertEquals("4x736/512", EngineShape.parse("16.7m").title());
    }

    @Test
    void shouldCountTheWeightsOfAStepAndOfTheWholeNetwork() {
        final EngineShape shape = new EngineShape(3, 10, 7);
        final long input = 40 * 7 + 2 * 40 * 10;
        assertEquals(input + 32 * 10, shape.weightCountAtRequest());
        assertEquals(input + 32 * 10 + 3 * 40 * 10, shape.weightCount());
    }

    @Test
    void shouldSayHowMuchHeapIsNeededWhenThereIsLess() {
        EngineBench.checkHeap(EngineShape.parse("3x960"), 512L << 20);
        final ToolException error = assertThrows(
                ToolException.class, () -> EngineBench.checkHeap(EngineShape.parse("7x2900"), 1L << 30));
        assertEquals(ExitCode.ENVIRONMENT, error.exitCode());
        assertEquals("--shapes=7x2900 needs a heap of 6353 MB and has 1024 MB: TIERCEL_JAVA_OPTS=-Xmx6353m gives it" +
                " that", error.getMessage());
    }

    @Test
    void shouldMeasureAsManyStepsAsFitTheTimeWithinTheLimits() {
        final EnginePlan plan = plan(0, 1_000_000_000);
        assertEquals(500, plan.stepCount(STEP_NS));
        assertEquals(EnginePlan.MIN_STEPS, plan.stepCount(1e9));
        assertEquals(EnginePlan.MAX_STEPS, plan.stepCount(0.1));
        assertEquals(33, plan(33, 1_000_000_000).stepCount(STEP_NS));
    }

    @Test
    void shouldRecordTheStepsOfAllTurnsAndTheMedianFloor() {
        final FixedStep step = new FixedStep();
        final List<Double> floors = new ArrayList<>(List.of(9., 1., 8., 2., 7., 3., 6., 4., 5., 1e9));
        try (Contender contender = new Contender(clock, LABEL, step, () -> floors.remove(0))) {
            final EngineRow row = contender.runAlone(plan(33, 1_000_000_000));
            assertEquals(33, row.histogram().getTotalCount());
            assertEquals(STEP_NS / 1e3, row.p50Us(), STEP_NS / 1e6);
            assertEquals(6, row.floorNs());
            assertEquals(4_000_000 / (row.p50Us() * 1e3 * 2), row.multiplyAddsPerCycle(2), 1e-9);
            assertTrue(Double.isNaN(row.multiplyAddsPerCycle(0)), "of an unknown clock rate");
        }
        assertTrue(step.isClosed);
        for (int i = 0; i < step.tapeIndexes.size(); i++) {
            assertEquals(i, step.tapeIndexes.get(i), "the tape goes on from step to step");
        }
    }

    @Test
    void shouldGiveTheSameVectorsToTheEngineAndToItsPeer() {
        final FeatureTape tape = new FeatureTape(5, 3);
        for (int i = 0; i < FeatureTape.LENGTH; i++) {
            assertEquals(0, tape.address(i) % 64);
            final UnsafeBuffer vector = new UnsafeBuffer(tape.address(i), 5 * Float.BYTES);
            for (int feature = 0; feature < 5; feature++) {
                assertEquals(tape.vector(i)[feature], vector.getFloat(feature * Float.BYTES));
            }
        }
        assertEquals(tape.vector(1), tape.vector(FeatureTape.LENGTH + 1));
        assertEquals(tape.address(1), tape.address(FeatureTape.LENGTH + 1));
        assertNotEquals(tape.vector(0)[0], tape.vector(1)[0]);
    }

    @Test
    void shouldSpinThroughASilenceBeforeEachStep() {
        final long silenceNs = 1_000;
        final List<String> calls = new ArrayList<>();
        final NanoClock ticking = () -> {
            clock.advance(silenceNs / 4);
            return clock.nanoTime();
        };
        final TimedStep step = new TimedStep() {
            @Override
            public long stepNs(final int tapeIndex) {
                calls.add("step");
                return 70 + tapeIndex;
            }

            @Override
            public void close() {
                calls.add("close");
            }
        };
        final Histogram histogram = new SilenceBench(ticking, silenceNs, 2).run(step, new Idle() {
            @Override
            public void onIdle(final long nowNs) {
                assertEquals(clock.nanoTime(), nowNs);
                calls.add("idle");
            }

            @Override
            public void onWork() {
                calls.add("work");
            }
        });
        final List<String> request = List.of("work", "idle", "idle", "idle", "idle", "step");
        assertEquals(Stream.concat(request.stream(), request.stream()).toList(), calls);
        assertEquals(2, histogram.getTotalCount());
        assertEquals(71, histogram.getMaxValue());
    }

    @Test
    void shouldMeasureTheOthersWhereThereAreNoKernels() {
        final EngineBench bench =
                new EngineBench(SystemNanoClock.INSTANCE, plan(20, 10_000_000),
                        new StatusLine(new PrintWriter(System.err), false));
        final EngineShape shape = new EngineShape(1, 8, 5);
        final EngineBench.Result result = bench.measure(shape);
        assertEquals(List.of("1x8/5:int8:reference:1", "1x8/5:fp32:onnxruntime:1", "1x8/5:int8:onnxruntime:1"),
                result.rows().stream().map(row -> row.label().tag()).toList());
        assertEquals("1x8/5: no cpu row", EngineReport.summary(result));
        final EngineBench.SilenceResult silence =
                bench.measureSilence(shape, new SilenceBench(SystemNanoClock.INSTANCE, 1_000, 2), 1_000);
        assertEquals("reference", silence.label().backend());
        assertEquals(2, silence.rehearsed().getTotalCount());
    }

    private static EnginePlan plan(final int stepCount, final long rowNs) {
        return new EnginePlan(List.of(WeightFormat.INT8), 1, stepCount, rowNs, null, List.of(), true, true, 1);
    }
}
