package io.tiercel.protocol;

import static io.tiercel.protocol.LayoutAssertions.assertField;
import static io.tiercel.protocol.LayoutAssertions.assertMessage;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.AdministerDecoder;
import io.tiercel.protocol.wire.ApplianceProofDecoder;
import io.tiercel.protocol.wire.CancelGenerationDecoder;
import io.tiercel.protocol.wire.ChallengeDecoder;
import io.tiercel.protocol.wire.ChunkDecoder;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.GoodbyeDecoder;
import io.tiercel.protocol.wire.HeartbeatDecoder;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.InferFlagsEncoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.ProofDecoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.protocol.wire.VersionsDecoder;
import io.tiercel.protocol.wire.WelcomeDecoder;
import java.util.HexFormat;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

/**
 * The offsets that README.md prints, from the start of a frame. A client in another language is written from them,
 * so a change here is a change of the protocol.
 */
class WireLayoutTest {

    @Test
    void shouldHaveTheHeaderOfTheReadme() {
        assertEquals(8, MessageHeaderDecoder.ENCODED_LENGTH);
        assertEquals(0, MessageHeaderDecoder.blockLengthEncodingOffset());
        assertEquals(2, MessageHeaderDecoder.templateIdEncodingOffset());
        assertEquals(4, MessageHeaderDecoder.schemaIdEncodingOffset());
        assertEquals(6, MessageHeaderDecoder.versionEncodingOffset());
        assertEquals(7001, Frames.SCHEMA_ID);
        assertEquals(6, Frames.VERSION);
        assertEquals(6, Frames.VERSION_OFFSET);
    }

    @Test
    void shouldHaveTheHelloOfTheReadme() {
        assertMessage(1, 44, HelloDecoder.TEMPLATE_ID, HelloDecoder.BLOCK_LENGTH);
        assertField(8, 4, HelloDecoder.responseStreamIdEncodingOffset(),
                HelloDecoder.responseStreamIdEncodingLength());
        assertField(12, 8, HelloDecoder.nonceEncodingOffset(), HelloDecoder.nonceEncodingLength());
        assertEquals(4, HelloDecoder.principalHeaderLength());
        assertEquals(4, HelloDecoder.responseChannelHeaderLength());
        final UnsafeBuffer frame = SampleFrames.hello(1, 2, "desk-7", "aeron:ipc");
        assertField(20, 32, HelloDecoder.proofEncodingOffset(), HelloDecoder.proofEncodingLength());
        assertEquals(5, HelloDecoder.proofSinceVersion());
        assertEquals(20, Frames.HELLO_PROOF_OFFSET);
        assertEquals(12, Frames.helloBlockLength(4));
        assertEquals(44, Frames.helloBlockLength(5));
        assertEquals(6, frame.getInt(52, LITTLE_ENDIAN));
        assertEquals("desk-7", frame.getStringWithoutLengthAscii(56, 6));
        assertEquals(9, frame.getInt(62, LITTLE_ENDIAN));
        assertEquals("aeron:ipc", frame.getStringWithoutLengthAscii(66, 9));
        assertEquals(75, frame.capacity());
    }

    @Test
    void shouldHaveTheHandshakeOfTheReadme() {
        assertMessage(13, 48, ChallengeDecoder.TEMPLATE_ID, ChallengeDecoder.BLOCK_LENGTH);
        assertField(8, 8, ChallengeDecoder.nonceEncodingOffset(), ChallengeDecoder.nonceEncodingLength());
        assertField(16, 32, ChallengeDecoder.applianceNonceEncodingOffset(),
                ChallengeDecoder.applianceNonceEncodingLength());
        assertMessage(14, 64, ProofDecoder.TEMPLATE_ID, ProofDecoder.BLOCK_LENGTH);
        assertField(8, 32, ProofDecoder.clientNonceEncodingOffset(), ProofDecoder.clientNonceEncodingLength());
        assertField(40, 32, ProofDecoder.proofEncodingOffset(), ProofDecoder.proofEncodingLength());
        assertMessage(15, 32, ApplianceProofDecoder.TEMPLATE_ID, ApplianceProofDecoder.BLOCK_LENGTH);
        assertField(8, 32, ApplianceProofDecoder.proofEncodingOffset(), ApplianceProofDecoder.proofEncodingLength());
        assertEquals(72, Frames.PROOF_LENGTH);
    }

