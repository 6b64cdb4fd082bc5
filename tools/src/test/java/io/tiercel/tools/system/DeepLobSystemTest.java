package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.nativecuda.onnxruntime.OnnxRuntimeProbe;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.SharedData;
import io.tiercel.tools.market.BookEvent;
import io.tiercel.tools.market.BookLevels;
import io.tiercel.tools.market.LobsterTape;
import io.tiercel.tools.market.MarketFeed;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * DeepLOB (Z. Zhang, S. Zohren, S. Roberts, 2019; trained by the authors of TLOB) over the book of a real day, from the
 * ONNX file to the replayed journal: import, serve, rows over Aeron, each answer beside a call of ONNX Runtime.
 */
@Timeout(120)
class DeepLobSystemTest {

    private static final int LEVELS = 10;
    private static final int WINDOW = 100;
    private static final int COLUMNS = LEVELS * BookEvent.FIELDS_PER_LEVEL;
    private static final int ROWS = WINDOW + 30;

    @RegisterExtension
    private final Workbench bench = new Workbench();

    @Test
    void shouldAnswerAsTheGraphDoesAndReplayWithinTheTolerance() throws OrtException {
        final Path graph = SharedData.file("models/deeplob/deeplob_btc_h10_tlob.onnx");
        final Path day = SharedData.file("lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip");
        final String obstacle = OnnxRuntimeProbe.obstacle();
        Workbench.assumeThat(obstacle == null, "the onnxruntime backend: " + obstacle);

        final List<float[]> rows = rows(day);
        final Path bundle = bench.directory().resolve("deeplob.safetensors");
        final CapturedCommand imported = CapturedCommand.run(List.of("model", "import"), graph.toString(),
                "-o", bundle.toString(), "--normalise", bench.write("rows.csv", csv(rows)).toString(),
                "--pool", "price,size", "--labels", "up,stationary,down", "--outputs", "probabilities");
        assertEquals(ExitCode.OK, imported.exitCode(), imported::err);
        assertTrue(imported.out().contains("graph          lob_window[-1, 100, 40] to out[-1, 3]\n"), imported::out);

        final ServeConfig config = bench.config(bundle).warmUpRequests(0);
        final TiercelProcess appliance = bench.serve(config);
        final List<float[]> answers = ask(rows);
        assertEquals(ExitCode.OK, appliance.terminate(), appliance::toString);

        final List<float[]> expected = expected(Bundle.open(bundle), graph, rows);
        for (int row = 0; row < ROWS; row++) {
            assertArrayEquals(expected.get(row), answers.get(row), 1e-5f, "row=" + row);
            assertEquals(1, answers.get(row)[0] + answers.get(row)[1] + answers.get(row)[2], 1e-5, "row=" + row);
        }
        final CapturedCommand replay =
                CapturedCommand.run(List.of("replay", "verify"), "--journal", config.journal().toString());
        assertEquals(ExitCode.OK, replay.exitCode(), replay::out);
        assertTrue(replay.out().contains("replay: " + ROWS + " of " + ROWS
                + " within tolerance with states bit-identical, largest distance "), replay::out);
    }

    private List<float[]> ask(final List<float[]> rows) {
        final CollectedAnswers answers = new CollectedAnswers();
        final List<float[]> outputs = new ArrayList<>();
        try (TiercelClient client = TiercelClient.connect(new ClientContext()
                .aeronDirectoryName(bench.aeronDirectory().toString())
                .principal("desk-1"))) {
            for (final float[] row : rows) {
                outputs.add(answers.await(client, client.infer(client.model("flow").modelId(), 1, row, 0)));
            }
        }
        return outputs;
    }

    /** The first rows of the day, as the extractor has them. */
    private static List<float[]> rows(final Path day) {
        final BookLevels extractor = new BookLevels(LEVELS);
        final BookEvent event = new BookEvent(LEVELS);
        final List<float[]> rows = new ArrayList<>();
        try (LobsterTape tape = LobsterTape.open(day)) {
            while (rows.size() < ROWS && tape.next(event)) {
                extractor.onEvent(event);
                rows.add(extractor.features().clone());
            }
        }
        return rows;
    }

    private static String csv(final List<float[]> rows) {
        final StringBuilder text = new StringBuilder();
        text.append(new BookLevels(LEVELS).names().stream().map(MarketFeed.FEATURE_PREFIX::concat)
                .collect(Collectors.joining(","))).append('\n');
        for (final float[] row : rows) {
            for (int column = 0; column < COLUMNS; column++) {
                text.append(column == 0 ? "" : ",").append(row[column]);
            }
            text.append('\n');
        }
        return text.toString();
    }

    /** Each window made anew, rows of zeros before the first, and given to the runtime by itself. */
    private static List<float[]> expected(final Bundle bundle, final Path graph, final List<float[]> rows)
            throws OrtException {
        final float[] means = bundle.floats("features.mean", COLUMNS);
        final float[] inverse = bundle.floats("features.inverse_deviation", COLUMNS);
        final OrtEnvironment environment = OrtEnvironment.getEnvironment();
        final List<float[]> expected = new ArrayList<>();
        try (OrtSession session = environment.createSession(graph.toString())) {
            for (int last = 0; last < rows.size(); last++) {
                final float[] window = new float[WINDOW * COLUMNS];
                for (int row = Math.max(0, last - WINDOW + 1); row <= last; row++) {
                    for (int column = 0; column < COLUMNS; column++) {
                        window[(WINDOW - 1 - last + row) * COLUMNS + column] =
                                (rows.get(row)[column] - means[column]) * inverse[column];
                    }
                }
                try (OnnxTensor input = OnnxTensor.createTensor(
                        environment, FloatBuffer.wrap(window), new long[] {1, WINDOW, COLUMNS});
                        OrtSession.Result result = session.run(Map.of("lob_window", input))) {
                    expected.add(((float[][]) result.get(0).getValue())[0]);
                }
            }
        }
        return expected;
    }
}
