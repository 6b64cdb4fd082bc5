package io.tiercel.tools.market;

import io.tiercel.tools.SharedData;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Tapes made by hand, and where the real ones lie. */
final class TapeTestData {

    static final String BASE_NAME = "TEST_2024-01-02_34200000_57600000";

    private TapeTestData() {
    }

    static BitstampTape trades(final String rows) {
        final String text = "timestamp,price,amount\n" + rows;
        return new BitstampTape("tape.csv", new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII)));
    }

    /** A tape that delivers the given trades. */
    static MarketTape<TradeEvent> trades(final List<TradeEvent> trades) {
        return new MarketTape<>() {
            private int position;

            @Override
            public String name() {
                return "list";
            }

            @Override
            public boolean next(final TradeEvent event) {
                if (position == trades.size()) {
                    return false;
                }
                final TradeEvent trade = trades.get(position++);
                event.set(trade.epochSecond, trade.price, trade.amount);
                return true;
            }

            @Override
            public void close() {
                position = trades.size();
            }
        };
    }

    static Path lobster(final Path folder, final int levels, final String messages, final String books)
            throws IOException {
        return zip(folder.resolve("lobster.zip"),
                BASE_NAME + "_orderbook_" + levels + ".csv", books,
                BASE_NAME + "_message_" + levels + ".csv", messages);
    }

    static Path zip(final Path file, final String... namesAndTexts) throws IOException {
        try (OutputStream output = Files.newOutputStream(file); ZipOutputStream zip = new ZipOutputStream(output)) {
            for (int i = 0; i < namesAndTexts.length; i += 2) {
                zip.putNextEntry(new ZipEntry(namesAndTexts[i]));
                zip.write(namesAndTexts[i + 1].getBytes(StandardCharsets.US_ASCII));
                zip.closeEntry();
            }
        }
        return file;
    }

    /** A file of the shared test data; where it is absent the test is reported as not run. */
    static Path shared(final String name) {
        return SharedData.file(name);
    }
}
