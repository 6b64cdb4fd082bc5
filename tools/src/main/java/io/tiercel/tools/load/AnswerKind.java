package io.tiercel.tools.load;

/** What became of a request. */
public enum AnswerKind {
    OK,
    /** The budget had run out before compute. */
    EXPIRED,
    REJECTED
}
