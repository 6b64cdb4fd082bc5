/**
 * Computes a journal's outcomes again and compares every bit.
 *
 * <p>Start at {@link io.tiercel.replay.ReplayVerifier}. {@link io.tiercel.replay.ReplayPass} goes through the journal:
 * {@link io.tiercel.replay.JoinedJournal} puts each request beside its outcome, {@code ReplayEngine} says what there is
 * to do for it, {@code ReplayCrew} has it done on several threads, {@link io.tiercel.replay.ReplayComputer} computes,
 * {@code OutcomeComparator} compares, and {@link io.tiercel.replay.ReplayReport} says what came of it.
 * {@link io.tiercel.replay.SnapshotVerifier} holds the snapshots of session states against the same engine.
 */
package io.tiercel.replay;
