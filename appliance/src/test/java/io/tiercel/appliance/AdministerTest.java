package io.tiercel.appliance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.recovery.RecoveryException;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.protocol.TelemetryFile;
import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.AdminRequest.Route;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ServedVersion;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.protocol.telemetry.FactsDecoder;
import io.tiercel.protocol.telemetry.MessageHeaderDecoder;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.agrona.concurrent.broadcast.BroadcastReceiver;
import org.agrona.concurrent.broadcast.CopyBroadcastReceiver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Versions of a model on a real appliance: loaded, routed, promoted, rolled back, drained, and there after a start. */
@Timeout(120)
class AdministerTest {

    private static final int FEATURES = 8;
    private static final int OUTPUTS = 3;
    private static final int ADMIN_STREAM = 7_004;
    private static final byte[] KEY = new byte[32];

    @TempDir
    private Path directory;
    private Bundle first;
    private Bundle second;
    private Appliance appliance;
    private TiercelClient desk;
    private TiercelClient chief;
    private Replies deskReplies;
    private Replies chiefReplies;

    /** Answers, and the versions that were told last. */
    private static final class Replies extends Answers {
        private List<ServedVersion> versions;

        @Override
        public void onVersions(
                final long correlationId, final long sequence, final List<ServedVersion> told) {
            versions = told;
        }
    }

    @BeforeEach
    void writeBundles() throws IOException {
        Arrays.fill(KEY, (byte) 7);
        first = Bundle.open(RandomModels.lstm(7).hidden(16).features(FEATURES).outputs(OUTPUTS).write(directory));
        second = Bundle.open(RandomModels.lstm(8).hidden(24).features(FEATURES).outputs(OUTPUTS).write(directory));
        principal("desk", "client");
        principal("chief", "admin");
    }

    @AfterEach
    void stop() {
        if (appliance != null) {
            desk.close();
            chief.close();
            assertTrue(appliance.shutdown().drained());
        }
    }

    @ParameterizedTest
    @EnumSource(value = Layout.class, names = {"COMPACT", "PAIRED", "DEDICATED"})
    void shouldSwapAVersionWhenItIsLoadedPromotedAndTheOtherDrained(final Layout layout) {
        start(first, layout);
        final float[] oldFirst = ask(1);
        ask(1);
        assertEquals(versions(version(first, 10_000, 0, false, 1)), versions());

        command(AdminRequest.load(0, second.versionHex(), second.path().toString()));
        assertEquals(versions(version(first, 10_000, 0, false, 1), version(second, 0, 0, false, 0)), versions());
        command(AdminRequest.promote(0, second.versionHex()));
        assertFalse(begins(1), "a session does not flip");
        final float[] newFirst = ask(2);
        assertFalse(Arrays.equals(oldFirst, newFirst), "another model answers");
        assertEquals(versions(version(first, 0, 10_000, false, 1), version(second, 10_000, 0, false, 1)), versions());

        command(AdminRequest.drain(0, first.versionHex()));
        assertTrue(begins(1), "it begins anew with the other version");
        assertFalse(begins(1));
        assertEquals(versions(version(first, 0, 10_000, true, 0), version(second, 10_000, 0, false, 2)), versions());

        command(AdminRequest.rollBack(0));
        assertTrue(begins(1), "what was rolled back is drained");
        assertArrayEquals(oldFirst, ask(3));
        assertEquals(versions(version(first, 10_000, 0, false, 2), version(second, 0, 0, true, 1)), versions());
    }

    @Test
    void shouldSplitNewSessionsByTheirWeights() {
        start(first, Layout.COMPACT);
        command(AdminRequest.load(0, second.versionHex(), second.path().toString()));
        command(AdminRequest.route(0,
                List.of(new Route(first.versionHex(), 7_500), new Route(second.versionHex(), 2_500))));
        for (int sessionKey = 0; sessionKey < 400; sessionKey++) {
            ask(sessionKey);
        }
        final List<ServedVersion> told = versions();
        assertEquals(400, told.get(0).sessionCount() + told.get(1).sessionCount());
        assertEquals(100, told.get(1).sessionCount(), 40);
    }

