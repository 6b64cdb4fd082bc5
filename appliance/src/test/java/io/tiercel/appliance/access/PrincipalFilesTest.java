package io.tiercel.appliance.access;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.session.Rights;
import io.tiercel.protocol.SecretFileException;
import io.tiercel.protocol.SecretFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.CachedNanoClock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of principals: what is read from them, what is refused, and that changes are found. */
class PrincipalFilesTest {

    private static final byte[] KEY = new byte[32];
    private static final String KEY_TEXT = SecretFiles.textOf(KEY);
    private static final Rights EVERYBODY = Rights.ofAnyone(1_024, 0, 4_096, 64);

    @TempDir
    private Path root;
    private Path folder;

    @BeforeEach
    void setUp() throws IOException {
        folder = Files.createDirectory(root.resolve("keys"));
        mode(folder, "rwx------");
    }

    @Test
    void shouldTakeTheLimitsOfAllWhereAFileSaysNothing() throws IOException {
        write("a.yaml", "principal: desk-7", "keys: [" + KEY_TEXT + "]");
        final Principal principal = read().get("desk-7");
        assertEquals(new Rights(true, false, Set.of(), 1_024, 0, 4_096, 64), principal.rights());
        assertArrayEquals(KEY, principal.keys().get(0));
        assertFalse(principal.toString().contains(KEY_TEXT), principal.toString());
    }

    @Test
    void shouldReadAllThatAFileSays() throws IOException {
        write("a.yaml", "principal: desk-7", "keys: [" + KEY_TEXT + ", " + KEY_TEXT + "]", "roles: [client, admin]",
                "models: [flow]", "in-flight: 256", "rate: 10000", "sessions: 512", "connections: 4");
        write("b.yaml", "principal: desk-8", "keys: [" + KEY_TEXT + "]", "roles: [admin]");
        write("ignored.txt", "no principal");
        final Map<String, Principal> principals = read();
        assertEquals(Set.of("desk-7", "desk-8"), principals.keySet());
        assertEquals(new Rights(true, true, Set.of("flow"), 256, 10_000, 512, 4), principals.get("desk-7").rights());
        assertFalse(principals.get("desk-8").rights().mayAsk("flow"));
    }

    @Test
    void shouldReadOneFileAlone() throws IOException {
        final Path file = write("a.yaml", "principal: desk-7", "keys: [" + KEY_TEXT + "]");
        assertEquals(Set.of("desk-7"), new PrincipalFiles(file, EVERYBODY).read().keySet());
    }

    @Test
    void shouldRefuseWhatOthersCanReadWithThePathAndTheMode() throws IOException {
        final Path file = write("a.yaml", "principal: desk-7", "keys: [" + KEY_TEXT + "]");
        mode(file, "rw-r-----");
        assertRefused("a.yaml: mode=0640");
        mode(file, "rw-------");
        mode(folder, "rwxr-x---");
        assertRefused("keys: mode=0750");
        mode(folder, "rwx------");
        assertEquals(1, read().size());
    }

    @Test
    void shouldRefuseAFileThatIsNotSoundWithoutSayingTheKey() throws IOException {
        final String name = "principal: desk-7\n";
        final String keys = "keys: [" + KEY_TEXT + "]\n";
        assertRefused(name + keys + "colour: red", "unknown key colour");
        assertRefused("principal: 'desk 7'\n" + keys, "principal=desk 7");
        assertRefused(name, "keys: there are 0");
        assertRefused(name + "keys: [" + KEY_TEXT + ", " + KEY_TEXT + ", " + KEY_TEXT + "]", "keys: there are 3");
        assertRefused(name + "keys: [AAAA]", "keys[0]: a key must be Base64 of 32");
        assertRefused(name + keys + "roles: [root]", "roles=[root]");
        assertRefused(name + keys + "in-flight: 1025", "in-flight=1025: must be 1 to 1024");
        assertRefused(name + keys + "sessions: many", "sessions=many: must be 1 to 4096");
        assertRefused(name + keys + keys, "not YAML, or a key stands there twice");
        assertRefused(name + "keys: [" + KEY_TEXT, "not YAML");
        assertRefused("[]", "must be a mapping");
        assertRefused("", "must be a mapping");
    }

    @Test
    void shouldRefuseTwoFilesOfOnePrincipalAndAFolderThatIsNotThere() throws IOException {
        write("a.yaml", "principal: desk-7", "keys: [" + KEY_TEXT + "]");
        write("b.yaml", "principal: desk-7", "keys: [" + KEY_TEXT + "]");
        assertRefused("b.yaml: principal=desk-7 has another file already");
        final SecretFileException ex = assertThrows(SecretFileException.class,
                () -> new PrincipalFiles(root.resolve("nowhere"), EVERYBODY).read());
        assertTrue(ex.getMessage().endsWith("nowhere: no such file"), ex.getMessage());
    }

    @Test
    void shouldFindChangesOnceASecondAndGoOnWithWhatWasKnownWhereTheyWillNotDo() throws IOException {
        final Path file = write("a.yaml", "principal: desk-7", "keys: [" + KEY_TEXT + "]");
        final PrincipalFiles files = new PrincipalFiles(folder, EVERYBODY);
        final Access access = Access.of(files.read(), KEY);
        final CachedNanoClock clock = new CachedNanoClock();
        final AccessWatch watch = new AccessWatch(files, access, clock);
        write("b.yaml", "principal: desk-8", "keys: [" + KEY_TEXT + "]");
        assertEquals(0, watch.doWork());
        clock.advance(TimeUnit.SECONDS.toNanos(1));
        assertEquals(1, watch.doWork());
        final Map<String, Principal> known = access.principals();
        assertEquals(Set.of("desk-7", "desk-8"), known.keySet());

        mode(file, "rw-r--r--");
        clock.advance(TimeUnit.SECONDS.toNanos(1));
        assertEquals(1, watch.doWork());
        assertSame(known, access.principals());

        Files.delete(file);
        clock.advance(TimeUnit.SECONDS.toNanos(1));
        assertEquals(1, watch.doWork());
        assertEquals(Set.of("desk-8"), access.principals().keySet());
        clock.advance(TimeUnit.SECONDS.toNanos(1));
        assertEquals(0, watch.doWork());
    }

    private Map<String, Principal> read() {
        return new PrincipalFiles(folder, EVERYBODY).read();
    }

    private void assertRefused(final String text, final String reason) throws IOException {
        write("a.yaml", text);
        assertRefused(reason);
    }

    private void assertRefused(final String reason) {
        final SecretFileException ex = assertThrows(SecretFileException.class, this::read);
        assertTrue(ex.getMessage().contains(reason), ex.getMessage());
        assertFalse(ex.getMessage().contains(KEY_TEXT), ex.getMessage());
    }

    private Path write(final String name, final String... lines) throws IOException {
        final Path file = folder.resolve(name);
        Files.write(file, Arrays.asList(lines));
        mode(file, "rw-------");
        return file;
    }

    private static void mode(final Path path, final String permissions) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }
}
