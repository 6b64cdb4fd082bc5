package io.tiercel.replay.compare;

/**
 * What became of one quantile from A to B. Changes are shares of A's value: 0.1 is a tenth slower.
 *
 * @param quantile       a share.
 * @param blockLengthS   how long blocks were.
 * @param blocksA        how many of A.
 * @param blocksB        how many of B.
 * @param result         of the tests; null if there is too little data.
 * @param confidence     that the two differ, in the surer of the two tests, corrected for all tests made.
 * @param wholeVerdict   of the quantile of everything.
 * @param typicalVerdict of the quantile of a typical unit of time.
 * @param isWithinRuns   whether a difference was put down to runs of the same set differing as much.
 */
public record QuantileComparison(double quantile, double blockLengthS, int blocksA, int blocksB,
        BlockTests.Result result, double confidence, Verdict wholeVerdict, Verdict typicalVerdict,
        boolean isWithinRuns) {

    /** Slower if either test says so; else faster if either says that. */
    public Verdict verdict() {
        if (result == null) {
            return Verdict.TOO_LITTLE_DATA;
        }
        if (wholeVerdict == Verdict.SLOWER || typicalVerdict == Verdict.SLOWER) {
            return Verdict.SLOWER;
        }
        return wholeVerdict == Verdict.FASTER || typicalVerdict == Verdict.FASTER
                ? Verdict.FASTER
                : Verdict.NO_DIFFERENCE;
    }

    public String name() {
        return CompareOptions.quantileName(quantile);
    }

    /** What a reader should know beside the verdict; empty if nothing. */
    public String remark() {
        if (result == null) {
            return "needed are " + Blocks.MIN_BLOCKS + " blocks of each";
        }
        if (isWithinRuns) {
            return "runs of one set differ as much";
        }
        if (wholeVerdict != typicalVerdict && verdict() != Verdict.NO_DIFFERENCE) {
            return typicalVerdict == verdict() ? "a typical moment is" : "its worst moments are";
        }
        return "";
    }
}
