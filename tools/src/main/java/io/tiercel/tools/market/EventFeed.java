package io.tiercel.tools.market;

import io.tiercel.tools.ToolException;
import io.tiercel.tools.market.MarketFeed.Split;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * A tape as tokens, as it is played to a model that predicts the next one: in order, each with the session that it
 * belongs to, what comes after it, and the part of the split that it is in. Instruments, sessions and their turns are
 * those of {@link MarketFeed}; every row of the tape is an event here, of a book also the messages away from the best
 * quotes.
 *
 * <p><b>Split.</b> The border is row {@code ceil(0.7 n)} of the tape as published. An event is in {@link Split#TRAIN}
 * if the event after it, which is to be predicted, is before the border, in {@link Split#HELD_OUT} if its own row is at
 * or after it, else, or if none comes after it, in {@link Split#NEITHER}. If no vocabulary is given, it is learned from
 * the rows before the border.
 *
 * <p>Immutable; reading allocates nothing.
 */
public final class EventFeed implements PlayedTape {

    /** {@link #nextToken} of an instrument's last event. */
    public static final int NONE = -1;

    private final EventVocabulary vocabulary;
    private final String tapeName;
    private final int rowCount;
    private final int sessionCount;
    private final int[] sessionIndices;
    private final int[] rows;
    private final int[] tokens;
    private final int[] nextTokens;
    private final byte[] nextMoves;
    private final Split[] splits;
    private final int[] trainCounts;

    private <E> EventFeed(
            final Tape<E> tape, final EventVocabulary given, final int[] instrumentEnds, final int maxEvents) {
        tapeName = tape.name;
        rowCount = tape.events.size();
        sessionCount = instrumentEnds.length;
        vocabulary = given != null ? given : tape.learn(instrumentEnds, MarketFeed.border(rowCount));
        final int[] order = MarketFeed.order(instrumentEnds, Math.min(rowCount, maxEvents));
        final int[] sessionOfRow = new int[rowCount];
        final int[] tokenOfRow = new int[rowCount];
        final double[] priceOfRow = new double[rowCount];
        trainCounts = new int[vocabulary.tokenCount()];
        int row = 0;
        for (int k = 0; k < sessionCount; k++) {
            final EventTokeniser<E> tokeniser = EventTokeniser.of(vocabulary, tape.fields.get());
            for (; row < instrumentEnds[k]; row++) {
                sessionOfRow[row] = k;
                tokenOfRow[row] = tokeniser.onEvent(tape.events.get(row));
                priceOfRow[row] = tokeniser.referencePrice();
                trainCounts[tokenOfRow[row]] += row < MarketFeed.border(rowCount) ? 1 : 0;
            }
        }
        sessionIndices = new int[order.length];
        rows = order;
        tokens = new int[order.length];
        nextTokens = new int[order.length];
        nextMoves = new byte[order.length];
        splits = new Split[order.length];
        for (int i = 0; i < order.length; i++) {
            row = order[i];
            final boolean isLast = row + 1 == instrumentEnds[sessionOfRow[row]];
            sessionIndices[i] = sessionOfRow[row];
            tokens[i] = tokenOfRow[row];
            nextTokens[i] = isLast ? NONE : tokenOfRow[row + 1];
            nextMoves[i] = (byte) (isLast ? Labels.NONE : move(priceOfRow[row], priceOfRow[row + 1]));
            splits[i] = isLast ? Split.NEITHER : MarketFeed.split(row, row + 1, rowCount);
        }
    }

    /**
     * As {@link MarketFeed#open}, in the tokens of a vocabulary.
     *
     * @param vocabulary of events of that kind of tape.
     */
    public static EventFeed open(
            final String input, final int sessionCount, final int maxEvents, final EventVocabulary vocabulary) {
        return MarketFeed.BITSTAMP.equals(input)
                ? ofTrades(sessionCount, maxEvents, vocabulary)
                : ofBook(MarketFeed.bookFile(input, sessionCount), maxEvents, vocabulary);
    }

    /** The Bitstamp tape on the classpath. @param sessionCount instruments, or 0 for the default. */
    public static EventFeed ofTrades(final int sessionCount, final int maxEvents, final EventVocabulary vocabulary) {
        return ofTrades(BitstampTape.open(), sessionCount, maxEvents, vocabulary);
    }

    /** A LOBSTER sample, one instrument. */
    public static EventFeed ofBook(final Path zip, final int maxEvents, final EventVocabulary vocabulary) {
        return ofBook(LobsterTape.open(zip), maxEvents, vocabulary);
    }

    /**
     * Plays a tape of trades as several instruments, and closes it.
     *
     * @param sessionCount instruments, or 0 for {@link MarketFeed#DEFAULT_SESSION_COUNT}.
     * @param maxEvents    events in played order after which the feed ends; 0 for all.
     * @param vocabulary   null: one is learned.
     */
    static EventFeed ofTrades(
            final MarketTape<TradeEvent> tape, final int sessionCount, final int maxEvents,
            final EventVocabulary vocabulary) {
        final Tape<TradeEvent> read = new Tape<>(tape, TradeEvent::new, TradeEventFields::new);
        final int sessions = sessionCount == 0 ? MarketFeed.DEFAULT_SESSION_COUNT : sessionCount;
        return of(read, vocabulary, MarketFeed.instrumentEnds(read.events.size(), sessions, read.name), maxEvents);
    }

    static EventFeed ofBook(
            final MarketTape<BookEvent> tape, final int maxEvents, final EventVocabulary vocabulary) {
        final Tape<BookEvent> read = new Tape<>(tape, BookEvent::new, BookEventFields::new);
        return of(read, vocabulary, new int[] {read.events.size()}, maxEvents);
    }

    private static <E> EventFeed of(
            final Tape<E> tape, final EventVocabulary vocabulary, final int[] ends, final int maxEvents) {
        if (maxEvents < 0) {
            throw ToolException.badArgument("events=" + maxEvents + " is negative");
        }
        if (vocabulary != null && vocabulary.schema() != tape.fields.get().schema()) {
            throw ToolException.badArgument("vocabulary is for " + vocabulary.schema().text() + ", " + tape.name +
                    " is " + tape.fields.get().schema().text());
        }
        return new EventFeed(tape, vocabulary, ends, maxEvents == 0 ? Integer.MAX_VALUE : maxEvents);
    }

    public EventVocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public String tapeName() {
        return tapeName;
    }

    /** Rows of the tape as published; the split is by row. */
    public int rowCount() {
        return rowCount;
    }

    @Override
    public int sessionCount() {
        return sessionCount;
    }

    @Override
    public int eventCount() {
        return tokens.length;
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

    public int token(final int eventIndex) {
        return tokens[eventIndex];
    }

    /** What comes after it in its session, and is to be predicted; or {@link #NONE}. */
    public int nextToken(final int eventIndex) {
        return nextTokens[eventIndex];
    }

    /**
     * What the session's next event does to the reference price: {@link Labels#UP}, {@link Labels#FLAT},
     * {@link Labels#DOWN}, or {@link Labels#NONE} where there is no next event or no price.
     */
    public int nextMove(final int eventIndex) {
        return nextMoves[eventIndex];
    }

    public Split split(final int eventIndex) {
        return splits[eventIndex];
    }

    @Override
    public int featureCount() {
        return 1;
    }

    @Override
    public int cell(final int eventIndex, final int featureIndex) {
        return tokens[eventIndex];
    }

    @Override
    public boolean heldOut(final int eventIndex) {
        return splits[eventIndex] == Split.HELD_OUT;
    }

    @Override
    public AnswerScore newScore(final int outputCount) {
        return new TokenScore(this, outputCount);
    }

    /** Those of the rows before the border, played or not, the most frequent first. */
    int[] mostFrequentTokens(final int count) {
        return IntStream.range(0, trainCounts.length)
                .boxed()
                .sorted(Comparator.comparing(token -> -trainCounts[token]))
                .mapToInt(Integer::intValue)
                .limit(count)
                .toArray();
    }

    /** How far the events of the rows before the border moved the price on average, up above 0. */
    double meanMove() {
        double sum = 0;
        long count = 0;
        for (int token = 0; token < trainCounts.length; token++) {
            sum += (double) trainCounts[token] * vocabulary.meanMove(token);
            count += trainCounts[token];
        }
        return sum / Math.max(1, count);
    }

    public int count(final Split split) {
        int count = 0;
        for (final Split each : splits) {
            count += each == split ? 1 : 0;
        }
        return count;
    }

    private static int move(final double before, final double after) {
        if (Double.isNaN(before)) {
            return Labels.NONE;
        }
        return after > before ? Labels.UP : after < before ? Labels.DOWN : Labels.FLAT;
    }

    /** A tape in memory: the vocabulary and the split need all of it before the first token. */
    private static final class Tape<E> {

        final String name;
        final List<E> events = new ArrayList<>();
        final Supplier<? extends EventFields<E>> fields;

        Tape(final MarketTape<E> tape, final Supplier<E> event, final Supplier<? extends EventFields<E>> fields) {
            this.name = tape.name();
            this.fields = fields;
            try (tape) {
                for (E next = event.get(); tape.next(next); next = event.get()) {
                    events.add(next);
                }
            }
        }

        EventVocabulary learn(final int[] instrumentEnds, final long border) {
            final VocabularyLearner learner = new VocabularyLearner(fields.get().schema());
            int row = 0;
            for (final int end : instrumentEnds) {
                final EventFields<E> each = fields.get();
                for (; row < Math.min(end, border); row++) {
                    each.onEvent(events.get(row));
                    learner.add(each);
                }
            }
            return learner.learn(name);
        }
    }
}
