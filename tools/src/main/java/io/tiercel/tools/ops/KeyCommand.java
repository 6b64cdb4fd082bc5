package io.tiercel.tools.ops;

import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.Principals;
import io.tiercel.protocol.SecretFileException;
import io.tiercel.protocol.SecretFiles;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tiercel ops key}: a new key for a principal, in a file for the appliance and one for the client. */
@Command(
        name = "key",
        mixinStandardHelpOptions = true,
        description = {
            "Makes a key for a principal: a file for the folder that access.keys names, and one for its client. Each " +
                    "is this user's alone (mode 0600). A running appliance finds the new file within a second.",
            "Writes over nothing, and prints no key."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:both files are written",
            "2:bad arguments, or a file is there already",
            "3:a file could not be written"
        })
public final class KeyCommand implements Callable<Integer> {

    private static final Set<String> ROLES = Set.of("client", "admin");
    private static final Set<PosixFilePermission> PRIVATE_FILE = PosixFilePermissions.fromString("rw-------");

    @Parameters(paramLabel = "PRINCIPAL", description = "Who shall prove to be this: 1 to 64 of A-Z a-z 0-9 . _ -")
    private String principal;

    @Option(names = "--keys", paramLabel = "DIR", required = true,
            description = "Folder of access.keys; made if it is not there. PRINCIPAL.yaml is written into it, with no "
                    + "limits of its own: add them there.")
    private Path keys;

    @Option(names = "--client", paramLabel = "FILE", required = true,
            description = "The client's file, which tiercel.client.key.file names.")
    private Path client;

    @Option(names = "--roles", paramLabel = "ROLE", split = ",", defaultValue = "client",
            description = "client, admin or both. Default: client.")
    private List<String> roles;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (!Principals.isValid(principal)) {
            throw new ParameterException(spec.commandLine(), "PRINCIPAL=" + principal + " " + Principals.RULE);
        }
        if (!ROLES.containsAll(roles)) {
            throw new ParameterException(spec.commandLine(), "--roles=" + roles + ": client and admin are known");
        }
        final Path file = keys.resolve(principal + ".yaml");
        final byte[] key = new byte[Handshake.MIN_KEY_LENGTH];
        new SecureRandom().nextBytes(key);
        final String text = SecretFiles.textOf(key);
        try {
            SecretFiles.createFolder(keys);
            SecretFiles.ensurePrivate(keys);
            refuseIfThere(file);
            refuseIfThere(client);
            write(client, "# The key of principal " + principal + ".\n" + text + "\n");
            write(file, "principal: " + principal + "\nkeys: [" + text + "]\nroles: " + roles + "\n");
        } catch (final SecretFileException ex) {
            throw new ParameterException(spec.commandLine(), ex.getMessage());
        } catch (final IOException ex) {
            throw ToolException.environment("no key was made: " + ex, ex);
        }
        spec.commandLine().getOut().printf(
                "%s: for the appliance, access.keys: %s%n%s: for the client, as principal %s%n",
                file, keys, client, principal);
        return ExitCode.OK;
    }

    private void refuseIfThere(final Path file) {
        if (Files.exists(file)) {
            throw new ParameterException(spec.commandLine(), file + " is there already");
        }
    }

    private void write(final Path file, final String text) throws IOException {
        try (FileChannel channel = FileChannel.open(file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), only(PRIVATE_FILE))) {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
        } catch (final FileAlreadyExistsException ex) {
            refuseIfThere(file);
        }
    }

    private static FileAttribute<?> only(final Set<PosixFilePermission> permissions) {
        return PosixFilePermissions.asFileAttribute(permissions);
    }
}
