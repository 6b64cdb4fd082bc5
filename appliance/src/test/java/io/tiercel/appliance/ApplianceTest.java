package io.tiercel.appliance;

import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.config.OverloadPolicy;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.SecretFiles;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The whole appliance with its own threads and a real journal, in each layout. */
@Timeout(120)
class ApplianceTest {

    private static final int REQUEST_COUNT = 200;
    private static final long MAX_CNC_BYTES = 16 << 20;

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(value = Layout.class, names = {"COMPACT", "PAIRED", "DEDICATED"})
    void shouldAnswerDrainAndReportWhenLaunched(final Layout layout) throws Exception {
        final Path bundle = RandomModels.lstm(7).hidden(16).features(8).outputs(3).write(directory);
        final ApplianceContext context = new ApplianceContext()
                .layout(layout)
                .idle(IdleMode.SLEEP)
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .journalDirectory(directory.resolve("journal"))
                .warmUpRequests(2_000)
                .addModel(new ModelConfig("tape", bundle));
        final Path leftover = Files.createDirectories(context.journalDirectory().resolve(".warm-up-1/requests"));
        Files.setPosixFilePermissions(
                context.journalDirectory(), PosixFilePermissions.fromString("rwxr-x---"));
        final Appliance appliance = Appliance.launch(context);
        assertFalse(Files.exists(leftover), "of a warm-up in which the process died");
        final Answers answers = new Answers();
        final SleepingMillisIdleStrategy idle = new SleepingMillisIdleStrategy(1);
        try (TiercelClient client = TiercelClient.connect(new ClientContext()
                .aeronDirectoryName(context.aeronDirectoryName())
                .principal("desk")
                .idleStrategy(idle))) {
            final int modelId = client.model("tape").modelId();
            for (int sentCount = 0; sentCount < REQUEST_COUNT;) {
                if (client.infer(modelId, sentCount % 5, new float[8], 0) > 0) {
                    sentCount++;
                } else {
                    idle.idle(client.poll(answers, 16));
                }
            }
            while (answers.count() < REQUEST_COUNT) {
                idle.idle(client.poll(answers, 16));
            }
            assertTrue(Files.size(directory.resolve("aeron/cnc.dat")) < MAX_CNC_BYTES, "a container has little memory");
            assertEquals(SecretFiles.PRIVATE_FOLDER, Files.getPosixFilePermissions(directory.resolve("aeron")));
            final String journal = context.journalDirectory().toString();
            assertEquals(List.of("journal.directory=" + journal +
                    " mode=0750: others have rights; chmod 0700 " + journal), appliance.openFolders());
            final Appliance.ShutdownReport report = appliance.shutdown();
            while (answers.goodbyes.isEmpty()) {
                idle.idle(client.poll(answers, 16));
            }

            assertEquals(REQUEST_COUNT, answers.results.size());
            assertEquals(GoodbyeReason.SHUTTING_DOWN, answers.goodbyes.get(0));
            assertTrue(report.drained());
            assertEquals(REQUEST_COUNT, report.recordedCount());
            assertNull(report.failure());
            assertTrue(Files.size(context.telemetryDirectory().resolve("stages.hlog")) > 0);
            try (Stream<Path> runs = Files.list(context.telemetryDirectory())) {
                final Path run = runs.filter(Files::isDirectory).findFirst().orElseThrow();
                assertTrue(Files.readAllLines(run.resolve("events.csv")).get(1).contains(",snapshot-copy,"));
                assertTrue(Files.exists(run.resolve("stalls.csv")) && Files.exists(run.resolve("jvm.log")));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {6, 40})
    void shouldWarmUpWhenAModelTakesTokensAndItsSessionsFillUp(final int contextTokens) {
        final ApplianceContext context = new ApplianceContext()
                .layout(Layout.COMPACT)
                .idle(IdleMode.SLEEP)
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .journalDirectory(directory.resolve("journal"))
                .warmUpRequests(2_000)
                .addModel(new ModelConfig("tape", RandomModels.lstm(7).hidden(16).features(8).write(directory)))
                .addModel(new ModelConfig(
                        "words", RandomTransformers.writeTokens(8, contextTokens, directory)));
        final SleepingMillisIdleStrategy idle = new SleepingMillisIdleStrategy(1);
        try (Appliance appliance = Appliance.launch(context);
                TiercelClient client = TiercelClient.connect(new ClientContext()
                        .aeronDirectoryName(context.aeronDirectoryName())
                        .principal("desk")
                        .idleStrategy(idle))) {
            assertTrue(appliance.warmUpRequestCount() >= 2_000);
            final Answers answers = new Answers();
            final int modelId = client.model("words").modelId();
            assertTrue(client.inferTokens(modelId, 1, new int[contextTokens], 0) > 0);
            assertTrue(client.inferTokens(modelId, 1, new int[1], 0) > 0);
            while (answers.count() < 2) {
                idle.idle(client.poll(answers, 16));
            }
            assertEquals(ResultStatus.OK, answers.results.get(0).status());
            assertEquals(ResultStatus.CONTEXT_FULL, answers.results.get(1).status());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 64})
    void shouldWarmUpWhenTheLimitsAreTight(final int unfinished) {
        final ApplianceContext context = new ApplianceContext()
                .layout(Layout.COMPACT)
                .idle(IdleMode.SLEEP)
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .journalDirectory(directory.resolve("journal"))
                .overloadPolicy(OverloadPolicy.SHED)
                .overloadUnfinished(unfinished)
                .maxInFlight(2)
                .maxRatePerSecond(1)
                .warmUpRequests(2_000)
                .addModel(new ModelConfig("tape", RandomModels.lstm(7).hidden(16).features(8).write(directory)));
        try (Appliance appliance = Appliance.launch(context)) {
            assertTrue(appliance.warmUpRequestCount() >= 2_000);
            assertEquals(0, appliance.counter(CounterId.SHED), "what the warm-up is refused does not count");
        }
    }

    /** The scratch pipeline has streams that anybody finds who gets at the media driver. */
    @Test
    void shouldLetNobodyIntoTheWarmUpWhenThereAreKeys() throws Exception {
        final Path keys = Files.createDirectory(
                directory.resolve("keys"), PosixFilePermissions.asFileAttribute(SecretFiles.PRIVATE_FOLDER));
        final byte[] key = new byte[Handshake.MIN_KEY_LENGTH];
        final Path file = Files.writeString(keys.resolve("desk.yaml"),
                "principal: desk\nkeys: [" + SecretFiles.textOf(key) + "]\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        final Path bundle = RandomModels.lstm(7).features(8).write(directory);
        final ApplianceContext context = new ApplianceContext()
                .layout(Layout.COMPACT)
                .idle(IdleMode.SLEEP)
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .journalDirectory(directory.resolve("journal"))
                .accessKeys(keys)
                .warmUpRequests(20_000)
                .addModel(new ModelConfig("tape", bundle));
        final Stranger stranger = new Stranger(context.aeronDirectoryName());
        final Thread thread = new Thread(stranger, "stranger");
        thread.start();
        try (Appliance appliance = Appliance.launch(context)) {
            stranger.isOver = true;
            thread.join();
            assertEquals(List.of(), stranger.welcomes);
            final ClientContext inside = new ClientContext()
                    .aeronDirectoryName(context.aeronDirectoryName())
                    .principal("desk")
                    .key(key)
                    .idleStrategy(new SleepingMillisIdleStrategy(1));
            try (TiercelClient client = TiercelClient.connect(inside)) {
                assertEquals(1, client.models().size());
            }
            assertEquals(1, appliance.counter(CounterId.CLIENTS_WELCOMED));
        }
    }

    /** Says hello to the warm-up's stream, by its client's name and by another's, until it is over. */
    private static final class Stranger implements Runnable {

        private static final int WARM_UP_STREAM = ClientContext.DEFAULT_REQUEST_STREAM_ID + 1_000;
        private final String aeronDirectoryName;
        private final List<String> welcomes = new ArrayList<>();
        private volatile boolean isOver;

        private Stranger(final String aeronDirectoryName) {
            this.aeronDirectoryName = aeronDirectoryName;
        }

        @Override
        public void run() {
            while (!isOver) {
                for (final String principal : List.of("tiercel-warm-up", "desk")) {
                    try (TiercelClient client = TiercelClient.connect(new ClientContext()
                            .aeronDirectoryName(aeronDirectoryName)
                            .requestStreamId(WARM_UP_STREAM)
                            .principal(principal)
                            .connectTimeoutNs(TimeUnit.MILLISECONDS.toNanos(200))
                            .idleStrategy(new SleepingMillisIdleStrategy(1)))) {
                        welcomes.add(principal + " as client " + client.clientId());
                    } catch (final TiercelClientException ex) {
                        assertNotNull(ex.getMessage());
                    }
                }
            }
        }
    }
}
