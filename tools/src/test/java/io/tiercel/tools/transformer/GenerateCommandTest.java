package io.tiercel.tools.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.Appliance;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.replay.ReplayOptions;
import io.tiercel.replay.ReplayReport;
import io.tiercel.replay.ReplayVerifier;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.SharedData;
import io.tiercel.tools.TiercelCommand;
import io.tiercel.tools.llama.CanonicalFile;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.RandomLlama;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Text of models: a real one where it is, and a random one. */
@Timeout(120)
class GenerateCommandTest {

    private static final String STORIES = "models/stories260k/";

    @TempDir
    private Path directory;

    private final StringWriter err = new StringWriter();
    private String out;

    @Test
    void shouldGiveTheReferenceTextWhenNearFp32() throws IOException {
        final Path bundle = stories("int16", "16/16");
        final String expected = Files.readString(SharedData.file(STORIES + "stories260K_greedy200.txt"));
        assertEquals(ExitCode.OK, run("generate", "--model", bundle.toString(), "--tokens", "200"), err.toString());
        assertEquals(expected, out);
        assertEquals(ExitCode.OK, run("generate", "--model", bundle.toString(), "--tokens", "200", "--draft", "7"));
        assertEquals(expected, out);
    }

    @ParameterizedTest
    @CsvSource({"int8, 8/8, 0", "int4, 4/2, 0", "int8, c1/1, 0.7"})
    void shouldGiveTheSameBitsWithADraftAndOfARowOfTokensWhenTheModelIsReal(
            final String weights, final String cache, final String temperature) throws IOException {
        final Path bundle = stories(weights, cache);
        assertEquals(ExitCode.OK, run("generate", "--model", bundle.toString(), "--tokens", "300", "--stats",
                "--temperature", temperature));
        final String plain = out;
        final String plainHash = hash();
        assertEquals(ExitCode.OK, run("generate", "--model", bundle.toString(), "--tokens", "300", "--stats",
                "--temperature", temperature, "--draft", "15"));
        assertEquals(plain, out);
        assertEquals(plainHash, hash());
        final Bundle opened = Bundle.open(bundle);
        final int[] tokens = BundleTokenizer.of(opened).encode(plain, true);
        try (TransformerSession row = new TransformerSession(opened, Backends.select(Backends.AUTO, opened));
                TransformerSession single =
                        new TransformerSession(opened, Backends.select("reference", opened))) {
            final float[] logits = row.steps(tokens).clone();
            float[] expected = null;
            for (final int token : tokens) {
                expected = single.step(token);
            }
            assertArrayEquals(expected, logits);
            assertEquals(single.hash(), row.hash());
        }
    }

    /** A draft is right often, sometimes or never: the text and the bits behind it are the same. */
    @ParameterizedTest
    @CsvSource({"0, 0", "1.2, 0", "0.8, 20"})
    void shouldGiveTheSameBitsWhenAnotherModelGuesses(final String temperature, final String top) throws IOException {
        final Path bundle = random("slide", 3);
        final String[] plain = {"generate", "--model", bundle.toString(), "--tokens", "150", "--stats",
            "--temperature", temperature, "--top", top, "--seed", "5"};
        assertEquals(ExitCode.OK, run(plain), err.toString());
        final String expected = out;
        final String expectedHash = hash();
        for (final Path draft : new Path[] {bundle, random("slide", 4), random("refuse", 3)}) {
            for (final String count : new String[] {"1", "5", "15"}) {
                final String[] drafted = Arrays.copyOf(plain, plain.length + 4);
                System.arraycopy(new String[] {"--draft", count, "--draft-model", draft.toString()}, 0, drafted,
                        plain.length, 4);
                assertEquals(ExitCode.OK, run(drafted), err.toString());
                assertEquals(expected, out, draft + " " + count);
                assertEquals(expectedHash, hash(), draft + " " + count);
                if (draft.equals(bundle)) {
                    final int passes = Integer.parseInt(err.toString().replaceAll("(?s).*passes=(\\d+).*", "$1"));
                    assertTrue(passes <= 150 / (1 + Integer.parseInt(count)) + 1, "passes=" + passes);
                }
            }
        }
        assertEquals(ExitCode.BAD_ARGUMENTS, run("generate", "--model", bundle.toString(), "--draft-model",
                bundle.toString()));
        assertEquals(ExitCode.BAD_ARGUMENTS, run("generate", "--model", bundle.toString(), "--draft", "2",
                "--draft-model", RandomTransformers.writeTokens(3, 12, directory).toString()));
        assertTrue(err.toString().contains("is not that of the model, 300"), err.toString());
    }

    @Test
    void shouldDrawTheSameTextForASeedAndAnotherForAnother() throws IOException {
        final Path bundle = random("slide");
        final String[] arguments = {"generate", "--model", bundle.toString(), "--temperature", "2", "--tokens", "60",
            "--seed", "5"};
        assertEquals(ExitCode.OK, run(arguments), err.toString());
        final String first = out;
        run(arguments);
        assertEquals(first, out);
        arguments[arguments.length - 1] = "6";
        run(arguments);
        assertFalse(first.equals(out), out);
    }

