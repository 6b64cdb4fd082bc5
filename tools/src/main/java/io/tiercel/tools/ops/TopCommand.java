package io.tiercel.tools.ops;

import io.aeron.CommonContext;
import io.tiercel.ops.desk.DeskFeed;
import io.tiercel.ops.desk.DeskStatus;
import io.tiercel.ops.top.TopView;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.agrona.concurrent.EpochClock;
import org.agrona.concurrent.SystemEpochClock;
import org.jline.terminal.Attributes;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedString;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel ops top}: a running appliance at a glance, in a terminal. */
@Command(
        name = "top",
        mixinStandardHelpOptions = true,
        description = {
            "Shows how an appliance does, live: rates, latencies of each stage and model, queues, clients, sessions, "
                    + "journal, hit rates, hiccups, events. q or Ctrl-C ends it.",
            "Reads files that the appliance writes anyway, by mappings that cannot write: it may be stopped or killed "
                    + "at any time, start before the appliance and outlive it."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:stopped in order",
            "1:--once, and the appliance is not live",
            "2:bad arguments, or no terminal and no --once",
            "3:the terminal or a file failed"
        })
public final class TopCommand implements Callable<Integer> {

    private static final long POLL_INTERVAL_MS = 100;
    private static final long DRAW_INTERVAL_MS = 1_000;
    /** For a frame that nobody has given a size. */
    private static final int DEFAULT_COLUMNS = 80;
    private static final int DEFAULT_ROWS = 24;
    private static final int MIN_COLUMNS = 20;

    @Option(names = "--aeron", paramLabel = "DIR",
            description = "The appliance's aeron.directory, which need not be there yet. Default: Aeron's own.")
    private Path aeron = Path.of(CommonContext.getAeronDirectoryName());

    @Option(names = "--once", description = "Prints one frame, as soon as an interval has been read, and exits.")
    private boolean once;

    @Option(names = "--columns", paramLabel = "N", defaultValue = "" + DEFAULT_COLUMNS,
            description = "Width of the frame of --once. Default: ${DEFAULT-VALUE}.")
    private int columns;

    @Option(names = "--rows", paramLabel = "N", defaultValue = "" + DEFAULT_ROWS,
            description = "Lines of the frame of --once, at most. Default: ${DEFAULT-VALUE}.")
    private int rows;

    @Option(names = "--color", description = "With --once: colours too, as ANSI escapes.")
    private boolean color;

    @Option(names = "--wait", paramLabel = "MS", defaultValue = "5000",
            description = "How long --once waits for two intervals, which rates need. Default: ${DEFAULT-VALUE}.")
    private long waitMs;

    @Spec
    private CommandSpec spec;

    private final EpochClock clock = SystemEpochClock.INSTANCE;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (columns < MIN_COLUMNS || rows < 1) {
            throw ToolException.badArgument("--columns=" + columns + " --rows=" + rows + ": at least " + MIN_COLUMNS
                    + " and 1");
        }
        try (DeskFeed feed = new DeskFeed(aeron, clock)) {
            final TopView view = new TopView(feed.state());
            return once ? printOnce(feed, view) : show(feed, view);
        }
    }

    private int printOnce(final DeskFeed feed, final TopView view) throws InterruptedException {
        final long deadlineMs = clock.time() + waitMs;
        DeskStatus status = feed.poll();
        while (!(status.code() == DeskStatus.Code.LIVE && feed.state().hasRates()) && clock.time() < deadlineMs) {
            Thread.sleep(POLL_INTERVAL_MS);
            status = feed.poll();
        }
        final PrintWriter out = spec.commandLine().getOut();
        for (final AttributedString line : view.draw(status, clock.time(), columns, rows)) {
            out.println(color ? line.toAnsi() : line.toString().stripTrailing());
        }
        out.flush();
        return status.code() == DeskStatus.Code.LIVE ? ExitCode.OK : ExitCode.CHECK_FAILED;
    }

    private int show(final DeskFeed feed, final TopView view) throws IOException {
        if (!io.tiercel.tools.Terminal.isInteractive()) {
            throw ToolException.badArgument("standard output is no terminal: use --once");
        }
        try (Terminal terminal = TerminalBuilder.builder().system(true).jna(false).build()) {
            final Attributes before = terminal.enterRawMode();
            final Display display = new Display(terminal, true);
            terminal.puts(InfoCmp.Capability.enter_ca_mode);
            terminal.puts(InfoCmp.Capability.cursor_invisible);
            try {
                loop(feed, view, terminal, display);
            } finally {
                terminal.puts(InfoCmp.Capability.exit_ca_mode);
                terminal.puts(InfoCmp.Capability.cursor_normal);
                terminal.flush();
                terminal.setAttributes(before);
            }
        }
        return ExitCode.OK;
    }

    private void loop(final DeskFeed feed, final TopView view, final Terminal terminal, final Display display)
            throws IOException {
        final boolean[] isInterrupted = new boolean[1];
        terminal.handle(Terminal.Signal.INT, signal -> isInterrupted[0] = true);
        long nextDrawMs = 0;
        Size drawn = null;
        while (!isInterrupted[0]) {
            final DeskStatus status = feed.poll();
            final Size size = terminal.getSize();
            final long nowMs = clock.time();
            if (nowMs >= nextDrawMs || !size.equals(drawn)) {
                if (!size.equals(drawn)) {
                    display.clear();
                    display.resize(size.getRows(), size.getColumns());
                    drawn = size;
                }
                display.update(view.draw(status, nowMs, Math.max(MIN_COLUMNS, size.getColumns()),
                        Math.max(1, size.getRows())), 0);
                nextDrawMs = nowMs + DRAW_INTERVAL_MS;
            }
            final int key = terminal.reader().read(POLL_INTERVAL_MS);
            if (key == 'q' || key == -1) {
                return;
            }
        }
    }
}
