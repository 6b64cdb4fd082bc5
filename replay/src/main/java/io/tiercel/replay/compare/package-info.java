/**
 * Whether latency regressed from one set of runs to another, or somewhere in a series of them.
 *
 * <p>Start at {@link io.tiercel.replay.compare.SetComparator}. The requests of a run are no independent witnesses: a
 * stall makes hundreds of them late at once. So nothing here counts requests. Runs are cut into blocks of time that are
 * long enough to have little to do with each other ({@link io.tiercel.replay.compare.Blocks}), and blocks are what is
 * drawn again, ranked and shuffled ({@link io.tiercel.replay.compare.BlockTests}).
 */
package io.tiercel.replay.compare;
