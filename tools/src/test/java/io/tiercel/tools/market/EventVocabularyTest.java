package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.appliance.engine.bundle.SafetensorsWriter;
import io.tiercel.tools.market.EventSchema.Cut;
import io.tiercel.tools.market.EventSchema.Rounding;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class EventVocabularyTest {

    @TempDir
    private Path folder;

    static Stream<EventVocabulary> vocabularies() {
        return Stream.of(VocabularyTestData.book(), VocabularyTestData.trades(), learned(4_000, 1));
    }

    @ParameterizedTest
    @MethodSource("vocabularies")
    void shouldBeTheSameWhenWrittenAsJsonAndRead(final EventVocabulary vocabulary) throws IOException {
        final Path file = folder.resolve("folder/vocabulary.json");
        vocabulary.write(file);
        final EventVocabulary read = EventVocabulary.read(file);
        assertEquals(vocabulary, read);
        final Path again = folder.resolve("again.json");
        read.write(again);
        assertEquals(-1, Files.mismatch(file, again));
    }

    @ParameterizedTest
    @MethodSource("vocabularies")
    void shouldBeTheSameWhenWrittenAsTensorsAndRead(final EventVocabulary vocabulary) {
        final SafetensorsWriter writer = new SafetensorsWriter();
        vocabulary.putTensors(writer::bytes);
        final SafetensorsReader reader = SafetensorsReader.of("test", writer.toBytes());
        assertEquals(DType.F32, reader.tensor("events.edges").dtype());
        assertEquals(vocabulary, EventVocabulary.of("test", (name, dtype, shape) -> reader.bytes(name)));
    }

    @ParameterizedTest
    @MethodSource("vocabularies")
    void shouldNameEachTokenOnceAndItsMirrorAlikeWhenDecoded(final EventVocabulary vocabulary) {
        final Set<String> names = new HashSet<>();
        for (int token = 0; token < vocabulary.tokenCount(); token++) {
            final String name = vocabulary.name(token);
            assertTrue(names.add(name), name);
            final String side = EventSchema.SIDES.get(EventVocabulary.side(token));
            assertTrue(name.startsWith(vocabulary.schema().kinds().get(vocabulary.kind(token)) + " " + side), name);
            final int mirror = EventVocabulary.mirror(token);
            final String other = EventSchema.SIDES.get(EventVocabulary.side(mirror));
            assertEquals(name, vocabulary.name(mirror).replaceFirst(" " + other, " " + side));
            assertEquals(0f, vocabulary.meanMove(token) + vocabulary.meanMove(mirror));
        }
    }

    @Test
    void shouldCutAtRoundQuantilesWhenLearned() {
        final double[] values = DoubleStream.concat(
                IntStream.rangeClosed(-100, 0).asDoubleStream(), IntStream.rangeClosed(1, 300).asDoubleStream())
                .toArray();
        assertEquals(List.of(-50f, 0f, 1f, 100f, 200f), edges(Cut.signed(2, 1, 3), values));
        assertEquals(List.of(0f), edges(Cut.signed(1, 1, 0), values));
        assertEquals(List.of(), edges(Cut.WHOLE, values));
        assertEquals(List.of(100f), edges(Cut.decades(4), values));
        assertEquals(List.of(0f, 1f), edges(Cut.signed(3, 1, 4), new double[0]));
        assertEquals(0.1f, VocabularyLearner.rounded(0.31, Rounding.DECADE));
        assertEquals(1f, VocabularyLearner.rounded(0.32, Rounding.DECADE));
        assertEquals(0.2f, VocabularyLearner.rounded(0.31, Rounding.ROUND));
        assertEquals(0.5f, VocabularyLearner.rounded(0.32, Rounding.ROUND));
        assertEquals(1000f, VocabularyLearner.rounded(990, Rounding.ROUND));
        assertEquals(1000f, VocabularyLearner.rounded(1000, Rounding.DECADE));
    }

    @Test
    void shouldGiveRareEventsToTheirNearestLikeWhenTokensAreFew() {
        final EventVocabulary vocabulary = learned(20_000, 5);
        assertEquals(vocabulary, learned(20_000, 5), "the same events, the same vocabulary");
        assertTrue(vocabulary.tokenCount() <= EventVocabulary.MAX_TOKENS, vocabulary.toString());
        final int[] kept = vocabulary.kept();
        final int[] table = vocabulary.table();
        final EventGrid grid = vocabulary.grid();
        assertTrue(kept.length < table.length, vocabulary.toString());
        for (int shape = 0; shape < table.length; shape++) {
            final int given = kept[table[shape]];
            assertEquals(grid.kind(shape), grid.kind(given));
            for (final int other : kept) {
                final boolean isCloser = grid.kind(other) == grid.kind(shape) &&
                        Math.abs(grid.bucket(other, 0) - grid.bucket(shape, 0)) <
                                Math.abs(grid.bucket(given, 0) - grid.bucket(shape, 0));
                assertTrue(!isCloser, "shape=" + shape + " given=" + given + " closer=" + other);
            }
        }
    }

    @Test
    void shouldHaveTheMeanMoveOfItsEventsWhenLearned() {
        final VocabularyLearner learner = new VocabularyLearner(EventSchema.BITSTAMP);
        final TradeEventFields fields = new TradeEventFields();
        final TradeEvent trade = new TradeEvent();
        double price = 1_000;
        for (int i = 0; i < 1_000; i++) {
            price += i % 2 == 0 ? 1 : -1;
            fields.onEvent(trade.set(i, price, 1));
            learner.add(fields);
        }
        final EventVocabulary vocabulary = learner.learn("test");
        final EventTokeniser<TradeEvent> tokeniser = EventTokeniser.ofTrades(vocabulary);
        tokeniser.onEvent(trade.set(0, 1_000, 1));
        assertEquals(10, vocabulary.meanMove(tokeniser.onEvent(trade.set(1, 1_001, 1))), 0.02);
        assertEquals(-10, vocabulary.meanMove(tokeniser.onEvent(trade.set(2, 1_000, 1))), 0.02);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "`\"format\": 1` | `\"format\": 2` | vocabulary format=2 is not 1",
        "`\"bitstamp\"` | `\"other\"` | vocabulary schema=\"other\" is not known",
        "`[0.01, 10.0]` | `[0.01, 0.01]` | vocabulary edges[1]=0.01 is not finite, or not above the edge before",
        "`[0.01, 10.0]` | `[0.01, 1e99]` | vocabulary edges[1]=Infinity is not finite, or not above the edge before",
        "`[0.01, 10.0]` | `[0.01]` | vocabulary kept[8]=8 is not above the one before, or not below 8",
        "`[0.01, 10.0]` | `[\"x\"]` | vocabulary edges.trade.moveBp[0]=\"x\" is no number",
        "`[0.01, 10.0]` | `7` | vocabulary edges.trade.moveBp=7 is no array",
        "`\"moveBp\": [0.01, 10.0], ` | `` | vocabulary edges.trade=2 is not [moveBp, amount, gapUs]",
        "`\"kept\": [0, 1,` | `\"kept\": [1, 0,` | vocabulary kept[1]=0 is not above the one before, or not below 12",
        "`\"kept\": [0, 1,` | `\"kept\": [1,` | vocabulary table[11]=11 is no kept shape of its kind",
        "`\"table\": [0, 1,` | `\"table\": [0, 12,` | vocabulary table[1]=12 is no kept shape of its kind",
        "`\"table\": [0, 1,` | `\"table\": [0, 0,` | vocabulary table[1]=0 is not 1, itself",
        "`\"table\": [0, 1,` | `\"table\": [0,` | vocabulary table=11 is not 12",
        "`\"table\": [0, 1,` | `\"table\": [0, 1.5,` | vocabulary table[1]=1.5 is no integer",
        "`0.125, -0.125` | `0.125, 0.125` | vocabulary mean-moves[2]=0.125 is not finite, or not the opposite",
        "`0.125, -0.125` | `0.125` | vocabulary mean-moves=23 is not 24",
        "`amount=..0.5` | `amount=..0.6` | vocabulary names, token=0 is not 'trade buy moveBp=..0.01 amount=..0.5",
        "`  \"format\": 1,` | `` | vocabulary keys=7 is without format",
        "`  \"format\": 1,` | `  \"format\": 1, \"more\": 2,` | vocabulary keys=9 is not 8",
        "`  \"format\": 1,` | `  \"format\": 1, \"format\": 1,` | vocabulary is not valid JSON: Duplicate field",
        "`{` | `` | vocabulary is not valid JSON: ",
    })
    void shouldRefuseWithOneLineWhenJsonIsDamaged(final String text, final String damage, final String expected)
            throws IOException {
        final Path file = folder.resolve("vocabulary.json");
        VocabularyTestData.trades().write(file);
        final String written = Files.readString(file);
        assertTrue(written.contains(text), written);
        final int at = written.indexOf(text);
        Files.writeString(file, written.substring(0, at) + (damage == null ? "" : damage) +
                written.substring(at + text.length()));
        final String message = assertThrows(BundleException.class, () -> EventVocabulary.read(file)).getMessage();
        assertTrue(message.startsWith(file + ": " + expected) && message.lines().count() == 1, message);
    }

    @Test
    void shouldRefuseWithOneLineWhenFileIsNotThere() {
        final Path file = folder.resolve("absent.json");
        final String message = assertThrows(BundleException.class, () -> EventVocabulary.read(file)).getMessage();
        assertTrue(message.startsWith(file + ": cannot be read") && message.lines().count() == 1, message);
    }

    @ParameterizedTest
    @CsvSource({
        "events.sizes, 0, 2, version=2 is not 1",
        "events.sizes, 1, 2, schema=2 is not below 2",
        "events.sizes, 1, -1, schema=-1 is not below 2",
        "events.sizes, 2, -1, edges=-1 is not in 0..93",
        "events.sizes, 3, 257, kept=257 is not in 0..256",
        "events.sizes, 4, 65537, shapes=65537 is not in 0..65536",
        "events.edge_counts, 0, 32, edge-counts[0]=32 is not in 0..31",
        "events.edge_counts, 0, 3, edges=4 is not 5",
        "events.edges, 0, 2143289344, edges[0]=NaN is not finite",
        "events.kept, 0, -1, kept[0]=-1 is not above",
        "events.table, 0, 12, table[0]=12 is no kept shape",
        "events.mean_moves, 0, 2143289344, mean-moves[0]=NaN is not finite",
    })
    void shouldRefuseWithOneLineWhenATensorIsDamaged(
            final String tensor, final int index, final int bits, final String expected) {
        final SafetensorsWriter writer = new SafetensorsWriter();
        VocabularyTestData.trades().putTensors(writer::bytes);
        final SafetensorsReader reader = SafetensorsReader.of("test", writer.toBytes());
        final String message = assertThrows(BundleException.class, () -> EventVocabulary.of(
                "bundle", (name, dtype, shape) -> name.equals(tensor)
                        ? ByteBuffer.wrap(reader.bytes(name)).order(ByteOrder.LITTLE_ENDIAN)
                                .putInt(Integer.BYTES * index, bits).array()
                        : reader.bytes(name)))
                .getMessage();
        assertTrue(message.startsWith("bundle: vocabulary " + expected) && message.lines().count() == 1, message);
    }

    @Test
    void shouldRefuseWhenATensorIsShorterThanItsShape() {
        final String message = assertThrows(BundleException.class, () -> EventVocabulary.of(
                "bundle", (name, dtype, shape) -> new byte[4])).getMessage();
        assertEquals("tensor=events.sizes has 4 bytes, expected 20", message);
    }

    private static EventVocabulary learned(final int events, final long seed) {
        final EventFields<BookEvent> fields = new BookEventFields();
        final VocabularyLearner learner = new VocabularyLearner(EventSchema.LOBSTER);
        for (final BookEvent event : VocabularyTestData.bookEvents(events, seed)) {
            fields.onEvent(event);
            learner.add(fields);
        }
        return learner.learn("test");
    }

    private static List<Float> edges(final Cut cut, final double[] values) {
        final List<Float> list = new ArrayList<>();
        VocabularyLearner.edges(cut, values).forEach(list::add);
        return list;
    }

    @Test
    void shouldKeepItsOwnCopyWhenArraysAreHandedOut() {
        final EventVocabulary vocabulary = VocabularyTestData.trades();
        final int[] kept = vocabulary.kept();
        vocabulary.kept()[0] = 7;
        assertArrayEquals(kept, vocabulary.kept());
    }
}
