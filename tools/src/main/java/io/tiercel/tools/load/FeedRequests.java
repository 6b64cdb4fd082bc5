package io.tiercel.tools.load;

import io.tiercel.tools.market.MarketFeed;
import java.nio.ByteOrder;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A tape as requests, one for each event, over and over if need be. The features lie ready as they go on the wire, so
 * that making them is not measured.
 */
public final class FeedRequests implements RequestSource {

    private final MarketFeed feed;
    private final int eventCount;
    private final int vectorLength;
    private final UnsafeBuffer features;

    public FeedRequests(final MarketFeed feed) {
        this.feed = feed;
        this.eventCount = feed.eventCount();
        this.vectorLength = feed.featureCount() * Float.BYTES;
        this.features = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                Math.multiplyExact(eventCount, vectorLength), BitUtil.CACHE_LINE_LENGTH));
        for (int event = 0; event < eventCount; event++) {
            for (int i = 0; i < feed.featureCount(); i++) {
                features.putFloat(
                        event * vectorLength + i * Float.BYTES, feed.feature(event, i), ByteOrder.LITTLE_ENDIAN);
            }
        }
    }

    @Override
    public long sessionKey(final long requestIndex) {
        return feed.sessionKey((int) (requestIndex % eventCount));
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
