package io.tiercel.appliance;

import io.tiercel.appliance.SimulatedPrincipal.Request;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.AdministerEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** What administrators want: commands of every kind, of which many cannot be applied when they come, and some never. */
final class SimulatedCommands {

    private static final int MAX_TRIES = 4;
    private static final byte[] NO_VERSION = new byte[LoadedModel.VERSION_LENGTH];

    /** A version's share. */
    private record Route(byte[] version, int weight) {
    }

    private final SimulatedModels models;
    private final SplittableRandom random;
    /** Which versions have been there, as far as this one knows. */
    private final boolean[] isKnown;
    private final Map<Request, Integer> loading = new HashMap<>();

    SimulatedCommands(final SimulatedModels models, final SplittableRandom random) {
        this.models = models;
        this.random = random;
        isKnown = new boolean[models.versions().size()];
        Arrays.fill(isKnown, 0, SimulatedModels.MODEL_COUNT, true);
    }

    /** What a LOAD was to load is there. */
    void onLoaded(final Request request) {
        final Integer version = loading.remove(request);
        if (version != null) {
            isKnown[version] = true;
        }
    }

    /** One command, or several that belong together. */
    List<Request> next(final SimulatedPrincipal principal) {
        final List<Request> commands = new ArrayList<>();
        final int modelId = random.nextInt(SimulatedModels.MODEL_COUNT);
        final boolean loads = !isKnown[unknownVersionOf(modelId)] && random.nextBoolean();
        switch (loads ? 0 : random.nextInt(16)) {
            case 0, 1, 2 -> commands.add(load(principal, modelId));
            case 3, 4, 5 -> commands.add(route(principal, modelId));
            case 6, 7 -> commands.add(command(principal, AdminCommand.PROMOTE, modelId, anyVersion(modelId), false));
            case 8, 9 -> promoteAndDrain(principal, modelId, commands);
            case 10, 11 -> commands.add(command(
                    principal, AdminCommand.ROLL_BACK, modelId, NO_VERSION, false));
            case 12, 13 -> commands.add(command(principal, AdminCommand.DRAIN, modelId, anyVersion(modelId), false));
            case 14 -> commands.add(random.nextInt(4) > 0
                    ? command(principal, AdminCommand.SNAPSHOT, 0, NO_VERSION, false)
                    : command(principal, AdminCommand.ROLL_BACK, SimulatedModels.MODEL_COUNT + random.nextInt(9),
                            NO_VERSION, true));
            // Not one that is ever journaled.
            default -> commands.add(command(principal, AdminCommand.VERSIONS, 0, NO_VERSION, true));
        }
        return commands;
    }

    /** All sessions are to be with one version. */
    private void promoteAndDrain(
            final SimulatedPrincipal principal, final int modelId, final List<Request> commands) {
        final int promoted = knownVersionOf(modelId);
        commands.add(command(principal, AdminCommand.PROMOTE, modelId, version(promoted), false));
        // A second time, so that no way leads back.
        if (random.nextBoolean()) {
            commands.add(command(principal, AdminCommand.PROMOTE, modelId, version(promoted), false));
        }
        for (int index = modelId; index < models.versions().size(); index += SimulatedModels.MODEL_COUNT) {
            if (index != promoted) {
                commands.add(command(principal, AdminCommand.DRAIN, modelId, version(index), false));
            }
        }
    }

    private Request load(final SimulatedPrincipal principal, final int modelId) {
        final int index = random.nextInt(8) == 0 ? anyVersionOf(modelId) : unknownVersionOf(modelId);
        return switch (random.nextInt(16)) {
            case 0 -> command(principal, AdminCommand.LOAD, modelId,
                    version(index), List.of(), models.strangeBundle(), true);
            case 1 -> command(principal, AdminCommand.LOAD, modelId,
                    models.strangeVersion(), List.of(), models.strangeBundle(), true);
            case 2 -> command(principal, AdminCommand.LOAD, modelId, version(index), List.of(), "/nowhere", true);
            default -> loadGood(principal, modelId, index);
        };
    }

    private Request loadGood(final SimulatedPrincipal principal, final int modelId, final int index) {
        final Request request = command(principal, AdminCommand.LOAD, modelId, version(index), List.of(),
                models.bundle(index), false);
        loading.put(request, index);
        return request;
    }

    private Request route(final SimulatedPrincipal principal, final int modelId) {
        final List<Route> routes = new ArrayList<>();
        final boolean isBad = random.nextInt(20) == 0;
        int rest = Frames.FULL_WEIGHT - (isBad ? 1 : 0);
        final int last = knownVersionOf(modelId);
        for (int index = modelId; index < isKnown.length; index += SimulatedModels.MODEL_COUNT) {
            if (index != last && (isKnown[index] ? random.nextBoolean() : random.nextInt(30) == 0)) {
                final int weight = random.nextInt(rest + 1);
                routes.add(new Route(version(index), weight));
                rest -= weight;
            }
        }
        routes.add(new Route(version(last), rest));
        return command(principal, AdminCommand.ROUTE, modelId, NO_VERSION, routes, "", isBad);
    }

    private int anyVersionOf(final int modelId) {
        return modelId + random.nextInt(SimulatedModels.VERSION_COUNT) * SimulatedModels.MODEL_COUNT;
    }

    /** Mostly one that may be there. */
    private int knownVersionOf(final int modelId) {
        for (int tries = 0; tries < MAX_TRIES; tries++) {
            final int version = anyVersionOf(modelId);
            if (isKnown[version]) {
                return version;
            }
        }
        return anyVersionOf(modelId);
    }

    /** Mostly one that is not there. */
    private int unknownVersionOf(final int modelId) {
        for (int index = modelId; index < isKnown.length; index += SimulatedModels.MODEL_COUNT) {
            if (!isKnown[index]) {
                return index;
            }
        }
        return anyVersionOf(modelId);
    }

    private byte[] anyVersion(final int modelId) {
        return version(knownVersionOf(modelId));
    }

    private byte[] version(final int index) {
        return models.versions().get(index).versionBytes();
    }

    private Request command(
            final SimulatedPrincipal principal, final AdminCommand command, final int modelId, final byte[] version,
            final boolean isBad) {
        return command(principal, command, modelId, version, List.of(), "", isBad);
    }

    /** @param isBad whether it is never to be applied. */
    private static Request command(
            final SimulatedPrincipal principal, final AdminCommand command, final int modelId, final byte[] version,
            final List<Route> routes, final String bundle, final boolean isBad) {
        final long correlationId = principal.nextCorrelationId();
        final byte[] frame = new byte[Frames.administerLength(routes.size(), bundle.length())];
        final AdministerEncoder administer = new AdministerEncoder()
                .wrapAndApplyHeader(new UnsafeBuffer(frame), 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .modelId(modelId)
                .command(command)
                .putModelVersion(version, 0, version.length);
        final AdministerEncoder.RoutesEncoder shares = administer.routesCount(routes.size());
        for (final Route route : routes) {
            shares.next().weight(route.weight()).putModelVersion(route.version(), 0, route.version().length);
        }
        administer.bundle(bundle);
        final Request request = new Request(correlationId, frame, 0, false, false, isBad);
        request.command = command;
        principal.add(request);
        return request;
    }
}
