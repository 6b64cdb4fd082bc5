package io.tiercel.tools.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ChildJvm;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(300)
class LlamaCppPeerTest {

    /** Many times what a child takes on a machine that does nothing else. */
    private static final long PATIENCE_SECONDS = 240;
    private static final int TOKEN_COUNT = 20;
    /** Of the small model. */
    private static final int HEAD_SIZE = 8;
    private static final int[] BEGIN = {LlamaCppPeer.BEGIN_TOKEN};
    private static final Set<String> GOOD_FLAGS = Set.of("sse4_2", "avx", "avx2", "bmi2", "f16c", "fma");

    @TempDir
    private Path directory;

    @Test
    void shouldSayWhatTheModelIsKnownToSay() throws IOException {
        try (LlamaCppPeer peer = open(LlamaCppCache.F32)) {
            final DecodeRun streamed = peer.stream(BEGIN, TOKEN_COUNT);
            assertTrue(DecodeTestData.greedyText().startsWith(streamed.text()), streamed.text());
            assertEquals(TOKEN_COUNT, peer.encode(streamed.text()).length, streamed.text());
            assertEquals(TOKEN_COUNT - 1, streamed.decodedCount());
            assertEquals(TOKEN_COUNT - 1, streamed.tokenNs().getTotalCount());
            assertTrue(streamed.promptNs() > 0 && streamed.decodeNs() > 0, streamed.toString());

            final DecodeRun whole = peer.complete(BEGIN, TOKEN_COUNT);
            assertEquals(streamed.text(), whole.text());
            assertEquals(0, whole.tokenNs().getTotalCount());
            assertEquals(TOKEN_COUNT - 1, whole.decodedCount());
            assertTrue(whole.promptNs() > 0 && whole.decodeNs() > 0, whole.toString());
        }
    }

    @Test
    void shouldGoOnFromAPrompt() throws IOException {
        try (LlamaCppPeer peer = open(LlamaCppCache.F16)) {
            final int[] tokens = peer.encode("Once upon a time");
            final int[] prompt = new int[tokens.length + 1];
            prompt[0] = LlamaCppPeer.BEGIN_TOKEN;
            System.arraycopy(tokens, 0, prompt, 1, tokens.length);
            final int[] before = prompt.clone();
            final String text = peer.stream(prompt, TOKEN_COUNT).text();
            assertTrue(DecodeTestData.greedyText().startsWith("Once upon a time" + text), text);
            assertArrayEquals(before, prompt);
            assertTrue(text.startsWith(", there was"), text);
        }
    }

    @Test
    void shouldRefuseAPromptThatItsTextDoesNotGive() {
        try (LlamaCppPeer peer = open(LlamaCppCache.F32)) {
            final int[] once = peer.encode("Once");
            assertRefused("llama.cpp begins a prompt with token=1", () -> peer.stream(new int[0], TOKEN_COUNT));
            assertRefused("llama.cpp begins a prompt with token=1", () -> peer.stream(once, TOKEN_COUNT));
            // Byte tokens of "On", which the vocabulary has as one word.
            assertRefused("llama.cpp reads the prompt's text as other tokens=",
                    () -> peer.complete(new int[] {1, 3 + 'O', 3 + 'n'}, TOKEN_COUNT));
        }
    }

    @ParameterizedTest
    @EnumSource(value = LlamaCppCache.class, names = {"Q8_0", "Q4_0"})
    void shouldRefuseACacheThatWouldEndTheProcess(final LlamaCppCache cache) {
        assertRefused("in blocks of 32, and a head of this model has channels=8",
                () -> LlamaCppPeer.open(directory.resolve("none"), HEAD_SIZE, cache, SystemNanoClock.INSTANCE));
        cache.checkHead(64);
    }

