package io.tiercel.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class CountProgressTest {

    private static final long SECOND_NS = 1_000_000_000L;

    private final StringWriter printed = new StringWriter();
    private long nowNs;

    @Test
    void shouldDrawABarWithWhatIsLeft() {
        final String line = CountProgress.line("replay", 250_000, 1_000_000, 2 * SECOND_NS);

        assertEquals("replay [=======                       ] 25%  250,000 of 1,000,000, 125,000/s, 6 s left", line);
    }

    @Test
    void shouldSayNothingWhenItIsDoneWithinASecond() {
        final CountProgress progress = progress(true);
        nowNs = SECOND_NS - 1;
        progress.show(99, 100);
        progress.clear();

        assertEquals("", printed.toString());
    }

    @Test
    void shouldRemoveTheBarWhenItIsCleared() {
        final CountProgress progress = progress(true);
        nowNs = SECOND_NS;
        progress.show(50, 100);
        progress.show(51, 100);
        progress.clear();

        assertEquals("\rrecovery [===============               ] 50%  50 of 100, 50/s, 1 s left\u001b[K\r\u001b[K",
                printed.toString());
    }

    @Test
    void shouldPrintALineEveryFiveSecondsWhenThereIsNoTerminal() {
        final CountProgress progress = progress(false);
        for (int second = 0; second <= 10; second++) {
            nowNs = second * SECOND_NS;
            progress.show(second, 0);
        }
        progress.clear();

        assertEquals("recovery 5, 1/s\nrecovery 10, 1/s\n", printed.toString());
    }

    private CountProgress progress(final boolean isInteractive) {
        return new CountProgress("recovery", new PrintWriter(printed), isInteractive, () -> nowNs);
    }
}
