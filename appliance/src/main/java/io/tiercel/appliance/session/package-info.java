/**
 * Sessions: who has one ({@link io.tiercel.appliance.session.SessionTable}) and what it remembers
 * ({@link io.tiercel.appliance.session.SessionStates}). The live pipeline and replay use the same two classes, so a
 * recomputed session goes through the same steps in the same order.
 */
package io.tiercel.appliance.session;
