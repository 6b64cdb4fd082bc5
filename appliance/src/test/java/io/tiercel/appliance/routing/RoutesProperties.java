package io.tiercel.appliance.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.AdministerEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.RejectCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/** Routes after any commands, whatever the indices are, against what must always hold. */
class RoutesProperties {

    private static final int MODELS = 2;
    private static final int CAPACITY = 16;
    private static final int COMMANDS = 60;
    private static final AdminCommand[] KINDS = {AdminCommand.LOAD, AdminCommand.ROUTE, AdminCommand.PROMOTE,
        AdminCommand.ROLL_BACK, AdminCommand.DRAIN};

    /** Of each version its index in one object; in the other one they come in another order. */
    private final List<byte[]> versions = new ArrayList<>();

    @Property(tries = 200)
    void shouldAlwaysRouteEverySessionToAVersionThatTakesSessions(@ForAll final long seed) {
        final Random random = new Random(seed);
        final Routes routes = routes(0);
        final Routes others = routes(CAPACITY / 2);
        int nextIndex = MODELS;
        for (int count = 0; count < COMMANDS; count++) {
            final AdminFrame frame = command(random);
            final int code = routes.check(frame);
            assertEquals(code, others.check(frame));
            final boolean hasRoom = frame.command() != AdminCommand.LOAD || nextIndex < CAPACITY;
            final long[] before = {routes.hash(0), routes.hash(1)};
            if (code == Routes.OK && hasRoom) {
                routes.apply(frame, nextIndex);
                others.apply(frame, (nextIndex + CAPACITY / 2) % CAPACITY);
                nextIndex += frame.command() == AdminCommand.LOAD ? 1 : 0;
                assertEquals(before[1 - frame.modelId()], routes.hash(1 - frame.modelId()), "the other model's stand");
            }
            assertSound(routes, random);
            assertSameChoice(routes, random);
            assertEquals(routes.hash(0), others.hash(0), "whatever the indices are");
            assertEquals(routes.hash(1), others.hash(1), "whatever the indices are");
        }
    }

    @Example
    void shouldGiveEachVersionItsShareAndEachSessionAlwaysTheSame() {
        final Routes routes = routes(0);
        routes.apply(frame(AdminCommand.LOAD, 0, version(7)), 2);
        routes.apply(route(0, version(0), 9_500, version(7), 500), 0);
        int secondCount = 0;
        for (int sessionKey = 0; sessionKey < 100_000; sessionKey++) {
            final int chosen = routes.choose(0, 42, sessionKey);
            assertEquals(chosen, routes.choose(0, 42, sessionKey));
            secondCount += chosen == 2 ? 1 : 0;
        }
        assertEquals(5_000, secondCount, 300);
        routes.apply(route(0, version(0), 9_000, version(7), 1_000), 0);
        routes.apply(frame(AdminCommand.ROLL_BACK, 0, new byte[32]), 0);
        assertEquals(9_500, routes.weight(0));
        assertEquals(RejectCode.NO_FORMER_ROUTE.value(), routes.check(frame(AdminCommand.ROLL_BACK, 0, new byte[32])),
                "a second time would lead forwards");
    }

    @Example
    void shouldDrainWhatIsRolledBackAndNothingElse() {
        final Routes routes = routes(0);
        routes.apply(frame(AdminCommand.LOAD, 0, version(7)), 2);
        routes.apply(frame(AdminCommand.LOAD, 0, version(8)), 3);
        final long loaded = routes.hash(0);
        routes.apply(frame(AdminCommand.PROMOTE, 0, version(7)), 0);
        assertNotEquals(loaded, routes.hash(0));
        routes.apply(frame(AdminCommand.ROLL_BACK, 0, new byte[32]), 0);
        assertTrue(routes.isDrained(2));
        assertEquals(false, routes.isDrained(0) || routes.isDrained(3));
        routes.apply(frame(AdminCommand.PROMOTE, 0, version(7)), 0);
        assertEquals(false, routes.isDrained(2), "sessions come to it again");
    }

