package io.tiercel.tools.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.JournalFixture;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.journal.CommandRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExportCommandTest {

    private static final int COUNT = 60;
    private static final long PYTHON_SECONDS = 60;

    @TempDir
    Path directory;

    private final JournalFixture journal = JournalFixture.of(4, COUNT);
    private Path journalDirectory;

    @BeforeEach
    void writeJournal() {
        journalDirectory = directory.resolve("journal");
        journal.write(journalDirectory);
    }

    @Test
    void shouldWriteEachTableAsEachFormat() {
        for (final String format : List.of("parquet", "csv", "arrow")) {
            final CommandRun run = export("--output", directory.resolve(format).toString(), "--format", format);
            assertEquals(ExitCode.OK, run.exitCode, run::toString);
            assertEquals(3, run.out.lines().count(), run.out);
            for (final String table : List.of("requests", "outcomes", "stages")) {
                assertTrue(Files.isRegularFile(directory.resolve(format).resolve(table + "." + format)), run.out);
            }
        }
    }

    @Test
    void shouldWriteOneTableOrAnAnswerToAFile() throws IOException {
        final Path table = directory.resolve("new/requests.csv");
        final Path answer = directory.resolve("answer.csv");

        assertEquals(ExitCode.OK, export("-o", table.toString(), "--tables", "requests", "--to", "9").exitCode);
        assertEquals(ExitCode.OK, export(
                "-o", answer.toString(), "--query", "select sequence from outcomes order by sequence desc").exitCode);

        assertEquals(1 + 10, Files.readAllLines(table).size());
        assertEquals(1 + COUNT, Files.readAllLines(answer).size());
        assertEquals(Integer.toString(COUNT - 1), Files.readAllLines(answer).get(1));
    }

    @Test
    void shouldWriteWhatIsGoodAndExit1AtTheFirstDamage() throws IOException {
        JournalFixture.corruptOnDisk(journalDirectory.resolve("outcomes"), journal.outcomes.get(21));
        final Path file = directory.resolve("outcomes.csv");

        final CommandRun run = export("-o", file.toString(), "--tables", "outcomes");

        assertEquals(ExitCode.CHECK_FAILED, run.exitCode, run::toString);
        assertTrue(run.err.startsWith("bad checksum in outcomes at sequence 21"), run.err);
        assertEquals(1 + 21, Files.readAllLines(file).size());
    }

    @Test
    void shouldRefuseBadArgumentsInOneLineAndExit2() {
        final String file = directory.resolve("x.parquet").toString();
        assertRefused(
                "--output=" + directory.resolve("x.doc") + " ends in .doc, which is not one of parquet, csv, arrow",
                export("-o", directory.resolve("x.doc").toString(), "--tables", "requests"));
        assertRefused("--format=doc is not one of parquet, csv, arrow", export("-o", file, "--format", "doc"));
        assertRefused("--output=" + file + " is one file for 3 tables: name a directory, or one of --tables",
                export("-o", file));
        assertRefused("--tables=answers is not one of requests, outcomes, stages",
                export("-o", file, "--tables", "answers"));
        assertRefused("--query and --tables exclude each other",
                export("-o", file, "--tables", "requests", "--query", "select 1"));
        assertRefused("--output=" + directory + " is not a file, which --query needs: end it in .parquet",
                export("-o", directory.toString(), "--query", "select 1"));
        assertRefused("--output=" + journalDirectory.resolve("x") + " is in the journal, into which nothing is written",
                export("-o", journalDirectory.resolve("x").toString()));
        assertRefused("one SELECT is answered, and this is another statement: drop table requests",
                export("-o", file, "--query", "drop table requests"));
    }

    /** The README's own lines, in whichever Python has what they import. */
    @Test
    void shouldBeReadByTheLinesOfTheReadmeWhenPythonHasPandas() throws IOException, InterruptedException {
        final String python = pythonWith("pandas", "pyarrow");
        assertEquals(ExitCode.OK, export("-o", directory.resolve("tables").toString()).exitCode);
        assertEquals(ExitCode.OK, export(
                "-o", directory.resolve("outcomes.arrow").toString(), "--tables", "outcomes").exitCode);
        final Matcher blocks = Pattern.compile("```python\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("../replay/README.md")));
        int count = 0;
        for (; blocks.find(); count++) {
            final String program = blocks.group(1) + "\nprint(len(outcomes), outcomes['state_hash'][0])";
            assertEquals(COUNT + " " + firstHash(), output(python, "-c", program), blocks.group(1));
        }
        assertEquals(2, count, "blocks of Python in the README");
    }

    private String firstHash() {
        try (JoinedJournal records = JoinedJournal.open(journalDirectory)) {
            assertTrue(records.next());
            return Long.toUnsignedString(records.outcomeFrame().stateHash());
        }
    }

    private String pythonWith(final String... modules) throws IOException, InterruptedException {
        for (final String python : List.of("python3", "/usr/bin/python3")) {
            if (output(python, "-c", "import " + String.join(", ", modules) + "; print('there')").equals("there")) {
                return python;
            }
        }
        final String reason = "not run: no python3 has " + String.join(" and ", modules);
        System.out.println(reason);
        Assumptions.abort(reason);
        throw new AssertionError();
    }

    /** What a program printed, stripped; empty if it is not there. */
    private String output(final String... command) throws IOException, InterruptedException {
        try {
            final Process process = new ProcessBuilder(command).directory(directory.toFile())
                    .redirectErrorStream(true).start();
            final String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            assertTrue(process.waitFor(PYTHON_SECONDS, TimeUnit.SECONDS));
            return output;
        } catch (final IOException ex) {
            return "";
        }
    }

    private CommandRun export(final String... more) {
        final String[] arguments = new String[2 + more.length];
        arguments[0] = "--journal";
        arguments[1] = journalDirectory.toString();
        System.arraycopy(more, 0, arguments, 2, more.length);
        return CommandRun.of(new ExportCommand(), arguments);
    }

    private static void assertRefused(final String message, final CommandRun run) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run.exitCode, run::toString);
        assertEquals(message, run.err);
    }
}
