package io.tiercel.tools;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A process that this one has started and will end. Its output goes to a file, so no thread here reads along while
 * something is measured, and the file is there to look at when it fails.
 *
 * <p>The child ends with this process in any case: on an orderly exit or Ctrl-C by a shutdown hook; when this process
 * is killed, because the pipe that is its standard input closes (the child is told to watch it).
 */
public final class ChildProcess implements AutoCloseable {

    private static final long POLL_MS = 2;
    private static final int TAIL_LINES = 25;

    private final String name;
    private final Process process;
    private final Path output;
    private final long startNs;
    private final Thread endWithParent;

    private ChildProcess(final String name, final Process process, final Path output, final long startNs) {
        this.name = name;
        this.process = process;
        this.output = output;
        this.startNs = startNs;
        this.endWithParent = new Thread(this::endNow, "end-" + name);
    }

    public static ChildProcess start(final String name, final List<String> command, final Path output) {
        try {
            final long startNs = System.nanoTime();
            final Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            final ChildProcess child = new ChildProcess(name, process, output, startNs);
            Runtime.getRuntime().addShutdownHook(child.endWithParent);
            return child;
        } catch (final IOException e) {
            throw ToolException.environment("cannot start " + name + ": " + e.getMessage(), e);
        }
    }

    /**
     * Waits for a line of the child's output that starts with a word.
     *
     * @return the line.
     * @throws ToolException with the end of the output if the child ends first, or takes too long.
     */
    public String awaitLine(final String prefix, final long timeoutMs) {
        return awaitLine(List.of(prefix), timeoutMs);
    }

    /** The same for the first line that starts with one of several words. */
    public String awaitLine(final List<String> prefixes, final long timeoutMs) {
        final long deadlineNs = System.nanoTime() + timeoutMs * 1_000_000;
        while (true) {
            final boolean isAlive = process.isAlive(); // asked before the file, so that the last line is not missed
            for (final String line : outputLines()) {
                if (prefixes.stream().anyMatch(line::startsWith)) {
                    return line;
                }
            }
            if (!isAlive) {
                throw failed("ended with exit code " + process.exitValue() + " before it was ready");
            }
            if (System.nanoTime() - deadlineNs > 0) {
                throw failed("was not ready after " + timeoutMs + " ms");
            }
            sleep();
        }
    }

    /** Writes a line to the child's standard input. */
    public void tell(final String line) {
        try {
            process.getOutputStream().write((line + '\n').getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (final IOException e) {
            throw failed("does not listen: " + e.getMessage());
        }
    }

    /** Milliseconds since this process asked for the child. */
    public long ageMs() {
        return (System.nanoTime() - startNs) / 1_000_000;
    }

    /** The child must still run, whatever else has gone wrong. */
    public void requireAlive(final String during) {
        if (!process.isAlive()) {
            throw failed("ended with exit code " + process.exitValue() + " " + during);
        }
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public long pid() {
        return process.pid();
    }

    public Path output() {
        return output;
    }

    /**
     * Sends SIGTERM and waits for the child to end by itself.
     *
     * @return its exit code.
     * @throws ToolException if it has to be killed.
     */
    public int terminate(final long timeoutMs) {
        process.destroy();
        try {
            if (!process.waitFor(timeoutMs, TimeUnit.MILLISECONDS)) {
                process.destroyForcibly().waitFor();
                throw failed("did not end within " + timeoutMs + " ms of SIGTERM and was killed");
            }
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
            throw failed("was killed because this process was interrupted");
        } finally {
            removeHook();
        }
        return process.exitValue();
    }

    /** Kills the child, as {@code kill -9} does, and waits until it is gone. No harm if it has ended by itself. */
    public void kill() {
        try {
            process.destroyForcibly().waitFor();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ToolException.environment("interrupted while " + name + " was killed");
        } finally {
            removeHook();
        }
    }

    /** A failure of this child, with the end of what it printed. */
    public ToolException failed(final String what) {
        final List<String> lines = outputLines();
        final StringBuilder text =
                new StringBuilder(name).append(' ').append(what).append(" (").append(output).append(')');
        for (final String line : lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size())) {
            text.append("\n  ").append(line);
        }
        return ToolException.environment(text.toString());
    }

    public List<String> outputLines() {
        try {
            return new String(Files.readAllBytes(output), StandardCharsets.UTF_8).lines().toList();
        } catch (final IOException e) {
            throw ToolException.environment("cannot read " + output + ": " + e.getMessage(), e);
        }
    }

    /** Ends the child if it still runs; silent if it does not. */
    @Override
    public void close() {
        if (process.isAlive()) {
            endNow();
        }
        removeHook();
    }

    private void endNow() {
        process.destroy();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (final InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private void removeHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(endWithParent);
        } catch (final IllegalStateException e) {
            // this JVM is shutting down: the hook runs, and finds the child gone
            return;
        }
    }

    private void sleep() {
        try {
            Thread.sleep(POLL_MS);
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ToolException.environment("interrupted while " + name + " started");
        }
    }
}
