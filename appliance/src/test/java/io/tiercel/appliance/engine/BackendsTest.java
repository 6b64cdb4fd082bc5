package io.tiercel.appliance.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.Manifest;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BackendsTest {

    private final Bundle bundle = RandomModels.lstm(1).bundle();

    @Test
    void shouldFindTheReferenceWhenAskedByNameOrForAny() {
        assertEquals("reference", Backends.select("reference", bundle).name());
        assertTrue(Backends.select(Backends.AUTO, bundle).probe().available());
        assertTrue(Backends.all().stream().anyMatch(backend -> "reference".equals(backend.name())));
    }

    @Test
    void shouldSayWhyNotForEachWhenNoneCanServe() {
        final NoBackendException unknown =
                assertThrows(NoBackendException.class, () -> Backends.select("abacus", bundle));
        assertTrue(unknown.getMessage().contains("backend=abacus") &&
                unknown.getMessage().contains("reference: not asked for"), unknown.getMessage());
        final Manifest lstm = bundle.manifest();
        final Manifest oracle = new Manifest("oracle", Map.of(), lstm.featureNames(), lstm.labels(), lstm.task(),
                lstm.quantisation(), lstm.provenance(), lstm.accuracy());
        final Bundle strange = Bundle.of(Path.of("strange"), new BundleWriter(oracle).toBytes());
        final NoBackendException unsupported =
                assertThrows(NoBackendException.class, () -> Backends.select(Backends.AUTO, strange));
        assertTrue(unsupported.getMessage().contains("reference: does not support family=oracle"),
                unsupported.getMessage());
    }
}