    @Test
    void shouldHaveTheWelcomeOfTheReadme() {
        assertMessage(2, 40, WelcomeDecoder.TEMPLATE_ID, WelcomeDecoder.BLOCK_LENGTH);
        assertField(8, 8, WelcomeDecoder.nonceEncodingOffset(), WelcomeDecoder.nonceEncodingLength());
        assertField(16, 4, WelcomeDecoder.clientIdEncodingOffset(), WelcomeDecoder.clientIdEncodingLength());
        assertField(20, 4, WelcomeDecoder.maxFrameLengthEncodingOffset(),
                WelcomeDecoder.maxFrameLengthEncodingLength());
        assertField(24, 4, WelcomeDecoder.maxInFlightEncodingOffset(), WelcomeDecoder.maxInFlightEncodingLength());
        assertField(28, 4, WelcomeDecoder.maxSessionsEncodingOffset(), WelcomeDecoder.maxSessionsEncodingLength());
        assertField(32, 4, WelcomeDecoder.heartbeatTimeoutMsEncodingOffset(),
                WelcomeDecoder.heartbeatTimeoutMsEncodingLength());
        assertField(36, 2, WelcomeDecoder.maxStepsEncodingOffset(), WelcomeDecoder.maxStepsEncodingLength());
        assertField(38, 1, WelcomeDecoder.durabilityEncodingOffset(), WelcomeDecoder.durabilityEncodingLength());
        assertField(39, 1, WelcomeDecoder.overloadEncodingOffset(), WelcomeDecoder.overloadEncodingLength());
        assertField(40, 4, WelcomeDecoder.retryWindowEncodingOffset(), WelcomeDecoder.retryWindowEncodingLength());
        assertField(44, 4, WelcomeDecoder.maxRatePerSecondEncodingOffset(),
                WelcomeDecoder.maxRatePerSecondEncodingLength());
        assertEquals(4, WelcomeDecoder.ModelsDecoder.HEADER_SIZE);
        assertEquals(78, WelcomeDecoder.ModelsDecoder.sbeBlockLength());
        assertEquals(78, Frames.welcomeModelLength(2));
        assertEquals(70, Frames.welcomeModelLength(1));
        assertEquals(0, WelcomeDecoder.ModelsDecoder.modelIdEncodingOffset());
        assertEquals(2, WelcomeDecoder.ModelsDecoder.featureCountEncodingOffset());
        assertEquals(4, WelcomeDecoder.ModelsDecoder.outputCountEncodingOffset());
        assertEquals(6, WelcomeDecoder.ModelsDecoder.aliasEncodingOffset());
        assertEquals(32, WelcomeDecoder.ModelsDecoder.aliasLength());
        assertEquals(38, WelcomeDecoder.ModelsDecoder.modelVersionEncodingOffset());
        assertEquals(32, WelcomeDecoder.ModelsDecoder.modelVersionLength());
        assertEquals(70, WelcomeDecoder.ModelsDecoder.vocabularySizeEncodingOffset());
        assertEquals(74, WelcomeDecoder.ModelsDecoder.contextTokensEncodingOffset());
        assertEquals(2, WelcomeDecoder.ModelsDecoder.vocabularySizeSinceVersion());
        assertEquals(2, WelcomeDecoder.ModelsDecoder.contextTokensSinceVersion());
        final UnsafeBuffer frame = SampleFrames.welcome(1, 2, 3, "flow", "book");
        assertEquals(78, frame.getShort(48, LITTLE_ENDIAN));
        assertEquals(2, frame.getShort(50, LITTLE_ENDIAN));
        assertEquals("flow", frame.getStringWithoutLengthAscii(52 + 6, 4));
        assertEquals("book", frame.getStringWithoutLengthAscii(52 + 78 + 6, 4));
        assertEquals(1000, frame.getInt(122 + 78, LITTLE_ENDIAN));
        assertEquals(1, frame.getInt(126 + 78, LITTLE_ENDIAN));
        assertEquals(52 + 2 * 78, frame.capacity());
    }

