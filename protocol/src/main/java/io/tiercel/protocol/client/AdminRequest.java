package io.tiercel.protocol.client;

import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.AdminCommand;
import java.util.HexFormat;
import java.util.List;

/**
 * What an administrator asks of an appliance; see protocol/README.md. Each command but {@link #versions} is journaled
 * in the order of all requests, and has its effect there or none at all.
 *
 * @param modelId  of the model that it is about, as the welcome says; 0 if it is about none.
 * @param version  SHA-256 of a bundle, 64 hexadecimal digits; empty if it is about none.
 * @param routes   of a ROUTE; else empty.
 * @param bundle   of a LOAD: path of the bundle on the appliance's host, US-ASCII without spaces; else empty.
 */
public record AdminRequest(AdminCommand command, int modelId, String version, List<Route> routes, String bundle) {

    private static final int VERSION_LENGTH = 32;

    /**
     * A version's part of a route.
     *
     * @param version SHA-256 of its bundle, 64 hexadecimal digits.
     * @param weight  of {@value io.tiercel.protocol.Frames#FULL_WEIGHT} new sessions, how many come to it.
     */
    public record Route(String version, int weight) {
    }

    /** @throws IllegalArgumentException if no frame can say it. */
    public AdminRequest {
        routes = List.copyOf(routes);
        bytesOf(version);
        for (final Route route : routes) {
            bytesOf(route.version());
            if (route.weight() < 0 || route.weight() > Frames.FULL_WEIGHT) {
                throw new IllegalArgumentException(
                        "weight=" + route.weight() + " is not from 0 to " + Frames.FULL_WEIGHT);
            }
        }
        if (routes.size() > Frames.MAX_ROUTES) {
            throw new IllegalArgumentException("routes=" + routes.size() + " are more than " + Frames.MAX_ROUTES);
        }
        if (bundle.length() > Frames.MAX_BUNDLE_LENGTH || !bundle.chars().allMatch(c -> c > ' ' && c <= '~')) {
            throw new IllegalArgumentException("bundle=" + bundle + ": a path has at most " +
                    Frames.MAX_BUNDLE_LENGTH + " US-ASCII characters, and no spaces");
        }
    }

    /** To be told the versions and routes of all models that the principal may administer. */
    public static AdminRequest versions() {
        return new AdminRequest(AdminCommand.VERSIONS, 0, "", List.of(), "");
    }

    /** A further version of a model; no session comes to it yet. */
    public static AdminRequest load(final int modelId, final String version, final String bundle) {
        return new AdminRequest(AdminCommand.LOAD, modelId, version, List.of(), bundle);
    }

    /** New sessions are split over these versions. */
    public static AdminRequest route(final int modelId, final List<Route> routes) {
        return new AdminRequest(AdminCommand.ROUTE, modelId, "", routes, "");
    }

    /** All new sessions come to this version. */
    public static AdminRequest promote(final int modelId, final String version) {
        return new AdminRequest(AdminCommand.PROMOTE, modelId, version, List.of(), "");
    }

    /** The route before this one; sessions of versions that it does not have begin anew. */
    public static AdminRequest rollBack(final int modelId) {
        return new AdminRequest(AdminCommand.ROLL_BACK, modelId, "", List.of(), "");
    }

    /** Sessions of a version that new ones do not come to begin anew at their next request. */
    public static AdminRequest drain(final int modelId, final String version) {
        return new AdminRequest(AdminCommand.DRAIN, modelId, version, List.of(), "");
    }

    /** A snapshot, now. */
    public static AdminRequest snapshot() {
        return new AdminRequest(AdminCommand.SNAPSHOT, 0, "", List.of(), "");
    }

    /** Of a version in words; zeros of none. */
    static byte[] bytesOf(final String version) {
        final byte[] bytes = version.isEmpty() ? new byte[VERSION_LENGTH] : HexFormat.of().parseHex(version);
        if (bytes.length != VERSION_LENGTH) {
            throw new IllegalArgumentException("version=" + version + " has not 64 hexadecimal digits");
        }
        return bytes;
    }
}
