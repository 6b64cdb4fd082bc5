package io.tiercel.appliance;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.ResultStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The path of a request through the real stages, one round at a time. */
class PipelineTest {

    @TempDir
    Path directory;

    @Test
    void shouldAnswerAndRecordWhenRequestsCome() throws IOException {
        final Path bundle = RandomModels.lstm(1).hidden(16).features(8).outputs(3).write(directory);
        try (PipelineHarness harness = new PipelineHarness(directory, bundle)) {
            final TiercelClient client = harness.connect("desk");
            final Answers answers = new Answers();
            final int model = client.model(PipelineHarness.ALIAS).modelId();
            for (int request = 0; request < 10; request++) {
                assertTrue(client.infer(model, request % 3, new float[8], 0) > 0);
            }
            harness.exchange(client, answers, 10);
            harness.drain();

            assertEquals(10, answers.results.size());
            for (int index = 0; index < 10; index++) {
                assertEquals(index, answers.results.get(index).sequence());
                assertEquals(ResultStatus.OK, answers.results.get(index).status());
                assertEquals(index, harness.requests.entries().get(index).sequence());
                assertEquals(index, harness.outcomes.entries().get(index).sequence());
            }
            assertEquals(10, harness.counter(CounterId.OUTCOMES));
        }
    }

    @Test
    void shouldHoldTheAnswerWhenItsRequestIsNotJournaled() throws IOException {
        final Path bundle = RandomModels.lstm(1).write(directory);
        try (PipelineHarness harness = new PipelineHarness(directory, bundle)) {
            final TiercelClient client = harness.connect("desk");
            final Answers answers = new Answers();
            harness.requests.stall(true);
            client.infer(0, 1, new float[8], 0);
            harness.rounds(100);
            client.poll(answers, 16);
            assertEquals(0, answers.count());

            harness.requests.stall(false);
            harness.exchange(client, answers, 1);
            assertEquals(1, answers.results.size());
        }
    }
}
