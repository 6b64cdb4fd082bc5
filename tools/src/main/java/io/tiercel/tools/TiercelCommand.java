package io.tiercel.tools;

import io.tiercel.appliance.ApplianceException;
import io.tiercel.appliance.config.ConfigException;
import io.tiercel.appliance.engine.NoBackendException;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.journal.JournalException;
import io.tiercel.appliance.recovery.RecoveryException;
import io.tiercel.appliance.snapshot.SnapshotException;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.tools.access.AccessBenchCommand;
import io.tiercel.tools.admin.AdminCommandGroup;
import io.tiercel.tools.chaos.ChaosCommand;
import io.tiercel.tools.decode.DecodeBenchCommand;
import io.tiercel.tools.demo.DemoCommand;
import io.tiercel.tools.engine.EngineBenchCommand;
import io.tiercel.tools.engine.GpuBenchCommand;
import io.tiercel.tools.journal.JournalCommand;
import io.tiercel.tools.journal.SnapshotCommand;
import io.tiercel.tools.kv.ForkBenchCommand;
import io.tiercel.tools.kv.KvBenchCommand;
import io.tiercel.tools.load.JournalBenchCommand;
import io.tiercel.tools.load.LoadCommand;
import io.tiercel.tools.market.EventsCommand;
import io.tiercel.tools.market.FeaturesCommand;
import io.tiercel.tools.market.TapeException;
import io.tiercel.tools.model.ModelCommand;
import io.tiercel.tools.ops.DeskBenchCommand;
import io.tiercel.tools.ops.OpsCommand;
import io.tiercel.tools.replay.ReplayCommand;
import io.tiercel.tools.transformer.GenerateBenchCommand;
import io.tiercel.tools.transformer.GenerateCommand;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/**
 * The {@code tiercel} command. All subcommands keep to one way of failing: a bad argument or an expected failure is one
 * line on standard error and an {@link ExitCode}; a stack trace means a defect of this program.
 */
@Command(
        name = "tiercel",
        mixinStandardHelpOptions = true,
        versionProvider = TiercelCommand.Version.class,
        description = "An inference appliance for trading systems: answers in microseconds, replays bit for bit.",
        synopsisSubcommandLabel = "COMMAND")
public final class TiercelCommand implements Runnable {

    /** The subcommands, in the order of the help text. */
    static final List<Class<?>> SUBCOMMANDS = List.of(
            DemoCommand.class,
            ServeCommand.class,
            LoadCommand.class,
            BackendsCommand.class,
            ModelCommand.class,
            GenerateCommand.class,
            ReplayCommand.class,
            JournalCommand.class,
            SnapshotCommand.class,
            ChaosCommand.class,
            OpsCommand.class,
            AdminCommandGroup.class,
            FeaturesCommand.class,
            EventsCommand.class,
            WarmArchiveCommand.class,
            HelpCommand.class);

    /** The subcommands of {@code bench}. */
    static final List<Class<?>> SUBCOMMANDS_OF_BENCH = List.of(
            JournalBenchCommand.class, EngineBenchCommand.class, GpuBenchCommand.class, DecodeBenchCommand.class,
            KvBenchCommand.class,
            ForkBenchCommand.class,
            GenerateBenchCommand.class,
            AccessBenchCommand.class, DeskBenchCommand.class);

    @Spec
    private CommandSpec spec;

    public static void main(final String[] arguments) {
        useUtf8();
        final PrintWriter out = new PrintWriter(System.out, true);
        final PrintWriter err = new PrintWriter(System.err, true);
        int exitCode = ExitCode.ENVIRONMENT;
        try {
            exitCode = commandLine(out, err).execute(arguments);
        } catch (final Error e) { // no memory, a class that is not there: the parser hands on exceptions only
            err.println("tiercel: " + e);
            e.printStackTrace(err);
        }
        System.exit(exitCode);
    }

    /** The parser with everything registered; what a command prints as its result goes to {@code System.out}. */
    public static CommandLine commandLine(final PrintWriter out, final PrintWriter err) {
        final CommandLine commandLine = new CommandLine(new TiercelCommand());
        SUBCOMMANDS.forEach(commandLine::addSubcommand);
        final CommandLine bench = new CommandLine(new BenchCommand());
        SUBCOMMANDS_OF_BENCH.forEach(bench::addSubcommand);
        commandLine.addSubcommand(bench);
        provideVersion(commandLine);
        return commandLine
                .setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler(TiercelCommand::onBadArguments)
                .setExecutionExceptionHandler(TiercelCommand::onFailure);
    }

    private static void provideVersion(final CommandLine commandLine) {
        commandLine.getCommandSpec().versionProvider(new Version());
        commandLine.getSubcommands().values().forEach(TiercelCommand::provideVersion);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing required command");
    }

    /** Whatever the locale: the tables say µs. */
    private static void useUtf8() {
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8));
    }

    private static int onBadArguments(final ParameterException e, final String[] arguments) {
        final CommandLine failed = e.getCommandLine();
        final String name = failed.getCommandSpec().qualifiedName();
        failed.getErr().println(name + ": " + oneLine(e.getMessage()) + " (see " + name + " --help)");
        return ExitCode.BAD_ARGUMENTS;
    }

    private static int onFailure(final Exception e, final CommandLine failed, final ParseResult parsed) {
        final String name = failed.getCommandSpec().qualifiedName();
        if (e instanceof ToolException expected) {
            failed.getErr().println(name + ": " + expected.getMessage());
            return expected.exitCode();
        }
        if (e instanceof ConfigException || e instanceof ModelInputException) {
            failed.getErr().println(name + ": " + oneLine(e.getMessage()));
            return ExitCode.BAD_ARGUMENTS;
        }
        if (isExpected(e)) {
            failed.getErr().println(name + ": " + oneLine(e.getMessage()));
            return ExitCode.ENVIRONMENT;
        }
        failed.getErr().println(name + ": unexpected failure, please report it with what follows");
        e.printStackTrace(failed.getErr());
        return ExitCode.ENVIRONMENT;
    }

    /** Failures whose message was written for the user. */
    private static boolean isExpected(final Exception e) {
        return e instanceof ApplianceException
                || e instanceof BundleException
                || e instanceof JournalException
                || e instanceof NoBackendException
                || e instanceof RecoveryException
                || e instanceof SnapshotException
                || e instanceof TapeException
                || e instanceof TiercelClientException
                || e instanceof UncheckedIOException && e.getMessage() != null;
    }

    private static String oneLine(final String message) {
        return message == null ? "no detail" : message.strip().replaceAll("\\s*\\R\\s*", "; ");
    }

    /** Version, commit and machine. */
    static final class Version implements IVersionProvider {

        @Override
        public String[] getVersion() {
            return new String[] {
                "tiercel " + BuildInfo.version() + " commit " + BuildInfo.commit(),
                MachineInfo.runtime(),
                MachineInfo.describe()
            };
        }
    }
}
