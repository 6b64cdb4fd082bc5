package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TapePricesTest {

    @TempDir
    Path directory;

    @Test
    void shouldBeTheMiddleOfTheQuotesAndKeepItWhereASideIsEmpty() throws IOException {
        final Path file = TapeTestData.lobster(directory, 1, """
                34200.000000001,1,1,10,1000000,1
                34200.000000002,1,2,10,1000200,-1
                34200.000000005,3,2,10,1000200,-1
                34200.000000005,1,3,10,1000400,-1
                """, """
                9999999999,0,1000000,10
                1000200,10,1000000,10
                9999999999,0,1000000,10
                1000400,10,1000000,10
                """);

        final TapePrices prices = TapePrices.ofBook(LobsterTape.open(file));

        assertEquals(1, prices.resolutionNs());
        assertEquals(4, prices.rowCount());
        assertArrayEquals(new double[] {Double.NaN, 1_000_100, 1_000_100, 1_000_200}, prices.prices(0, 4));
        assertArrayEquals(new long[] {34_200_000_000_002L, 34_200_000_000_005L}, prices.timesNs(1, 3));
    }

    @Test
    void shouldHaveEveryTradeAtItsSecond() {
        final TapePrices prices = TapePrices.ofTrades(TapeTestData.trades("7,100,1\n7,101,1\n9,99,2\n"));

        assertEquals(1_000_000_000L, prices.resolutionNs());
        assertArrayEquals(new long[] {7_000_000_000L, 7_000_000_000L, 9_000_000_000L}, prices.timesNs(0, 3));
        assertArrayEquals(new double[] {100, 101, 99}, prices.prices(0, 3));
    }
}
