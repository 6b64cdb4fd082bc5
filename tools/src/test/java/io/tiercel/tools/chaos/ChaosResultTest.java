package io.tiercel.tools.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.tiercel.appliance.recovery.RecoveryReport;
import io.tiercel.tools.ServeCommand;
import org.junit.jupiter.api.Test;

class ChaosResultTest {

    @Test
    void shouldReadWhatServeSaysOfItsRecovery() {
        final RecoveryReport report = new RecoveryReport(99, 1, 30, 25, 0, 0, 5, 2, 16, 130, 1, 7_900_000);

        final ChaosResult.Recovery recovery = ChaosResult.Recovery.of(3, ServeCommand.RECOVERED + " " + report);

        assertEquals(new ChaosResult.Recovery(3, true, 30, 5, 2, 130, 7), recovery);
        assertFalse(ChaosResult.Recovery.of(1, new RecoveryReport(-1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0).toString())
                .hasSnapshot());
    }

    @Test
    void shouldKnowWhereTheRequestsOfALifeBegin() {
        final ChaosResult result = new ChaosResult();
        result.recoveries.add(new ChaosResult.Recovery(2, true, 0, 0, 0, 130, 1));

        assertEquals(130, result.firstSequenceOf(2));
        assertEquals(0, result.firstSequenceOf(1));
    }
}
