/**
 * The appliance put together: what it stands on ({@code Foundation}), the graph of a request's way
 * ({@code Pipeline}), which thread runs which stage ({@code Threads}), the warm-up, and start and stop
 * ({@link io.tiercel.appliance.Appliance}). Everything that it is made of stands in a package of its own, in the order
 * in which a request meets them.
 */
package io.tiercel.appliance;
