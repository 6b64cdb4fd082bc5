package io.tiercel.tools.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.SharedData;
import io.tiercel.tools.llama.CanonicalFile;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.ModelFiles;
import io.tiercel.tools.llama.RandomLlama;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ImportCommandTest {

    private static final String STORIES = "models/stories260k/";

    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void shouldWriteTheSameFileWhenItsOwnOutputIsImported() throws IOException {
        final Path first = directory.resolve("first.safetensors");
        final Path second = directory.resolve("second.safetensors");
        final LlamaShape shape = RandomLlama.anyShape(4);
        CanonicalFile.write(new LlamaModel(RandomLlama.weights(shape, 4),
                RandomLlama.tokenizer(shape.vocabularySize(), 4), "random"), first);
        assertEquals(0, run("import", first, "-o", second), err::toString);
        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
        assertTrue(out.toString().contains(", canonical\n"), out.toString());
        assertTrue(out.toString().contains("tokenizer      " + shape.vocabularySize() + " pieces, begin 1, end 2"),
                out.toString());
    }

    @Test
    void shouldImportTheSameModelWhenTheFormatIsAnother() throws IOException {
        final Path checkpoint = directory.resolve("checkpoint.safetensors");
        final Path gguf = directory.resolve("gguf.safetensors");
        assertEquals(0, run("import", SharedData.file(STORIES + "stories260K.bin"), "--output", checkpoint,
                "--tokenizer", SharedData.file(STORIES + "tok512.bin")), err::toString);
        assertEquals(0, run("import", SharedData.file(STORIES + "stories260K.gguf"), "--output", gguf), err::toString);
        final LlamaModel one = ModelFiles.read(checkpoint);
        final LlamaModel other = ModelFiles.read(gguf);
        assertArrayEquals(one.weights().embedding(), other.weights().embedding());
        assertEquals(512, one.tokenizer().size());
        assertEquals(512, other.tokenizer().size());
        assertTrue(out.toString().contains("parameters     260032\n"), out.toString());
        assertTrue(out.toString().contains("attention      8 heads of 8, 4 of keys and values"), out.toString());
        assertTrue(out.toString().contains("vocabulary     512, head tied\n"), out.toString());
    }

    @Test
    void shouldRefuseInOneLineWhenAnArgumentCannotBeUsed() throws IOException {
        final Path output = directory.resolve("out.safetensors");
        assertRefused("--output=out.bin does not end in .safetensors", "import", "in.gguf", "-o", "out.bin");
        assertRefused("in.gguf: no such file", "import", "in.gguf", "-o", output);
        final Path text = Files.writeString(directory.resolve("in.bin"), "text");
        assertRefused("goes past the end of the file, size=4", "import", text, "-o", output);
        final Path sound = directory.resolve("sound.safetensors");
        CanonicalFile.write(new LlamaModel(RandomLlama.weights(RandomLlama.anyShape(4), 4), null, "random"), sound);
        assertRefused("longestPiece", "import", sound, "-o", output, "--tokenizer",
                Files.write(directory.resolve("empty.bin"), new byte[0]));
        assertFalse(Files.exists(output));
    }

    private void assertRefused(final String expected, final Object... arguments) {
        assertEquals(2, run(arguments));
        assertTrue(err.toString().contains(expected), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        err.getBuffer().setLength(0);
    }

    private int run(final Object... arguments) {
        final CommandLine command = ModelCommand.commandLine();
        command.setOut(new PrintWriter(out));
        command.setErr(new PrintWriter(err));
        final String[] texts = new String[arguments.length];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = arguments[i].toString();
        }
        return command.execute(texts);
    }
}