    /** Over the wire it is the same text, drawn or not, and the journal of it replays. */
    @Test
    void shouldGiveTheSameTextWhenAnApplianceMakesIt() throws IOException {
        final Path bundle = random("slide");
        final Path journal = directory.resolve("journal");
        final ApplianceContext context = context(bundle, journal);
        try (Appliance appliance = Appliance.launch(context)) {
            for (final String temperature : new String[] {"0", "1.5"}) {
                final String[] here =
                        {"generate", "--model", bundle.toString(), "--temperature", temperature, "--tokens",
                            "90", "--seed", "7", "--top", "30", "--prompt", "abc ".repeat(20)};
                assertEquals(ExitCode.OK, run(here), err.toString());
                final String expected = out;
                final String[] there = Arrays.copyOf(here, here.length + 3);
                there[here.length] = "--aeron-dir";
                there[here.length + 1] = context.aeronDirectoryName();
                there[here.length + 2] = "--stats";
                assertEquals(ExitCode.OK, run(there), err.toString());
                assertEquals(expected, out);
                assertTrue(err.toString().contains("tokens/s="), err.toString());
            }
            assertTrue(appliance.counter(CounterId.REQUESTS) > 150);
        }
        final ReplayReport replay = new ReplayVerifier(new ReplayOptions().journalDirectory(journal)).verify();
        assertTrue(replay.isIdentical(), replay::toString);
    }

    @Test
    void shouldSayWhenTheApplianceDoesNotServeTheModelOrIsNotThere() throws IOException {
        final Path bundle = random("slide");
        final ApplianceContext context = context(
                RandomTransformers.writeTokens(3, 12, directory), directory.resolve("journal"));
        try (Appliance appliance = Appliance.launch(context)) {
            assertEquals(1, appliance.models().size());
            assertEquals(ExitCode.BAD_ARGUMENTS, run("generate", "--model", bundle.toString(), "--aeron-dir",
                    context.aeronDirectoryName()));
            assertTrue(err.toString().contains("the appliance does not serve version="), err.toString());
            assertEquals(ExitCode.BAD_ARGUMENTS, run("generate", "--model", bundle.toString(), "--aeron-dir",
                    context.aeronDirectoryName(), "--draft", "3"));
        }
        assertEquals(ExitCode.ENVIRONMENT, run("generate", "--model", bundle.toString(), "--aeron-dir",
                directory.resolve("nobody").toString()), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
    }

    private ApplianceContext context(final Path bundle, final Path journal) {
        return new ApplianceContext()
                .layout(Layout.COMPACT)
                .idle(IdleMode.BACKOFF)
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .journalDirectory(journal)
                .addModel(new ModelConfig("words", bundle))
                .warmUpRequests(100)
                .snapshotIntervalNs(0)
                .conclude();
    }

    @Test
    void shouldEndWithTheContextWhenItDoesNotSlide() throws IOException {
        final Path bundle = random("refuse");
        assertEquals(ExitCode.OK, run("generate", "--model", bundle.toString(), "--tokens", "500", "--stats"));
        assertTrue(err.toString().contains("does not slide"), err.toString());
        assertEquals(ExitCode.BAD_ARGUMENTS,
                run("generate", "--model", bundle.toString(), "--prompt", "abc ".repeat(100)));
        assertTrue(err.toString().contains("the model's context holds 40 and does not slide"), err.toString());
    }

    @ParameterizedTest
    @CsvSource({"--tokens,0,--tokens=0", "--temperature,-1,--temperature=-1.0", "--top,-1,--top=-1",
        "--draft,16,--draft=16", "--model,none.safetensors,none.safetensors"})
    void shouldRefuseInOneLineWhenAnArgumentIsBad(final String option, final String value, final String named)
            throws IOException {
        final Path bundle = random("slide");
        final int exitCode = option.equals("--model")
                ? run("generate", option, value)
                : run("generate", "--model", bundle.toString(), option, value);
        assertTrue(exitCode == ExitCode.BAD_ARGUMENTS || exitCode == ExitCode.ENVIRONMENT, err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().contains(named), err.toString());
    }

    private Path stories(final String weights, final String cache) throws IOException {
        final Path model = SharedData.file(STORIES + "stories260K.bin");
        final Path bundle = directory.resolve("stories.safetensors");
        assertEquals(ExitCode.OK, run("model", "quantize", model.toString(), "--tokenizer",
                SharedData.file(STORIES + "tok512.bin").toString(), "--weights", weights, "--kv", cache, "--calibrate",
                SharedData.file(STORIES + "stories260K_greedy200.txt").toString(), "--output", bundle.toString()),
                err.toString());
        return bundle;
    }

    private Path random(final String whenFull) throws IOException {
        return random(whenFull, 3);
    }

    private Path random(final String whenFull, final long seed) throws IOException {
        final LlamaShape shape = new LlamaShape(16, 2, 2, 1, 8, 20, 300, 40, 0, 0, 10_000, 1e-5f, true);
        final Path model = directory.resolve("random-model.safetensors");
        CanonicalFile.write(
                new LlamaModel(RandomLlama.weights(shape, seed), RandomLlama.tokenizer(300, 3), "random"), model);
        final Path bundle = directory.resolve("random-" + whenFull + "-" + seed + ".safetensors");
        assertEquals(ExitCode.OK, run("model", "quantize", model.toString(), "--window", "8", "--when-full", whenFull,
                "--output", bundle.toString()), err.toString());
        return bundle;
    }

    private String hash() {
        return err.toString().replaceAll("(?s).*hash=(\\p{XDigit}+).*", "$1");
    }

    private int run(final String... arguments) {
        final StringWriter text = new StringWriter();
        err.getBuffer().setLength(0);
        final int exitCode =
                TiercelCommand.commandLine(new PrintWriter(text, true), new PrintWriter(err, true)).execute(arguments);
        out = text.toString();
        return exitCode;
    }
}
