package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BitstampTapeTest {

    private final TradeEvent event = new TradeEvent();

    @Test
    void shouldReadEveryTradeWhenTapeIsTheOneOnTheClasspath() {
        try (BitstampTape tape = BitstampTape.open()) {
            assertTrue(tape.next(event));
            assertEquals(1385337600L, event.epochSecond);
            assertEquals(800.01, event.price);
            assertEquals(0.1, event.amount);
            int count = 1;
            while (tape.next(event)) {
                count++;
            }
            assertEquals(100_000, count);
            assertEquals(999.0, event.price);
        }
    }

    @Test
    void shouldReadLastRowWhenItHasNoLineEnd() {
        try (BitstampTape tape = TapeTestData.trades("1,2.5,0\r\n1,3,1")) {
            assertTrue(tape.next(event));
            assertEquals(0, event.amount);
            assertTrue(tape.next(event));
            assertEquals(3, event.price);
            assertFalse(tape.next(event));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "1,2                     | fields=2, expected 3",
        "1,2,3,4                 | fields=4, expected 3",
        "x,2,3                   | timestamp=x",
        "0,2,3                   | timestamp=0 before the row above, 1",
        "1234567890123456789,2,3 | timestamp=1234567890123456789",
        "1,0,3                   | price=0",
        "1,-2,3                  | price=-2",
        "1,NaN,3                 | price=NaN",
        "1,1e5,3                 | price=1e5",
        "1,.5,3                  | price=.5",
        "1,5.,3                  | price=5.",
        "1,1.2.3,3               | price=1.2.3",
        "1,9999999999999,3       | price=9999999999999",
        "1,2,-1                  | amount=-1",
        "1,2,0x1                 | amount=0x1",
    })
    void shouldNameFileLineAndValueWhenRowIsBad(final String row, final String expected) {
        try (BitstampTape tape = TapeTestData.trades("1,2,3\n" + row + "\n")) {
            assertTrue(tape.next(event));
            final TapeException exception = assertThrows(TapeException.class, () -> tape.next(event));
            assertEquals("tape.csv:3: " + expected, exception.getMessage());
        }
    }

    @Test
    void shouldNameFileAndLineWhenRowIsEmptyOrTooLong() {
        assertEquals("tape.csv:2: fields=1, expected 3", failure("\n1,2,3\n"));
        assertEquals("tape.csv:2: line longer than 65536 bytes", failure("1".repeat(70_000)));
        assertEquals("tape.csv:2: more than 4096 fields", failure(",".repeat(5_000)));
    }

    @Test
    void shouldRefuseWhenHeaderIsAnother() {
        final TapeException exception = assertThrows(TapeException.class,
                () -> new BitstampTape("other.csv", new ByteArrayInputStream(new byte[0])));
        assertEquals("other.csv:1: header is not timestamp,price,amount", exception.getMessage());
    }

    private String failure(final String rows) {
        try (BitstampTape tape = TapeTestData.trades(rows)) {
            return assertThrows(TapeException.class, () -> tape.next(event)).getMessage();
        }
    }
}
