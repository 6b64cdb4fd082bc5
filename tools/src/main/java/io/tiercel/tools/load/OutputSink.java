package io.tiercel.tools.load;

import org.agrona.DirectBuffer;

/** Takes the outputs of each computed answer, on the generator's thread; must not allocate or keep the buffer. */
@FunctionalInterface
public interface OutputSink {

    /** Drops them. */
    OutputSink NONE = (requestIndex, sequence, outputs, offset, outputCount) -> {};

    /**
     * @param sequence place of the request in the appliance's journal.
     */
    void onOutputs(long requestIndex, long sequence, DirectBuffer outputs, int offset, int outputCount);
}
