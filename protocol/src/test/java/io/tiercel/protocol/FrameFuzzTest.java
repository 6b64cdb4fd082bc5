package io.tiercel.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tiercel.protocol.client.ClientReading;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Any bytes as a frame. The buffer ends with the frame and checks its bounds, so a read past it is an exception. */
@Timeout(20)
class FrameFuzzTest {

    private static final int OFFSET = 24;

    private final FrameValidator validator =
            new FrameValidator(WireFrames.MAX_FRAME_LENGTH, WireFrames.MAX_STEPS);
    private final UnsafeBuffer detail = new UnsafeBuffer(new byte[RejectDetail.MAX_LENGTH]);

    @FuzzTest
    void shouldReadEveryFieldWhenAFrameIsAccepted(final byte[] bytes) {
        final UnsafeBuffer frame = new UnsafeBuffer(bytes);
        final UnsafeBuffer moved = new UnsafeBuffer(new byte[OFFSET + bytes.length]);
        moved.putBytes(OFFSET, bytes);

        final int fromClient = validator.checkFromClient(frame, 0, bytes.length);
        assertAcceptedOrRefused(fromClient, frame);
        final boolean isOfLaterVersion = validator.isHelloOfLaterVersion(frame, 0, bytes.length);
        if (isOfLaterVersion) {
            final HelloDecoder hello = new HelloDecoder().wrapAndApplyHeader(frame, 0, new MessageHeaderDecoder());
            assertTrue(Principals.isValid(hello.principal()));
            assertTrue(hello.responseChannel().length() <= Frames.MAX_CHANNEL_LENGTH);
        }
        assertEquals(fromClient, validator.checkFromClient(moved, OFFSET, bytes.length));
        assertEquals(isOfLaterVersion, validator.isHelloOfLaterVersion(moved, OFFSET, bytes.length));

        final int fromAppliance = validator.checkFromAppliance(frame, 0, bytes.length);
        assertAcceptedOrRefused(fromAppliance, frame);
        assertEquals(fromAppliance, validator.checkFromAppliance(moved, OFFSET, bytes.length));
        if (fromAppliance == FrameValidator.OK) {
            ClientReading.read(frame);
        }
    }

    @Test
    void shouldHaveASeedForEachMessage() {
        FuzzSeeds.of(FrameFuzzTest.class, "shouldReadEveryFieldWhenAFrameIsAccepted")
                .add("hello", bytes(SampleFrames.hello(1002, 7, "desk-1", "aeron:ipc")))
                .add("hello-udp", bytes(SampleFrames.hello(-1, 0, "a", "aeron:udp?endpoint=localhost:0")))
                .add("hello-proved", bytes(provedHello()))
                .add("challenge", bytes(SampleFrames.challenge(7, ascending(1))))
                .add("proof", bytes(SampleFrames.proof(ascending(2), ascending(3))))
                .add("appliance-proof", bytes(SampleFrames.applianceProof(ascending(4))))
                .add("hello-later", bytes(SampleFrames.helloOfLaterVersion(1002, 7, "desk-1", "aeron:ipc")))
                .add("infer", bytes(SampleFrames.infer(1, 2, 3, 0, 1, false, 0.5f, -1f, 3e38f)))
                .add("infer-steps", bytes(SampleFrames.infer(-1, -2, 0, 1, 4, true, 1, 2, 3, 4, 5, 6, 7, 8)))
                .add("infer-tokens", bytes(SampleFrames.inferTokens(1, 2, 0, 31_999, 1)))
                .add("infer-nan", bytes(SampleFrames.infer(1, 2, 3, 0, 1, false, 0, 0, 0, Float.NaN)))
                .add("infer-empty", bytes(SampleFrames.infer(1, 2, 3, 0, 1, false)))
                .add("reset", bytes(SampleFrames.resetSession(1, 2, 3)))
                .add("fork", bytes(SampleFrames.forkSession(1, 2, 3, 4)))
                .add("generate", bytes(SampleFrames.generate(1, 7, 0, new int[] {1, 2}, new int[] {3})))
                .add("generate-plain", bytes(SampleFrames.generate(1, 7, 0, new int[] {1}, new int[0])))
                .add("cancel", bytes(SampleFrames.cancelGeneration(1)))
                .add("administer-route", bytes(SampleFrames.administer(1, AdminCommand.ROUTE, 0, "", 9_000, 1_000)))
                .add("administer-load", bytes(SampleFrames.administer(1, AdminCommand.LOAD, 0, "/models/flow-2")))
                .add("administer-versions", bytes(SampleFrames.administer(1, AdminCommand.VERSIONS, 0, "")))
                .add("versions", bytes(SampleFrames.versions(1, 7, 10_000, 0)))
                .add("heartbeat", bytes(SampleFrames.heartbeat(1)))
                .add("goodbye", bytes(SampleFrames.goodbye(GoodbyeReason.CLIENT_CLOSED)))
                .add("result", bytes(SampleFrames.result(1, 2, 3, 4, ResultStatus.OK, 0.25f, 0.5f, 0.25f)))
                .add("result-expired", bytes(SampleFrames.result(1, 2, 3, 4, ResultStatus.EXPIRED)))
                .add("result-full", bytes(SampleFrames.result(1, 2, 3, 4, ResultStatus.CONTEXT_FULL)))
                .add("chunk", bytes(SampleFrames.chunk(1, 2, 3, 4, 0.25f, 0.75f)))
                .add("reject", bytes(SampleFrames.reject(1, 2, 3, RejectCode.FRAME_TOO_LONG, 2, "frameLength=5000")))
                .add("welcome", bytes(SampleFrames.welcome(7, 1, 4096, "tape", "book")))
                .add("welcome-version-1", bytes(SampleFrames.welcomeOfVersion1(7, 1, 4096, "tape", "book")))
                .add("welcome-empty", bytes(SampleFrames.welcome(7, 1, 4096)))
                .check();
    }

    /** Accepted: every byte belongs to a field that can be read. Refused: there is a Reject that says so. */
    private void assertAcceptedOrRefused(final int code, final UnsafeBuffer frame) {
        if (code == FrameValidator.OK) {
            assertNotNull(new DecodedFrame(frame).fieldAt(frame.capacity() - 1));
            return;
        }
        assertNotEquals(RejectCode.NULL_VAL, RejectCode.get(code));
        final int length = RejectDetail.put(
                RejectCode.get(code), validator.offendingValue(), validator.allowedValue(), detail, 0);
        assertTrue(length > 0, "no detail");
    }

    private static UnsafeBuffer provedHello() {
        final UnsafeBuffer frame = SampleFrames.hello(1002, 7, "desk-1", "aeron:ipc");
        frame.putBytes(Frames.HELLO_PROOF_OFFSET, ascending(5));
        return frame;
    }

    private static byte[] ascending(final int first) {
        final byte[] bytes = new byte[Handshake.PROOF_LENGTH];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (first + i);
        }
        return bytes;
    }

    private static byte[] bytes(final UnsafeBuffer frame) {
        return frame.byteArray();
    }
}
