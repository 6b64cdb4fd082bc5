/**
 * How the value of an answer decays with its delay: {@link io.tiercel.replay.markout.Markout} holds directions that
 * were answered against the prices that came, at more and more delays. Knows neither tapes nor journals: whoever has
 * them says which answer belongs to which event.
 */
package io.tiercel.replay.markout;
