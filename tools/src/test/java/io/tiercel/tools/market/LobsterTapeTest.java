package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LobsterTapeTest {

    private static final String MESSAGE_ENTRY = "lobster.zip!" + TapeTestData.BASE_NAME + "_message_1.csv";
    private static final String BOOK_ENTRY = "lobster.zip!" + TapeTestData.BASE_NAME + "_orderbook_1.csv";

    @TempDir
    private Path folder;
    private final BookEvent event = new BookEvent();

    @Test
    void shouldReadMessageAndBestQuotesInLockStepWhenLevelsAreTwo() throws IOException {
        final Path zip = TapeTestData.lobster(folder, 2,
                "34200.015105074,4,15818974,4,5794000,1\n34200.5,7,0,0,-1,-1\n",
                "5802300,100,5794000,496,5804300,100,5787000,400\n" +
                        "9999999999,0,-9999999999,0,9999999999,0,-9999999999,0\n");
        try (LobsterTape tape = LobsterTape.open(zip)) {
            assertEquals(2, tape.levelCount());
            assertTrue(tape.next(event));
            assertEquals(34_200_015_105_074L, event.timeNs);
            assertEquals(BookEvent.EXECUTION_VISIBLE, event.type);
            assertEquals(-1, event.aggressor());
            assertEquals(5_802_300, event.askPrice);
            assertEquals(100, event.askSize);
            assertEquals(5_794_000, event.bidPrice);
            assertEquals(496, event.bidSize);
            assertTrue(tape.next(event));
            assertEquals(34_200_500_000_000L, event.timeNs);
            assertEquals(0, event.askSize);
            assertEquals(0, event.bidSize);
            assertFalse(tape.next(event));
        }
    }

    @Test
    void shouldReadAsManyLevelsAsAnEventHasRoomFor() throws IOException {
        final Path zip = TapeTestData.lobster(folder, 2,
                "34200.0,1,1,4,5794000,1\n", "5802300,100,5794000,496,9999999999,7,5787000,400\n");
        final BookEvent wide = new BookEvent(2);
        try (LobsterTape tape = LobsterTape.open(zip)) {
            assertTrue(tape.next(wide));
        }
        assertArrayEquals(new long[] {5_802_300, 100, 5_794_000, 496, 9_999_999_999L, 0, 5_787_000, 400}, wide.levels);
        assertEquals(0, event.levels.length);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "1.0,1,1,1,1        | fields=5, expected 6",
        "0.5,1,1,1,1,1      | time=0.5",
        "1.0000000001,1,1,1,1,1 | time=1.0000000001",
        "99999999999.0,1,1,1,1,1 | time=99999999999.0",
        "1.,1,1,1,1,1       | time=1.",
        "1,0,1,1,1,1        | type=0",
        "1,8,1,1,1,1        | type=8",
        "1,1,x,1,1,1        | orderId=x",
        "1,1,1,-1,1,1       | size=-1",
        "1,1,1,1,-2,1       | price=-2",
        "1,1,1,1,1,0        | direction=0",
    })
    void shouldNameEntryLineAndValueWhenMessageIsBad(final String row, final String expected) throws IOException {
        assertEquals(MESSAGE_ENTRY + ":2: " + expected, failure("1.0,1,1,1,1,1\n" + row + "\n", "2,1,1,1\n2,1,1,1\n"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "2,1,1          | fields=3, expected 4",
        "0,1,1,1        | askPrice=0",
        "2,-1,1,1       | askSize=-1",
        "2,1,0,1        | bidPrice=0",
        "2,1,-5,1       | bidPrice=-5",
        "2,1,1,99999999999 | bidSize=99999999999",
        "2,1,1,1.5      | bidSize=1.5",
    })
    void shouldNameEntryLineAndValueWhenBookIsBad(final String row, final String expected) throws IOException {
        assertEquals(BOOK_ENTRY + ":2: " + expected, failure("1,1,1,1,1,1\n1,1,1,1,1,1\n", "2,1,1,1\n" + row + "\n"));
    }

    @Test
    void shouldSayWhichFileEndsWhenTheOtherGoesOn() throws IOException {
        final String goesOn = ":2: ends here, the other file of the pair goes on";
        assertEquals(BOOK_ENTRY + goesOn, failure("1,1,1,1,1,1\n1,1,1,1,1,1\n", "2,1,1,1\n"));
        assertEquals(MESSAGE_ENTRY + goesOn, failure("1,1,1,1,1,1\n", "2,1,1,1\n2,1,1,1\n"));
    }

    @Test
    void shouldRefuseWhenZipIsNoLobsterSample() throws IOException {
        final Path file = folder.resolve("other.zip");
        assertRefused(TapeTestData.zip(file, "readme.txt", "x"), "no entry …_message_N.csv, so not a LOBSTER sample");
        assertRefused(TapeTestData.zip(file, "A_message_1.csv", "x"),
                "no entry A_orderbook_1.csv beside A_message_1.csv");
        assertRefused(
                TapeTestData.zip(file, "A_message_1.csv", "x", "A_orderbook_10.csv", "x"),
                "no entry A_orderbook_1.csv");
        assertRefused(
                TapeTestData.zip(file, "A_message_1.csv", "x", "B_message_1.csv", "x"),
                "two message files, A_message_1.csv and B_message_1.csv");
        assertRefused(Files.writeString(file, "not a zip"), "other.zip: ");
        assertRefused(folder.resolve("absent.zip"), "absent.zip");
    }

    private static void assertRefused(final Path file, final String expected) {
        final String message = assertThrows(TapeException.class, () -> LobsterTape.open(file)).getMessage();
        assertTrue(message.contains(expected), message);
    }

    private String failure(final String messages, final String books) throws IOException {
        try (LobsterTape tape = LobsterTape.open(TapeTestData.lobster(folder, 1, messages, books))) {
            return assertThrows(TapeException.class, () -> {
                while (tape.next(event)) {
                    assertTrue(event.askSize >= 0);
                }
            }).getMessage();
        }
    }
}
