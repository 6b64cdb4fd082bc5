package io.tiercel.tools.replay;

import io.tiercel.appliance.engine.NoBackendException;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.journal.JournalException;
import io.tiercel.replay.BundleStore;
import io.tiercel.replay.DamageException;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.ReplayOptions;
import io.tiercel.replay.whatif.Candidate;
import io.tiercel.replay.whatif.MisfitException;
import io.tiercel.replay.whatif.RequestLabels;
import io.tiercel.replay.whatif.WhatIf;
import io.tiercel.replay.whatif.WhatIfReport;
import io.tiercel.tools.BackendOption;
import io.tiercel.tools.CountProgress;
import io.tiercel.tools.DurationConverter;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.StopSignal;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ThreadsOption;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.journal.JournalArguments;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel replay whatif}: what other models would have answered to a journal's requests. */
@Command(
        name = "whatif",
        mixinStandardHelpOptions = true,
        description = {
            "Runs candidates over a journal's requests, with the sessions' lives as the journal has them, and says how "
                    + "their answers differ from those that were given, how good they are, and what a step takes.",
            "The journal's own model runs beside them. Nothing is written into the journal's directory."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done, whatever the candidates answer",
            "1:a damaged journal, or requests without an outcome",
            "2:bad arguments; a candidate or labels that do not go with the journal",
            "3:the machine or a file failed"
        })
public final class WhatIfCommand implements Callable<Integer> {

    private static final int VERSION_BYTES = 32;

    @Mixin
    private JournalArguments journal;

    @ArgGroup(exclusive = false, heading = "Candidates:%n")
    private CandidateOptions candidates = new CandidateOptions();

    @Option(names = "--model-version", paramLabel = "HEX",
            description = "Whose requests: the first digits of the version of one of the journal's models (default: "
                    + "that of the first request).")
    private String modelVersion;

    @Option(names = "--labels", paramLabel = "FILE",
            description = "What answers should have been: CSV with the columns sequence and label, the number of a "
                    + "class or, of a regression, the first output's value. demo --labels writes one.")
    private Path labels;

    @Option(names = "--from", paramLabel = "SEQ",
            description = "First sequence to compare; what is before it is computed all the same.")
    private Long from;

    @Option(names = "--to", paramLabel = "SEQ",
            description = "Last sequence to compare; the journal must reach it.")
    private Long to;

    @Mixin
    private BackendOption backend;

    @Mixin
    private ThreadsOption threads;

    @Option(names = "--allow-open-tail",
            description = "Requests at the very end without an outcome are no failure, as while the appliance runs.")
    private boolean allowOpenTail;

    @Option(names = "--follow",
            description = "Goes on as the journal grows, beside the appliance that writes it, until it is told to "
                    + "stop: candidates in the shadow of what answers. Then reports as ever.")
    private boolean follow;

    @Option(names = "--for", paramLabel = "TIME", converter = DurationConverter.class,
            description = "With --follow: stops by itself after that time.")
    private Duration forTime;

    @Option(names = "--every", defaultValue = "10s", paramLabel = "TIME", converter = DurationConverter.class,
            description = "With --follow: how often a line says how it stands. Default: ${DEFAULT-VALUE}.")
    private Duration every;

    @Option(names = "--until-stdin-closes", hidden = true,
            description = "With --follow: also stops when standard input closes.")
    private boolean untilStdinCloses;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Mixin
    private ReportArguments page;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        if (!follow) {
            return call(null);
        }
        if (to != null) {
            throw ToolException.badArgument("--to and --follow do not go together");
        }
        return StopSignal.during(untilStdinCloses, this::call);
    }

    /** @param stop null unless the journal is followed. */
    private int call(final StopSignal stop) {
        final Path directory = journal.directory();
        journal.checkRange(from, to);
        Json.checkWritable("--json", json);
        ReportArguments.checkOutsideOfJournals("--json", json);
        page.check();
        final PrintWriter out = spec.commandLine().getOut();
        final boolean isInteractive = Terminal.isInteractive();
        final CountProgress progress = new CountProgress("whatif", out, isInteractive, SystemNanoClock.INSTANCE);
        final ReplayOptions options = threads.set(new ReplayOptions()
                .journalDirectory(directory)
                .fromSequence(from == null ? 0 : from)
                .toSequence(to == null ? Long.MAX_VALUE : to)
                .backend(backend.name())
                .allowOpenTail(allowOpenTail)
                .progress(isInteractive && stop == null ? progress::show : null));
        final Shadow shadow = stop == null ? null : new Shadow(stop, forTime, every, out, options.nanoClock());
        final WhatIfReport report = run(options.follow(shadow), shadow, progress);
        if (report.damage() != null) {
            throw new ToolException(ExitCode.CHECK_FAILED, report.damage().toString());
        }
        out.print(WhatIfText.of(report));
        out.flush();
        if (json != null) {
            Json.write(json, WhatIfJson.of(report));
        }
        if (page.isWanted()) {
            page.write(WhatIfPage.of(report), out);
            out.flush();
        }
        return ExitCode.OK;
    }

    private WhatIfReport run(final ReplayOptions options, final Shadow shadow, final CountProgress progress) {
        try {
            final RequestLabels known = labels == null ? null : RequestLabels.read(labels);
            final Bundle own = ownBundle(options.journalDirectory());
            final List<Candidate> tried = candidates.candidates(own);
            final WhatIf whatIf = new WhatIf(options, new Candidate("journal", own), tried, known);
            return shadow == null ? whatIf.run() : whatIf.run(shadow::onStanding);
        } catch (final MisfitException | BundleException ex) {
            throw ToolException.badArgument(ex.getMessage());
        } catch (final DamageException ex) {
            throw new ToolException(ExitCode.CHECK_FAILED, ex.damage().toString(), ex);
        } catch (final NoBackendException | JournalException ex) {
            throw ToolException.environment(ex.getMessage(), ex);
        } catch (final IOException ex) {
            throw ToolException.environment("--labels=" + labels + " cannot be read: " + ex, ex);
        } finally {
            progress.clear();
        }
    }

    private Bundle ownBundle(final Path directory) {
        final BundleStore bundles = new BundleStore(directory);
        if (modelVersion != null) {
            final List<String> versions = bundles.versions(modelVersion);
            if (versions.size() != 1) {
                throw ToolException.badArgument("--model-version=" + modelVersion + " is of " + versions.size() +
                        " of the bundles in the journal");
            }
            return bundles.open(versions.get(0), 0);
        }
        try (JoinedJournal requests = JoinedJournal.open(directory, JoinedJournal.Queues.REQUESTS)) {
            if (!requests.next()) {
                throw ToolException.badArgument("--journal=" + directory + " has no requests");
            }
            final byte[] version = new byte[VERSION_BYTES];
            requests.modelVersion().getBytes(0, version);
            return bundles.open(HexFormat.of().formatHex(version), requests.sequence());
        }
    }
}
