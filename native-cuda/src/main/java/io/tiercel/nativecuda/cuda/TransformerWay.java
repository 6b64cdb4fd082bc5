package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.TokenExecutor;

/**
 * How a transformer's steps get to the GPU and come back: {@link CudaTransformerExecutor} says which, this makes them,
 * on copies of states that have numbers there. Of each step comes back a record of all that it makes of its state.
 *
 * <p>Each call is in effect for those after it. One thread. A lost GPU is a {@link DeviceLostException} from any of
 * them.
 */
interface TransformerWay {

    /** Position of the next {@link #step}: its input, which stays as it is until then, and the copy of its state. */
    void put(int position, long inputAddress, int copy);

    /** Brings a state of the host's, its pages from where they stand. */
    void bring(long stateAddress, int copy);

    /** Makes one copy as another is. */
    void copy(int from, int to);

    /** A step of the first positions: their outputs are there. */
    void step(int count);

    /** What follows the last {@link #step}, of all its positions: their records have the codes of the work ahead. */
    void settle(int count);

    /** The work ahead of a state that another way than a step has led to; its codes are in {@link #spareRecord}. */
    void ahead(int copy);

    /**
     * Steps of one copy in a row, settled, up to {@link TokenExecutor#MAX_DRAFT}, of which each has a record.
     *
     * @param inputsAddress of inputs that follow each other.
     * @param areAllWanted  outputs and logits of each step; else of the last alone.
     */
    void row(int copy, long inputsAddress, int count, boolean areAllWanted);

    /** Copies outputs of a position, or of a step of a row, to where they are wanted. */
    void giveOutputs(int index, long outputsAddress);

    /** Of a position, or of a step of a row: begins with the logits. It is whole. */
    long record(int index);

    long spareRecord();

    /** Gives everything back; of a lost GPU nothing. */
    void close();
}
