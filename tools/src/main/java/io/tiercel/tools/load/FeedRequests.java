package io.tiercel.tools.load;

import io.tiercel.tools.market.PlayedTape;
import java.nio.ByteOrder;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A tape as requests, one for each event, over and over if need be. Features or tokens lie ready as they go on the
 * wire, so that making them is not measured.
 */
public final class FeedRequests implements RequestSource {

    private final PlayedTape tape;
    private final int eventCount;
    private final int vectorLength;
    private final UnsafeBuffer features;

    public FeedRequests(final PlayedTape tape) {
        this.tape = tape;
        this.eventCount = tape.eventCount();
        this.vectorLength = tape.featureCount() * Integer.BYTES;
        this.features = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                Math.multiplyExact(eventCount, vectorLength), BitUtil.CACHE_LINE_LENGTH));
        for (int event = 0; event < eventCount; event++) {
            for (int i = 0; i < tape.featureCount(); i++) {
                features.putInt(
                        event * vectorLength + i * Integer.BYTES, tape.cell(event, i), ByteOrder.LITTLE_ENDIAN);
            }
        }
    }

    @Override
    public long sessionKey(final long requestIndex) {
        return tape.sessionKey((int) (requestIndex % eventCount));
    }

    @Override
    public DirectBuffer features() {
        return features;
    }

    @Override
    public int featuresOffset(final long requestIndex) {
        return (int) (requestIndex % eventCount) * vectorLength;
    }
}
