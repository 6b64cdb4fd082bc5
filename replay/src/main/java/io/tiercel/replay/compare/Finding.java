package io.tiercel.replay.compare;

/** What a comparison of two sets came to, whichever way they were compared. */
public interface Finding {

    /** What was compared. */
    String tag();

    Verdict verdict();

    /** Of one of the quantiles that were compared; too little data of any other. */
    Verdict verdict(double quantile);
}