    @Test
    void shouldHaveTheGoodbyeOfTheReadme() {
        assertMessage(3, 1, GoodbyeDecoder.TEMPLATE_ID, GoodbyeDecoder.BLOCK_LENGTH);
        assertField(8, 1, GoodbyeDecoder.reasonEncodingOffset(), GoodbyeDecoder.reasonEncodingLength());
        assertEquals(9, Frames.GOODBYE_LENGTH);
    }

    @Test
    void shouldHaveTheInferOfTheReadme() {
        assertMessage(4, 36, InferDecoder.TEMPLATE_ID, InferDecoder.BLOCK_LENGTH);
        assertField(8, 8, InferDecoder.correlationIdEncodingOffset(), InferDecoder.correlationIdEncodingLength());
        assertField(16, 8, InferDecoder.sessionKeyEncodingOffset(), InferDecoder.sessionKeyEncodingLength());
        assertField(24, 8, InferDecoder.budgetNsEncodingOffset(), InferDecoder.budgetNsEncodingLength());
        assertField(32, 2, InferDecoder.modelIdEncodingOffset(), InferDecoder.modelIdEncodingLength());
        assertField(34, 2, InferDecoder.stepCountEncodingOffset(), InferDecoder.stepCountEncodingLength());
        assertField(36, 2, InferDecoder.featureCountEncodingOffset(), InferDecoder.featureCountEncodingLength());
        assertField(38, 2, InferDecoder.flagsEncodingOffset(), InferDecoder.flagsEncodingLength());
        assertEquals(4, InferDecoder.featuresHeaderLength());
        assertEquals(48, Frames.FEATURES_OFFSET);
        final UnsafeBuffer frame = SampleFrames.infer(1, 2, 3, 4, 1, true, 1.5f, 2.5f);
        assertEquals(InferFlagsEncoder.ENCODED_LENGTH, 2);
        assertEquals(1, frame.getShort(38, LITTLE_ENDIAN));
        assertEquals(8, frame.getInt(44, LITTLE_ENDIAN));
        assertEquals(2.5f, frame.getFloat(52, LITTLE_ENDIAN));
        assertEquals(56, frame.capacity());
    }

    @Test
    void shouldHaveTheResultOfTheReadme() {
        assertMessage(5, 36, ResultDecoder.TEMPLATE_ID, ResultDecoder.BLOCK_LENGTH);
        assertField(8, 8, ResultDecoder.correlationIdEncodingOffset(), ResultDecoder.correlationIdEncodingLength());
        assertField(16, 8, ResultDecoder.sessionKeyEncodingOffset(), ResultDecoder.sessionKeyEncodingLength());
        assertField(24, 8, ResultDecoder.sequenceEncodingOffset(), ResultDecoder.sequenceEncodingLength());
        assertField(32, 4, ResultDecoder.applianceNsEncodingOffset(), ResultDecoder.applianceNsEncodingLength());
        assertField(36, 2, ResultDecoder.modelIdEncodingOffset(), ResultDecoder.modelIdEncodingLength());
        assertField(38, 2, ResultDecoder.batchSizeEncodingOffset(), ResultDecoder.batchSizeEncodingLength());
        assertField(40, 2, ResultDecoder.outputCountEncodingOffset(), ResultDecoder.outputCountEncodingLength());
        assertField(42, 1, ResultDecoder.statusEncodingOffset(), ResultDecoder.statusEncodingLength());
        assertField(43, 1, ResultDecoder.flagsEncodingOffset(), ResultDecoder.flagsEncodingLength());
        assertEquals(4, ResultDecoder.flagsSinceVersion());
        assertEquals(4, ResultDecoder.outputsHeaderLength());
        assertEquals(48, Frames.RESULT_OUTPUTS_OFFSET);
    }

