package io.tiercel.ops.probe;

/** What became of a question. */
public enum ProbeOutcome {
    /** The known bits, in time. */
    OK,
    /** The known bits, later than is allowed. */
    LATE,
    /** Other bits: whatever else is true, this must not be. */
    WRONG_BITS,
    /** Nothing, in the time there is. */
    NO_ANSWER,
    /** The appliance said no: to the hello, or to the question. */
    REFUSED,
    /** There is no appliance, or it went away meanwhile. */
    NOT_CONNECTED,
    /** An answer, in time or not, of a model whose right answer nobody knows. */
    UNKNOWN_ANSWER
}
