package io.tiercel.tools.demo;

import io.tiercel.replay.ReplayReport;
import io.tiercel.tools.load.Measurement;
import io.tiercel.tools.market.AnswerScore;
import org.HdrHistogram.Histogram;

/** Everything that a demo has measured; filled in as it goes. */
final class DemoResult {

    Measurement echo;
    Measurement echoClosedLoop;
    Measurement roundTrip;
    Measurement closedLoop;
    final Histogram lessCompute = ComputeTimes.newHistogram();
    final Histogram closedLoopLessCompute = ComputeTimes.newHistogram();
    /** Round trips after the last answer, of the requests whose step was foreseen, and of the others. */
    final Histogram closedLoopForeseen = ComputeTimes.newHistogram();
    final Histogram closedLoopComputed = ComputeTimes.newHistogram();
    StageLog stages;
    AnswerScore score;
    ReplayReport replay;
    int foreseenCount;
    long readyMs;
    String bundleVersion = "";
    String backend = "";
    String layout = "";
    String kernel = "";

    long answered() {
        return roundTrip.counts().answered() + closedLoop.counts().answered();
    }

    long sent() {
        return roundTrip.counts().sent() + closedLoop.counts().sent();
    }

    /** Whether the demo shows what it is there to show. */
    boolean holds(final int eventCount) {
        return roundTrip.counts().allAnswered()
                && closedLoop.counts().allAnswered()
                && answered() == eventCount
                && replay.isIdentical()
                && replay.agreeingCount() == eventCount;
    }
}
