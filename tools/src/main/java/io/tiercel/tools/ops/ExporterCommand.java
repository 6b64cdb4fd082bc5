package io.tiercel.tools.ops;

import io.aeron.CommonContext;
import io.tiercel.ops.desk.DeskFeed;
import io.tiercel.ops.desk.DeskStatus;
import io.tiercel.ops.exporter.ApplianceMetrics;
import io.tiercel.ops.exporter.Exporter;
import io.tiercel.ops.exporter.MetricSource;
import io.tiercel.ops.exporter.ProbeMetrics;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.StopSignal;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemEpochClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel ops exporter}: a running appliance's metrics for Prometheus, until SIGTERM or SIGINT. */
@Command(
        name = "exporter",
        mixinStandardHelpOptions = true,
        description = {
            "Serves an appliance's metrics for Prometheus, native histograms among them, under /metrics, until SIGTERM "
                    + "or Ctrl-C. Reads files that the appliance writes anyway; may start before it and outlive it.",
            "Whoever reaches the address can read the metrics: it is this host's alone unless --listen says otherwise."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:stopped in order",
            "2:bad arguments",
            "3:the address cannot be had, or a file failed"
        })
public final class ExporterCommand implements Callable<Integer> {

    /** How the line begins that says where the metrics are. */
    static final String SERVING = "metrics: ";

    private static final long POLL_INTERVAL_MS = 100;

    @Option(names = "--aeron", paramLabel = "DIR",
            description = "The appliance's aeron.directory, which need not be there yet. Default: Aeron's own.")
    private Path aeron = Path.of(CommonContext.getAeronDirectoryName());

    @Option(names = "--listen", paramLabel = "[HOST:]PORT", defaultValue = "9470", converter = ListenAddress.class,
            description = "Where to serve; port 0: any free one. Default: ${DEFAULT-VALUE}, on the loopback interface.")
    private InetSocketAddress listen;

    @Option(names = "--probe", description = "Also asks a question with a known answer, as ops probe does.")
    private boolean asks;

    @Option(names = "--until-stdin-closes", hidden = true,
            description = "Also stops when standard input closes: for a parent process that may be killed.")
    private boolean untilStdinCloses;

    @Mixin
    private ProbeOptions options;

    @Spec
    private CommandSpec spec;

    private volatile RuntimeException failure;

    @Override
    public Integer call() throws InterruptedException {
        return StopSignal.during(untilStdinCloses, this::serve);
    }

    private int serve(final StopSignal stop) throws InterruptedException {
        final PrintWriter out = spec.commandLine().getOut();
        final ProbeMetrics results = new ProbeMetrics();
        try (DeskFeed feed = new DeskFeed(aeron, SystemEpochClock.INSTANCE);
                ProbeLoop probe = asks ? new ProbeLoop(options, aeron, out) : null) {
            final ApplianceMetrics metrics = new ApplianceMetrics(feed);
            try (Exporter exporter = open(listen, asks ? List.of(metrics, results) : List.of(metrics))) {
                out.println(SERVING + ListenAddress.urlOf(listen, exporter.port()) + " aeron.directory=" + aeron);
                final Thread asking = asks ? start(() -> probe.run(stop, results::add), stop) : null;
                watch(metrics, stop, out);
                if (asking != null) {
                    asking.join();
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
        return ExitCode.OK;
    }

    private static void watch(final ApplianceMetrics metrics, final StopSignal stop, final PrintWriter out)
            throws InterruptedException {
        DeskStatus.Code told = null;
        do {
            final DeskStatus status = metrics.poll();
            if (status.code() != told) {
                told = status.code();
                out.println("appliance: status=" + told + " " + status.detail());
                out.flush();
            }
        } while (!stop.await(POLL_INTERVAL_MS));
    }

    /** What is done until it is told to stop. */
    private interface Asking {
        void run() throws InterruptedException;
    }

    /** A probe that fails ends the command, which says why: nobody must think that it still asks. */
    private Thread start(final Asking asking, final StopSignal stop) {
        final Thread thread = new Thread(() -> {
            try {
                asking.run();
            } catch (final InterruptedException ex) {
                Thread.currentThread().interrupt();
            } catch (final RuntimeException ex) {
                failure = ex;
                stop.raise("the probe failed");
            }
        }, "probe");
        thread.start();
        return thread;
    }

    static Exporter open(final InetSocketAddress listen, final List<? extends MetricSource> sources) {
        try {
            return new Exporter(listen, sources);
        } catch (final IOException ex) {
            throw ToolException.environment("cannot listen at --listen=" + ListenAddress.hostOf(listen) + ":"
                    + listen.getPort() + ": " + ex.getMessage(), ex);
        }
    }
}
