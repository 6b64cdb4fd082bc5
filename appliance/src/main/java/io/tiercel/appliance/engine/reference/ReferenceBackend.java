package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import java.nio.ByteOrder;

/** The Java reference. It asks nothing of the machine but little-endian memory, which states and vectors are in. */
public final class ReferenceBackend implements Backend {

    public static final String NAME = "reference";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int preference() {
        return 0;
    }

    @Override
    public BackendProbe probe() {
        return ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
                ? BackendProbe.available("plain Java, one thread, exact")
                : BackendProbe.unavailable("this machine is big-endian, model state is little-endian");
    }

    @Override
    public boolean supports(final Bundle bundle) {
        return isTransformer(bundle) || LstmParameters.FAMILY.equals(bundle.manifest().family());
    }

    @Override
    public Model load(final Bundle bundle, final int threads) {
        return isTransformer(bundle) ? TransformerModel.load(bundle) : LstmModel.load(bundle);
    }

    private static boolean isTransformer(final Bundle bundle) {
        return TransformerParameters.FAMILY.equals(bundle.manifest().family());
    }
}
