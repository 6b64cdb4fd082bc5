package io.tiercel.tools.market;

import io.tiercel.tools.ToolException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A tape as it is played to a model: events in order, each with the session that it belongs to, its features, and,
 * for training and scoring only, its label and the part of the split that it is in. {@code tiercel features} exports
 * it and the demo plays it, so both see the same numbers.
 *
 * <p><b>Instruments.</b> The Bitstamp tape is one instrument of 100,000 trades; to have several sessions at work it is
 * played as {@code S}: instrument {@code k} plays rows {@code [k n/S, (k+1) n/S)} under session key {@code k + 1},
 * interleaved round-robin, one trade of each in turn. Each has its own {@link TradeFeatures}, and its labels end with
 * its part. A LOBSTER file is one instrument with session key 1, and its events are those that {@link BookFeatures}
 * takes, or all where the features are {@link BookLevels}, from the first on at which both sides of the book are there.
 *
 * <p><b>Split.</b> By the row of the tape as published, whatever the instruments: the border is row
 * {@code ceil(0.7 n)}. An event is in {@link Split#TRAIN} if the last row that its label looks at is before the
 * border, in {@link Split#HELD_OUT} if its own row is at or after it, else, or with no label, in {@link Split#NEITHER}:
 * played, so that the session's state is what it would be, but neither trained on nor scored.
 *
 * <p>Features are all computed when the feed is opened, by the extractor that a live client calls event by event.
 * Immutable afterwards; reading allocates nothing.
 */
public final class MarketFeed implements PlayedTape {

    /** What an event may be used for. */
    public enum Split {
        TRAIN, HELD_OUT, NEITHER;

        /** As the exported file has it; empty for {@link #NEITHER}. */
        public String text() {
            return this == TRAIN ? "train" : this == HELD_OUT ? "test" : "";
        }
    }

    /** The value of {@code --input} that means the trade tape on the classpath. */
    public static final String BITSTAMP = "bitstamp";
    public static final int DEFAULT_SESSION_COUNT = 4;
    public static final int MAX_SESSION_COUNT = 1024;
    /** Stands before the name of each feature, to tell it from the other columns of an exported file. */
    public static final String FEATURE_PREFIX = "f_";

    private static final String LOBSTER = "lobster";
    private static final long TRAIN_PERCENT = 70;

    private final String modelName;
    private final String tapeName;
    private final Labels labelRule;
    private final List<String> featureNames;
    private final int featureCount;
    private final int sessionCount;
    private final long rowCount;

    private final float[] features;
    private final int[] sessionIndices;
    private final int[] rows;
    private final byte[] labels;
    private final Split[] splits;

    private MarketFeed(
            final String modelName,
            final String tapeName,
            final Labels labelRule,
            final Recording recording,
            final int[] instrumentEnds,
            final long rowCount,
            final int maxEvents) {
        this.modelName = modelName;
        this.tapeName = tapeName;
        this.labelRule = labelRule;
        this.rowCount = rowCount;
        featureNames = recording.names.stream().map(FEATURE_PREFIX::concat).toList();
        featureCount = featureNames.size();
        sessionCount = instrumentEnds.length;
        final int eventCount = Math.min(recording.size, maxEvents);
        features = new float[Math.multiplyExact(eventCount, featureCount)];
        sessionIndices = new int[eventCount];
        rows = new int[eventCount];
        labels = new byte[eventCount];
        splits = new Split[eventCount];
        play(recording, instrumentEnds);
    }

    /**
     * @param input        {@code bitstamp}, or the path of a LOBSTER zip.
     * @param sessionCount instruments, or 0 for the default: 4, and 1 for a LOBSTER file, which cannot have another.
     * @param maxEvents    events in played order after which the feed ends; 0 for all.
     * @throws TapeException if the tape cannot be read.
     * @throws ToolException if an argument is out of range.
     */
    public static MarketFeed open(final String input, final int sessionCount, final int maxEvents) {
        return open(input, sessionCount, maxEvents, 0);
    }

    /** The same with the features that a model names: the levels of a book if they are its names. */
    public static MarketFeed open(
            final String input, final int sessionCount, final int maxEvents, final List<String> modelsNames) {
        final List<String> names = modelsNames.stream()
                .map(name -> name.startsWith(FEATURE_PREFIX) ? name.substring(FEATURE_PREFIX.length()) : name)
                .toList();
        return open(input, sessionCount, maxEvents, BookLevels.levelCount(names));
    }

    /**
     * @param levelCount of the book, to be its own features; 0 for those of {@link BookFeatures}. A LOBSTER file only,
     *                   which has to have as many.
     */
    static MarketFeed open(
            final String input, final int sessionCount, final int maxEvents, final int levelCount) {
        if (maxEvents < 0) {
            throw ToolException.badArgument("events=" + maxEvents + " is negative");
        }
        final int limit = maxEvents == 0 ? Integer.MAX_VALUE : maxEvents;
        if (BITSTAMP.equals(input)) {
            if (levelCount > 0) {
                throw ToolException.badArgument("levels=" + levelCount + " of a book, but input=" + input +
                        " is a tape of trades");
            }
            return ofTrades(
                    BitstampTape.open(), sessionCount == 0 ? DEFAULT_SESSION_COUNT : sessionCount, limit);
        }
        final LobsterTape tape = LobsterTape.open(bookFile(input, sessionCount));
        if (levelCount == 0) {
            return ofBook(tape, limit);
        }
        if (levelCount > tape.levelCount()) {
            tape.close();
            throw ToolException.badArgument("levels=" + levelCount + ", but " + tape.name() + " has " +
                    tape.levelCount());
        }
        return ofLevels(tape, levelCount, limit);
    }

    /** An input that is not {@link #BITSTAMP}, checked. */
    static Path bookFile(final String input, final int sessionCount) {
        if (sessionCount > 1) {
            throw ToolException.badArgument(
                    "sessions=" + sessionCount + ", but a LOBSTER file is one instrument: " + input);
        }
        final Path file = Path.of(input);
        if (!Files.isRegularFile(file)) {
            throw ToolException.badArgument("input=" + input + " is neither '" + BITSTAMP + "' nor a file");
        }
        return file;
    }

    /** Plays a tape of trades as several instruments, and closes it. */
    static MarketFeed ofTrades(final MarketTape<TradeEvent> tape, final int sessionCount, final int maxEvents) {
        final TradeColumns trades = new TradeColumns();
        try (tape) {
            trades.readAll(tape);
        }
        final int[] ends = instrumentEnds(trades.size, sessionCount, tape.name());
        final Recording recording = new Recording(new TradeFeatures().names());
        final TradeEvent event = new TradeEvent();
        int row = 0;
        for (int k = 0; k < sessionCount; k++) {
            final TradeFeatures extractor = new TradeFeatures();
            for (; row < ends[k]; row++) {
                extractor.onEvent(trades.get(row, event));
                recording.add(extractor, row);
            }
        }
        return new MarketFeed(BITSTAMP, tape.name(), Labels.TRADES, recording, ends, trades.size, maxEvents);
    }

    /** Plays a tape of an order book as one instrument, and closes it. */
    static MarketFeed ofBook(final MarketTape<BookEvent> tape, final int maxEvents) {
        final BookFeatures extractor = new BookFeatures();
        final Recording recording = new Recording(extractor.names());
        final BookEvent event = new BookEvent();
        int row = 0;
        try (tape) {
            for (; tape.next(event); row++) {
                if (extractor.isEvent(event)) {
                    extractor.onEvent(event);
                    if (!Double.isNaN(extractor.referencePrice())) {
                        recording.add(extractor, row);
                    }
                }
            }
        }
        return new MarketFeed(
                LOBSTER, tape.name(), Labels.BOOK, recording, new int[] {recording.size}, row, maxEvents);
    }

    /** Plays a tape of an order book as one instrument whose features are the book, and closes it. */
    static MarketFeed ofLevels(final MarketTape<BookEvent> tape, final int levelCount, final int maxEvents) {
        final BookLevels extractor = new BookLevels(levelCount);
        final Recording recording = new Recording(extractor.names());
        final BookEvent event = new BookEvent(levelCount);
        int row = 0;
        try (tape) {
            for (; tape.next(event); row++) {
                extractor.onEvent(event);
                if (!Double.isNaN(extractor.referencePrice())) {
                    recording.add(extractor, row);
                }
            }
        }
        return new MarketFeed(
                LOBSTER, tape.name(), Labels.BOOK, recording, new int[] {recording.size}, row, maxEvents);
    }

    /** Which of the committed models the features are for: {@code bitstamp} or {@code lobster}. */
    public String modelName() {
        return modelName;
    }

    /** That of what would be opened. */
    public static String modelName(final String input) {
        return BITSTAMP.equals(input) ? BITSTAMP : LOBSTER;
    }

    @Override
    public String tapeName() {
        return tapeName;
    }

    /** Rows of the tape as published; the split is by row. */
    public long rowCount() {
        return rowCount;
    }

    /** The extractor's names behind {@link #FEATURE_PREFIX}, as exported files and the bundles have them. */
    public List<String> featureNames() {
        return featureNames;
    }

    @Override
    public int featureCount() {
        return featureCount;
    }

    @Override
    public int sessionCount() {
        return sessionCount;
    }

    @Override
    public int eventCount() {
        return labels.length;
    }

    @Override
    public long sessionKey(final int eventIndex) {
        return sessionIndices[eventIndex] + 1L;
    }

    @Override
    public int row(final int eventIndex) {
        return rows[eventIndex];
    }

    /** From 0, in the order in which the instruments take turns. */
    public int sessionIndex(final int eventIndex) {
        return sessionIndices[eventIndex];
    }

    /** Copies the features of an event into the first {@link #featureCount()} places of {@code destination}. */
    public void copyFeatures(final int eventIndex, final float[] destination) {
        System.arraycopy(features, eventIndex * featureCount, destination, 0, featureCount);
    }

    public float feature(final int eventIndex, final int featureIndex) {
        return features[eventIndex * featureCount + featureIndex];
    }

    @Override
    public int cell(final int eventIndex, final int featureIndex) {
        return Float.floatToRawIntBits(feature(eventIndex, featureIndex));
    }

    /** {@link Labels#UP}, {@link Labels#FLAT}, {@link Labels#DOWN} or {@link Labels#NONE}. */
    @Override
    public int label(final int eventIndex) {
        return labels[eventIndex];
    }

    public Split split(final int eventIndex) {
        return splits[eventIndex];
    }

    @Override
    public boolean heldOut(final int eventIndex) {
        return splits[eventIndex] == Split.HELD_OUT;
    }

    @Override
    public AnswerScore newScore(final int outputCount) {
        return new ClassScore(this, outputCount);
    }

    public int count(final Split split) {
        int count = 0;
        for (final Split each : splits) {
            count += each == split ? 1 : 0;
        }
        return count;
    }

    private void play(final Recording recording, final int[] ends) {
        final int[] order = order(ends, labels.length);
        for (int i = 0; i < order.length; i++) {
            int session = 0;
            while (order[i] >= ends[session]) {
                session++;
            }
            put(i, recording, order[i], session, ends[session]);
        }
    }

    private void put(
            final int eventIndex, final Recording recording, final int index, final int session, final int end) {
        final int label = labelRule.label(recording.prices, index, end, recording.units[index]);
        System.arraycopy(
                recording.features, index * featureCount, features, eventIndex * featureCount, featureCount);
        sessionIndices[eventIndex] = session;
        rows[eventIndex] = recording.rows[index];
        labels[eventIndex] = (byte) label;
        splits[eventIndex] = label == Labels.NONE
                ? Split.NEITHER
                : split(recording.rows[index], recording.rows[index + labelRule.horizon()], rowCount);
    }

    /** Where the parts of a tape of trades end that are played as instruments of their own. */
    static int[] instrumentEnds(final int tradeCount, final int sessionCount, final String tapeName) {
        final int most = Math.min(MAX_SESSION_COUNT, Math.max(1, tradeCount));
        if (sessionCount < 1 || sessionCount > most) {
            throw ToolException.badArgument("sessions=" + sessionCount + ", expected 1 to " + most + " for the " +
                    tradeCount + " trades of " + tapeName);
        }
        final int[] ends = new int[sessionCount];
        Arrays.setAll(ends, k -> (int) ((long) (k + 1) * tradeCount / sessionCount));
        return ends;
    }

    /** The order of play: one event of each instrument in turn, and of those that have any left at the end. */
    static int[] order(final int[] ends, final int count) {
        final int[] order = new int[count];
        int played = 0;
        for (int turn = 0; played < count; turn++) {
            for (int k = 0; k < ends.length && played < count; k++) {
                final int index = (k == 0 ? 0 : ends[k - 1]) + turn;
                if (index < ends[k]) {
                    order[played++] = index;
                }
            }
        }
        return order;
    }

    /** The first row of the last 30 %. */
    static long border(final long rowCount) {
        return (rowCount * TRAIN_PERCENT + 99) / 100;
    }

    static Split split(final long row, final long lastLabelRow, final long rowCount) {
        final long border = border(rowCount);
        return lastLabelRow < border ? Split.TRAIN : row >= border ? Split.HELD_OUT : Split.NEITHER;
    }

    /** What the extractors said, in the order of the tape. */
    private static final class Recording {

        final List<String> names;
        float[] features = new float[0];
        double[] prices = new double[1 << 12];
        double[] units = new double[1 << 12];
        int[] rows = new int[1 << 12];
        int size;

        Recording(final List<String> names) {
            this.names = names;
            features = new float[prices.length * names.size()];
        }

        void add(final FeatureExtractor<?> extractor, final int row) {
            if (size == prices.length) {
                prices = Arrays.copyOf(prices, 2 * size);
                units = Arrays.copyOf(units, 2 * size);
                rows = Arrays.copyOf(rows, 2 * size);
                features = Arrays.copyOf(features, 2 * features.length);
            }
            prices[size] = extractor.referencePrice();
            units[size] = extractor.referenceUnit();
            rows[size] = row;
            System.arraycopy(extractor.features(), 0, features, size * names.size(), names.size());
            size++;
        }
    }

    /** A tape of trades in memory: its parts can be cut only when its length is known. */
    private static final class TradeColumns {

        long[] epochSeconds = new long[1 << 12];
        double[] prices = new double[1 << 12];
        double[] amounts = new double[1 << 12];
        int size;

        void readAll(final MarketTape<TradeEvent> tape) {
            final TradeEvent event = new TradeEvent();
            while (tape.next(event)) {
                if (size == prices.length) {
                    epochSeconds = Arrays.copyOf(epochSeconds, 2 * size);
                    prices = Arrays.copyOf(prices, 2 * size);
                    amounts = Arrays.copyOf(amounts, 2 * size);
                }
                epochSeconds[size] = event.epochSecond;
                prices[size] = event.price;
                amounts[size++] = event.amount;
            }
        }

        TradeEvent get(final int row, final TradeEvent event) {
            return event.set(epochSeconds[row], prices[row], amounts[row]);
        }
    }
}
