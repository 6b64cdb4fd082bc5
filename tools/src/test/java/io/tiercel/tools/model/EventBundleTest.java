package io.tiercel.tools.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.TiercelCommand;
import io.tiercel.tools.market.EventVocabulary;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model of market events becomes a bundle that says what its tokens stand for. */
class EventBundleTest {

    private static final Path NETWORK = Path.of("training/fp32/bitstamp-events");

    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void shouldCarryTheVocabularyThatLiesBesideTheNetwork() throws IOException {
        final Path bundle = directory.resolve("events.safetensors");
        assertEquals(0, run("model", "quantize", NETWORK, "--calibrate", tokens(), "-o", bundle), err::toString);
        final EventVocabulary vocabulary = EventVocabulary.read(NETWORK.resolve("vocabulary.json"));
        assertEquals(vocabulary, EventVocabulary.ofBundle(Bundle.open(bundle)));
        assertEquals("bitstamp-events", Bundle.open(bundle).manifest().provenance().get("name"));
        assertEquals(0, run("model", "inspect", bundle), err::toString);
        assertTrue(out.toString().contains("schema=bitstamp tokens=210 shapes=105"), out.toString());
        assertTrue(out.toString().contains(vocabulary.name(209)), out.toString());
    }

    @Test
    void shouldRefuseAVocabularyOfAnotherSize() throws IOException {
        final Path other = Path.of("training/fp32/lobster-events/vocabulary.json");
        run("model", "quantize", NETWORK, "--calibrate", tokens(), "--events", other, "-o", directory.resolve("none"));
        assertTrue(err.toString().contains(other + ": tokens=512 but the model's vocabulary=210"), err.toString());
    }

    private Path tokens() throws IOException {
        final StringBuilder text = new StringBuilder("session,token\n");
        for (int i = 0; i < 300; i++) {
            text.append(1 + i % 2).append(',').append(i * 7 % 210).append('\n');
        }
        return Files.writeString(directory.resolve("tokens.csv"), text);
    }

    private int run(final Object... arguments) {
        out.getBuffer().setLength(0);
        final String[] words = new String[arguments.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = arguments[i].toString();
        }
        return TiercelCommand.commandLine(new PrintWriter(out, true), new PrintWriter(err, true)).execute(words);
    }
}