    @Test
    void shouldGoOnWithVersionsAndRoutesAfterAStart() {
        start(first, Layout.COMPACT);
        ask(1);
        command(AdminRequest.load(0, second.versionHex(), second.path().toString()));
        command(AdminRequest.route(0, List.of(new Route(second.versionHex(), 10_000))));
        ask(2);
        final List<ServedVersion> before = versions();
        restart(first, false);
        assertEquals(before, versions(), "all of the journal again");
        assertFalse(begins(1));
        assertFalse(begins(2));
        command(AdminRequest.snapshot());
        restart(second, true);
        assertEquals(2, appliance.models().size());
        assertFalse(begins(1));
        assertFalse(begins(2));
        final List<ServedVersion> after = versions();
        assertEquals(1, after.get(0).sessionCount());
        command(AdminRequest.promote(0, second.versionHex())); // so that the first is in no former route
        command(AdminRequest.drain(0, first.versionHex()));
        assertTrue(begins(1));
        restart(second, true);
        assertEquals(versions(version(second, 10_000, 10_000, false, 2)), versions(), "it need not be there any more");
        assertFalse(begins(1));
    }

    @Test
    void shouldStartWithTheConfiguredVersionWhenEverySessionHasLeftIt() {
        start(first, Layout.COMPACT);
        ask(1);
        command(AdminRequest.load(0, second.versionHex(), second.path().toString()));
        promoteForGood(second);
        command(AdminRequest.drain(0, first.versionHex()));
        assertTrue(begins(1));
        final List<ServedVersion> before = versions();
        restart(first, true);
        assertEquals(before, versions());
        assertFalse(begins(1));
    }

    @Test
    void shouldRecallAVersionThatWasGoingAtTheSnapshotWhenACommandBehindItRoutesItAgain() throws IOException {
        start(first, Layout.COMPACT);
        command(AdminRequest.load(0, second.versionHex(), second.path().toString()));
        promoteForGood(first);
        command(AdminRequest.drain(0, second.versionHex()));
        command(AdminRequest.snapshot());
        while (snapshots().isEmpty()) {
            versions();
        }
        final Path snapshot = snapshots().get(0);
        command(AdminRequest.promote(0, second.versionHex()));
        final List<ServedVersion> before = versions();
        stop();
        for (final Path newer : snapshots()) {
            if (!newer.equals(snapshot)) {
                Files.delete(newer);
            }
        }
        start(first, Layout.COMPACT);
        assertTrue(appliance.recovered().replayedCount() > 0, "from the snapshot");
        assertEquals(before, versions());
    }

    @Test
    void shouldRefuseAStartWithAVersionThatTheJournalDoesNotKnow() {
        start(first, Layout.COMPACT);
        ask(1);
        stop();
        appliance = null;
        final RecoveryException ex = assertThrows(RecoveryException.class, () -> launch(second, Layout.COMPACT));
        assertEquals(RecoveryException.Code.OTHER_MODEL, ex.code());
        assertTrue(ex.getMessage().contains("version=" + second.versionHex()), ex.getMessage());
    }

    @Test
    void shouldTellTheDeskHowNewSessionsAreSplit() throws IOException {
        start(first, Layout.COMPACT);
        try (TelemetryFile telemetry = TelemetryFile.open(TelemetryFile.in(directory.resolve("aeron")))) {
            awaitTold(telemetry, "10000");
            command(AdminRequest.load(0, second.versionHex(), second.path().toString()));
            command(AdminRequest.route(0,
                    List.of(new Route(first.versionHex(), 9_500), new Route(second.versionHex(), 500))));
            awaitTold(telemetry, "9500 500");
            command(AdminRequest.promote(0, second.versionHex()));
            command(AdminRequest.drain(0, first.versionHex()));
            awaitTold(telemetry, "0 drained 10000");
        }
    }

