/**
 * A stretch of a journal as OpenTelemetry traces, made afterwards: what the requests were timed by stands in the
 * journal anyway, so the hot path knows nothing of spans. Start at {@link io.tiercel.replay.otel.RequestSpans}; it,
 * {@link io.tiercel.replay.otel.SpanFile} and {@link io.tiercel.replay.otel.SpanCollector} are all that know
 * OpenTelemetry.
 */
package io.tiercel.replay.otel;
