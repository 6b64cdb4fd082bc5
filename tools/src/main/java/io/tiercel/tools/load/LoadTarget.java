package io.tiercel.tools.load;

/**
 * Where load goes: the appliance or a raw echo, so that both are measured by the same code. Called by the generator's
 * thread only; allocates nothing.
 */
public interface LoadTarget {

    /** The transport has no room now; the generator tries again and the request keeps its due time. */
    long BACK_PRESSURED = -1;

    /** There is nobody to send to any more; the run ends. */
    long DISCONNECTED = -2;

    /**
     * Sends a request.
     *
     * @param requestIndex place of the request in the run, from 0.
     * @return a positive id, above all earlier ones, that comes back with the answer; or a sentinel of this interface.
     */
    long send(long requestIndex);

    /**
     * Takes in what has arrived and keeps the transport alive. To be called also when nothing is expected.
     *
     * @return messages taken in; 0 for an idle turn.
     */
    int poll(AnswerHandler handler);
}