    @Test
    void shouldRefuseWhatCannotBeAndChangeNothing() throws IOException {
        final Bundle other = Bundle.open(RandomModels.lstm(9).hidden(16).features(5).outputs(OUTPUTS).write(directory));
        start(first, Layout.COMPACT);
        ask(1);
        final List<ServedVersion> before = versions();
        assertRefused(RejectCode.UNKNOWN_MODEL, AdminRequest.rollBack(1));
        assertRefused(RejectCode.NO_FORMER_ROUTE, AdminRequest.rollBack(0));
        assertRefused(RejectCode.UNKNOWN_MODEL, new AdminRequest(AdminCommand.SNAPSHOT, 9, "", List.of(), ""));
        assertRefused(RejectCode.UNKNOWN_VERSION, AdminRequest.promote(0, second.versionHex()));
        assertRefused(RejectCode.UNKNOWN_VERSION, AdminRequest.drain(0, second.versionHex()));
        assertRefused(RejectCode.UNKNOWN_VERSION,
                AdminRequest.route(0, List.of(new Route(second.versionHex(), 10_000))));
        assertRefused(RejectCode.WEIGHTS_DO_NOT_ADD_UP,
                AdminRequest.route(0, List.of(new Route(first.versionHex(), 9_999))));
        assertRefused(RejectCode.VERSION_ROUTED, AdminRequest.drain(0, first.versionHex()));
        assertRefused(RejectCode.VERSION_LOADED,
                AdminRequest.load(0, first.versionHex(), first.path().toString()));
        assertRefused(RejectCode.BUNDLE_REFUSED, AdminRequest.load(0, second.versionHex(), first.path().toString()));
        assertRefused(RejectCode.BUNDLE_REFUSED, AdminRequest.load(0, second.versionHex(), "/nowhere"));
        assertRefused(RejectCode.BUNDLE_REFUSED, AdminRequest.load(0, other.versionHex(), other.path().toString()));
        assertTrue(chiefReplies.lastRejection().detail().contains("does not fit"),
                chiefReplies.lastRejection().detail());
        assertEquals(before, versions());
        assertFalse(begins(1));
    }

    @Test
    void shouldApplyNothingWhenTheAdministratorGoesInTheMiddleOfALoad() throws IOException {
        final Bundle slow = Bundle.open(
                RandomModels.lstm(10).hidden(512).features(FEATURES).outputs(OUTPUTS).write(directory));
        start(first, Layout.COMPACT);
        final List<ServedVersion> before = versions();
        assertTrue(chief.administer(AdminRequest.load(0, slow.versionHex(), slow.path().toString())) > 0);
        chief.close();
        chief = connect("chief", ADMIN_STREAM);
        do {
            chiefReplies.rejections.clear();
            assertTrue(chief.administer(AdminRequest.load(0, second.versionHex(), second.path().toString())) > 0);
            awaitAnswer(chief, chiefReplies);
        } while (!chiefReplies.rejections.isEmpty() &&
                chiefReplies.lastRejection().code() == RejectCode.LOAD_IN_PROGRESS);
        assertEquals(before.size() + 1, versions().size(), "the one that was waited for, not the other");
        assertEquals(second.versionHex(), versions().get(1).version());
    }

    @Test
    void shouldTakeNoCommandOfOneWhoseRoleWasTakenAway() throws IOException {
        start(first, Layout.COMPACT);
        assertEquals(1, versions().size());
        principal("chief", "client");
        do {
            assertTrue(chief.administer(AdminRequest.snapshot()) > 0);
            awaitAnswer(chief, chiefReplies);
        } while (chiefReplies.rejections.isEmpty());
        assertEquals(RejectCode.NOT_AN_ADMINISTRATOR, chiefReplies.lastRejection().code());
    }

    @Test
    void shouldHearNobodyElse() {
        start(first, Layout.COMPACT);
        assertTrue(desk.administer(AdminRequest.snapshot()) > 0);
        assertEquals(RejectCode.NOT_AN_ADMINISTRATOR, awaitRejection(desk, deskReplies).code());
        assertTrue(chief.infer(0, 1, new float[FEATURES], 0) > 0);
        awaitAnswer(chief, chiefReplies);
        final TiercelClientException ex =
                assertThrows(TiercelClientException.class, () -> connect("desk", ADMIN_STREAM));
        assertTrue(ex.getMessage().contains("NOT_AN_ADMINISTRATOR"), ex.getMessage());
    }

    /** Twice, so that the others are in no former route. */
    private void promoteForGood(final Bundle bundle) {
        command(AdminRequest.promote(0, bundle.versionHex()));
        command(AdminRequest.promote(0, bundle.versionHex()));
    }

    /** By version, as the facts of an interval have it. */
    private static void awaitTold(final TelemetryFile telemetry, final String weights) {
        final CopyBroadcastReceiver receiver =
                new CopyBroadcastReceiver(new BroadcastReceiver(telemetry.ring()), TelemetryFile.RING_LENGTH / 8);
        final List<String> told = new ArrayList<>();
        while (!told.contains(weights)) {
            receiver.receive((templateId, buffer, index, length) -> {
                if (templateId == FactsDecoder.TEMPLATE_ID) {
                    told.add(weights(new FactsDecoder().wrapAndApplyHeader(buffer, index, new MessageHeaderDecoder())));
                }
            });
        }
    }

