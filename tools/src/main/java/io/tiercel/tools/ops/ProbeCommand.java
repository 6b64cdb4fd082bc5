package io.tiercel.tools.ops;

import io.aeron.CommonContext;
import io.tiercel.ops.exporter.Exporter;
import io.tiercel.ops.exporter.ProbeMetrics;
import io.tiercel.ops.probe.ProbeOutcome;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.StopSignal;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel ops probe}: asks an appliance a question with a known answer, once a second. */
@Command(
        name = "probe",
        mixinStandardHelpOptions = true,
        description = {
            "Asks an appliance a question whose answer is known, once a second, and compares the bits: other bits, a "
                    + "slow answer or none are noticed before a user notices them. Sleeps in between, and outlives "
                    + "the appliance.",
            "Each question is two requests, in the journal as any others, of a session and a principal of its own."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:stopped in order; --once: the known answer came in time",
            "1:--once: another answer, a late one or none",
            "2:bad arguments",
            "3:the address cannot be had, or a file failed"
        })
public final class ProbeCommand implements Callable<Integer> {

    @Option(names = "--aeron", paramLabel = "DIR",
            description = "The appliance's aeron.directory, which need not be there yet. Default: Aeron's own.")
    private Path aeron = Path.of(CommonContext.getAeronDirectoryName());

    @Option(names = "--once", description = "Asks once and exits.")
    private boolean once;

    @Option(names = "--listen", paramLabel = "[HOST:]PORT", converter = ListenAddress.class,
            description = "Serves what becomes of the questions as metrics, as ops exporter --probe does with its own.")
    private InetSocketAddress listen;

    @Option(names = "--until-stdin-closes", hidden = true,
            description = "Also stops when standard input closes: for a parent process that may be killed.")
    private boolean untilStdinCloses;

    @Mixin
    private ProbeOptions options;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        return once ? askOnce() : askOn();
    }

    private int askOnce() {
        try (ProbeLoop loop = new ProbeLoop(options, aeron, spec.commandLine().getOut())) {
            return loop.ask().outcome() == ProbeOutcome.OK ? ExitCode.OK : ExitCode.CHECK_FAILED;
        }
    }

    private int askOn() throws InterruptedException {
        return StopSignal.during(untilStdinCloses, this::askUntil);
    }

    private int askUntil(final StopSignal stop) throws InterruptedException {
        final PrintWriter out = spec.commandLine().getOut();
        final ProbeMetrics metrics = new ProbeMetrics();
        try (ProbeLoop loop = new ProbeLoop(options, aeron, out);
                Exporter exporter = listen == null ? null : ExporterCommand.open(listen, List.of(metrics))) {
            if (exporter != null) {
                out.println(ExporterCommand.SERVING + ListenAddress.urlOf(listen, exporter.port()));
                out.flush();
            }
            loop.run(stop, metrics::add);
        }
        return ExitCode.OK;
    }
}
