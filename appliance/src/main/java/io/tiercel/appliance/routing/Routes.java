package io.tiercel.appliance.routing;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.RejectCode;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.agrona.DirectBuffer;

/**
 * Which versions of each model there are, and how new sessions are split over them. A session stays with the version
 * that it began with; only where that one is drained does it begin anew with another. So there are three states of a
 * version: new sessions come to it (it has a weight), it keeps those that it has, or it gives them up (it is drained).
 *
 * <pre>
 *              ROUTE, PROMOTE, ROLL_BACK                    DRAIN, ROLL_BACK
 *   LOAD ──▶ weight 0 ◀──────────────▶ weight 1 .. 10,000      │
 *              │  ▲                                            │
 *              │  └── ROUTE, PROMOTE, ROLL_BACK ── drained ◀───┘   (only with weight 0)
 * </pre>
 *
 * <p>A state machine: what a command comes to follows from the commands before it, so a recovery and a replay find the
 * same, which {@link #hash} shows. Commands are {@linkplain #check checked} whole before they are {@linkplain #apply
 * applied}. One thread at a time: recovery's, then ingress's; others see what was {@linkplain #tell told}. Allocates in
 * the constructor, and when it tells.
 */
public final class Routes {

    /** No refusal. */
    public static final int OK = 0;

    private static final int NONE = -1;
    private static final long SPREAD = 0x9E3779B97F4A7C15L;
    private static final long MIX = 0xD6E8FEB86659FD93L;

    private static final Share NO_SHARE = new Share(0, false);

    private final int modelCount;
    private final int[] modelIds;
    private final byte[][] versions;
    private final boolean[] isDrained;
    private final int[] weights;
    private final int[] formerWeights;
    private final int[] nextWeights;
    /** Indices of what is known, by the versions' bytes: an index says when a version came, and a start changes it. */
    private final int[] order;
    private int knownCount;
    private volatile Share[] told = {};
    private long offendingValue;
    private long allowedValue;

    /**
     * How a version stands.
     *
     * @param weight    of {@link Frames#FULL_WEIGHT} new sessions of its model, how many come to it.
     * @param isDrained whether its sessions begin anew with another version.
     */
    public record Share(int weight, boolean isDrained) {
    }

    /**
     * Of models with no version as yet: {@link #begin}.
     *
     * @param modelCount models, each under an id below this.
     * @param capacity   versions of all of them together.
     */
    public Routes(final int modelCount, final int capacity) {
        this.modelCount = modelCount;
        modelIds = new int[capacity];
        versions = new byte[capacity][];
        isDrained = new boolean[capacity];
        weights = new int[capacity];
        formerWeights = new int[capacity];
        nextWeights = new int[capacity];
        order = new int[capacity];
    }

    /** As an appliance begins without a journal: all sessions of a model come to the version that is configured. */
    public static Routes ofConfigured(final List<LoadedModel> versions, final int capacity) {
        final Routes routes = new Routes(versions.size(), capacity);
        versions.forEach(routes::begin);
        return routes;
    }

    /** A model's first version: every session comes to it. */
    public void begin(final LoadedModel version) {
        begin(version.index(), version.modelId(), version.version());
    }

    /** A model's first version: every session comes to it. */
    public void begin(final int index, final int modelId, final DirectBuffer version) {
        put(index, modelId, version, Frames.FULL_WEIGHT, 0, false);
    }

    /** A version as a snapshot has it. */
    public void put(
            final int index, final int modelId, final DirectBuffer version, final int weight, final int formerWeight,
            final boolean drained) {
        if (versions[index] == null) {
            versions[index] = new byte[LoadedModel.VERSION_LENGTH];
            version.getBytes(0, versions[index]);
            insert(index);
        }
        modelIds[index] = modelId;
        weights[index] = weight;
        formerWeights[index] = formerWeight;
        isDrained[index] = drained;
    }

    private void insert(final int index) {
        int place = knownCount++;
        for (; place > 0 && Arrays.compareUnsigned(versions[order[place - 1]], versions[index]) > 0; place--) {
            order[place] = order[place - 1];
        }
        order[place] = index;
    }

    /** Versions that there may come to be. */
    public int capacity() {
        return weights.length;
    }

    /** Models, each under an id below this. */
    public int modelCount() {
        return modelCount;
    }

