package io.tiercel.tools.transformer;

import io.tiercel.tools.llama.LlamaForward;
import io.tiercel.tools.llama.LlamaWeights;
import java.util.List;
import java.util.function.IntFunction;

/**
 * How well tokens are foretold.
 *
 * @param predictions of tokens that were.
 * @param perplexity  the inverse geometric mean of the probability that each token had.
 * @param accuracy    how often the likeliest token was it, 0..1.
 */
public record TransformerEvaluation(int predictions, double perplexity, double accuracy) {

    /** The network in fp32, each sequence in a session of its own, attending to the last {@code reach} tokens. */
    public static TransformerEvaluation of(
            final LlamaWeights weights, final List<int[]> sequences, final int reach) {
        final Score score = new Score();
        for (final int[] sequence : sequences) {
            score.add(sequence, LlamaForward.sliding(weights, reach, null)::step);
        }
        return score.result();
    }

    /** A bundle, each sequence in a session of its own. */
    public static TransformerEvaluation of(final TransformerSession session, final List<int[]> sequences) {
        final Score score = new Score();
        for (final int[] sequence : sequences) {
            session.reset();
            score.add(sequence, session::step);
        }
        return score.result();
    }

    private static final class Score {

        private double logProbabilities;
        private int hits;
        private int count;

        private void add(final int[] sequence, final IntFunction<float[]> step) {
            for (int i = 0; i + 1 < sequence.length; i++) {
                final float[] logits = step.apply(sequence[i]);
                final int likeliest = LlamaForward.greedy(logits);
                double total = 0;
                for (final float logit : logits) {
                    total += Math.exp(logit - (double) logits[likeliest]);
                }
                logProbabilities += logits[sequence[i + 1]] - (double) logits[likeliest] - Math.log(total);
                hits += likeliest == sequence[i + 1] ? 1 : 0;
                count++;
            }
        }

        private TransformerEvaluation result() {
            return new TransformerEvaluation(
                    count, Math.exp(-logProbabilities / Math.max(1, count)), (double) hits / Math.max(1, count));
        }
    }
}