    @Test
    void shouldHaveTheChunkOfTheReadme() {
        assertMessage(6, 44, ChunkDecoder.TEMPLATE_ID, ChunkDecoder.BLOCK_LENGTH);
        assertField(8, 8, ChunkDecoder.correlationIdEncodingOffset(), ChunkDecoder.correlationIdEncodingLength());
        assertField(16, 8, ChunkDecoder.sessionKeyEncodingOffset(), ChunkDecoder.sessionKeyEncodingLength());
        assertField(24, 8, ChunkDecoder.sequenceEncodingOffset(), ChunkDecoder.sequenceEncodingLength());
        assertField(32, 4, ChunkDecoder.stepIndexEncodingOffset(), ChunkDecoder.stepIndexEncodingLength());
        assertField(36, 2, ChunkDecoder.modelIdEncodingOffset(), ChunkDecoder.modelIdEncodingLength());
        assertField(38, 2, ChunkDecoder.outputCountEncodingOffset(), ChunkDecoder.outputCountEncodingLength());
        assertField(40, 1, ChunkDecoder.flagsEncodingOffset(), ChunkDecoder.flagsEncodingLength());
        assertEquals(4, ChunkDecoder.flagsSinceVersion());
        assertEquals(4, ChunkDecoder.outputsHeaderLength());
        assertEquals(56, Frames.CHUNK_OUTPUTS_OFFSET);
        final UnsafeBuffer frame = SampleFrames.chunk(1, 2, 3, 4, 1.5f, 2.5f);
        assertEquals(8, frame.getInt(52, LITTLE_ENDIAN));
        assertEquals(2.5f, frame.getFloat(60, LITTLE_ENDIAN));
        assertEquals(64, frame.capacity());
    }

    @Test
    void shouldHaveTheRejectOfTheReadme() {
        assertMessage(7, 28, RejectDecoder.TEMPLATE_ID, RejectDecoder.BLOCK_LENGTH);
        assertField(8, 8, RejectDecoder.correlationIdEncodingOffset(), RejectDecoder.correlationIdEncodingLength());
        assertField(16, 8, RejectDecoder.offendingValueEncodingOffset(),
                RejectDecoder.offendingValueEncodingLength());
        assertField(24, 8, RejectDecoder.allowedValueEncodingOffset(), RejectDecoder.allowedValueEncodingLength());
        assertField(32, 2, RejectDecoder.codeEncodingOffset(), RejectDecoder.codeEncodingLength());
        assertField(34, 2, RejectDecoder.templateIdEncodingOffset(), RejectDecoder.templateIdEncodingLength());
        assertEquals(4, RejectDecoder.detailHeaderLength());
        final UnsafeBuffer frame = SampleFrames.reject(1, 2, 3, RejectCode.BAD_HELLO, 1, "abc");
        assertEquals(3, frame.getInt(36, LITTLE_ENDIAN));
        assertEquals("abc", frame.getStringWithoutLengthAscii(40, 3));
    }

    @Test
    void shouldHaveTheResetSessionOfTheReadme() {
        assertMessage(8, 20, ResetSessionDecoder.TEMPLATE_ID, ResetSessionDecoder.BLOCK_LENGTH);
        assertField(8, 8, ResetSessionDecoder.correlationIdEncodingOffset(),
                ResetSessionDecoder.correlationIdEncodingLength());
        assertField(16, 8, ResetSessionDecoder.sessionKeyEncodingOffset(),
                ResetSessionDecoder.sessionKeyEncodingLength());
        assertField(24, 2, ResetSessionDecoder.modelIdEncodingOffset(), ResetSessionDecoder.modelIdEncodingLength());
        assertEquals(28, Frames.RESET_SESSION_LENGTH);
    }

    @Test
    void shouldHaveTheForkSessionOfTheReadme() {
        assertMessage(10, 28, ForkSessionDecoder.TEMPLATE_ID, ForkSessionDecoder.BLOCK_LENGTH);
        assertField(8, 8, ForkSessionDecoder.correlationIdEncodingOffset(),
                ForkSessionDecoder.correlationIdEncodingLength());
        assertField(16, 8, ForkSessionDecoder.sessionKeyEncodingOffset(),
                ForkSessionDecoder.sessionKeyEncodingLength());
        assertField(24, 8, ForkSessionDecoder.sourceKeyEncodingOffset(), ForkSessionDecoder.sourceKeyEncodingLength());
        assertField(32, 2, ForkSessionDecoder.modelIdEncodingOffset(), ForkSessionDecoder.modelIdEncodingLength());
        assertEquals(36, Frames.FORK_SESSION_LENGTH);
    }

