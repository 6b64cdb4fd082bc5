package io.tiercel.tools.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorCommandTest {

    private static final List<String> DOCTOR = List.of("ops", "doctor");

    @TempDir
    private Path directory;

    @Test
    void shouldExamineThisHostAndChangeNothing() throws IOException {
        final Path json = directory.resolve("doctor.json");
        final CapturedCommand command = CapturedCommand.run(DOCTOR, "--hiccups", "1ms", "--json", json.toString());
        assertTrue(command.exitCode() == ExitCode.OK || command.exitCode() == ExitCode.CHECK_FAILED, command.err());
        assertTrue(command.out().contains("cores  ") && command.out().contains("hiccups"), command.out());
        final JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertEquals(command.exitCode() == ExitCode.OK, report.get("bad").asInt() == 0);
        assertTrue(report.get("findings").size() > 15);
        assertTrue(report.get("hiccupsUs").get("count").asLong() > 0);
    }

    @Test
    void shouldEndWithOneWhereSomethingIsBadUntilItIsMended() throws IOException {
        final Path setting = directory.resolve("sys/kernel/mm/transparent_hugepage/enabled");
        Files.createDirectories(setting.getParent());
        Files.writeString(setting, "[always] madvise never\n");
        final CapturedCommand bad = run();
        assertEquals(ExitCode.CHECK_FAILED, bad.exitCode());
        assertTrue(bad.out().contains("$ echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"), bad.out());
        assertTrue(bad.out().contains("transparent huge pages  bad"), bad.out());
        assertEquals("[always] madvise never\n", Files.readString(setting));
        final CapturedCommand mended = run("--apply");
        assertTrue(mended.out().contains("enabled: [always] madvise never -> madvise"), mended.out());
        assertEquals("madvise\n", Files.readString(setting));
    }

    @Test
    void shouldRefuseWhatItCannotReadOrWrite() {
        final CapturedCommand time = run("--hiccups", "soon");
        assertEquals(ExitCode.BAD_ARGUMENTS, time.exitCode());
        assertTrue(time.err().contains("--hiccups"), time.err());
        final CapturedCommand file = run("--json", directory.toString());
        assertEquals(ExitCode.BAD_ARGUMENTS, file.exitCode());
        assertTrue(file.err().contains("is a directory"), file.err());
        assertEquals(ExitCode.BAD_ARGUMENTS, CapturedCommand.run(List.of("ops")).exitCode());
    }

    private CapturedCommand run(final String... arguments) {
        final String[] all = new String[arguments.length + 4];
        all[0] = "--root";
        all[1] = directory.toString();
        all[2] = "--hiccups";
        all[3] = "0";
        System.arraycopy(arguments, 0, all, 4, arguments.length);
        if (arguments.length > 0 && arguments[0].equals("--hiccups")) {
            all[3] = arguments[1];
            return CapturedCommand.run(DOCTOR, all[0], all[1], all[2], all[3]);
        }
        return CapturedCommand.run(DOCTOR, all);
    }
}
