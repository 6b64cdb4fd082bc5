package io.tiercel.nativecuda;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;

/** What the backends share while they have no kernels: a name, a reason, and a refusal to compute anything. */
abstract class NativeBackend implements Backend {

    private final String name;
    private final int preference;

    NativeBackend(final String name, final int preference) {
        this.name = name;
        this.preference = preference;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final int preference() {
        return preference;
    }

    @Override
    public final BackendProbe probe() {
        return BackendProbe.unavailable(reason());
    }

    @Override
    public final boolean supports(final Bundle bundle) {
        return false;
    }

    @Override
    public final Model load(final Bundle bundle, final int threads) {
        throw new BundleException("backend=" + name + " cannot load a bundle: " + reason());
    }

    abstract String reason();
}
