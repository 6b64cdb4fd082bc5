package io.tiercel.replay.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SeriesComparatorTest {

    private final SplittableRandom random = new SplittableRandom(21);
    private final SyntheticRuns runs = new SyntheticRuns(random, 30, 2_000);

    @Test
    void shouldFindTheSetFromWhichItIsSlowerWhenThereAreEnough() {
        final SeriesComparison series = comparator().compare(sets(14, 8, 14));

        assertEquals(Verdict.SLOWER, series.verdict(), series.changes().toString());
        assertTrue(series.changes().stream().allMatch(change -> change.firstIndex() == 8),
                series.changes().toString());
        final SeriesChange median = series.changes().get(0);
        assertEquals(0.5, median.quantile());
        assertEquals(0.15, median.change(), 0.05);
        assertTrue(median.confidence() > 0.95);
    }

    @Test
    void shouldNotCryWhenTheSlowdownWasMendedAgain() {
        final SeriesComparison series = comparator().compare(sets(24, 8, 16));

        assertEquals(Verdict.FASTER, series.verdict(), series.changes().toString());
    }

    @Test
    void shouldSeeNothingWhenNothingChanges() {
        assertEquals(Verdict.NO_DIFFERENCE, comparator().compare(sets(14, 14, 14)).verdict());
    }

    @Test
    void shouldSayThatThereIsTooLittleDataWhenThereAreFewSets() {
        assertEquals(Verdict.TOO_LITTLE_DATA, comparator().compare(sets(5, 3, 5)).verdict());
    }

    private SeriesComparator comparator() {
        return new SeriesComparator(new CompareOptions(null, List.of(0.5, 0.9), 0.05, 0.05, 400, random));
    }

    /** So many sets, those from one index to another slower by 15 %. */
    private List<IntervalSet> sets(final int count, final int slowFrom, final int slowTo) {
        final List<IntervalSet> sets = new ArrayList<>();
        for (int index = 0; index < count; index++) {
            final IntervalSet set = runs.next("run" + index);
            sets.add(index >= slowFrom && index < slowTo
                    ? SyntheticRuns.slowed(set, "total", 0.001, 1.15)
                    : set);
        }
        return sets;
    }
}
