package io.tiercel.replay;

import org.agrona.concurrent.UnsafeBuffer;

/** One record of a queue before it is written, so that a test can change it. */
public final class TestRecord {

    public long sequence;
    public long ingressNs;
    public long principalId;
    public byte[] modelVersion;
    public byte[] frame;

    TestRecord(
            final long sequence,
            final long ingressNs,
            final long principalId,
            final byte[] modelVersion,
            final byte[] frame) {
        this.sequence = sequence;
        this.ingressNs = ingressNs;
        this.principalId = principalId;
        this.modelVersion = modelVersion.clone();
        this.frame = frame;
    }

    /** The frame, to be changed in place. */
    public UnsafeBuffer buffer() {
        return new UnsafeBuffer(frame);
    }
}
