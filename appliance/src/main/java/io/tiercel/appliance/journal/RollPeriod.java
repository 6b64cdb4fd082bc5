package io.tiercel.appliance.journal;

import net.openhft.chronicle.queue.RollCycle;
import net.openhft.chronicle.queue.rollcycles.SparseRollCycles;

import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;

/**
 * How often the queues begin a new file, in UTC.
 *
 * <p>Both cycles index one record in 2^20: an index entry is eight bytes written to a page of its own, and a page that
 * is touched rarely is a page that is cold when it is touched. Readers of this package
 * do not need the index; others scan at most that many records.
 */
public enum RollPeriod {
    /** A file a day, named {@code yyyyMMddHX.cq4}. */
    DAILY(SparseRollCycles.HUGE_DAILY_XSPARSE, 8),
    /** A file an hour, named {@code yyyyMMdd-HHLX.cq4}. */
    HOURLY(SparseRollCycles.LARGE_HOURLY_XSPARSE, 11);

    private static final int DATE_LENGTH = 8;
    private static final int HOUR_OFFSET = 9;
    private static final int HOURS_PER_DAY = 24;

    private final RollCycle rollCycle;
    private final int nameLength;

    /** @param nameLength characters of a file's name that say when it began. */
    RollPeriod(final RollCycle rollCycle, final int nameLength) {
        this.rollCycle = rollCycle;
        this.nameLength = nameLength;
    }

    /**
     * @throws JournalException if the text is neither {@code daily} nor {@code hourly}.
     */
    public static RollPeriod parse(final String text) {
        for (final RollPeriod period : values()) {
            if (period.toString().equals(text)) {
                return period;
            }
        }
        throw new JournalException("roll=" + text + " is neither daily nor hourly");
    }

    RollCycle rollCycle() {
        return rollCycle;
    }

    int cycleAt(final long epochMs) {
        return (int) (epochMs / rollCycle.lengthInMillis());
    }

    /**
     * @param fileName as Chronicle names a file of this period.
     * @return the number of the period, or -1 if that is not such a name.
     */
    int cycleOf(final String fileName) {
        if (fileName.length() < nameLength) {
            return -1;
        }
        try {
            final int day = (int) LocalDate.parse(
                    fileName.substring(0, DATE_LENGTH), DateTimeFormatter.BASIC_ISO_DATE).toEpochDay();
            return this == DAILY
                    ? day
                    : day * HOURS_PER_DAY + Integer.parseInt(fileName.substring(HOUR_OFFSET, nameLength));
        } catch (final DateTimeParseException | NumberFormatException ex) {
            return -1;
        }
    }

    long startMs(final int cycle) {
        return (long) cycle * rollCycle.lengthInMillis();
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
