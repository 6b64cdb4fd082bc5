/**
 * The latency of what a journal holds, out of its outcomes' time stamps: by stage, model and client, over time, and
 * what the slow requests spent their time on. Start at {@link io.tiercel.replay.latency.JournalLatency}.
 */
package io.tiercel.replay.latency;
