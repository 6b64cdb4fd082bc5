package io.tiercel.nativecuda.graph;

/**
 * Runs a graph over memory of its own, for one thread at a time: windows are put in at {@link #inputAddress}, one
 * behind the other, and outputs stand at {@link #outputAddress} in the same order. Floats are binary32 in native order.
 */
public interface GraphRunner extends AutoCloseable {

    /** Positions of one run at most, above 0. */
    int capacity();

    /** Of the first position's input. */
    long inputAddress();

    /** Of the first position's outputs. */
    long outputAddress();

    /**
     * Computes the outputs of the first positions. Allocates nothing that it can help.
     *
     * @param count 1 to {@link #capacity}.
     * @throws GraphException                                      if the library fails: a broken invariant, since the
     *                                                             graph has run at load.
     * @throws io.tiercel.appliance.engine.DeviceLostException if what computes is gone; the input still stands.
     */
    void run(int count);

    @Override
    void close();
}
