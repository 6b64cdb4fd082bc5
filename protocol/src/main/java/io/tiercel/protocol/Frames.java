package io.tiercel.protocol;

import io.tiercel.protocol.wire.AdministerEncoder;
import io.tiercel.protocol.wire.ApplianceProofEncoder;
import io.tiercel.protocol.wire.CancelGenerationEncoder;
import io.tiercel.protocol.wire.ChallengeEncoder;
import io.tiercel.protocol.wire.ChunkEncoder;
import io.tiercel.protocol.wire.ForkSessionEncoder;
import io.tiercel.protocol.wire.GenerateEncoder;
import io.tiercel.protocol.wire.GoodbyeEncoder;
import io.tiercel.protocol.wire.HeartbeatEncoder;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.HelloEncoder;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.ProofEncoder;
import io.tiercel.protocol.wire.ResetSessionEncoder;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.ResultEncoder;
import io.tiercel.protocol.wire.VersionsEncoder;
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
 *
 *   0         8                                    60          64
 *  +---------+------------------------------------+-----------+----------+-----------+-------------+
 *  | header  | fixed block, 52                    | length    | tokens ..| length    | stop tokens |   Generate
 *  +---------+------------------------------------+-----------+----------+-----------+-------------+
 * </pre>
 */
public final class Frames {

    /** The schema version that this build speaks; it also speaks all earlier ones, from 1. */
    public static final int VERSION = InferEncoder.SCHEMA_VERSION;

    /** The first version in which a model may take tokens and a session's context may be full. */
    public static final int TOKENS_SINCE_VERSION = WelcomeDecoder.ModelsDecoder.vocabularySizeSinceVersion();

    /** The first version with ForkSession, Generate and CancelGeneration. */
    public static final int GENERATIONS_SINCE_VERSION = 3;

    /** The first version in which an answer says that its session began with it. */
    public static final int BEGINNINGS_SINCE_VERSION = ResultDecoder.flagsSinceVersion();

    /** The first version in which a client can prove who it is. */
    public static final int ACCESS_SINCE_VERSION = HelloDecoder.proofSinceVersion();

    /** The first version with Administer and Versions. */
    public static final int ADMIN_SINCE_VERSION = 6;

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

    /** Where a Generate's first token stands, from the start of its frame. */
    public static final int TOKENS_OFFSET = HEADER_LENGTH + GenerateEncoder.BLOCK_LENGTH + DATA_LENGTH_BYTES;

    /** Stop tokens of a Generate, at most. */
    public static final int MAX_STOP_TOKENS = 16;

    /** Outputs of a token that was made: the token itself, as an unsigned 32-bit integer, and its probability. */
    public static final int MADE_OUTPUT_COUNT = 2;

    public static final int FORK_SESSION_LENGTH = HEADER_LENGTH + ForkSessionEncoder.BLOCK_LENGTH;

    public static final int CANCEL_GENERATION_LENGTH = HEADER_LENGTH + CancelGenerationEncoder.BLOCK_LENGTH;

    public static final int RESET_SESSION_LENGTH = HEADER_LENGTH + ResetSessionEncoder.BLOCK_LENGTH;

    public static final int GOODBYE_LENGTH = HEADER_LENGTH + GoodbyeEncoder.BLOCK_LENGTH;

    public static final int HEARTBEAT_LENGTH = HEADER_LENGTH + HeartbeatEncoder.BLOCK_LENGTH;

    public static final int PROOF_LENGTH = HEADER_LENGTH + ProofEncoder.BLOCK_LENGTH;

    public static final int APPLIANCE_PROOF_LENGTH = HEADER_LENGTH + ApplianceProofEncoder.BLOCK_LENGTH;

    public static final int CHALLENGE_LENGTH = HEADER_LENGTH + ChallengeEncoder.BLOCK_LENGTH;

    /** Where the proof stands in a Hello that has one. */
    public static final int HELLO_PROOF_OFFSET = HEADER_LENGTH + HelloEncoder.proofEncodingOffset();

    /** Characters of a response channel in a Hello, at most. */
    public static final int MAX_CHANNEL_LENGTH = 512;

    public static final int MAX_HELLO_LENGTH = HEADER_LENGTH + HelloEncoder.BLOCK_LENGTH +
            DATA_LENGTH_BYTES + Principals.MAX_LENGTH + DATA_LENGTH_BYTES + MAX_CHANNEL_LENGTH;

    /** Weights of a route, together. */
    public static final int FULL_WEIGHT = 10_000;

    /** Versions that a route may name. */
    public static final int MAX_ROUTES = 16;

    /** Characters of a bundle's path in an Administer, at most. */
    public static final int MAX_BUNDLE_LENGTH = 1024;

    private static final int ADMINISTER_ROUTES_OFFSET =
            HEADER_LENGTH + AdministerEncoder.BLOCK_LENGTH + AdministerEncoder.RoutesEncoder.sbeHeaderSize();

    private static final int VERSIONS_OFFSET =
            HEADER_LENGTH + VersionsEncoder.BLOCK_LENGTH + VersionsEncoder.ServedEncoder.sbeHeaderSize();

    private Frames() {
    }

    /** Bytes of an Administer frame. */
    public static int administerLength(final int routeCount, final int bundleLength) {
        return ADMINISTER_ROUTES_OFFSET + routeCount * AdministerEncoder.RoutesEncoder.sbeBlockLength() +
                DATA_LENGTH_BYTES + bundleLength;
    }

    /** Bytes of a Versions frame. */
    public static int versionsLength(final int versionCount) {
        return VERSIONS_OFFSET + versionCount * VersionsEncoder.ServedEncoder.sbeBlockLength();
    }

    /** Bytes of a Hello's fixed block in that version; a later version's block begins with an earlier one's. */
    public static int helloBlockLength(final int version) {
        return version < ACCESS_SINCE_VERSION ? HelloEncoder.proofEncodingOffset() : HelloEncoder.BLOCK_LENGTH;
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

    /** Bytes of a Generate frame. */
    public static int generateLength(final int tokenCount, final int stopCount) {
        return TOKENS_OFFSET + tokenCount * Integer.BYTES + DATA_LENGTH_BYTES + stopCount * Integer.BYTES;
    }

    /** Whether a frame of a client's with that template is answered under its correlationId, in one way or another. */
    public static boolean isRequest(final int templateId) {
        return switch (templateId) {
            case InferEncoder.TEMPLATE_ID, ResetSessionEncoder.TEMPLATE_ID, ForkSessionEncoder.TEMPLATE_ID,
                    GenerateEncoder.TEMPLATE_ID, AdministerEncoder.TEMPLATE_ID -> true;
            default -> false;
        };
    }

    /** Whether tokens can be drawn with that temperature: 0, or above, with a finite inverse. */
    public static boolean isTemperature(final float temperature) {
        return temperature == 0 || temperature > 0 && Float.isFinite(temperature) && Float.isFinite(1 / temperature);
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
