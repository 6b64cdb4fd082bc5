package io.tiercel.tools.load;

import org.agrona.DirectBuffer;

/** What each request of a run asks. Called on the generator's thread; allocates nothing. */
public interface RequestSource {

    long sessionKey(long requestIndex);

    /** Holds the features of every request, little-endian floats; or tokens, as the model takes them. */
    DirectBuffer features();

    /** Where in {@link #features()} those of a request begin. */
    int featuresOffset(long requestIndex);
}
