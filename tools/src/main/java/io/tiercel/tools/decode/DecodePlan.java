package io.tiercel.tools.decode;

/**
 * What is decoded, and how often. Checked by who makes it.
 *
 * @param promptTokens the first one begins a text.
 * @param tokenCount   of a text, behind the prompt.
 * @param warmUpCount  texts of each contender before the first measured one.
 * @param runCount     measured texts of each contender.
 */
record DecodePlan(int[] promptTokens, int tokenCount, int warmUpCount, int runCount) {

    static final int MIN_TOKENS = 2;
    static final int MAX_RUNS = 10_000;
}
