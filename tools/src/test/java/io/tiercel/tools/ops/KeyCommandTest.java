package io.tiercel.tools.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.access.Principal;
import io.tiercel.appliance.access.PrincipalFiles;
import io.tiercel.appliance.session.Rights;
import io.tiercel.protocol.SecretFiles;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyCommandTest {

    private static final List<String> KEY = List.of("ops", "key");
    private static final Rights EVERYBODY = Rights.ofAnyone(1, 0, 1, 1);

    @TempDir
    private Path directory;

    @Test
    void shouldMakeBothFilesSoThatApplianceAndClientReadTheSameKey() throws IOException {
        final CapturedCommand made = make("desk-7", "desk.key", "--roles", "client,admin");
        assertEquals(ExitCode.OK, made.exitCode(), made.err());
        final Principal principal = new PrincipalFiles(keys(), EVERYBODY).read().get("desk-7");
        final byte[] key = SecretFiles.readKey(directory.resolve("desk.key"));
        assertArrayEquals(key, principal.keys().get(0));
        assertTrue(principal.rights().isAdmin() && principal.rights().isClient());
        assertFalse(made.out().contains(SecretFiles.textOf(key)), made.out());
    }

    @Test
    void shouldMakeAnotherKeyEachTime() {
        assertEquals(ExitCode.OK, make("desk-7", "a.key").exitCode());
        assertEquals(ExitCode.OK, make("desk-8", "b.key").exitCode());
        assertFalse(Arrays.equals(SecretFiles.readKey(directory.resolve("a.key")),
                SecretFiles.readKey(directory.resolve("b.key"))));
    }

    @Test
    void shouldWriteOverNothing() throws IOException {
        assertEquals(ExitCode.OK, make("desk-7", "a.key").exitCode());
        final String before = Files.readString(keys().resolve("desk-7.yaml"));
        assertRefused(make("desk-7", "b.key"), "desk-7.yaml is there already");
        assertRefused(make("desk-8", "a.key"), "a.key is there already");
        assertEquals(before, Files.readString(keys().resolve("desk-7.yaml")));
        assertFalse(Files.exists(directory.resolve("b.key")));
        assertFalse(Files.exists(keys().resolve("desk-8.yaml")));
    }

    @Test
    void shouldRefuseABadNameRoleOrFolder() throws IOException {
        assertRefused(make("../desk", "a.key"), "PRINCIPAL=../desk");
        assertRefused(make("desk", "a.key", "--roles", "root"), "root");
        Files.createDirectory(keys(), PosixFilePermissions.asFileAttribute(
                PosixFilePermissions.fromString("rwxr-xr-x")));
        assertRefused(make("desk", "a.key"), "mode=0755");
    }

    private Path keys() {
        return directory.resolve("keys");
    }

    private CapturedCommand make(final String principal, final String client, final String... more) {
        final String[] all = Arrays.copyOf(new String[] {
            principal, "--keys", keys().toString(), "--client", directory.resolve(client).toString()}, 5 + more.length);
        System.arraycopy(more, 0, all, 5, more.length);
        return CapturedCommand.run(KEY, all);
    }

    private static void assertRefused(final CapturedCommand command, final String reason) {
        assertEquals(ExitCode.BAD_ARGUMENTS, command.exitCode());
        assertTrue(command.err().contains(reason), command.err());
    }
}
