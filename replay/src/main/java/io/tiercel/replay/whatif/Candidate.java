package io.tiercel.replay.whatif;

import io.tiercel.appliance.engine.bundle.Bundle;

/**
 * A bundle to try.
 *
 * @param name what reports call it.
 */
public record Candidate(String name, Bundle bundle) {
}
