package io.tiercel.tools.access;

import io.tiercel.protocol.Frames;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.wire.HelloEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import java.nio.ByteOrder;
import org.agrona.ExpandableArrayBuffer;

/** The ways in which a Hello can be sound as a frame, and nobody's who has a key. */
enum BadHello {
    /** The name of one who has a key, and zeros for a proof. */
    WITHOUT_PROOF,
    /** The name of one who has a key, and a proof by another key. */
    WRONG_KEY,
    /** A name that nobody has. */
    UNKNOWN_NAME,
    /** One that was recorded: its proof is right, on the connection that it was made for. */
    RECORDED,
    /** In the last version of the protocol that had no proofs. */
    OLD_VERSION;

    private static final byte[] OTHER_KEY = new byte[Handshake.MIN_KEY_LENGTH];
    private static final String NOBODY = "nobody";

    /** In turn. */
    static BadHello of(final long index) {
        return values()[(int) (index % values().length)];
    }

    /** The frame; a recorded one is of a connection that there is not. */
    byte[] frame(
            final Handshake handshake, final String principal, final byte[] key, final int aeronSessionId,
            final String responseChannel, final int responseStreamId) {
        final int version = this == OLD_VERSION ? Frames.ACCESS_SINCE_VERSION - 1 : Frames.VERSION;
        final int blockLength = Frames.helloBlockLength(version);
        final ExpandableArrayBuffer buffer = new ExpandableArrayBuffer();
        final HelloEncoder hello = new HelloEncoder()
                .wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .responseStreamId(responseStreamId)
                .nonce(aeronSessionId);
        hello.limit(Frames.HEADER_LENGTH + blockLength);
        hello.principal(this == UNKNOWN_NAME ? NOBODY : principal).responseChannel(responseChannel);
        buffer.putShort(
                MessageHeaderEncoder.blockLengthEncodingOffset(), (short) blockLength, ByteOrder.LITTLE_ENDIAN);
        buffer.putShort(Frames.VERSION_OFFSET, (short) version, ByteOrder.LITTLE_ENDIAN);
        final byte[] frame = new byte[hello.limit()];
        buffer.getBytes(0, frame);
        final byte[] proof = proof(handshake, key, aeronSessionId, frame);
        if (proof.length > 0) {
            System.arraycopy(proof, 0, frame, Frames.HELLO_PROOF_OFFSET, proof.length);
        }
        return frame;
    }

    private byte[] proof(
            final Handshake handshake, final byte[] key, final int aeronSessionId, final byte[] frame) {
        return switch (this) {
            case WRONG_KEY -> handshake.helloProof(OTHER_KEY, aeronSessionId, frame);
            case UNKNOWN_NAME -> handshake.helloProof(key, aeronSessionId, frame);
            case RECORDED -> handshake.helloProof(key, ~aeronSessionId, frame);
            case WITHOUT_PROOF, OLD_VERSION -> new byte[0];
        };
    }
}
