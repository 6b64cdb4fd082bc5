package io.tiercel.appliance.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.LosableBackend;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.Told;
import io.tiercel.protocol.telemetry.EventKind;
import java.util.List;
import org.junit.jupiter.api.Test;

class FailoverWatchTest {

    private final Bundle bundle = RandomModels.lstm(1).hidden(8).features(4).outputs(2).bundle();
    private final Counters counters = Counters.inMemory();

    @Test
    void shouldTellOfALostDeviceOnceWithTheIndexOfItsModel() {
        try (Model model = Backends.load(new LosableBackend(Integer.MAX_VALUE), bundle, 1);
                Model lost = Backends.load(new LosableBackend(0), bundle, 1);
                ModelExecutor onDevice = model.newExecutor(1);
                ModelExecutor onStandby = lost.newExecutor(1)) {
            final ModelExecutor[] executors = {onDevice, onDevice};
            final FailoverWatch watch = new FailoverWatch(executors, counters);
            watch.look();
            assertEquals(List.of(), Told.since(counters));
            executors[1] = onStandby;
            watch.look();
            watch.look();
            assertEquals(List.of(new Told(EventKind.DEVICE_LOST, 1, "")), Told.since(counters));
            assertEquals(1, counters.value(CounterId.FAILOVERS));
        }
    }
}
