package io.tiercel.tools.ops;

import io.aeron.CommonContext;
import io.tiercel.ops.desk.DeskFeed;
import io.tiercel.ops.web.DeskServer;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.StopSignal;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemEpochClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel ops web}: a running appliance's page for browsers on this host, until SIGTERM or SIGINT. */
@Command(
        name = "web",
        mixinStandardHelpOptions = true,
        description = {
            "Serves one page that shows how an appliance does, live: percentile curves, latency over time, stages, "
                    + "models, clients, room, events. Reads files that the appliance writes anyway; may start before "
                    + "it and outlive it.",
            "Whoever reaches the address can read the page: it is this host's alone unless --listen says otherwise. "
                    + "The page asks nothing of any other host."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:stopped in order",
            "2:bad arguments",
            "3:the address cannot be had, or a file failed"
        })
public final class WebCommand implements Callable<Integer> {

    private static final long POLL_INTERVAL_MS = 100;

    @Option(names = "--aeron", paramLabel = "DIR",
            description = "The appliance's aeron.directory, which need not be there yet. Default: Aeron's own.")
    private Path aeron = Path.of(CommonContext.getAeronDirectoryName());

    @Option(names = "--listen", paramLabel = "[HOST:]PORT", defaultValue = "9471", converter = ListenAddress.class,
            description = "Where to serve; port 0: any free one. Default: ${DEFAULT-VALUE}, on the loopback interface.")
    private InetSocketAddress listen;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        return StopSignal.during(false, this::serve);
    }

    private int serve(final StopSignal stop) throws InterruptedException {
        final PrintWriter out = spec.commandLine().getOut();
        try (DeskServer server = open()) {
            out.println("page: http://" + ListenAddress.hostOf(listen) + ":" + server.port() + "/ aeron.directory="
                    + aeron);
            out.flush();
            do {
                server.poll();
            } while (!stop.await(POLL_INTERVAL_MS));
        }
        return ExitCode.OK;
    }

    private DeskServer open() {
        try {
            return new DeskServer(listen, new DeskFeed(aeron, SystemEpochClock.INSTANCE), SystemEpochClock.INSTANCE);
        } catch (final IOException ex) {
            throw ToolException.environment("cannot listen at --listen=" + ListenAddress.hostOf(listen) + ":"
                    + listen.getPort() + ": " + ex.getMessage(), ex);
        }
    }
}
