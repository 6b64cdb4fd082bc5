/**
 * A stretch of a journal as a trace that Perfetto and Chrome show. Start at
 * {@link io.tiercel.replay.trace.TraceWriter}; the format is in {@code TraceEvents}.
 */
package io.tiercel.replay.trace;
