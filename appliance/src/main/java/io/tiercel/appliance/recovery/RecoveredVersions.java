package io.tiercel.appliance.recovery;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelVersions;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.recovery.RecoveryException.Code;
import io.tiercel.appliance.routing.AdminFrame;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotReader;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The versions that a journal tells of, as the recovery comes across them. A model's first version is that of the first
 * record which names the model; others come by commands, or stand in the snapshot. The one that the configuration names
 * is there from the beginning, in its place, but counts only once the journal has told of it, or if it tells of none.
 */
final class RecoveredVersions {

    /** In the place of an index. */
    static final int NOT_HERE = -1;

    private final ModelVersions versions;
    private final Routes routes;
    private final Sessions sessions;
    private final VersionSource source;
    /** By model: where the journal tells of it first. */
    private final String[] begunAt;
    /** Of the snapshot: versions that were in no route and gave up their sessions, and are not here as yet. */
    private final List<Going> going = new ArrayList<>();

    /** A version that need not be here, and where it stands. */
    private record Going(String place, SnapshotReader.ModelEntry entry) {
    }

    RecoveredVersions(
            final ModelVersions versions, final Routes routes, final Sessions sessions, final VersionSource source) {
        this.versions = versions;
        this.routes = routes;
        this.sessions = sessions;
        this.source = source;
        begunAt = new String[routes.modelCount()];
    }

    Routes routes() {
        return routes;
    }

    /**
     * Index of the version that a record names.
     *
     * @param sequence of the record.
     * @throws RecoveryException if it is none of the model's, or its bundle cannot be had.
     */
    int find(final long sequence, final int modelId, final DirectBuffer version) {
        if (modelId < routes.modelCount()) {
            final int index = routes.find(modelId, version);
            if (index >= 0) {
                return index;
            }
            if (!routes.hasBegun(modelId)) {
                begunAt[modelId] = "sequence=" + sequence;
                final int first = place(begunAt[modelId], modelId, version);
                routes.begin(versions.get(first));
                return first;
            }
        }
        throw other("sequence=" + sequence, modelId, hex(version));
    }

    /** Index of a version that a command loads, which is not in a route as yet. */
    int load(final long sequence, final int modelId, final DirectBuffer version) {
        final int known = routes.find(modelId, version);
        return known >= 0 ? known : place("sequence=" + sequence, modelId, version);
    }

    /** Of a snapshot: its route stands as it did. */
    int restore(final String place, final SnapshotReader.ModelEntry entry) {
        if (entry.modelId() >= routes.modelCount() ||
                !versions.get(entry.modelId()).alias().equals(entry.alias())) {
            throw other(place, entry.modelId(), "alias=" + entry.alias() + " version=" + entry.versionHex());
        }
        final DirectBuffer version = versionOf(entry);
        final int index = place(place, entry.modelId(), version);
        if (versions.get(index).model().shape().canonicalBytes() != entry.stateLength()) {
            throw other(place, entry.modelId(), entry.versionHex() + " stateLength=" + entry.stateLength());
        }
        begunAt[entry.modelId()] = place;
        routes.put(index, entry.modelId(), version, entry.weight(), entry.formerWeight(), entry.isDrained());
        return index;
    }

    /** Of a snapshot: a version that was going. It is not loaded for that, unless something behind it needs it. */
    int restoreGoing(final String place, final SnapshotReader.ModelEntry entry) {
        if (known(entry.modelId(), versionOf(entry)) != null) {
            return restore(place, entry);
        }
        going.add(new Going(place, entry));
        return NOT_HERE;
    }

    /** A version that was going may be named by a command behind the snapshot, and be routed again: it was there. */
    void recall(final AdminFrame command) {
        if (!going.isEmpty() && command.modelId() < routes.modelCount()) {
            recall(command.modelId(), command.version());
            for (int route = 0; route < command.routeCount(); route++) {
                recall(command.modelId(), command.version(route));
            }
        }
    }

    private void recall(final int modelId, final DirectBuffer version) {
        final String versionHex = hex(version);
        for (final Going one : going) {
            if (one.entry().modelId() == modelId && one.entry().versionHex().equals(versionHex) &&
                    routes.find(modelId, version) < 0) {
                restore(one.place(), one.entry());
            }
        }
    }

    /** Models that the journal does not tell of begin with what the configuration names, which is to be known else. */
    void finish() {
        for (int modelId = 0; modelId < routes.modelCount(); modelId++) {
            if (!routes.hasBegun(modelId)) {
                routes.begin(versions.get(modelId));
            } else if (!routes.isKnown(modelId)) {
                throw other(begunAt[modelId], modelId, versions.get(routes.foremost(modelId)).versionHex());
            }
        }
    }

    private int place(final String place, final int modelId, final DirectBuffer version) {
        final LoadedModel known = known(modelId, version);
        if (known != null) {
            return known.index();
        }
        final String versionHex = hex(version);
        if (versions.isFull()) {
            throw new RecoveryException(Code.VERSION_LIMIT, place + " modelVersion=" + versionHex +
                    " limits.versions=" + versions.capacity() + ": the journal has more");
        }
        final LoadedModel loaded = load(place, modelId, versionHex);
        versions.add(loaded);
        sessions.add(sessions.newStates(loaded));
        return loaded.index();
    }

    private LoadedModel known(final int modelId, final DirectBuffer version) {
        for (final LoadedModel known : versions) {
            if (known.modelId() == modelId && known.hasVersion(version)) {
                return known;
            }
        }
        return null;
    }

    private LoadedModel load(final String place, final int modelId, final String versionHex) {
        try {
            final LoadedModel loaded = source.load(versions.get(modelId), versionHex);
            if (loaded == null) {
                throw other(place, modelId, versionHex);
            }
            return loaded;
        } catch (final BundleException ex) {
            throw new RecoveryException(Code.OTHER_MODEL,
                    place + " modelVersion=" + versionHex + ": " + ex.getMessage(), ex);
        }
    }

    private RecoveryException other(final String place, final int modelId, final String version) {
        final LoadedModel configured = modelId < routes.modelCount() ? versions.get(modelId) : null;
        return new RecoveryException(Code.OTHER_MODEL, place + " modelId=" + modelId + " modelVersion=" + version +
                ", configured " + (configured == null
                        ? "none"
                        : "alias=" + configured.alias() + " version=" + configured.versionHex())
                + "; sessions cannot go on with another model: configure one of the versions that there were, and load "
                +
                "another with `tiercel admin load`, or begin a new journal");
    }

    private static DirectBuffer versionOf(final SnapshotReader.ModelEntry entry) {
        return new UnsafeBuffer(HexFormat.of().parseHex(entry.versionHex()));
    }

    private static String hex(final DirectBuffer version) {
        final byte[] bytes = new byte[LoadedModel.VERSION_LENGTH];
        version.getBytes(0, bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
