package io.tiercel.tools.load;

import io.tiercel.tools.ExitCode;
import io.tiercel.tools.StopSignal;
import java.util.concurrent.Callable;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code tiercel echo-server}: the raw echo in a process of its own, as the demo starts it. One spinning thread.
 */
@Command(
        name = "echo-server",
        hidden = true,
        mixinStandardHelpOptions = true,
        description = "Returns every Aeron message unchanged: the yardstick of the demo.")
public final class EchoServerCommand implements Callable<Integer> {

    @Option(names = "--aeron-dir", required = true, paramLabel = "DIR", description = "Directory of its media driver.")
    private String aeronDirectoryName;

    @Option(names = "--channel", defaultValue = "aeron:ipc", paramLabel = "CHANNEL", description = "Aeron channel.")
    private String channel;

    @Option(names = "--request-stream", defaultValue = "7002", paramLabel = "ID", description = "Stream it reads.")
    private int requestStreamId;

    @Option(names = "--response-stream", defaultValue = "7003", paramLabel = "ID",
            description = "Stream it answers on.")
    private int responseStreamId;

    @Option(names = "--driver-threads", description = "The driver has threads of its own.")
    private boolean driverThreads;

    @Option(names = "--driver-cycle-interval", defaultValue = "16", paramLabel = "N",
            description = "Duty cycles between two invocations of the media driver.")
    private int driverCycleInterval;

    @Option(names = "--until-stdin-closes", hidden = true, description = "Also ends when standard input closes.")
    private boolean untilStdinCloses;

    @Override
    public Integer call() {
        final StopSignal stop = StopSignal.install();
        if (untilStdinCloses) {
            stop.watchStandardInput();
        }
        int exitCode = ExitCode.ENVIRONMENT;
        try (EchoServer server = EchoServer.launch(
                aeronDirectoryName, channel, requestStreamId, responseStreamId, driverThreads, driverCycleInterval,
                Throwable::printStackTrace)) {
            System.out.println("ready");
            final HiccupRecorder hiccups = new HiccupRecorder();
            serve(server, stop, SystemNanoClock.INSTANCE, hiccups);
            System.out.println("hiccups " + hiccups);
            exitCode = ExitCode.OK;
        } finally {
            stop.finished(exitCode);
        }
        return exitCode;
    }

    private static void serve(
            final EchoServer server, final StopSignal stop, final NanoClock clock, final HiccupRecorder hiccups) {
        long previousNs = clock.nanoTime();
        while (!stop.isRaised()) {
            final int work = server.doWork();
            final long nowNs = clock.nanoTime();
            if (work == 0) {
                hiccups.onIdleTurn(previousNs, nowNs);
            }
            previousNs = nowNs;
        }
    }
}
