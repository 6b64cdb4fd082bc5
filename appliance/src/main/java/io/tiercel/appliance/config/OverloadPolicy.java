package io.tiercel.appliance.config;

/** What becomes of requests that come faster than they are computed. */
public enum OverloadPolicy {

    /** They wait in the client's own log, until that is full and the client cannot send. */
    BACKPRESSURE,

    /** They are refused at the door, so that those which are taken are answered soon. */
    SHED
}
