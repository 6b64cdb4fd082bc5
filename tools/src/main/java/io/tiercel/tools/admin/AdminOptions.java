package io.tiercel.tools.admin;

import io.aeron.CommonContext;
import io.tiercel.protocol.SecretFileException;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.tools.AeronConnection;
import io.tiercel.tools.DurationConverter;
import io.tiercel.tools.ToolException;
import java.nio.file.Path;
import java.time.Duration;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import picocli.CommandLine.Option;

/** How an administrator's command reaches its appliance. */
final class AdminOptions {

    private static final String DEFAULT_STREAM = "7004";

    @Option(names = "--aeron", paramLabel = "DIR",
            description = "The appliance's aeron.directory. Default: Aeron's own.")
    private Path aeron = Path.of(CommonContext.getAeronDirectoryName());

    @Option(names = "--admin-stream", defaultValue = DEFAULT_STREAM, paramLabel = "ID",
            description = "The appliance's aeron.admin-stream. Default: ${DEFAULT-VALUE}.")
    private int streamId;

    @Option(names = "--principal", defaultValue = "admin", paramLabel = "NAME",
            description = "Who gives the command: a principal whose roles have admin. Default: ${DEFAULT-VALUE}.")
    private String principal;

    @Option(names = "--key", required = true, paramLabel = "FILE",
            description = "That principal's key, as ops key made it.")
    private Path key;

    @Option(names = "--timeout", defaultValue = "2m", paramLabel = "TIME", converter = DurationConverter.class,
            description = "How long to wait for the answer; a large bundle takes its time. Default: ${DEFAULT-VALUE}.")
    private Duration timeout;

    /** Connects; to be closed. */
    AdminSession open() {
        final ClientContext context = new ClientContext()
                .requestChannel(CommonContext.IPC_CHANNEL)
                .requestStreamId(streamId)
                .responseChannel(CommonContext.IPC_CHANNEL)
                .principal(principal)
                .keyFile(key.toString())
                .idleStrategy(new SleepingMillisIdleStrategy(1));
        try {
            return new AdminSession(AeronConnection.open(aeron.toString()), context, timeout);
        } catch (final SecretFileException | IllegalArgumentException ex) {
            throw ToolException.badArgument("--key: " + ex.getMessage());
        } catch (final TiercelClientException ex) {
            throw ToolException.environment("no administrator's connection to aeron-dir=" + aeron + " stream=" +
                    streamId + ": " + ex.getMessage() + " (an appliance hears administrators if it has access.keys)",
                    ex);
        }
    }
}
