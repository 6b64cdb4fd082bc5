package io.tiercel.tools.market;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A day of a LOBSTER sample: the zip as it is downloaded, its {@code …_message_N.csv} and {@code …_orderbook_N.csv}
 * read row by row in lock-step. Any number of levels; the best quotes are handed on, and as many levels as an event has
 * room for.
 *
 * <p>Format and data: R. Huang, T. Polak, LOBSTER: Limit Order Book Reconstruction System (2011), lobsterdata.com.
 */
public final class LobsterTape implements MarketTape<BookEvent> {

    private static final Pattern MESSAGES = Pattern.compile("(.*)_message_(\\d{1,3})\\.csv");
    private static final int MESSAGE_FIELDS = 6;
    private static final int TIME_SCALE = 9;
    private static final long MAX_TIME_NS = 2 * 86_400_000_000_000L;
    /** LOBSTER fills an empty level with this price, negative on the bid side, and size 0. */
    private static final long EMPTY_PRICE = 9_999_999_999L;

    private final String name;
    private final ZipFile zip;
    private final CsvRows messages;
    private final CsvRows books;
    private final int levelCount;
    private long lastTimeNs;

    private LobsterTape(final Path file, final ZipFile zip) throws IOException {
        this.zip = zip;
        name = file.getFileName().toString();
        final ZipEntry messageEntry = messageEntry(zip);
        final Matcher matcher = MESSAGES.matcher(messageEntry.getName());
        if (!matcher.matches()) {
            throw new IllegalStateException(messageEntry.getName());
        }
        levelCount = Integer.parseInt(matcher.group(2));
        final String bookName = matcher.group(1) + "_orderbook_" + levelCount + ".csv";
        final ZipEntry bookEntry = zip.getEntry(bookName);
        if (levelCount == 0 || bookEntry == null) {
            throw new TapeException(name + ": no entry " + bookName + " beside " + messageEntry.getName());
        }
        messages = new CsvRows(name + "!" + messageEntry.getName(), zip.getInputStream(messageEntry));
        books = new CsvRows(name + "!" + bookName, zip.getInputStream(bookEntry));
    }

    public static LobsterTape open(final Path file) {
        ZipFile zip = null;
        try {
            zip = new ZipFile(file.toFile());
            return new LobsterTape(file, zip);
        } catch (final IOException | RuntimeException ex) {
            closeQuietly(zip, ex);
            if (ex instanceof TapeException tapeException) {
                throw tapeException;
            }
            throw new TapeException(file + ": " + ex.getMessage(), ex);
        }
    }

    @Override
    public String name() {
        return name;
    }

    /** Levels of the book that the file holds. */
    public int levelCount() {
        return levelCount;
    }

    @Override
    public boolean next(final BookEvent event) {
        final boolean message = messages.next();
        if (books.next() != message) {
            throw (message ? books : messages).error("ends here, the other file of the pair goes on");
        }
        if (!message) {
            return false;
        }
        readMessage(event);
        readBook(event);
        return true;
    }

    @Override
    public void close() {
        try {
            zip.close();
        } catch (final IOException ex) {
            throw new TapeException(name + ": " + ex.getMessage(), ex);
        }
    }

    private void readMessage(final BookEvent event) {
        messages.expectFields(MESSAGE_FIELDS);
        final long timeNs = messages.scaled(0, "time", TIME_SCALE);
        if (timeNs < lastTimeNs || timeNs > MAX_TIME_NS) {
            throw messages.bad(0, "time");
        }
        final long type = messages.integer(1, "type");
        if (type < BookEvent.NEW_ORDER || type > BookEvent.HALT) {
            throw messages.bad(1, "type");
        }
        messages.integer(2, "orderId");
        final long size = messages.integer(3, "size");
        if (size < 0 || size > EMPTY_PRICE) {
            throw messages.bad(3, "size");
        }
        final long price = messages.integer(4, "price");
        if (price < -1 || price > EMPTY_PRICE) {
            throw messages.bad(4, "price");
        }
        final long direction = messages.integer(5, "direction");
        if (direction != 1 && direction != -1) {
            throw messages.bad(5, "direction");
        }
        lastTimeNs = timeNs;
        event.message(timeNs, (int) type, size, price, (int) direction);
    }

    private void readBook(final BookEvent event) {
        books.expectFields(BookEvent.FIELDS_PER_LEVEL * levelCount);
        event.quotes(price(0, true), size(0, true), price(0, false), size(0, false));
        for (int first = 0; first < event.levels.length; first += BookEvent.FIELDS_PER_LEVEL) {
            event.levels[first] = price(first, true);
            event.levels[first + 1] = size(first, true);
            event.levels[first + 2] = price(first, false);
            event.levels[first + 3] = size(first, false);
        }
    }

    /** @param first field of the level. */
    private long price(final int first, final boolean isAsk) {
        final int field = isAsk ? first : first + 2;
        final String fieldName = isAsk ? "askPrice" : "bidPrice";
        final long price = books.integer(field, fieldName);
        if (price > EMPTY_PRICE || price <= 0 && (isAsk || price != -EMPTY_PRICE)) {
            throw books.bad(field, fieldName);
        }
        return price;
    }

    /** 0 if the level is empty. */
    private long size(final int first, final boolean isAsk) {
        final int field = isAsk ? first + 1 : first + 3;
        final String fieldName = isAsk ? "askSize" : "bidSize";
        final long size = books.integer(field, fieldName);
        if (size < 0 || size > EMPTY_PRICE) {
            throw books.bad(field, fieldName);
        }
        return Math.abs(price(first, isAsk)) == EMPTY_PRICE ? 0 : size;
    }

    private static ZipEntry messageEntry(final ZipFile zip) {
        ZipEntry found = null;
        for (final ZipEntry entry : Collections.list(zip.entries())) {
            if (MESSAGES.matcher(entry.getName()).matches()) {
                if (found != null) {
                    throw new TapeException(
                            zip.getName() + ": two message files, " + found.getName() + " and " + entry.getName());
                }
                found = entry;
            }
        }
        if (found == null) {
            throw new TapeException(zip.getName() + ": no entry …_message_N.csv, so not a LOBSTER sample");
        }
        return found;
    }

    private static void closeQuietly(final ZipFile zip, final Exception cause) {
        if (zip != null) {
            try {
                zip.close();
            } catch (final IOException ex) {
                cause.addSuppressed(ex);
            }
        }
    }
}
