/**
 * The journal: two Chronicle queues, {@code requests} and {@code outcomes}, written by one thread each and read by
 * recovery, replay and tools.
 */
package io.tiercel.appliance.journal;
