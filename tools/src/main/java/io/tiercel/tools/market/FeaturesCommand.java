package io.tiercel.tools.market;

import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code tiercel features}: writes what {@link MarketFeed} plays as a table, for training and for {@code model run}.
 * Numbers are the shortest decimals that read back as the same binary32.
 */
@Command(
        name = "features",
        mixinStandardHelpOptions = true,
        description = {
            "Writes the features, labels and split of a tape as CSV.",
            "One row an event, in played order: session,label,split,f_<name>,…",
            "label: 0 up, 1 flat, 2 down; split: train, test; both empty where there is none."})
public final class FeaturesCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(names = "--input", defaultValue = MarketFeed.BITSTAMP, paramLabel = "bitstamp|FILE.zip",
            description = "the Bitstamp trade tape (default), or a LOBSTER sample as downloaded")
    private String input;

    @Option(names = "--output", required = true, paramLabel = "FILE.csv", description = "file to write")
    private Path output;

    @Option(names = "--events", defaultValue = "0", paramLabel = "N", description = "stop after N events (0: all)")
    private int events;

    @Option(names = "--sessions", defaultValue = "0", paramLabel = "S",
            description = "instruments to play the trade tape as (default: 4; a LOBSTER file is 1)")
    private int sessions;

    @Option(names = "--book-levels", defaultValue = "0", paramLabel = "N",
            description = "the book's first N levels as they are, at every message, instead: of each level ask price, "
                    + "ask size, bid price, bid size (a LOBSTER file only)")
    private int bookLevels;

    @Override
    public Integer call() {
        if (bookLevels < 0 || bookLevels > BookLevels.MAX_LEVELS) {
            throw ToolException.badArgument(
                    "--book-levels=" + bookLevels + " is not in 0.." + BookLevels.MAX_LEVELS);
        }
        final MarketFeed feed = MarketFeed.open(input, sessions, events, bookLevels);
        try {
            write(feed);
        } catch (final IOException ex) {
            throw ToolException.environment("--output=" + output + ": " + ex, ex);
        }
        spec.commandLine().getOut().printf(
                "%s: %d events of %d rows, %d train, %d held out -> %s%n",
                feed.tapeName(), feed.eventCount(), feed.rowCount(), feed.count(MarketFeed.Split.TRAIN),
                feed.count(MarketFeed.Split.HELD_OUT), output);
        return ExitCode.OK;
    }

    private void write(final MarketFeed feed) throws IOException {
        try (BufferedWriter writer = Files.newBufferedWriter(output, StandardCharsets.US_ASCII)) {
            writer.write("session,label,split");
            for (final String name : feed.featureNames()) {
                writer.write("," + name);
            }
            writer.write('\n');
            for (int i = 0; i < feed.eventCount(); i++) {
                final String label = feed.label(i) == Labels.NONE ? "" : Integer.toString(feed.label(i));
                writer.write(feed.sessionKey(i) + "," + label + "," + feed.split(i).text());
                for (int j = 0; j < feed.featureCount(); j++) {
                    writer.write(',');
                    writer.write(Float.toString(feed.feature(i, j)));
                }
                writer.write('\n');
            }
        }
    }
}
