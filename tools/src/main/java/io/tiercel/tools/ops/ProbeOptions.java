package io.tiercel.tools.ops;

import io.tiercel.ops.probe.GoldenFile;
import io.tiercel.ops.probe.Probe;
import io.tiercel.ops.probe.ProbeSettings;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.SecretFileException;
import io.tiercel.tools.DurationConverter;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Option;

/** What a probe is told, by whichever command runs it. */
final class ProbeOptions {

    private static final long MAX_SPINS = 100;
    private static final long MAX_YIELDS = 10;
    private static final long MIN_PARK_NS = 1_000;
    private static final long MAX_PARK_NS = 50_000;
    /** Silence of the media driver after which the appliance is taken for dead: sooner than by a trading system. */
    private static final long DRIVER_TIMEOUT_MS = 2_000;
    private static final Duration MIN_INTERVAL = Duration.ofMillis(100);

    @Option(names = "--principal", defaultValue = "probe", paramLabel = "NAME",
            description = "Who the probe connects as. Default: ${DEFAULT-VALUE}.")
    private String principal;

    @Option(names = "--key", paramLabel = "FILE",
            description = "The probe's key, as ops key made it, where the appliance asks for one.")
    private Path key;

    @Option(names = "--request-channel", defaultValue = ClientContext.DEFAULT_CHANNEL, paramLabel = "CHANNEL",
            description = "The probe's Aeron channel of the appliance. Default: ${DEFAULT-VALUE}.")
    private String requestChannel;

    @Option(names = "--request-stream", defaultValue = "" + ClientContext.DEFAULT_REQUEST_STREAM_ID, paramLabel = "ID",
            description = "The probe's Aeron stream of the appliance. Default: ${DEFAULT-VALUE}.")
    private int requestStreamId;

    @Option(names = "--model", paramLabel = "ALIAS",
            description = "The model that the probe asks. Default: the appliance's first.")
    private String model;

    @Option(names = "--bundle", paramLabel = "FILE",
            description = "A bundle from which the reference computes the known answer; may be given again, for "
                    + "versions to come. Default: those that the appliance keeps in its journal's directory.")
    private List<Path> bundles = List.of();

    @Option(names = "--journal", paramLabel = "DIR",
            description = "The appliance's journal.directory. Default: what its telemetry names.")
    private Path journal;

    @Option(names = "--golden", paramLabel = "FILE",
            description = "Answers of versions that the reference cannot compute: the first one is taken for right "
                    + "and written there.")
    private Path golden;

    @Option(names = "--late", defaultValue = "20ms", paramLabel = "TIME", converter = DurationConverter.class,
            description = "An answer that takes the probe longer is late. Default: ${DEFAULT-VALUE}.")
    private Duration late;

    @Option(names = "--timeout", defaultValue = "1s", paramLabel = "TIME", converter = DurationConverter.class,
            description = "One that takes the probe longer is none. Default: ${DEFAULT-VALUE}.")
    private Duration timeout;

    @Option(names = "--every", defaultValue = "1s", paramLabel = "TIME", converter = DurationConverter.class,
            description = "How often the probe asks. Default: ${DEFAULT-VALUE}.")
    private Duration every;

    Duration every() {
        return every;
    }

    /**
     * A probe that has not connected yet.
     *
     * @param named    where the appliance says its journal is; null as long as it is not known.
     * @param messages takes a line now and then.
     */
    Probe open(final Path aeron, final Supplier<Path> named, final Consumer<String> messages) {
        bundles.forEach(ProbeOptions::requireBundle);
        if (every.compareTo(MIN_INTERVAL) < 0) {
            throw ToolException.badArgument("--every=" + every.toMillis() + "ms is less than "
                    + MIN_INTERVAL.toMillis() + "ms: a probe is no load");
        }
        try {
            final ClientContext context = new ClientContext()
                    .aeronDirectoryName(aeron.toString())
                    .requestChannel(requestChannel)
                    .requestStreamId(requestStreamId)
                    .principal(principal)
                    .driverTimeoutMs(DRIVER_TIMEOUT_MS)
                    .keyFile(key == null ? null : key.toString())
                    .conclude();
            return new Probe(
                    new ProbeSettings(model, late.toNanos(), timeout.toNanos()),
                    context,
                    new ReferenceAnswers(bundles, () -> journal != null ? journal : named.get(),
                            golden == null ? null : new GoldenFile(golden), messages),
                    SystemNanoClock.INSTANCE,
                    new BackoffIdleStrategy(MAX_SPINS, MAX_YIELDS, MIN_PARK_NS, MAX_PARK_NS));
        } catch (final IllegalArgumentException | SecretFileException ex) {
            throw ToolException.badArgument(ex.getMessage());
        } catch (final IOException ex) {
            throw ToolException.environment("cannot read --golden=" + golden + ": " + ex, ex);
        }
    }

    private static void requireBundle(final Path bundle) {
        if (!Files.isReadable(bundle)) {
            throw ToolException.badArgument("--bundle=" + bundle + " cannot be read");
        }
    }
}
