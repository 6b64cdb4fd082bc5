package io.tiercel.protocol;

import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import org.agrona.concurrent.UnsafeBuffer;

/** Sound frames over random values. */
final class WireFrames {

    static final int MAX_STEPS = 8;
    static final int MAX_FRAME_LENGTH = 4096;

    private WireFrames() {
    }

    static Arbitrary<UnsafeBuffer> fromClient() {
        return Arbitraries.oneOf(infer(), infer(), tokens(), hello(), resetSession(), forkSession(), generate(),
                generate(), cancelGeneration(), heartbeat(), goodbye(), proof());
    }

    static Arbitrary<UnsafeBuffer> fromAppliance() {
        return Arbitraries.oneOf(
                result(), result(), chunk(), reject(), welcome(), welcomeOfVersion1(), heartbeat(), goodbye(),
                challenge(), bytes().map(SampleFrames::applianceProof));
    }

    static Arbitrary<UnsafeBuffer> infer() {
        final Arbitrary<Integer> stepCounts = Arbitraries.integers().between(1, MAX_STEPS);
        final Arbitrary<Integer> featureCounts = Arbitraries.integers().between(0, 24);
        return Combinators.combine(stepCounts, featureCounts)
                .as((stepCount, featureCount) -> Combinators
                        .combine(longs(), longs(), longs(), uint16(), booleans(), floats(stepCount * featureCount)).as(
                                (correlationId, sessionKey, budgetNs, modelId, stream, features) -> SampleFrames.infer(
                                        correlationId, sessionKey, budgetNs, modelId, stepCount, stream, features)))
                .flatMap(frames -> frames);
    }

    static Arbitrary<UnsafeBuffer> tokens() {
        final Arbitrary<int[]> tokens =
                Arbitraries.integers().between(0, 1 << 18).array(int[].class).ofMinSize(1).ofMaxSize(MAX_STEPS);
        return Combinators.combine(longs(), uint16(), tokens).as(SampleFrames::inferTokens);
    }

    static Arbitrary<UnsafeBuffer> hello() {
        return Combinators.combine(Arbitraries.integers(), longs(), principals(), channels()).as(SampleFrames::hello);
    }

    static Arbitrary<UnsafeBuffer> proof() {
        return Combinators.combine(bytes(), bytes()).as(SampleFrames::proof);
    }

    static Arbitrary<UnsafeBuffer> challenge() {
        return Combinators.combine(longs(), bytes()).as(SampleFrames::challenge);
    }

    /** Of a nonce or a proof. */
    private static Arbitrary<byte[]> bytes() {
        return Arbitraries.bytes().array(byte[].class).ofSize(Handshake.PROOF_LENGTH);
    }

    static Arbitrary<UnsafeBuffer> resetSession() {
        return Combinators.combine(longs(), longs(), uint16()).as(SampleFrames::resetSession);
    }

    static Arbitrary<UnsafeBuffer> forkSession() {
        return Combinators.combine(longs(), longs(), longs(), uint16()).as(SampleFrames::forkSession);
    }

    static Arbitrary<UnsafeBuffer> generate() {
        final Arbitrary<Integer> tokens = Arbitraries.integers();
        return Combinators.combine(longs(), longs(), uint16(),
                tokens.array(int[].class).ofMinSize(1).ofMaxSize(MAX_STEPS),
                tokens.array(int[].class).ofMaxSize(Frames.MAX_STOP_TOKENS)).as(SampleFrames::generate);
    }

    static Arbitrary<UnsafeBuffer> cancelGeneration() {
        return longs().map(SampleFrames::cancelGeneration);
    }

    static Arbitrary<UnsafeBuffer> heartbeat() {
        return longs().map(SampleFrames::heartbeat);
    }

    static Arbitrary<UnsafeBuffer> goodbye() {
        return Arbitraries.of(GoodbyeReason.CLIENT_CLOSED, GoodbyeReason.SHUTTING_DOWN, GoodbyeReason.IDLE)
                .map(SampleFrames::goodbye);
    }

    static Arbitrary<UnsafeBuffer> result() {
        final Arbitrary<ResultStatus> statuses =
                Arbitraries.of(
                        ResultStatus.OK, ResultStatus.EXPIRED, ResultStatus.RESET, ResultStatus.CONTEXT_FULL,
                        ResultStatus.FORKED, ResultStatus.CANCELLED);
        final Arbitrary<float[]> outputs = outputs();
        return Combinators.combine(longs(), longs(), longs(), uint32(), statuses, outputs).as(
                (correlationId, sessionKey, sequence, applianceNs, status, floats) -> SampleFrames.result(
                        correlationId, sessionKey, sequence, applianceNs, status,
                        status == ResultStatus.OK ? floats : new float[0]));
    }

    static Arbitrary<UnsafeBuffer> chunk() {
        return Combinators.combine(longs(), longs(), longs(), uint32(), outputs()).as(SampleFrames::chunk);
    }

    static Arbitrary<UnsafeBuffer> reject() {
        final Arbitrary<RejectCode> codes = Arbitraries.of(RejectCode.class).filter(c -> c != RejectCode.NULL_VAL);
        final Arbitrary<String> details = Arbitraries.strings().withCharRange(' ', '~').ofMaxLength(120);
        return Combinators.combine(longs(), longs(), longs(), codes, uint16(), details).as(SampleFrames::reject);
    }

    static Arbitrary<UnsafeBuffer> welcome() {
        return Combinators.combine(longs(), Arbitraries.integers(), uint32(), aliases()).as(SampleFrames::welcome);
    }

    static Arbitrary<UnsafeBuffer> welcomeOfVersion1() {
        return Combinators.combine(longs(), Arbitraries.integers(), uint32(), aliases())
                .as(SampleFrames::welcomeOfVersion1);
    }

    static Arbitrary<String[]> aliases() {
        return Arbitraries.strings().withCharRange('!', '~').ofMinLength(1).ofMaxLength(32)
                .array(String[].class).ofMaxSize(5);
    }

    static Arbitrary<String> principals() {
        return Arbitraries.strings().withCharRange('a', 'z').withCharRange('A', 'Z').withCharRange('0', '9')
                .withChars("._-").ofMinLength(1).ofMaxLength(Principals.MAX_LENGTH);
    }

    static Arbitrary<String> channels() {
        return Arbitraries.strings().withCharRange('!', '~').ofMaxLength(60).map(tail -> "aeron:" + tail);
    }

    static Arbitrary<Long> longs() {
        return Arbitraries.longs();
    }

    static Arbitrary<Long> uint32() {
        return Arbitraries.longs().between(0, 0xFFFF_FFFEL);
    }

    static Arbitrary<Integer> uint16() {
        return Arbitraries.integers().between(0, 0xFFFE);
    }

    private static Arbitrary<Boolean> booleans() {
        return Arbitraries.of(true, false);
    }

    private static Arbitrary<float[]> outputs() {
        return Arbitraries.integers().between(0, 40).flatMap(WireFrames::floats);
    }

    static Arbitrary<float[]> floats(final int count) {
        return finiteFloats().array(float[].class).ofSize(count);
    }

    /** Over all finite bit patterns, and often the awkward ones. */
    static Arbitrary<Float> finiteFloats() {
        return Arbitraries.frequencyOf(
                Tuple.of(4, Arbitraries.integers().map(Float::intBitsToFloat).filter(Float::isFinite)),
                Tuple.of(1, Arbitraries.of(
                        0f, -0f, Float.MAX_VALUE, -Float.MAX_VALUE, Float.MIN_VALUE, -Float.MIN_VALUE,
                        Float.MIN_NORMAL)));
    }
}
