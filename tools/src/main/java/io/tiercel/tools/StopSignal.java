package io.tiercel.tools;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets a long-running command end in order: {@link #await} returns on SIGTERM or SIGINT (or, if asked for, when
 * standard input closes), and the process stays until {@link #finished} says that all is closed.
 *
 * <p>A JVM that was ended by a signal exits with 128 + the signal's number; the hook here ends it with the command's
 * own exit code instead, because to a supervisor an orderly stop is a success.
 */
public final class StopSignal {

    private static final long GRACE_SECONDS = 60;
    private static final long SIGNAL_FIRST_MS = 200;

    private final CountDownLatch raised = new CountDownLatch(1);
    private final CountDownLatch finished = new CountDownLatch(1);
    private volatile String cause = "";
    private volatile int exitCode = ExitCode.ENVIRONMENT;

    private StopSignal() {
    }

    /** What a command does until it is told to stop; returns the process' exit code. */
    @FunctionalInterface
    public interface Body {

        int run(StopSignal stop) throws InterruptedException;
    }

    /**
     * Runs a command that ends in order.
     *
     * @param watchesInput whether it also stops when standard input closes: whoever started this process is gone.
     */
    public static int during(final boolean watchesInput, final Body body) throws InterruptedException {
        final StopSignal signal = new StopSignal();
        Runtime.getRuntime().addShutdownHook(new Thread(signal::onShutdown, "stop-signal"));
        if (watchesInput) {
            signal.watchStandardInput();
        }
        int code = ExitCode.ENVIRONMENT;
        try {
            code = body.run(signal);
        } finally {
            signal.finished(code);
        }
        return code;
    }

    private void watchStandardInput() {
        final Thread watcher = new Thread(this::readUntilClosed, "standard-input");
        watcher.setDaemon(true);
        watcher.start();
    }

    public String cause() {
        return cause;
    }

    public void raise(final String why) {
        if (raised.getCount() > 0) {
            cause = why;
            raised.countDown();
        }
    }

    /** Waits up to a time for the signal. */
    public boolean await(final long timeoutMs) throws InterruptedException {
        return raised.await(timeoutMs, TimeUnit.MILLISECONDS);
    }

    /** All is closed: the process may end, with this exit code. */
    private void finished(final int code) {
        exitCode = code;
        finished.countDown();
    }

    private void onShutdown() {
        if (finished.getCount() == 0) {
            return; // an ordinary exit, after the command is done
        }
        raise("signal");
        try {
            finished.await(GRACE_SECONDS, TimeUnit.SECONDS);
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        System.out.flush();
        System.err.flush();
        Runtime.getRuntime().halt(exitCode);
    }

    private void readUntilClosed() {
        try {
            while (System.in.read() >= 0) {
                continue;
            }
        } catch (final IOException e) {
            raise("standard input failed: " + e.getMessage());
            return;
        }
        try {
            Thread.sleep(SIGNAL_FIRST_MS); // a parent that sends SIGTERM closes this pipe right after it
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        raise("standard input closed");
    }
}
