package io.tiercel.tools.engine;

/** A step of one session that times itself. For one thread at a time; a failed one is only good for closing. */
interface TimedStep extends AutoCloseable {

    /**
     * Makes the next step of the session.
     *
     * @param tapeIndex which vector of the tape it is given.
     * @return ns from before the call that gives the outputs to after it. What has to follow a step before the next
     *         one, but not before the answer, is done here too and not in the time.
     */
    long stepNs(int tapeIndex);

    @Override
    void close();
}