    private static String weights(final FactsDecoder facts) {
        final List<String> weights = new ArrayList<>();
        facts.models().forEach(model -> weights.add(model.weight() + (model.drained() == 1 ? " drained" : "")));
        return String.join(" ", weights);
    }

    private List<Path> snapshots() {
        return new SnapshotStore(directory.resolve("journal")).list().stream().map(SnapshotStore.Entry::file).toList();
    }

    private void restart(final Bundle configured, final boolean isInOrder) {
        desk.close();
        chief.close();
        appliance.shutdown();
        start(configured, Layout.COMPACT);
        assertTrue(isInOrder || appliance.recovered().replayedCount() >= 0);
    }

    private void start(final Bundle configured, final Layout layout) {
        launch(configured, layout);
        deskReplies = new Replies();
        chiefReplies = new Replies();
        desk = connect("desk", ClientContext.DEFAULT_REQUEST_STREAM_ID);
        chief = connect("chief", ADMIN_STREAM);
    }

    private void launch(final Bundle configured, final Layout layout) {
        appliance = Appliance.launch(new ApplianceContext()
                .layout(layout)
                .idle(IdleMode.SLEEP)
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .journalDirectory(directory.resolve("journal"))
                .accessKeys(directory.resolve("keys"))
                .warmUpRequests(200)
                .addModel(new ModelConfig("tape", configured.path())));
    }

    private TiercelClient connect(final String principal, final int streamId) {
        return TiercelClient.connect(new ClientContext()
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .requestStreamId(streamId)
                .principal(principal)
                .key(KEY)
                .idleStrategy(new SleepingMillisIdleStrategy(1)));
    }

    private void principal(final String name, final String role) throws IOException {
        final Path keys = Files.createDirectories(directory.resolve("keys"));
        Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rwx------"));
        final Path file = Files.writeString(keys.resolve(name + ".yaml"), "principal: " + name + "\nkeys: [" +
                Base64.getEncoder().encodeToString(KEY) + "]\nroles: [" + role + "]\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    /** The outputs of the session's next step. */
    private float[] ask(final long sessionKey) {
        return answer(sessionKey).outputs();
    }

    private boolean begins(final long sessionKey) {
        return answer(sessionKey).hasSessionBegun();
    }

    private Answers.Result answer(final long sessionKey) {
        final float[] features = new float[FEATURES];
        Arrays.fill(features, 0.25f);
        assertTrue(desk.infer(0, sessionKey, features, 0) > 0);
        awaitAnswer(desk, deskReplies);
        return deskReplies.lastResult();
    }

    private void command(final AdminRequest request) {
        assertTrue(chief.administer(request) > 0);
        awaitAnswer(chief, chiefReplies);
        assertEquals(List.of(), chiefReplies.rejections);
        assertEquals(ResultStatus.APPLIED, chiefReplies.lastResult().status());
    }

    private void assertRefused(final RejectCode code, final AdminRequest request) {
        assertTrue(chief.administer(request) > 0);
        assertEquals(code, awaitRejection(chief, chiefReplies).code());
    }

    private List<ServedVersion> versions() {
        chiefReplies.versions = null;
        assertTrue(chief.administer(AdminRequest.versions()) > 0);
        while (chiefReplies.versions == null) {
            chief.poll(chiefReplies, 16);
        }
        return chiefReplies.versions;
    }

    private static void awaitAnswer(final TiercelClient client, final Replies replies) {
        final int count = replies.count();
        while (replies.count() == count) {
            client.poll(replies, 16);
        }
    }

    private static Answers.Rejection awaitRejection(final TiercelClient client, final Replies replies) {
        awaitAnswer(client, replies);
        return replies.lastRejection();
    }

    private static List<ServedVersion> versions(final ServedVersion... versions) {
        return List.of(versions);
    }

    private static ServedVersion version(
            final Bundle bundle, final int weight, final int formerWeight, final boolean isDrained,
            final long sessionCount) {
        return new ServedVersion(0, bundle.versionHex(), weight, formerWeight, isDrained, sessionCount);
    }
}
