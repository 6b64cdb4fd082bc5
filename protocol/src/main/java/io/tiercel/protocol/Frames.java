package io.tiercel.protocol;

import io.tiercel.protocol.wire.ChunkEncoder;
import io.tiercel.protocol.wire.GoodbyeEncoder;
import io.tiercel.protocol.wire.HeartbeatEncoder;
import io.tiercel.protocol.wire.HelloEncoder;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.ResetSessionEncoder;
import io.tiercel.protocol.wire.ResultEncoder;
import io.tiercel.protocol.wire.WelcomeDecoder;

/**
 * Lengths and offsets of frames, from the generated codecs' own constants.
 *
 * <pre>
 *   0         8                      44          48
 *  +---------+----------------------+-----------+------------------------------+
 *  | header  | fixed block, 36      | length    | floats, 8-byte aligned ...   |   Infer, Result
 *  +---------+----------------------+-----------+------------------------------+
 *
 *   0         8                              52          56
 *  +---------+------------------------------+-----------+----------------------+
 *  | header  | fixed block, 44              | length    | floats, likewise ... |   Chunk
 *  +---------+------------------------------+-----------+----------------------+
 * </pre>
 */
public final class Frames {

    /** The schema version that this build speaks; it also speaks all earlier ones, from 1. */
    public static final int VERSION = InferEncoder.SCHEMA_VERSION;

    /** The first version in which a model may take tokens and a session's context may be full. */
    public static final int TOKENS_SINCE_VERSION = WelcomeDecoder.ModelsDecoder.vocabularySizeSinceVersion();

    /** schemaId of every frame. */
    public static final int SCHEMA_ID = InferEncoder.SCHEMA_ID;

    public static final int HEADER_LENGTH = MessageHeaderEncoder.ENCODED_LENGTH;

    /** Where a frame's version stands. */
    public static final int VERSION_OFFSET = MessageHeaderEncoder.versionEncodingOffset();

    /** Bytes of the length in front of variable data. */
    public static final int DATA_LENGTH_BYTES = InferEncoder.featuresHeaderLength();

    /** Where an Infer's first feature stands, from the start of its frame. */
    public static final int FEATURES_OFFSET = HEADER_LENGTH + InferEncoder.BLOCK_LENGTH + DATA_LENGTH_BYTES;

    /** Where a Result's first output stands, from the start of its frame. */
    public static final int RESULT_OUTPUTS_OFFSET =
            HEADER_LENGTH + ResultEncoder.BLOCK_LENGTH + ResultEncoder.outputsHeaderLength();

    /** Where a Chunk's first output stands, from the start of its frame. */
    public static final int CHUNK_OUTPUTS_OFFSET =
            HEADER_LENGTH + ChunkEncoder.BLOCK_LENGTH + ChunkEncoder.outputsHeaderLength();

    public static final int RESET_SESSION_LENGTH = HEADER_LENGTH + ResetSessionEncoder.BLOCK_LENGTH;

    public static final int GOODBYE_LENGTH = HEADER_LENGTH + GoodbyeEncoder.BLOCK_LENGTH;

    public static final int HEARTBEAT_LENGTH = HEADER_LENGTH + HeartbeatEncoder.BLOCK_LENGTH;

    /** Characters of a response channel in a Hello, at most. */
    public static final int MAX_CHANNEL_LENGTH = 512;

    public static final int MAX_HELLO_LENGTH = HEADER_LENGTH + HelloEncoder.BLOCK_LENGTH +
            DATA_LENGTH_BYTES + Principals.MAX_LENGTH + DATA_LENGTH_BYTES + MAX_CHANNEL_LENGTH;

    private Frames() {
    }

    /** Bytes of a model's entry in a Welcome of that version; a later version's entry begins with an earlier one's. */
    public static int welcomeModelLength(final int version) {
        return version < TOKENS_SINCE_VERSION
                ? WelcomeDecoder.ModelsDecoder.vocabularySizeEncodingOffset()
                : WelcomeDecoder.ModelsDecoder.sbeBlockLength();
    }

    /** Bytes of an Infer frame with {@code floatCount} features in all its steps. */
    public static int inferLength(final int floatCount) {
        return FEATURES_OFFSET + floatCount * Float.BYTES;
    }

    /** Bytes of a Result frame with {@code floatCount} outputs. */
    public static int resultLength(final int floatCount) {
        return RESULT_OUTPUTS_OFFSET + floatCount * Float.BYTES;
    }

    /** Bytes of a Chunk frame with {@code floatCount} outputs: more than a Result's. */
    public static int chunkLength(final int floatCount) {
        return CHUNK_OUTPUTS_OFFSET + floatCount * Float.BYTES;
    }
}
