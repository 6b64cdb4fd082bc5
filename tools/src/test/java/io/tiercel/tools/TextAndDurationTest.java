package io.tiercel.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class TextAndDurationTest {

    private final DurationConverter converter = new DurationConverter();

    @Test
    void shouldReadDurationsWithTheSuffixesOfTheConfiguration() {
        assertEquals(Duration.ofSeconds(10), converter.convert("10s"));
        assertEquals(Duration.ofMillis(500), converter.convert("500ms"));
        assertEquals(Duration.ofNanos(20_000), converter.convert("20us"));
        assertEquals(Duration.ofNanos(7), converter.convert("7ns"));
        assertEquals(Duration.ofMinutes(2), converter.convert("2m"));
        assertEquals(Duration.ZERO, converter.convert("0"));
    }

    @Test
    void shouldSayWhatItReadWhenItIsNoDuration() {
        for (final String text : new String[] {"", "s", "10", "1.5s", "-1s", "10 s", "10sec",
            "99999999999999999999s"}) {
            final var error = assertThrows(TypeConversionException.class, () -> converter.convert(text), text);
            assertTrue(error.getMessage().contains("'" + text + "'"), error.getMessage());
        }
        assertThrows(TypeConversionException.class, () -> converter.convert("999999999999h"));
    }

    @Test
    void shouldAlignColumnsAndLeaveNoBlanksAtTheEnds() {
        assertEquals("name  note\nab    x\nabc   long one\n",
                TextTable.left("name", "note").row("ab", "x").row("abc", "long one").toString());
        assertEquals("name  of     1\nab    x   2.50\n",
                TextTable.ofNumbersAfter(2, "name", "of", "1").row("ab", "x", "2.50").toString());
        assertThrows(IllegalArgumentException.class, () -> TextTable.left("a", "b").row("only one"));
    }
}
