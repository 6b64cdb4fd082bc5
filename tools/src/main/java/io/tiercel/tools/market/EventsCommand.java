package io.tiercel.tools.market;

import io.tiercel.tools.ExitCode;
import io.tiercel.tools.TextTable;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.market.MarketFeed.Split;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel events}: writes what {@link EventFeed} plays, for training, and what baselines make of it. */
@Command(
        name = "events",
        mixinStandardHelpOptions = true,
        description = {
            "Writes a tape as tokens, one for each event, in played order.",
            "Columns: session,token,split,next_move. In a .csv split is train, test or empty, in a .npy (int32) 1, 2",
            "or 0. next_move is what the session's next event does to the price: 0 up, 1 flat, 2 down; empty, or -1.",
            "Without --vocabulary one is learned on the first 70 %% of the tape."})
public final class EventsCommand implements Callable<Integer> {

    private static final String CSV = ".csv";
    private static final String NPY = ".npy";
    private static final int COLUMNS = 4;

    @Spec
    private CommandSpec spec;

    @Option(names = "--input", defaultValue = "bitstamp", paramLabel = "bitstamp|lobster",
            description = "the Bitstamp trade tape (default), or the LOBSTER sample that --lobster names")
    private String input;

    @Option(names = "--lobster", paramLabel = "FILE.zip", description = "a LOBSTER sample as downloaded")
    private Path lobster;

    @Option(names = "--output", required = true, paramLabel = "FILE.csv|FILE.npy", description = "file to write")
    private Path output;

    @Option(names = "--vocabulary", paramLabel = "FILE.json", description = "use this vocabulary")
    private Path vocabulary;

    @Option(names = "--save-vocabulary", paramLabel = "FILE.json", description = "write the vocabulary used")
    private Path savedVocabulary;

    @Option(names = "--events", defaultValue = "0", paramLabel = "N", description = "stop after N events (0: all)")
    private int events;

    @Option(names = "--sessions", defaultValue = "0", paramLabel = "S",
            description = "instruments to play the trade tape as (default: 4; a LOBSTER file is 1)")
    private int sessions;

    @Override
    public Integer call() {
        final String name = output.getFileName() == null ? "" : output.getFileName().toString();
        if (!name.endsWith(CSV) && !name.endsWith(NPY)) {
            throw ToolException.badArgument("--output=" + output + " ends neither in " + CSV + " nor in " + NPY);
        }
        final EventFeed feed = open();
        try {
            if (name.endsWith(CSV)) {
                writeCsv(feed);
            } else {
                Files.write(output, npy(feed));
            }
        } catch (final IOException ex) {
            throw ToolException.environment("--output=" + output + ": " + ex, ex);
        }
        if (savedVocabulary != null) {
            feed.vocabulary().write(savedVocabulary);
        }
        report(feed);
        return ExitCode.OK;
    }

    private EventFeed open() {
        final EventVocabulary given = vocabulary == null ? null : EventVocabulary.read(vocabulary);
        if (EventSchema.BITSTAMP.text().equals(input)) {
            if (lobster != null) {
                throw ToolException.badArgument("--lobster=" + lobster + " is for --input lobster");
            }
            return EventFeed.ofTrades(sessions, events, given);
        }
        if (!EventSchema.LOBSTER.text().equals(input)) {
            throw ToolException.badArgument("--input=" + input + " is neither bitstamp nor lobster");
        }
        if (lobster == null || !Files.isRegularFile(lobster)) {
            throw ToolException.badArgument("--lobster=" + lobster + " is not a file");
        }
        if (sessions > 1) {
            throw ToolException.badArgument("--sessions=" + sessions + ", but a LOBSTER file is one instrument");
        }
        return EventFeed.ofBook(lobster, events, given);
    }

    private void writeCsv(final EventFeed feed) throws IOException {
        try (BufferedWriter writer = Files.newBufferedWriter(output, StandardCharsets.US_ASCII)) {
            writer.write("session,token,split,next_move\n");
            for (int i = 0; i < feed.eventCount(); i++) {
                writer.write(feed.sessionKey(i) + "," + feed.token(i) + "," + feed.split(i).text() + "," +
                        (feed.nextMove(i) == Labels.NONE ? "" : feed.nextMove(i)) + "\n");
            }
        }
    }

    /** NumPy's format, version 1.0: magic, length of the header, the header as a Python dictionary, the data. */
    private static byte[] npy(final EventFeed feed) {
        final String dictionary = "{'descr': '<i4', 'fortran_order': False, 'shape': (" + feed.eventCount() + ", " +
                COLUMNS + "), }";
        final int prefix = 10;
        final int headerLength = (prefix + dictionary.length() + 1 + 63) / 64 * 64 - prefix;
        final ByteBuffer file = ByteBuffer
                .allocate(prefix + headerLength + feed.eventCount() * COLUMNS * Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        file.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put((byte) 0);
        file.putShort((short) headerLength);
        file.put((dictionary + " ".repeat(headerLength - dictionary.length() - 1) + "\n")
                .getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < feed.eventCount(); i++) {
            final Split split = feed.split(i);
            file.putInt((int) feed.sessionKey(i)).putInt(feed.token(i))
                    .putInt(split == Split.TRAIN ? 1 : split == Split.HELD_OUT ? 2 : 0).putInt(feed.nextMove(i));
        }
        return file.array();
    }

    private void report(final EventFeed feed) {
        final TextTable table = TextTable.ofNumbers("", "events", "tokens used", "unigram bits", "bigram bits");
        row(table, "first 70 %", TokenEntropy.of(feed, Split.TRAIN));
        row(table, "last 30 %", TokenEntropy.of(feed, Split.HELD_OUT));
        spec.commandLine().getOut().printf("%s: %d events of %d rows, vocabulary: %s -> %s%n%s",
                feed.tapeName(), feed.eventCount(), feed.rowCount(), feed.vocabulary(), output, table);
        spec.commandLine().getOut().flush();
    }

    private static void row(final TextTable table, final String part, final TokenEntropy entropy) {
        table.row(part, Integer.toString(entropy.eventCount()), Integer.toString(entropy.usedTokens()),
                text(entropy.unigramBits()), text(entropy.bigramBits()));
    }

    private static String text(final double bits) {
        return String.format(Locale.ROOT, "%.3f", bits);
    }
}
