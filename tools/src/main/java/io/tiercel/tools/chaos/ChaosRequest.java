package io.tiercel.tools.chaos;

import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.agrona.MutableDirectBuffer;

/** One request of a client: how it was sent, and what became of it. Written by the clients' thread, then checked. */
final class ChaosRequest {

    /** What is asked for. */
    enum Kind {
        /** One step. */
        STEP,
        /** Several steps, and the outputs of each. */
        STREAM,
        /** One step that is of no use after a moment, so that the clock decides. */
        BUDGET,
        RESET
    }

    final Kind kind;
    final long sessionKey;
    final long featuresSeed;
    final int stepCount;
    final long budgetNs;
    long correlationId;
    int sentCount;
    /** Whether it is on its way on the connection that there is. */
    boolean isInFlight;
    /** Bits of the outputs that have come on this way so far. */
    int[] arriving = new int[0];

    long sequence = -1;
    ResultStatus status;
    int[] outputs;
    /** Number of the start of the appliance in whose life the first answer came. */
    int answeredInLife;
    RejectCode refusal;

    int journaledCount;
    /** Whether the journal has it where the client was told, with what the client was told. */
    boolean isConfirmed;

    ChaosRequest(
            final Kind kind,
            final long sessionKey,
            final long featuresSeed,
            final int stepCount,
            final long budgetNs) {
        this.kind = kind;
        this.sessionKey = sessionKey;
        this.featuresSeed = featuresSeed;
        this.stepCount = stepCount;
        this.budgetNs = budgetNs;
    }

    /** A request drawn at random: mostly single steps. */
    static ChaosRequest draw(final SplittableRandom random, final int sessionCount) {
        final int dice = random.nextInt(100);
        final Kind kind = dice < 2 ? Kind.RESET : dice < 10 ? Kind.STREAM : dice < 20 ? Kind.BUDGET : Kind.STEP;
        return new ChaosRequest(
                kind,
                random.nextInt(sessionCount),
                random.nextLong(),
                kind == Kind.RESET ? 0 : kind == Kind.STREAM ? 2 + random.nextInt(2) : 1,
                kind == Kind.BUDGET ? 1 + random.nextInt(100_000) : 0);
    }

    /** Writes the features as they go on the wire; the same ones each time. @return bytes. */
    int writeFeatures(final MutableDirectBuffer buffer, final int featureCount) {
        final SplittableRandom random = new SplittableRandom(featuresSeed);
        final int floatCount = stepCount * featureCount;
        for (int i = 0; i < floatCount; i++) {
            buffer.putFloat(i * Float.BYTES, (float) (2.0 * random.nextDouble() - 1.0), ByteOrder.LITTLE_ENDIAN);
        }
        return floatCount * Float.BYTES;
    }

    boolean isAnswered() {
        return status != null;
    }

    /** Whether nothing more is to come. */
    boolean isSettled() {
        return isAnswered() || refusal != null;
    }

    @Override
    public String toString() {
        return "correlationId=" + correlationId + " kind=" + kind + " sessionKey=" + sessionKey + " sent=" + sentCount +
                (isAnswered() ? " sequence=" + sequence + " status=" + status : "") +
                (refusal == null ? "" : " refused=" + refusal);
    }
}
