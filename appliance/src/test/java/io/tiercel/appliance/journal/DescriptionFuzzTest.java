package io.tiercel.appliance.journal;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tiercel.protocol.FuzzSeeds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Any bytes as a journal's description: how it rolls, or a refusal. */
@Timeout(20)
class DescriptionFuzzTest {

    @TempDir
    private static Path directory;

    @FuzzTest
    void shouldReadOrRefuseAnyDescription(final byte[] bytes) throws IOException {
        Files.write(directory.resolve(JournalLayout.DESCRIPTION), bytes);
        try {
            assertNotNull(JournalLayout.read(directory));
        } catch (final JournalException ex) {
            assertTrue(ex.getMessage().contains("journal") || ex.getMessage().contains("roll="), ex.getMessage());
        }
    }

    @Test
    void shouldHaveSeedsOfEveryRollAndEveryKindOfRefusal(@TempDir final Path written) throws IOException {
        final FuzzSeeds seeds = FuzzSeeds.of(DescriptionFuzzTest.class, "shouldReadOrRefuseAnyDescription");
        for (final RollPeriod roll : RollPeriod.values()) {
            JournalLayout.write(written, new JournalLayout.Description(roll, 0));
            seeds.add(roll.toString(), Files.readAllBytes(written.resolve(JournalLayout.DESCRIPTION)));
        }
        JournalLayout.write(written, new JournalLayout.Description(RollPeriod.DAILY, 4_711));
        seeds.add("pruned", Files.readAllBytes(written.resolve(JournalLayout.DESCRIPTION)))
                .add("no-number", text("formatVersion: 1\nroll: daily\nfirstSequence: 0x1F\n"));
        seeds.add("flow", text("{formatVersion: 1, roll: 'daily'}"))
                .add("other-version", text("formatVersion: 2\nroll: daily\n"))
                .add("other-roll", text("formatVersion: 1\nroll: [weekly, {a: b}]\n"))
                .add("not-a-map", text("- formatVersion\n"))
                .add("anchor", text("a: &x 1\nformatVersion: *x\nroll: daily\n"))
                .add("tags", text("formatVersion: !!int \"1\"\nroll: !!str daily\nb: !!binary aGk=\nc: !!set {d}\n"))
                .add("deep", text("roll: " + "[".repeat(40)))
                .add("contains-itself", text("formatVersion: &a [[*a]]\nroll: daily\n"))
                .add("types", text("a: 1.5e3\nb: 0x1F\nc: 0o17\nd: .inf\ne: ~\nf: true\n? [g]\n: |\n h\n"))
                .check();
    }

    private static byte[] text(final String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
