package io.tiercel.tools.access;

import io.aeron.Aeron;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.tiercel.protocol.client.AeronTurns;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.tools.AeronConnection;
import java.io.File;
import org.agrona.CloseHelper;

/** Where strangers knock: an Aeron client and what else has to run beside it, on the strangers' thread. */
final class StrangersHouse implements AutoCloseable {

    private static final int FRAGMENT_LIMIT = 64;
    private static final int MAX_TURNS = 1_024;

    private final MediaDriver driver;
    private final Aeron aeron;
    private final Subscription deafEar;

    private StrangersHouse(final MediaDriver driver, final Aeron aeron, final Subscription deafEar) {
        this.driver = driver;
        this.aeron = aeron;
        this.deafEar = deafEar;
    }

    /** Where the media driver next door may run: of the process that measures, which takes away what is left there. */
    static File nextDoorDirectory() {
        return new File(AeronConnection.directoryName("bench-access-" + Strangers.NEXT_DOOR));
    }

    /** The appliance's. */
    static StrangersHouse appliance(final String aeronDirectoryName) {
        return new StrangersHouse(null, AeronConnection.open(aeronDirectoryName), null);
    }

    /**
     * Next door: a media driver in this process, where somebody is at home who does not answer. What it takes to knock
     * there is taken from the machine, and nothing from the appliance.
     */
    static StrangersHouse nextDoor(final String aeronDirectoryName) {
        final MediaDriver driver = MediaDriver.launch(new MediaDriver.Context()
                .aeronDirectoryName(aeronDirectoryName)
                .threadingMode(ThreadingMode.INVOKER)
                .termBufferSparseFile(true)
                .dirDeleteOnStart(true)
                .dirDeleteOnShutdown(true));
        final Aeron aeron = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(aeronDirectoryName)
                .useConductorAgentInvoker(true)
                .driverAgentInvoker(driver.sharedAgentInvoker()));
        return new StrangersHouse(driver, aeron, aeron.addSubscription(
                ClientContext.DEFAULT_CHANNEL, ClientContext.DEFAULT_REQUEST_STREAM_ID));
    }

    Aeron aeron() {
        return aeron;
    }

    /** To be called again and again. */
    void turn() {
        if (driver != null) {
            AeronTurns.take(driver.sharedAgentInvoker(), MAX_TURNS);
            deafEar.poll((buffer, offset, length, header) -> {}, FRAGMENT_LIMIT);
        }
        AeronTurns.take(aeron.conductorAgentInvoker(), MAX_TURNS);
    }

    @Override
    public void close() {
        CloseHelper.closeAll(deafEar, aeron, driver);
    }
}
