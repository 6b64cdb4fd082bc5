package io.tiercel.tools.system;

import io.tiercel.tools.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A child JVM like this one, and what it has printed so far. Two threads read along; whoever waits for a line or for
 * the end is woken by them, and gives up with everything that was printed.
 */
final class TiercelProcess {

    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);

    private final String name;
    private final Process process;
    private final List<String> out = new ArrayList<>();
    private final List<String> err = new ArrayList<>();
    private final Thread outReader;
    private final Thread errReader;

    private TiercelProcess(final String name, final Process process) {
        this.name = name;
        this.process = process;
        outReader = read(process.getInputStream(), out);
        errReader = read(process.getErrorStream(), err);
    }

    /**
     * @param home  what the child takes for the user's home directory, and its working directory.
     * @param flags of the JVM, besides this one's own.
     */
    static TiercelProcess start(
            final String name,
            final Class<?> main,
            final Path home,
            final List<String> flags,
            final List<String> arguments) {
        final List<String> command = ChildJvm.command(main, arguments);
        command.add(1, "-Duser.home=" + home);
        command.addAll(1, flags);
        final ProcessBuilder builder = new ProcessBuilder(command).directory(home.toFile());
        builder.environment().put("HOME", home.toString());
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        try {
            return new TiercelProcess(name, builder.start());
        } catch (final IOException ex) {
            throw new AssertionError("cannot start " + name, ex);
        }
    }

    /** The first line of standard output that begins like this. */
    String awaitLine(final String prefix) {
        return await("a line that begins with \"" + prefix + "\"", out, line -> line.startsWith(prefix));
    }

    /** The first line of standard error that contains this. */
    String awaitErrorLine(final String part) {
        return await("an error line with \"" + part + "\"", err, line -> line.contains(part));
    }

    /** Waits until as many lines of standard output begin like this. */
    void awaitLines(final String prefix, final int count) {
        final int[] left = {count};
        final int[] seen = {0};
        await(count + " lines that begin with \"" + prefix + "\"", out, line -> {
            seen[0]++;
            return line.startsWith(prefix) && --left[0] == 0;
        });
    }

    /** Waits until the process has ended and all it printed has been read. */
    int awaitExit() {
        try {
            if (!process.waitFor(PATIENCE_NS, TimeUnit.NANOSECONDS)) {
                throw failed("did not end");
            }
            outReader.join();
            errReader.join();
            return process.exitValue();
        } catch (final InterruptedException ex) {
            Thread.currentThread().interrupt();
            throw failed("was waited for too long");
        }
    }

    /** SIGTERM; {@code Process.destroy} would close the pipes too, and with them the last words. */
    int terminate() {
        process.toHandle().destroy();
        return awaitExit();
    }

    /** Closes its standard input, which it takes as a wish to end in order. */
    int closeInput() throws IOException {
        process.getOutputStream().close();
        return awaitExit();
    }

    /** SIGKILL. */
    void kill() {
        process.toHandle().destroyForcibly();
        awaitExit();
    }

    /** SIGSTOP: it stands still, as on a suspended machine, and is not told. */
    void stop() {
        signal("STOP");
    }

    /** SIGCONT: it goes on. */
    void resume() {
        signal("CONT");
    }

    /** Stops the process for this long. */
    void pause(final long timeMs) {
        stop();
        try {
            if (process.waitFor(timeMs, TimeUnit.MILLISECONDS)) {
                throw failed("ended while it was stopped");
            }
        } catch (final InterruptedException ex) {
            Thread.currentThread().interrupt();
            throw failed("was waited for too long");
        } finally {
            resume();
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    long pid() {
        return process.pid();
    }

    List<String> out() {
        synchronized (out) {
            return List.copyOf(out);
        }
    }

    List<String> err() {
        synchronized (err) {
            return List.copyOf(err);
        }
    }

    /** Lines of standard output that begin like this. */
    List<String> out(final String prefix) {
        return out().stream().filter(line -> line.startsWith(prefix)).toList();
    }

    /** Everything so far, for a failure's message. */
    @Override
    public String toString() {
        final StringBuilder text = new StringBuilder("--- ").append(name).append(" pid=").append(pid());
        text.append(isAlive() ? " is running\n" : " exit code " + process.exitValue() + "\n");
        out().forEach(line -> text.append("  out: ").append(line).append('\n'));
        err().forEach(line -> text.append("  err: ").append(line).append('\n'));
        return text.toString();
    }

    /** No process is left behind, whatever the test came to. */
    void end() {
        if (process.isAlive()) {
            process.toHandle().destroyForcibly();
        }
        process.onExit().join();
    }

    private String await(final String what, final List<String> lines, final Predicate<String> isIt) {
        final long deadlineNs = System.nanoTime() + PATIENCE_NS;
        int next = 0;
        synchronized (lines) {
            while (true) {
                while (next < lines.size()) {
                    final String line = lines.get(next++);
                    if (isIt.test(line)) {
                        return line;
                    }
                }
                final long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime());
                final Thread reader = lines == out ? outReader : errReader;
                if (leftMs <= 0 || !reader.isAlive()) {
                    throw failed("did not print " + what);
                }
                pause(lines, leftMs);
            }
        }
    }

    private void pause(final List<String> lines, final long leftMs) {
        try {
            lines.wait(Math.min(leftMs, 100)); // now and then, because a reader that ends tells nobody
        } catch (final InterruptedException ex) {
            Thread.currentThread().interrupt();
            throw failed("was waited for too long");
        }
    }

    private void signal(final String name) {
        try {
            new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().onExit().join();
        } catch (final IOException ex) {
            throw new AssertionError("cannot send SIG" + name, ex);
        }
    }

    private AssertionError failed(final String what) {
        return new AssertionError(name + " " + what + "\n" + this);
    }

    private Thread read(final InputStream stream, final List<String> lines) {
        final Thread reader = new Thread(() -> readLines(stream, lines), name + "-output");
        reader.setDaemon(true);
        reader.start();
        return reader;
    }

    private static void readLines(final InputStream stream, final List<String> lines) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                synchronized (lines) {
                    lines.add(line);
                    lines.notifyAll();
                }
            }
        } catch (final IOException ex) {
            synchronized (lines) {
                lines.add("(output cannot be read: " + ex.getMessage() + ")");
            }
        }
    }
}
