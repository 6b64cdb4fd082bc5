package io.tiercel.appliance.infer;

import com.lmax.disruptor.Sequence;
import io.tiercel.appliance.cycle.CycleClock;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.sequencer.Sequencer;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.protocol.Frames;
import org.agrona.concurrent.CachedNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Two workers, each run when the test says so, over a ring that the test fills. */
class InferAgentTest {

    private static final int WORKERS = 2;
    private static final int FEATURES = 4;
    private static final int OUTPUTS = 2;

    @TempDir
    Path directory;

    private final Sequencer sequencer = new Sequencer(16, 256, OUTPUTS * Float.BYTES, 0);
    private final Sequence[] finished = new Sequence[WORKERS];
    private final InferAgent[] workers = new InferAgent[WORKERS];
    private List<LoadedModel> models;
    private Sessions sessions;

    @BeforeEach
    void setUp() throws IOException {
        final Bundle bundle =
                Bundle.open(RandomModels.lstm(1).hidden(8).features(FEATURES).outputs(OUTPUTS).write(directory));
        models = List.of(LoadedModel.of(0, "model", bundle.version(), "reference",
                Backends.select("reference", bundle).load(bundle, 1)));
        sessions = new Sessions(models, 8);
        Arrays.setAll(finished, worker -> sequencer.newSequence());
        Arrays.setAll(workers, worker -> new InferAgent(sequencer, worker, finished, models, sessions,
                new SnapshotCut(), 8, 0, 0, ForeseenTokens.NONE, new CycleClock(new CachedNanoClock()),
                Counters.inMemory()));
        sequencer.gateOn(finished);
    }

    @AfterEach
    void tearDown() {
        for (final InferAgent worker : workers) {
            worker.onClose();
        }
        sessions.close();
        models.forEach(LoadedModel::close);
    }

    @Test
    void shouldHaveFinishedOnlyWhenTheWorkAheadIsDone() {
        publish(0, 0);
        workers[0].doWork();
        assertEquals(0, workers[0].inferred().get());
        assertEquals(-1, workers[0].finished().get());
        workers[0].doWork();
        assertEquals(0, workers[0].settled().get());
        assertEquals(-1, workers[0].finished().get());
        workers[0].doWork();
        assertEquals(0, workers[0].finished().get());
    }

    @Test
    void shouldHaveFinishedWhatIsAnotherWorkersWhenItHasSeenIt() {
        publish(1, 0);
        publish(1, 1);
        workers[0].doWork();
        assertEquals(1, workers[0].finished().get());
        assertEquals(-1, workers[1].finished().get());
        publish(0, 2);
        publish(1, 3);
        workers[0].doWork();
        assertEquals(1, workers[0].finished().get());
        workers[0].doWork();
        workers[0].doWork();
        assertEquals(3, workers[0].finished().get());
    }

    /** The other worker had the place: it has to be through with that, whatever else it does. */
    @Test
    void shouldWaitForTheOtherWorkerWhenItGetsAPlaceOfThat() {
        publish(0, 5);
        publish(1, 5, 0);
        publish(1, 6);
        workers[1].doWork();
        for (int round = 0; round < 5; round++) {
            assertEquals(0, workers[1].doWork());
            assertEquals(0, workers[1].inferred().get());
            assertEquals(0, workers[1].finished().get());
        }
        workers[0].doWork();
        assertEquals(0, workers[0].inferred().get(), "a place that the batch has is not given away with it");
        workers[1].doWork();
        assertEquals(0, workers[1].inferred().get(), "the work ahead is not done");
        workers[0].doWork();
        assertEquals(2, workers[0].finished().get());
        assertEquals(1, workers[1].doWork());
        assertEquals(2, workers[1].inferred().get());
    }

    /** The places of both go to the other one: the later of the two requests waits, the earlier does not. */
    @Test
    void shouldNotWaitInACircleWhenTwoWorkersGetAPlaceOfEachOther() {
        publish(0, 1);
        publish(1, 2);
        publish(1, 1, 0);
        publish(0, 2, 1);
        for (int round = 0; round < 10; round++) {
            workers[1].doWork();
            workers[0].doWork();
        }
        assertEquals(3, workers[0].finished().get());
        assertEquals(3, workers[1].finished().get());
    }

    private void publish(final int workerIndex, final int sessionIndex) {
        publish(workerIndex, sessionIndex, workerIndex);
    }

    private void publish(final int workerIndex, final int sessionIndex, final int formerWorkerIndex) {
        final RequestSlot slot = sequencer.claim();
        slot.begins = true;
        slot.formerWorkerIndex = formerWorkerIndex;
        slot.sessionKey = sessionIndex;
        slot.frameLength = Frames.FEATURES_OFFSET + FEATURES * Float.BYTES;
        slot.featuresOffset = Frames.FEATURES_OFFSET;
        slot.stepCount = 1;
        slot.sessionIndex = sessionIndex;
        slot.workerIndex = workerIndex;
        sequencer.publish();
    }
}