    @Test
    void shouldHaveTheGenerateOfTheReadme() {
        assertMessage(11, 52, GenerateDecoder.TEMPLATE_ID, GenerateDecoder.BLOCK_LENGTH);
        assertField(8, 8, GenerateDecoder.correlationIdEncodingOffset(), GenerateDecoder.correlationIdEncodingLength());
        assertField(16, 8, GenerateDecoder.sessionKeyEncodingOffset(), GenerateDecoder.sessionKeyEncodingLength());
        assertField(24, 8, GenerateDecoder.budgetNsEncodingOffset(), GenerateDecoder.budgetNsEncodingLength());
        assertField(32, 8, GenerateDecoder.seedEncodingOffset(), GenerateDecoder.seedEncodingLength());
        assertField(40, 4, GenerateDecoder.temperatureEncodingOffset(), GenerateDecoder.temperatureEncodingLength());
        assertField(44, 2, GenerateDecoder.modelIdEncodingOffset(), GenerateDecoder.modelIdEncodingLength());
        assertField(46, 2, GenerateDecoder.tokenCountEncodingOffset(), GenerateDecoder.tokenCountEncodingLength());
        assertField(48, 2, GenerateDecoder.maxTokensEncodingOffset(), GenerateDecoder.maxTokensEncodingLength());
        assertField(50, 2, GenerateDecoder.madeTokensEncodingOffset(), GenerateDecoder.madeTokensEncodingLength());
        assertField(52, 2, GenerateDecoder.topTokensEncodingOffset(), GenerateDecoder.topTokensEncodingLength());
        assertField(54, 2, GenerateDecoder.stopCountEncodingOffset(), GenerateDecoder.stopCountEncodingLength());
        assertEquals(64, Frames.TOKENS_OFFSET);
        assertEquals(16, Frames.MAX_STOP_TOKENS);
        final UnsafeBuffer frame = SampleFrames.generate(1, 7, 0, new int[] {5, 6}, new int[] {9});
        assertEquals(8, frame.getInt(60, LITTLE_ENDIAN));
        assertEquals(6, frame.getInt(68, LITTLE_ENDIAN));
        assertEquals(4, frame.getInt(72, LITTLE_ENDIAN));
        assertEquals(9, frame.getInt(76, LITTLE_ENDIAN));
        assertEquals(80, frame.capacity());
        assertEquals(80, Frames.generateLength(2, 1));
    }

    @Test
    void shouldHaveTheCancelGenerationOfTheReadme() {
        assertMessage(12, 16, CancelGenerationDecoder.TEMPLATE_ID, CancelGenerationDecoder.BLOCK_LENGTH);
        assertField(8, 8, CancelGenerationDecoder.correlationIdEncodingOffset(),
                CancelGenerationDecoder.correlationIdEncodingLength());
        assertEquals(24, Frames.CANCEL_GENERATION_LENGTH);
    }

    @Test
    void shouldHaveTheAdministerOfTheReadme() {
        assertMessage(20, 60, AdministerDecoder.TEMPLATE_ID, AdministerDecoder.BLOCK_LENGTH);
        assertField(8, 8, AdministerDecoder.correlationIdEncodingOffset(),
                AdministerDecoder.correlationIdEncodingLength());
        assertField(16, 2, AdministerDecoder.modelIdEncodingOffset(), AdministerDecoder.modelIdEncodingLength());
        assertField(18, 1, AdministerDecoder.commandEncodingOffset(), AdministerDecoder.commandEncodingLength());
        assertField(19, 32, AdministerDecoder.modelVersionEncodingOffset(),
                AdministerDecoder.modelVersionEncodingLength());
        assertEquals(34, AdministerDecoder.RoutesDecoder.sbeBlockLength());
        assertEquals(0, AdministerDecoder.RoutesDecoder.weightEncodingOffset());
        assertEquals(2, AdministerDecoder.RoutesDecoder.modelVersionEncodingOffset());
        assertEquals(16, Frames.MAX_ROUTES);
        assertEquals(10_000, Frames.FULL_WEIGHT);
        assertEquals(1_024, Frames.MAX_BUNDLE_LENGTH);
        final UnsafeBuffer frame = SampleFrames.administer(1, AdminCommand.ROUTE, 2, "", 9_000, 1_000);
        assertEquals(34, frame.getShort(68, LITTLE_ENDIAN));
        assertEquals(2, frame.getShort(70, LITTLE_ENDIAN));
        assertEquals(9_000, frame.getShort(72, LITTLE_ENDIAN));
        assertEquals(1_000, frame.getShort(106, LITTLE_ENDIAN));
        assertEquals(0, frame.getInt(140, LITTLE_ENDIAN));
        assertEquals(144, frame.capacity());
        assertEquals(144, Frames.administerLength(2, 0));
    }

