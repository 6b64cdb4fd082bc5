package io.tiercel.ops.top;

import io.tiercel.ops.desk.DeskEvent;
import io.tiercel.ops.desk.Figures;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;

/** A line of a terminal, with the few styles that there are. */
final class Line {

    private static final AttributedStyle PLAIN = AttributedStyle.DEFAULT;
    private static final AttributedStyle FAINT = PLAIN.foreground(AttributedStyle.BRIGHT | AttributedStyle.BLACK);
    private static final AttributedStyle STRONG = PLAIN.bold();
    private static final AttributedStyle GOOD = STRONG.foreground(AttributedStyle.GREEN);
    private static final AttributedStyle WARNING = STRONG.foreground(AttributedStyle.YELLOW);
    private static final AttributedStyle BAD = STRONG.foreground(AttributedStyle.RED);

    private final AttributedStringBuilder text = new AttributedStringBuilder();

    AttributedString build() {
        return text.toAttributedString();
    }

    Line plain(final String words) {
        text.append(words, PLAIN);
        return this;
    }

    Line faint(final String words) {
        text.append(words, FAINT);
        return this;
    }

    Line strong(final String words) {
        text.append(words, STRONG);
        return this;
    }

    Line good(final String words) {
        text.append(words, GOOD);
        return this;
    }

    Line bad(final String words) {
        text.append(words, BAD);
        return this;
    }

    /** What the figure behind it is. */
    Line label(final String words) {
        return faint((text.length() == 0 ? "" : "  ") + words + " ");
    }

    Line strongIf(final boolean isStrong, final String words) {
        return isStrong ? strong(words) : plain(words);
    }

    Line warnIf(final boolean isWarning, final String words) {
        text.append(words, isWarning ? WARNING : PLAIN);
        return this;
    }

    Line styled(final boolean isGood, final String words) {
        return isGood ? plain(words) : bad(words);
    }

    /** {@code value/limit}, which warns from a fraction of the limit on; without one, the value alone. */
    Line of(final long value, final long limit, final double warnFraction) {
        warnIf(limit > 0 && value >= limit * warnFraction, Figures.count(value));
        return limit > 0 ? faint("/" + Figures.count(limit)) : this;
    }

    Line of(final DeskEvent.Severity severity, final String words) {
        return switch (severity) {
            case INFO -> plain(words);
            case WARNING -> warnIf(true, words);
            case CRITICAL -> bad(words);
        };
    }

    /** Not wider than this, and filled up to it. */
    Line cutTo(final int columns) {
        final AttributedString cut = text.columnSubSequence(0, columns - 2);
        text.setLength(0);
        text.append(cut).append(" ".repeat(columns - cut.columnLength()));
        return this;
    }
}
