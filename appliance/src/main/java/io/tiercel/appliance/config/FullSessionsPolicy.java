package io.tiercel.appliance.config;

/** What becomes of the request of a new session when as many are in memory as may be. */
public enum FullSessionsPolicy {

    /** It is refused, and the sessions that there are stay. */
    REFUSE,

    /** The session that has not been used for longest is forgotten, and the new one gets its place. */
    EVICT
}
