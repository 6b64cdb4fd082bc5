/**
 * What the appliance tells of itself: counters in Aeron's counters file; latency of each stage as .hlog; and, for each
 * run, the stalls of its threads, the pauses of its JVM and its snapshots, each with its time.
 */
package io.tiercel.appliance.telemetry;
