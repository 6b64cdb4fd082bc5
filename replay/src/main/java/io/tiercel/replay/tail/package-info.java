/**
 * Why slow requests were slow. Start at {@link io.tiercel.replay.tail.TailAnalysis}; how time is given to causes is in
 * {@link io.tiercel.replay.tail.Blame}, what causes there are in {@link io.tiercel.replay.tail.Cause}.
 */
package io.tiercel.replay.tail;
