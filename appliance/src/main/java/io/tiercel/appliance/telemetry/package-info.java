/** What the appliance tells of itself: counters in Aeron's counters file, latency of each stage as .hlog. */
package io.tiercel.appliance.telemetry;
