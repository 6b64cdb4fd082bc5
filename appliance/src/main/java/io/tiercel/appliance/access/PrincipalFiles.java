package io.tiercel.appliance.access;

import io.tiercel.appliance.config.YamlSettings;
import io.tiercel.appliance.session.Rights;
import io.tiercel.protocol.Principals;
import io.tiercel.protocol.SecretFileException;
import io.tiercel.protocol.SecretFiles;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads principals: a file for each, in YAML, or a folder of such files. Each must be the appliance's user's alone.
 * Whatever is wrong is refused with the file and the key; what a secret says is in no message.
 *
 * <pre>
 *   principal: desk-7
 *   keys: [Base64 of 32 bytes, and a second one while keys change]
 *   roles: [client]           # or admin, or both; client if it is not said
 *   models: [flow]            # all if it is not said
 *   in-flight: 256            # limits of this principal; those of all if they are not said
 *   rate: 10000
 *   sessions: 512
 *   connections: 4
 * </pre>
 */
public final class PrincipalFiles {

    private static final String SUFFIX = ".yaml";
    private static final int MAX_RATE = 1_000_000_000;
    private static final Set<String> NAMES = Set.of(
            "principal", "keys", "roles", "models", "in-flight", "rate", "sessions", "connections");

    private final Path path;
    private final Rights everybody;

    /**
     * @param path      of a file or folder.
     * @param everybody the limits of all, which a principal's own may not exceed.
     */
    public PrincipalFiles(final Path path, final Rights everybody) {
        this.path = path;
        this.everybody = everybody;
    }

    /**
     * All principals by name.
     *
     * @throws SecretFileException naming the file and what is wrong with it.
     */
    public Map<String, Principal> read() {
        final Map<String, Principal> principals = new TreeMap<>();
        for (final Path file : files()) {
            final Principal principal = read(file);
            if (principals.put(principal.name(), principal) != null) {
                throw refusal(file, "principal=" + principal.name() + " has another file already");
            }
        }
        return principals;
    }

    /** Changes when a file comes, goes, or is changed, its mode and owner included. */
    public String fingerprint() {
        final StringBuilder text = new StringBuilder();
        try {
            for (final Path file : files()) {
                text.append(file).append(' ').append(Files.getAttribute(file, "unix:ctime"))
                        .append(' ').append(Files.getAttribute(file, "unix:ino")).append('\n');
            }
        } catch (final IOException | SecretFileException ex) {
            text.append(ex.getMessage());
        }
        return text.toString();
    }

    private List<Path> files() {
        SecretFiles.ensurePrivate(path);
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        final List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path, "*" + SUFFIX)) {
            entries.forEach(files::add);
        } catch (final IOException ex) {
            throw refusal(path, "cannot be read: " + ex.getMessage());
        }
        files.sort(null);
        return files;
    }

    private Principal read(final Path file) {
        final Map<?, ?> entries = entries(file, SecretFiles.read(file));
        for (final Object name : entries.keySet()) {
            if (!NAMES.contains(name)) {
                throw refusal(file, "unknown key " + name);
            }
        }
        final String name = String.valueOf(entries.get("principal"));
        if (!Principals.isValid(name)) {
            throw refusal(file, "principal=" + name + " " + Principals.RULE);
        }
        final Set<String> roles = new HashSet<>(texts(file, entries, "roles", List.of("client")));
        if (!Set.of("client", "admin").containsAll(roles)) {
            throw refusal(file, "roles=" + roles + ": client and admin are known");
        }
        return new Principal(name, keys(file, entries), new Rights(
                roles.contains("client"),
                roles.contains("admin"),
                Set.copyOf(texts(file, entries, "models", List.of())),
                limit(file, entries, "in-flight", everybody.maxInFlight(), everybody.maxInFlight()),
                limit(file, entries, "rate", everybody.maxRatePerSecond(), MAX_RATE),
                limit(file, entries, "sessions", everybody.maxSessions(), everybody.maxSessions()),
                limit(file, entries, "connections", everybody.maxConnections(), everybody.maxConnections())));
    }

    private static Map<?, ?> entries(final Path file, final String text) {
        try {
            final Object root = new Load(YamlSettings.forText(text)
                    .setAllowDuplicateKeys(false)
                    .setMaxAliasesForCollections(0)
                    .build()).loadFromString(text);
            if (root instanceof Map<?, ?> entries) {
                return entries;
            }
        } catch (final YamlEngineException | NumberFormatException ex) {
            // The parser's message quotes the line, and the line may be the key's.
            throw refusal(file, "not YAML, or a key stands there twice");
        }
        throw refusal(file, "must be a mapping of keys to values");
    }

    private static List<byte[]> keys(final Path file, final Map<?, ?> entries) {
        final List<byte[]> keys = new ArrayList<>();
        for (final String text : texts(file, entries, "keys", List.of())) {
            final byte[] key = SecretFiles.keyOf(text);
            if (key == null) {
                throw refusal(file, "keys[" + keys.size() + "]: " + SecretFiles.KEY_RULE);
            }
            keys.add(key);
        }
        if (keys.isEmpty() || keys.size() > Principal.MAX_KEYS) {
            throw refusal(file, "keys: there are " + keys.size() + ": must be 1 or " + Principal.MAX_KEYS);
        }
        return keys;
    }

    private static List<String> texts(
            final Path file, final Map<?, ?> entries, final String name, final List<String> whenAbsent) {
        if (!entries.containsKey(name)) {
            return whenAbsent;
        }
        if (!(entries.get(name) instanceof List<?> values) || values.isEmpty()) {
            throw refusal(file, name + ": must be a list that is not empty");
        }
        return values.stream().map(String::valueOf).toList();
    }

    private static int limit(
            final Path file, final Map<?, ?> entries, final String name, final int whenAbsent, final int most) {
        if (!entries.containsKey(name)) {
            return whenAbsent;
        }
        if (!(entries.get(name) instanceof Integer value) || value < 1 || value > most) {
            throw refusal(file, name + "=" + entries.get(name) + ": must be 1 to " + most);
        }
        return value;
    }

    private static SecretFileException refusal(final Path file, final String detail) {
        return new SecretFileException(file + ": " + detail);
    }
}