    @Test
    void shouldSayWhenAFileCannotBeLoaded() throws IOException {
        DecodeTestData.modelFolder();
        final Path file = Files.write(directory.resolve("half.gguf"), DecodeTestData.gguf(
                DecodeTestData.VERSION, "llama.context_length", 512, "llama.embedding_length", 64,
                "llama.attention.head_count", 8));
        assertRefused("llama.cpp cannot load file=" + file,
                () -> LlamaCppPeer.open(file, HEAD_SIZE, LlamaCppCache.F32, SystemNanoClock.INSTANCE));
        assertRefused("cannot read file=",
                () -> LlamaCppPeer.open(directory, HEAD_SIZE, LlamaCppCache.F32, SystemNanoClock.INSTANCE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"avx2", "bmi2", "f16c", "fma"})
    void shouldRefuseAProcessorThatTheLibraryWouldStopAt(final String missing) {
        final Set<String> flags = new HashSet<>(GOOD_FLAGS);
        flags.remove(missing);
        assertRefused("needs a processor with " + missing,
                () -> LlamaCppLibrary.checkMachine("Linux", "amd64", flags));
    }

    @Test
    void shouldRefuseMachinesAndSettingsThatItWasNotTriedWith() {
        LlamaCppLibrary.checkMachine("Linux", "amd64", GOOD_FLAGS);
        assertRefused("os=Mac OS X arch=aarch64",
                () -> LlamaCppLibrary.checkMachine("Mac OS X", "aarch64", Set.of()));
        LlamaCppLibrary.checkVariables(Set.of("PATH", "LLAMA"));
        assertRefused("LLAMA_ARG_THREADS", () -> LlamaCppLibrary.checkVariables(Set.of("PATH", "LLAMA_ARG_THREADS")));
    }

    @Test
    void shouldLeaveNothingBehindAndLeaveOthersAlone() throws Exception {
        final Path model = DecodeTestData.model();
        final Path temporary = Files.createDirectory(directory.resolve("tmp"));
        final Path home = Files.createDirectory(directory.resolve("home"));
        // The binding by itself deletes it.
        final Path others = Files.writeString(temporary.resolve("llama-of-somebody-else"), "x");
        final Path out = directory.resolve("out");
        final Path err = directory.resolve("err");
        final List<String> command = new ArrayList<>(ChildJvm.command(List.of(
                "bench", "decode", "--model", model.toString(), "--tokens", "20", "--runs", "1", "--warm-up-runs",
                "0")));
        command.addAll(1, List.of("-Djava.io.tmpdir=" + temporary, "-Duser.home=" + home));
        final Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "the child hangs");
        } finally {
            process.destroyForcibly();
        }
        assertEquals("", Files.readString(err));
        assertEquals(ExitCode.OK, process.exitValue());
        assertTrue(Files.readString(out).lines().anyMatch(line -> line.matches("llama\\.cpp, f32 cache +\\d.*")),
                Files.readString(out));
        assertEquals(List.of(others), list(temporary));
        assertEquals(List.of(), list(home));
    }

    @Test
    void shouldLoadALibraryThatIsGivenAndSayWhenThereIsNone() throws Exception {
        final List<String> command = new ArrayList<>(ChildJvm.command(Loading.class, List.of()));
        command.addAll(1, List.of("-D" + LlamaCppLibrary.PATH_PROPERTY + "=/nowhere", "-Djava.io.tmpdir=" + directory));
        final Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        final String output = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "the child hangs");
        assertTrue(output.startsWith("llama.cpp's library does not load: "), output);
        assertTrue(output.contains("/nowhere/libjllama.so"), output);
        assertEquals(1, output.lines().count(), output);
        assertEquals(List.of(), list(directory));
    }

    /** A JVM of its own, since a library is loaded once. */
    static final class Loading {

        private Loading() {
        }

        public static void main(final String[] arguments) {
            try {
                LlamaCppLibrary.load();
                System.out.println("loaded");
            } catch (final ToolException ex) {
                System.out.println(ex.getMessage());
            }
        }
    }

    private static LlamaCppPeer open(final LlamaCppCache cache) {
        return LlamaCppPeer.open(DecodeTestData.model(), HEAD_SIZE, cache, SystemNanoClock.INSTANCE);
    }

    private static void assertRefused(final String expected, final Executable action) {
        final ToolException error = assertThrows(ToolException.class, action);
        assertEquals(ExitCode.ENVIRONMENT, error.exitCode());
        assertTrue(error.getMessage().contains(expected), error.getMessage());
    }

    private static List<Path> list(final Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