    @Test
    void shouldHaveTheVersionsOfTheReadme() {
        assertMessage(21, 16, VersionsDecoder.TEMPLATE_ID, VersionsDecoder.BLOCK_LENGTH);
        assertField(8, 8, VersionsDecoder.correlationIdEncodingOffset(), VersionsDecoder.correlationIdEncodingLength());
        assertField(16, 8, VersionsDecoder.sequenceEncodingOffset(), VersionsDecoder.sequenceEncodingLength());
        assertEquals(43, VersionsDecoder.ServedDecoder.sbeBlockLength());
        assertEquals(0, VersionsDecoder.ServedDecoder.modelIdEncodingOffset());
        assertEquals(2, VersionsDecoder.ServedDecoder.weightEncodingOffset());
        assertEquals(4, VersionsDecoder.ServedDecoder.formerWeightEncodingOffset());
        assertEquals(6, VersionsDecoder.ServedDecoder.flagsEncodingOffset());
        assertEquals(7, VersionsDecoder.ServedDecoder.sessionCountEncodingOffset());
        assertEquals(11, VersionsDecoder.ServedDecoder.modelVersionEncodingOffset());
        final UnsafeBuffer frame = SampleFrames.versions(1, 7, 10_000, 0);
        assertEquals(43, frame.getShort(24, LITTLE_ENDIAN));
        assertEquals(2, frame.getShort(26, LITTLE_ENDIAN));
        assertEquals(10_000, frame.getShort(30, LITTLE_ENDIAN));
        assertEquals(114, frame.capacity());
        assertEquals(114, Frames.versionsLength(2));
    }

    @Test
    void shouldHaveTheHeartbeatOfTheReadme() {
        assertMessage(9, 8, HeartbeatDecoder.TEMPLATE_ID, HeartbeatDecoder.BLOCK_LENGTH);
        assertField(8, 8, HeartbeatDecoder.timestampNsEncodingOffset(), HeartbeatDecoder.timestampNsEncodingLength());
        assertEquals(16, Frames.HEARTBEAT_LENGTH);
    }

    @Test
    void shouldHaveTheBytesOfTheReadme() {
        assertBytes(
                "24000400591b0600" + "0100000000000000" + "2a00000000000000" + "204e000000000000" +
                        "0000" + "0100" + "0200" + "0000" + "00000000" + "08000000" + "0000803f" + "000020c0",
                SampleFrames.infer(1, 42, 20_000, 0, 1, false, 1.0f, -2.5f));
        final UnsafeBuffer tokens = SampleFrames.infer(1, 42, 20_000, 2, 2, false, 0, 0);
        tokens.putInt(Frames.FEATURES_OFFSET, 5, LITTLE_ENDIAN);
        tokens.putInt(Frames.FEATURES_OFFSET + 4, 31_999, LITTLE_ENDIAN);
        assertBytes(
                "24000400591b0600" + "0100000000000000" + "2a00000000000000" + "204e000000000000" +
                        "0200" + "0200" + "0100" + "0000" + "00000000" + "08000000" + "05000000" + "ff7c0000",
                tokens);
        assertBytes(
                "34000b00591b0600" + "0100000000000000" + "0200000000000000" + "0300000000000000" +
                        "0700000000000000" + "0000003f" + "0200" + "0200" + "0300" + "0000" + "2800" + "0100" +
                        "00000000" + "08000000" + "05000000" + "06000000" + "04000000" + "09000000",
                SampleFrames.generate(1, 7, 2, new int[] {5, 6}, new int[] {9}));
        assertBytes(
                "24000500591b0600" + "0100000000000000" + "2a00000000000000" + "0700000000000000" +
                        "c4090000" + "0100" + "0200" + "0200" + "00" + "00" + "08000000" + "0000803e" + "0000403f",
                SampleFrames.result(1, 42, 7, 2_500, ResultStatus.OK, 0.25f, 0.75f));
    }

    private static void assertBytes(final String hex, final UnsafeBuffer frame) {
        assertEquals(hex, HexFormat.of().formatHex(frame.byteArray()));
    }
}
