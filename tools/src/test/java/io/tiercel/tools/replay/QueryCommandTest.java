package io.tiercel.tools.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.replay.JournalFixture;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.journal.CommandRun;
import io.tiercel.tools.journal.TokenJournal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QueryCommandTest {

    private static final Path README = Path.of("../replay/README.md");

    @TempDir
    Path directory;

    private final JournalFixture journal = JournalFixture.of(3, 60);
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    @Test
    void shouldAlignATableForPeople() {
        journal.write(directory);

        assertEquals(ExitCode.OK, query("select 'a' as name, 7 as n, null as nothing union all select 'bcd', 1234, 'x' "
                + "order by n").exitCode);
        assertEquals("""
                name     n  nothing
                a        7  -
                bcd   1234  x
                """, text());
    }

    @Test
    void shouldQuoteWhatCsvNeedsQuoted() {
        journal.write(directory);

        query("select 'a,b' as x, 'say \"no\"' as y, null as z, '' as e, [1.5, 2] as l", "--format", "csv");

        assertEquals("x,y,z,e,l\n\"a,b\",\"say \"\"no\"\"\",,\"\",\"[1.5, 2.0]\"\n", text());
    }

    @Test
    void shouldWriteAJsonObjectALine() throws IOException {
        journal.write(directory);

        query("select sequence, state_hash, outputs, session_began, ingress_time, 'nan'::double as x, [[1], null] as n "
                +
                "from outcomes where status = 'OK' order by sequence limit 2", "--format", "json");

        assertEquals(2, text().lines().count());
        final JsonNode line = new ObjectMapper().readTree(text().lines().findFirst().orElseThrow());
        assertTrue(line.get("state_hash").isIntegralNumber(), text());
        assertEquals(JournalFixture.OUTPUTS, line.get("outputs").size() % 3 + 3, text());
        assertTrue(line.get("outputs").get(0).isNumber(), text());
        assertFalse(line.get("session_began").asBoolean());
        assertTrue(line.get("ingress_time").asText().startsWith("2023-11-14 22:13:20.0000"), text());
        assertEquals("NaN", line.get("x").asText());
        assertEquals("[[1],null]", line.get("n").toString());
    }

    @Test
    void shouldHaveTokensAsIntegersBesideTheirProbabilities() throws IOException {
        final Bundle bundle = Bundle.open(RandomTransformers.writeTokens(1, 8, directory));
        final Path bundles = Files.createDirectories(directory.resolve("bundles"));
        Files.copy(bundle.path(), bundles.resolve(bundle.versionHex() + ".safetensors"));
        try (TokenJournal tokens = new TokenJournal(directory)) {
            tokens.version(bundle.version()).infer(2, new int[] {5, 22},
                    7, Float.floatToRawIntBits(0.75f), 3, Float.floatToRawIntBits(0.125f));
            tokens.fork(3, 2);
            tokens.generate(3, 6, 4, Float.floatToRawIntBits(0.25f));
        }

        query("select template, tokens, features, output_tokens, outputs, source_key, max_tokens, temperature, seed, " +
                "stop_tokens, status from requests join outcomes using (sequence) order by sequence", "--format",
                "csv");

        assertEquals("""
                Infer,"[5, 22]",,"[7, 3]","[0.75, 0.125]",,,,,,OK
                ForkSession,,,,,2,,,,,FORKED
                Generate,[6],,[4],[0.25],,3,0.5,18446744073709551615,"[8, 9]",OK
                """, text().substring(text().indexOf('\n') + 1));
    }

    @Test
    void shouldAnswerFromWhatIsGoodAndExit1AtTheFirstDamage() {
        journal.write(directory);
        JournalFixture.corruptOnDisk(directory.resolve("requests"), journal.requests.get(33));

        final CommandRun run = query("select count(*) from requests", "--format", "csv");

        assertEquals(ExitCode.CHECK_FAILED, run.exitCode, run::toString);
        assertEquals("count_star()\n33\n", text());
        assertTrue(run.err.startsWith("bad checksum in requests at sequence 33"), run.err);
        assertEquals(1, run.err.lines().count(), run.err);
    }

    @Test
    void shouldRefuseBadArgumentsInOneLineAndExit2() {
        journal.write(directory);

        assertRefused("--format=xml is not one of table, csv, json", query("select 1", "--format", "xml"));
        assertRefused("--threads=0 is not in 1..256", query("select 1", "--threads", "0"));
        assertRefused("--memory=lots is not a size such as 4g", query("select 1", "--memory", "lots"));
        assertRefused("--memory=1m is below 64m", query("select 1", "--memory", "1m"));
        assertRefused("--spill=" + directory + " is in the journal, into which nothing is written",
                query("select 1", "--spill", directory.toString()));
        assertRefused("--to=0 is below --from=1", query("select 1", "--from", "1", "--to", "0"));
        assertRefused("Parser Error: syntax error at or near \"selec\"", query("selec 1"));
        assertRefused("--journal=/nowhere is not a directory",
                CommandRun.of(new QueryCommand(written), "--journal", "/nowhere", "select 1"));
    }

    /** Each SQL block of the README, and the labels of which one speaks. */
    @Test
    void shouldAnswerTheQueriesOfTheReadme() throws IOException {
        journal.write(directory);
        final Path labels = directory.resolveSibling(directory.getFileName() + "-labels.csv");
        Files.writeString(labels, "sequence,label\n1,0\n2,1\n3,2\n4,0\n5,1\n6,2\n");
        final Matcher blocks = Pattern.compile("```sql\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(README));
        int count = 0;
        for (; blocks.find(); count++) {
            written.reset();
            final CommandRun run = query(blocks.group(1).replace("labels.csv", labels.toString()), "--format", "json");
            assertEquals(ExitCode.OK, run.exitCode, () -> blocks.group(1) + run);
            assertFalse(text().isEmpty(), blocks.group(1));
        }
        assertTrue(count >= 6, "blocks=" + count);
    }

    /** Its tables list every column with its type, under the name of the table. */
    @Test
    void shouldHaveTheColumnsThatTheReadmeLists() throws IOException {
        journal.write(directory);
        final String readme = Files.readString(README);
        for (final String table : List.of("requests", "outcomes", "stages")) {
            written.reset();
            query("select column_name, column_type from (describe " + table + ")", "--format", "csv");
            text().lines().skip(1).map(line -> line.substring(0, line.indexOf(','))).forEach(
                    name -> assertTrue(readme.contains("`" + name + "`"), table + "." + name));
        }
    }

    private CommandRun query(final String sql, final String... more) {
        final String[] arguments = new String[3 + more.length];
        arguments[0] = "--journal";
        arguments[1] = directory.toString();
        arguments[2] = sql;
        System.arraycopy(more, 0, arguments, 3, more.length);
        return CommandRun.of(new QueryCommand(written), arguments);
    }

    private static void assertRefused(final String message, final CommandRun run) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run.exitCode, run::toString);
        assertEquals(message, run.err);
    }

    private String text() {
        return written.toString(StandardCharsets.UTF_8);
    }
}
