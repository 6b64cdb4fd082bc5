package io.tiercel.tools.market;

import java.util.List;

/**
 * Turns the events of one instrument into feature vectors, incrementally. Owned by one thread; {@link #onEvent}
 * allocates nothing. Every feature is finite for every event that a tape can deliver, because each is bounded by
 * construction. The same events give the same bits on every machine: logarithms are {@link StrictMath}'s.
 *
 * @param <E> the event.
 */
public interface FeatureExtractor<E> {

    /** One name for each feature, in the order of {@link #features()}. */
    List<String> names();

    /** Takes the next event of the instrument and brings {@link #features()} up to date. */
    void onEvent(E event);

    /** The features after the last event: the extractor's own array, written again by the next {@link #onEvent}. */
    float[] features();

    /** The price that labels are about, after the last event: last trade price, or mid price of the book. */
    double referencePrice();

    /** What labels measure a change of that price in, after the last event; above zero. */
    double referenceUnit();
}
