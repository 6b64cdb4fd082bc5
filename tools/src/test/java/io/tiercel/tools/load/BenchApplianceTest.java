package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.ConfigReader;
import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Its configuration; that it starts and ends is the benches' tests'. */
class BenchApplianceTest {

    @TempDir
    private Path folder;

    @Test
    void shouldBeReadBackWhateverThePathsLookLike() throws IOException {
        final Path odd = Files.createDirectory(folder.resolve("it's: #odd"));
        final Path keys = Files.createFile(odd.resolve("keys"));
        final ApplianceContext context =
                read(new BenchAppliance.Plan("bench-odd", Layout.PAIRED, IdleMode.BACKOFF, odd, false, keys));
        assertEquals("bench-odd", context.name());
        assertEquals(Layout.PAIRED, context.layout());
        assertEquals(IdleMode.BACKOFF, context.idle());
        assertEquals(odd.resolve("aeron").toString(), context.aeronDirectoryName());
        assertEquals(odd.resolve("journal"), context.journalDirectory());
        assertEquals(odd.resolve("model"), context.models().get(0).bundle());
        assertEquals(keys, context.accessKeys());
        assertEquals(1_000, context.warmUpRequests());
    }

    @Test
    void shouldWarmUpInFullAndLetEverybodyInWhenNothingElseIsAskedFor() throws IOException {
        final ApplianceContext context =
                read(new BenchAppliance.Plan("bench", Layout.COMPACT, IdleMode.SPIN, folder, true, null));
        assertEquals(new ApplianceContext().warmUpRequests(), context.warmUpRequests());
        assertEquals(new ApplianceContext().accessKeys(), context.accessKeys());
    }

    private static ApplianceContext read(final BenchAppliance.Plan plan) throws IOException {
        final Path bundle = Files.createFile(plan.folder().resolve("model"));
        final Path aeron = plan.folder().resolve("aeron");
        return ConfigReader.read(Files.writeString(
                plan.folder().resolve("serve.yaml"), BenchAppliance.text(plan, aeron.toString(), bundle)));
    }
}
