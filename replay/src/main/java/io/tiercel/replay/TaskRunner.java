package io.tiercel.replay;

/** Works at requests of a journal on one thread, with whatever that thread has of its own. */
@FunctionalInterface
public interface TaskRunner extends AutoCloseable {

    /**
     * The next requests of their sessions. All requests of these sessions that came before have been run, on this or
     * another thread, and nobody else is at work on them; nor, of a fork, on the session that is copied.
     *
     * @param tasks the first {@code count} are meant: one, or several of one model and of different sessions.
     */
    void run(ReplayTask[] tasks, int count);

    @Override
    default void close() {
    }
}
