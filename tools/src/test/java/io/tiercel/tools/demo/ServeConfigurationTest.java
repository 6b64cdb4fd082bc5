package io.tiercel.tools.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.ConfigReader;
import io.tiercel.appliance.config.DurabilityLevel;
import io.tiercel.appliance.config.Layout;
import io.tiercel.tools.market.MarketFeed;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeConfigurationTest {

    @Test
    void shouldBeReadBackByTheApplianceWhateverThePathsLookLike(@TempDir final Path folder) throws Exception {
        final Path odd = Files.createDirectory(folder.resolve("it's: #odd"));
        final Path bundle = Files.createFile(odd.resolve("model.safetensors"));
        final DemoPlan plan = new DemoPlan(
                MarketFeed.open(MarketFeed.BITSTAMP, 2, 100), bundle, 3, Layout.PAIRED, DurabilityLevel.DISK,
                "reference", "auto", 3, 1_000,
                odd.resolve("journal"), odd);

        final ApplianceContext context =
                ConfigReader.read(ServeConfiguration.write(plan, odd.resolve("aeron").toString()));

        assertEquals(Layout.PAIRED, context.layout());
        assertEquals(DurabilityLevel.DISK, context.durability());
        assertEquals(odd.resolve("aeron").toString(), context.aeronDirectoryName());
        assertEquals(odd.resolve("journal"), context.journalDirectory());
        assertEquals(3, context.foreseenTokens());
        assertEquals(DemoPlan.ALIAS, context.models().get(0).alias());
        assertEquals(bundle, context.models().get(0).bundle());
        assertEquals("reference", context.models().get(0).backend());
    }
}