    /** Whether a model has a version at all. */
    public boolean hasBegun(final int modelId) {
        for (int index = 0; index < versions.length; index++) {
            if (isVersionOf(index, modelId)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the version is one of those that are served. */
    public boolean isKnown(final int index) {
        return versions[index] != null;
    }

    public int weight(final int index) {
        return weights[index];
    }

    public int formerWeight(final int index) {
        return formerWeights[index];
    }

    /** Whether its sessions begin anew with another version. */
    public boolean isDrained(final int index) {
        return isDrained[index];
    }

    /**
     * The version that a new session is with: by equal weights the same for the same session, whatever the versions'
     * indices are, and of many sessions so many as the weights say.
     */
    public int choose(final int modelId, final long principalId, final long sessionKey) {
        int rest = pointOf(principalId, sessionKey);
        int chosen = NONE;
        for (int place = 0; place < knownCount && rest >= 0; place++) {
            final int index = order[place];
            if (modelIds[index] == modelId && weights[index] > 0) {
                chosen = index;
                rest -= weights[index];
            }
        }
        return chosen;
    }

    /** The version that most new sessions of the model come to, the first of several; what a welcome names. */
    public int foremost(final int modelId) {
        int foremost = NONE;
        for (int place = 0; place < knownCount; place++) {
            final int index = order[place];
            if (modelIds[index] == modelId && (foremost == NONE || weights[index] > weights[foremost])) {
                foremost = index;
            }
        }
        return foremost;
    }

    /** The model's version with that SHA-256, or -1. */
    public int find(final int modelId, final DirectBuffer version) {
        for (int index = 0; index < versions.length; index++) {
            if (isVersionOf(index, modelId) && isEqual(versions[index], version)) {
                return index;
            }
        }
        return NONE;
    }

    /**
     * Whether a command can be applied now. Changes nothing that others see.
     *
     * @return {@link #OK}, or the value of a {@link RejectCode}; then {@link #offendingValue} and {@link #allowedValue}
     *         hold what a Reject says.
     */
    public int check(final AdminFrame frame) {
        final int modelId = frame.modelId();
        if (modelId >= modelCount) {
            return refuse(RejectCode.UNKNOWN_MODEL, modelId, modelCount);
        }
        return switch (frame.command()) {
            case LOAD -> find(modelId, frame.version()) == NONE
                    ? OK
                    : refuse(RejectCode.VERSION_LOADED, first8(frame.version()), 0);
            case ROUTE -> checkRoute(frame, modelId);
            case PROMOTE -> checkKnown(modelId, frame.version());
            case ROLL_BACK -> hasFormer(modelId) ? OK : refuse(RejectCode.NO_FORMER_ROUTE, modelId, 0);
            case DRAIN -> checkDrain(modelId, frame.version());
            default -> OK;
        };
    }

    /**
     * Applies a command that was checked.
     *
     * @param loadedIndex of a LOAD: index of the version, which is in the list.
     */
    public void apply(final AdminFrame frame, final int loadedIndex) {
        final int modelId = frame.modelId();
        switch (frame.command()) {
            case LOAD -> put(loadedIndex, modelId, frame.version(), 0, 0, false);
            case ROUTE -> {
                plan(frame, modelId);
                route(modelId);
            }
            case PROMOTE -> {
                Arrays.fill(nextWeights, 0);
                nextWeights[find(modelId, frame.version())] = Frames.FULL_WEIGHT;
                route(modelId);
            }
            case ROLL_BACK -> rollBack(modelId);
            case DRAIN -> isDrained[find(modelId, frame.version())] = true;
            default -> {
                // Changes no route.
            }
        }
    }

    /** Puts a copy of how the routes stand into another object of the same capacity, as of now. */
    public void copyTo(final Routes copy) {
        System.arraycopy(versions, 0, copy.versions, 0, versions.length);
        System.arraycopy(modelIds, 0, copy.modelIds, 0, modelIds.length);
        System.arraycopy(isDrained, 0, copy.isDrained, 0, isDrained.length);
        System.arraycopy(weights, 0, copy.weights, 0, weights.length);
        System.arraycopy(formerWeights, 0, copy.formerWeights, 0, formerWeights.length);
        System.arraycopy(order, 0, copy.order, 0, order.length);
        copy.knownCount = knownCount;
    }

    /** Has other threads see how all versions stand now. Not with each request: it allocates. */
    public void tell() {
        final Share[] shares = new Share[versions.length];
        Arrays.setAll(shares, index -> new Share(weights[index], isDrained[index]));
        told = shares;
    }

    /** How a version stood when that was told last. Any thread. */
    public Share told(final int index) {
        final Share[] shares = told;
        return index < shares.length ? shares[index] : NO_SHARE;
    }

    public long offendingValue() {
        return offendingValue;
    }

    public long allowedValue() {
        return allowedValue;
    }

    /**
     * Whether the version is in no route and gives up its sessions: once they have gone it need not be there any more,
     * and a start does without it.
     */
    public static boolean isGoing(final int weight, final int formerWeight, final boolean isDrained) {
        return isDrained && weight == 0 && formerWeight == 0;
    }

    /**
     * Of a model's routes, whatever the indices are, but for versions that are {@linkplain #isGoing going}: 64 bits,
     * for the outcomes of commands.
     */
    public long hash(final int modelId) {
        long sum = 0;
        for (int index = 0; index < versions.length; index++) {
            if (isVersionOf(index, modelId) &&
                    !isGoing(weights[index], formerWeights[index], isDrained[index])) {
                long hash = mix(first8(versions[index]) * SPREAD + modelId);
                hash = mix(hash + ((long) weights[index] << Short.SIZE | formerWeights[index]));
                sum += mix(hash + (isDrained[index] ? MIX : 0));
            }
        }
        return mix(sum);
    }

    private int checkKnown(final int modelId, final DirectBuffer version) {
        return find(modelId, version) == NONE ? refuse(RejectCode.UNKNOWN_VERSION, first8(version), 0) : OK;
    }

    private int checkDrain(final int modelId, final DirectBuffer version) {
        final int code = checkKnown(modelId, version);
        if (code != OK) {
            return code;
        }
        final int weight = weights[find(modelId, version)];
        return weight == 0 ? OK : refuse(RejectCode.VERSION_ROUTED, weight, 0);
    }

    private int checkRoute(final AdminFrame frame, final int modelId) {
        for (int route = 0; route < frame.routeCount(); route++) {
            final int code = checkKnown(modelId, frame.version(route));
            if (code != OK) {
                return code;
            }
        }
        final int sum = plan(frame, modelId);
        return sum == Frames.FULL_WEIGHT
                ? OK
                : refuse(RejectCode.WEIGHTS_DO_NOT_ADD_UP, sum, Frames.FULL_WEIGHT);
    }

    /** Puts the weights of a route aside; returns their sum, of a version that stands there twice the last one. */
    private int plan(final AdminFrame frame, final int modelId) {
        Arrays.fill(nextWeights, 0);
        for (int route = 0; route < frame.routeCount(); route++) {
            nextWeights[find(modelId, frame.version(route))] = frame.weight(route);
        }
        return Arrays.stream(nextWeights).sum();
    }

    private void route(final int modelId) {
        for (int index = 0; index < versions.length; index++) {
            if (isVersionOf(index, modelId)) {
                formerWeights[index] = weights[index];
                weights[index] = nextWeights[index];
                isDrained[index] &= weights[index] == 0;
            }
        }
    }

    private void rollBack(final int modelId) {
        System.arraycopy(formerWeights, 0, nextWeights, 0, nextWeights.length);
        route(modelId);
        for (int index = 0; index < versions.length; index++) {
            if (isVersionOf(index, modelId)) {
                isDrained[index] |= formerWeights[index] > 0 && weights[index] == 0;
                formerWeights[index] = 0;
            }
        }
    }

    private boolean hasFormer(final int modelId) {
        int sum = 0;
        for (int index = 0; index < versions.length; index++) {
            sum += isVersionOf(index, modelId) ? formerWeights[index] : 0;
        }
        return sum == Frames.FULL_WEIGHT;
    }

    private boolean isVersionOf(final int index, final int modelId) {
        return versions[index] != null && modelIds[index] == modelId;
    }

    private int refuse(final RejectCode code, final long offending, final long allowed) {
        offendingValue = offending;
        allowedValue = allowed;
        return code.value();
    }

    /** From 0 to below the sum of all weights, evenly over all sessions. */
    private static int pointOf(final long principalId, final long sessionKey) {
        final long hash = mix((sessionKey ^ mix(principalId)) * SPREAD);
        return (int) ((hash >>> Integer.SIZE) * Frames.FULL_WEIGHT >>> Integer.SIZE);
    }

    private static long mix(final long value) {
        final long hash = (value ^ value >>> Integer.SIZE) * MIX;
        return hash ^ hash >>> Integer.SIZE;
    }

    private static long first8(final DirectBuffer version) {
        return version.getLong(0, LITTLE_ENDIAN);
    }

    private static long first8(final byte[] version) {
        return ByteBuffer.wrap(version).order(LITTLE_ENDIAN).getLong();
    }

    private static boolean isEqual(final byte[] version, final DirectBuffer other) {
        for (int index = 0; index < version.length; index++) {
            if (version[index] != other.getByte(index)) {
                return false;
            }
        }
        return true;
    }
}
