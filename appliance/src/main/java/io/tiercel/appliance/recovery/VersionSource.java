package io.tiercel.appliance.recovery;

import io.tiercel.appliance.engine.LoadedModel;

/** Where a recovery gets versions of models that the configuration does not name, and the journal does. */
@FunctionalInterface
public interface VersionSource {

    /** For journals whose models have one version each. */
    VersionSource NONE = (first, versionHex) -> null;

    /**
     * Loads a version.
     *
     * @param first any version of the model.
     * @return the version, with the next index; null if its bundle is not there.
     * @throws io.tiercel.appliance.engine.bundle.BundleException if it cannot be loaded.
     */
    LoadedModel load(LoadedModel first, String versionHex);
}