    /** Of two models, each with a first version. */
    private Routes routes(final int shift) {
        versions.clear();
        final Routes routes = new Routes(MODELS, CAPACITY);
        for (int modelId = 0; modelId < MODELS; modelId++) {
            routes.begin((modelId + shift) % CAPACITY, modelId, new UnsafeBuffer(version(modelId)));
            versions.add(version(modelId));
        }
        return routes;
    }

    private static void assertSound(final Routes routes, final Random random) {
        for (int modelId = 0; modelId < MODELS; modelId++) {
            final int chosen = routes.choose(modelId, random.nextLong(), random.nextLong());
            assertTrue(routes.weight(chosen) > 0 && !routes.isDrained(chosen));
            assertTrue(routes.weight(routes.foremost(modelId)) >= routes.weight(chosen));
        }
        int sum = 0;
        for (int index = 0; index < CAPACITY; index++) {
            sum += routes.weight(index);
            assertTrue(!routes.isDrained(index) || routes.weight(index) == 0);
        }
        assertEquals(MODELS * Frames.FULL_WEIGHT, sum);
    }

    /** As a start finds them, in another order. */
    private void assertSameChoice(final Routes routes, final Random random) {
        final Routes restored = new Routes(MODELS, CAPACITY);
        final int[] indices = new int[CAPACITY];
        int count = 0;
        for (int number = versions.size() - 1; number >= 0; number--) {
            final DirectBuffer version = new UnsafeBuffer(versions.get(number));
            for (int modelId = 0; modelId < MODELS; modelId++) {
                final int index = routes.find(modelId, version);
                if (index >= 0) {
                    indices[count] = index;
                    restored.put(count++, modelId, version, routes.weight(index), routes.formerWeight(index),
                            routes.isDrained(index));
                }
            }
        }
        for (int modelId = 0; modelId < MODELS; modelId++) {
            final long sessionKey = random.nextLong();
            assertEquals(routes.choose(modelId, 42, sessionKey), indices[restored.choose(modelId, 42, sessionKey)]);
            assertEquals(routes.foremost(modelId), indices[restored.foremost(modelId)]);
            assertEquals(routes.hash(modelId), restored.hash(modelId));
        }
    }

    private AdminFrame command(final Random random) {
        final AdminCommand kind = KINDS[random.nextInt(KINDS.length)];
        final int modelId = random.nextInt(MODELS);
        if (kind == AdminCommand.ROUTE) {
            final int weight = random.nextInt(Frames.FULL_WEIGHT + 1);
            final int rest = random.nextInt(8) == 0 ? 1 : Frames.FULL_WEIGHT - weight;
            return route(modelId, any(random), weight, any(random), rest);
        }
        if (kind == AdminCommand.LOAD) {
            versions.add(version(versions.size()));
            return frame(kind, modelId, versions.get(random.nextInt(versions.size())));
        }
        return frame(kind, modelId, any(random));
    }

    private byte[] any(final Random random) {
        return versions.get(random.nextInt(versions.size()));
    }

    private static byte[] version(final int number) {
        final byte[] version = new byte[32];
        version[0] = (byte) (number + 1);
        return version;
    }

    private static AdminFrame route(
            final int modelId, final byte[] one, final int weight, final byte[] other, final int otherWeight) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[Frames.administerLength(2, 0)]);
        new AdministerEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .modelId(modelId)
                .command(AdminCommand.ROUTE)
                .routesCount(2)
                .next().weight(weight).putModelVersion(one, 0, one.length)
                .next().weight(otherWeight).putModelVersion(other, 0, other.length);
        return wrap(buffer);
    }

    private static AdminFrame frame(final AdminCommand command, final int modelId, final byte[] version) {
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[Frames.administerLength(0, 0)]);
        new AdministerEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .modelId(modelId)
                .command(command)
                .putModelVersion(version, 0, version.length)
                .routesCount(0);
        return wrap(buffer);
    }

    private static AdminFrame wrap(final DirectBuffer buffer) {
        return new AdminFrame().wrap(buffer, 0);
    }
}
