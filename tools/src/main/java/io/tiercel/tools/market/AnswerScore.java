package io.tiercel.tools.market;

import java.util.Map;

/** How good the answers to a tape's events were. For one thread. */
public interface AnswerScore {

    /**
     * Takes one answer.
     *
     * @param cells  as they came on the wire, of several answers.
     * @param offset of this answer's first cell.
     */
    void add(int eventIndex, int[] cells, int offset);

    /** Answers scored. */
    long count();

    /** What there is to say of at least one answer, in lines that each have an end. */
    String text();

    /** The same by name; null is what no answer has told. */
    Map<String, Object> toJson();
}
