/**
 * What another model would have answered: runs candidates over a journal's requests, with the sessions' lives as the
 * journal has them, and holds their answers against those that were given.
 *
 * <p>Start at {@link io.tiercel.replay.whatif.WhatIf}.
 */
package io.tiercel.replay.whatif;
