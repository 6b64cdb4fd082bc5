package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;
import org.agrona.BufferUtil;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The models that are committed, played through the reference engine as the appliance would. */
class CommittedModelsTest {

    private static final int ALIGNMENT = 64;

    @ParameterizedTest
    @ValueSource(strings = {"int8", "int4"})
    void shouldBeatTheMajorityWhenTradesAreHeldOut(final String form) throws IOException {
        final PredictionScore score = play(MarketFeed.open(MarketFeed.BITSTAMP, 0, 0), form);
        assertEquals(29_984, score.count());
        assertBetter(score, 0.12);
        assertReported(score, "bitstamp", form);
    }

    @ParameterizedTest
    @ValueSource(strings = {"int8", "int4"})
    void shouldBeatTheMajorityWhenBookIsHeldOut(final String form) throws IOException {
        final Path zip = TapeTestData.shared("lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip");
        final PredictionScore score = play(MarketFeed.open(zip.toString(), 0, 0), form);
        assertEquals(16_708, score.count());
        assertBetter(score, 0.17);
        assertReported(score, "lobster", form);
    }

    @ParameterizedTest
    @CsvSource({"int8, 0.13", "int4, 0.13"})
    void shouldBeatTheMajorityWhenStockIsOneThatItNeverSaw(final String form, final double margin) throws IOException {
        final Path zip = TapeTestData.shared("lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip");
        assertBetter(play(MarketFeed.open(zip.toString(), 0, 0), form), margin);
    }

    private static void assertBetter(final PredictionScore score, final double margin) {
        assertTrue(score.accuracy() > score.majority() + margin,
                "accuracy=" + score.accuracy() + " majority=" + score.majority());
        assertTrue(score.balancedAccuracy() > 0.5, "balancedAccuracy=" + score.balancedAccuracy());
        assertTrue(score.logLoss() < 1.0, "logLoss=" + score.logLoss());
    }

    /** The manifest's accuracy report is of this very model on these very rows. */
    private static void assertReported(final PredictionScore score, final String name, final String form)
            throws IOException {
        final Map<String, Object> report = bundle(name, form).manifest().accuracy();
        assertEquals(score.count(), ((Number) report.get("rows")).longValue());
        assertEquals(score.majority(), ((Number) report.get("majority")).doubleValue(), 1e-6);
        final Map<?, ?> quality = (Map<?, ?>) report.get(form);
        assertEquals(score.accuracy(), ((Number) quality.get("accuracy")).doubleValue(), 1e-6);
        assertEquals(score.logLoss(), ((Number) quality.get("logLoss")).doubleValue(), 1e-6);
    }

    private static PredictionScore play(final MarketFeed feed, final String form) throws IOException {
        final Bundle bundle = bundle(feed.modelName(), form);
        assertEquals(feed.featureNames(), bundle.manifest().featureNames());
        assertEquals(Labels.NAMES, bundle.manifest().labels());
        final Backend backend = Backends.select(ReferenceBackend.NAME, bundle);
        try (Model model = backend.load(bundle, 1); ModelExecutor executor = model.newExecutor(1)) {
            return play(feed, model, executor);
        }
    }

    private static PredictionScore play(final MarketFeed feed, final Model model, final ModelExecutor executor) {
        final ByteBuffer features = allocate(Float.BYTES * feed.featureCount());
        final ByteBuffer outputs = allocate(Float.BYTES * model.shape().outputCount());
        final ByteBuffer[] states = new ByteBuffer[feed.sessionCount()];
        for (int k = 0; k < states.length; k++) {
            states[k] = allocate(model.shape().stateBytes());
            executor.initialise(BufferUtil.address(states[k]));
        }
        final float[] vector = new float[feed.featureCount()];
        final float[] probabilities = new float[model.shape().outputCount()];
        final PredictionScore score = new PredictionScore(probabilities.length);
        final StepBatch batch = new StepBatch(1);
        for (int i = 0; i < feed.eventCount(); i++) {
            feed.copyFeatures(i, vector);
            features.asFloatBuffer().put(vector);
            batch.clear();
            batch.add(BufferUtil.address(features), BufferUtil.address(states[feed.sessionIndex(i)]),
                    BufferUtil.address(outputs));
            executor.step(batch);
            executor.ahead(batch);
            if (feed.heldOut(i)) {
                outputs.asFloatBuffer().get(probabilities);
                score.add(feed.label(i), probabilities);
            }
        }
        return score;
    }

    private static Bundle bundle(final String name, final String form) throws IOException {
        final String resource = "/io/tiercel/tools/models/" + name + "-" + form + ".safetensors";
        try (InputStream input = CommittedModelsTest.class.getResourceAsStream(resource)) {
            return Bundle.of(Path.of(resource), input.readAllBytes());
        }
    }

    private static ByteBuffer allocate(final int bytes) {
        return BufferUtil.allocateDirectAligned((bytes + ALIGNMENT - 1) & -ALIGNMENT, ALIGNMENT)
                .order(ByteOrder.nativeOrder());
    }
}
