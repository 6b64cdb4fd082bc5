package io.tiercel.appliance.session;

import java.util.Set;

/**
 * What the principal of a connection may do. Set by ingress when the connection is let in, from its principal's entry
 * in the file of keys or, where anybody may connect, from the configuration; it stays as it is until the connection
 * ends. Immutable, so any thread may read it.
 *
 * @param isClient         whether it may ask models.
 * @param isAdmin          whether it may give commands; nobody may where there are no keys.
 * @param models           aliases that it may ask; empty for all that there are.
 * @param maxInFlight      its unanswered requests, of one connection.
 * @param maxRatePerSecond its requests a second, of one connection; 0 for no limit.
 * @param maxSessions      its sessions in memory, all connections and models together.
 * @param maxConnections   its connections at once.
 */
public record Rights(
        boolean isClient,
        boolean isAdmin,
        Set<String> models,
        int maxInFlight,
        int maxRatePerSecond,
        int maxSessions,
        int maxConnections) {

    public Rights {
        models = Set.copyOf(models);
    }

    /** What anybody may who connects to an appliance without keys: ask every model, within the limits of all. */
    public static Rights ofAnyone(
            final int maxInFlight, final int maxRatePerSecond, final int maxSessions, final int maxConnections) {
        return new Rights(true, false, Set.of(), maxInFlight, maxRatePerSecond, maxSessions, maxConnections);
    }

    /** Whether it may administer a model of that name. */
    public boolean mayAdminister(final String alias) {
        return isAdmin && (models.isEmpty() || models.contains(alias));
    }

    /** Whether it may ask a model of that name. Not for a hot path. */
    public boolean mayAsk(final String alias) {
        return isClient && (models.isEmpty() || models.contains(alias));
    }
}
