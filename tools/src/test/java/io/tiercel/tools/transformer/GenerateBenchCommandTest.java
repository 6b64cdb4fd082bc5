package io.tiercel.tools.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ExitCode;
import io.tiercel.tools.TiercelCommand;
import io.tiercel.tools.llama.CanonicalFile;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.RandomLlama;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** In small: every row is there, and makes the same tokens. */
@Timeout(120)
class GenerateBenchCommandTest {

    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void shouldMakeTheSameTokensInEveryRow() throws IOException {
        final Path bundle = bundle();
        assertEquals(ExitCode.OK, run("bench", "generate", "--model", bundle.toString(), "--tokens", "20",
                "--temperature", "0.9", "--draft", "3", "--draft-model", bundle.toString(), "--texts", "2", "--runs",
                "1"), err.toString());
        final List<String> rows = out.toString().lines().toList();
        for (final String name : List.of("here ", "here, draft 3 of the text", "here, draft 3 by bundle",
                "appliance, foreseen 0", "appliance, foreseen 1", "appliance, foreseen 4")) {
            assertEquals(1, rows.stream().filter(row -> row.startsWith(name)).count(), out.toString());
        }
        assertTrue(out.toString().contains("all rows made the same tokens"), out.toString());
        final String byItself = rows.stream().filter(row -> row.startsWith("here, draft 3 by")).findAny().orElseThrow();
        assertTrue(byItself.endsWith("100.0"), byItself);
    }

    @Test
    void shouldRefuseInOneLineWhenAnArgumentIsBad() throws IOException {
        final String bundle = bundle().toString();
        err.getBuffer().setLength(0);
        for (final String[] bad : new String[][] {{"--tokens", "1"}, {"--draft", "0"}, {"--draft", "16"},
            {"--runs", "0"}, {"--texts", "0"}, {"--temperature", "-1"}, {"--top", "-1"}}) {
            assertEquals(ExitCode.BAD_ARGUMENTS, run("bench", "generate", "--model", bundle, bad[0], bad[1]));
            assertEquals(1, err.toString().lines().count(), err.toString());
            assertTrue(err.toString().contains(bad[0] + "="), err.toString());
            err.getBuffer().setLength(0);
        }
    }

    private Path bundle() throws IOException {
        final LlamaShape shape = new LlamaShape(16, 2, 2, 1, 8, 20, 300, 40, 0, 0, 10_000, 1e-5f, true);
        final Path model = directory.resolve("model.safetensors");
        CanonicalFile.write(
                new LlamaModel(RandomLlama.weights(shape, 3), RandomLlama.tokenizer(300, 3), "random"), model);
        final Path bundle = directory.resolve("bundle.safetensors");
        assertEquals(ExitCode.OK, run("model", "quantize", model.toString(), "--window", "8", "--when-full", "slide",
                "--output", bundle.toString()), err.toString());
        return bundle;
    }

    private int run(final String... arguments) {
        return TiercelCommand.commandLine(new PrintWriter(out, true), new PrintWriter(err, true)).execute(arguments);
    }
}
