package io.tiercel.appliance.infer;

/**
 * How much is computed before it is asked for.
 *
 * @param likely    likeliest next tokens of a session that was asked for a step, a step each; 0 for none.
 * @param generated tokens of a generation in one pass, at most {@code TokenExecutor.MAX_DRAFT}; 0 for none.
 */
public record ForeseenTokens(int likely, int generated) {

    public static final ForeseenTokens NONE = new ForeseenTokens(0, 0);

    int most() {
        return Math.max(likely, generated);
    }
}
