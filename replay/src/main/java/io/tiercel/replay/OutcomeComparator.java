package io.tiercel.replay;

import io.tiercel.appliance.engine.OutputComparison;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Locale;
import org.agrona.DirectBuffer;

/**
 * Compares what the journal says became of a request with what became of it again: all that does not depend on the
 * clock. Times and the batch's size are not compared. The outputs are compared as bits, but those of a model that is
 * not exact within its tolerance; the state's hash always as it is.
 */
final class OutcomeComparator {

    private static final int VERSION_BYTES = 32;

    private final JoinedJournal journal;
    private final ReplayEngine engine;

    OutcomeComparator(final JoinedJournal journal, final ReplayEngine engine) {
        this.journal = journal;
        this.engine = engine;
    }

    /** The first field in which the current pair differs; null if none does. */
    Divergence compare() {
        Divergence divergence = compareIdentity();
        if (divergence == null) {
            divergence = compareShape();
        }
        return divergence == null ? compareBits() : divergence;
    }

    private Divergence compareIdentity() {
        final OutcomeFrame outcome = journal.outcomeFrame();
        final RequestFrame request = journal.requestFrame();
        if (outcome.correlationId() != request.correlationId()) {
            return divergence("correlationId", outcome.correlationId(), request.correlationId());
        }
        if (outcome.sessionKey() != request.sessionKey()) {
            return divergence("sessionKey", outcome.sessionKey(), request.sessionKey());
        }
        if (journal.outcomePrincipalId() != journal.requestPrincipalId()) {
            return divergence("principalId", journal.outcomePrincipalId(), journal.requestPrincipalId());
        }
        if (journal.outcomeIngressNs() != journal.requestIngressNs()) {
            return divergence("ingressNs", journal.outcomeIngressNs(), journal.requestIngressNs());
        }
        if (outcome.modelId() != request.modelId()) {
            return divergence("modelId", outcome.modelId(), request.modelId());
        }
        return compareModelVersion();
    }

    private Divergence compareModelVersion() {
        final DirectBuffer expected = journal.outcomeModelVersion();
        final DirectBuffer actual = journal.requestModelVersion();
        if (expected.compareTo(actual) == 0) {
            return null;
        }
        final String expectedHex = versionHex(expected);
        final String actualHex = versionHex(actual);
        return divergence("modelVersion", expectedHex, actualHex, "of the outcome", "of the request");
    }

    private Divergence compareShape() {
        final OutcomeFrame outcome = journal.outcomeFrame();
        if (outcome.status() != engine.status()) {
            return divergence("status",
                    hex(outcome.status().value()), hex(engine.status().value()),
                    outcome.status().name(), engine.status().name());
        }
        if (outcome.stepCount() != engine.stepCount()) {
            return divergence("stepCount", outcome.stepCount(), engine.stepCount());
        }
        if (outcome.outputCount() != engine.outputCount()) {
            return divergence("outputCount", outcome.outputCount(), engine.outputCount());
        }
        if (outcome.arithmetic() != engine.arithmetic()) {
            return divergence("arithmetic",
                    hex(outcome.arithmetic().value()), hex(engine.arithmetic().value()),
                    outcome.arithmetic().name(), engine.arithmetic().name());
        }
        if (outcome.outputsLength() != engine.outputsLength()) {
            return divergence("outputsLength", outcome.outputsLength(), engine.outputsLength());
        }
        return null;
    }

    private Divergence compareBits() {
        final OutcomeFrame outcome = journal.outcomeFrame();
        final int index = engine.comparison().firstDifference(
                outcome.buffer(), outcome.outputsOffset(), engine.outputs(), outcome.outputsLength());
        if (index != OutputComparison.NONE) {
            return outputDivergence(index);
        }
        if (outcome.stateHash() != engine.stateHash()) {
            return divergence("stateHash",
                    hex16(outcome.stateHash()), hex16(engine.stateHash()),
                    "the session's state in the journal", "the session's state computed again");
        }
        return null;
    }

    private Divergence outputDivergence(final int index) {
        final OutcomeFrame outcome = journal.outcomeFrame();
        final int expectedBits = outcome.buffer().getInt(
                outcome.outputsOffset() + index * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
        final int actualBits = engine.outputs().getInt(index * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
        return divergence("outputs[" + index + "]",
                String.format(Locale.ROOT, "0x%08x", expectedBits),
                String.format(Locale.ROOT, "0x%08x", actualBits),
                Float.toString(Float.intBitsToFloat(expectedBits)),
                Float.toString(Float.intBitsToFloat(actualBits)));
    }

    private Divergence divergence(final String field, final long expected, final long actual) {
        return divergence(field, hex(expected), hex(actual), Long.toString(expected), Long.toString(actual));
    }

    private Divergence divergence(
            final String field,
            final String expectedHex,
            final String actualHex,
            final String expected,
            final String actual) {
        return new Divergence(
                journal.sequence(),
                journal.requestPrincipalId(),
                journal.requestFrame().sessionKey(),
                versionHex(journal.requestModelVersion()),
                journal.requestFrame().correlationId(),
                field,
                expectedHex,
                actualHex,
                expected,
                actual);
    }

    private static String hex(final long value) {
        return "0x" + Long.toHexString(value);
    }

    private static String hex16(final long value) {
        return "0x" + HexFormat.of().toHexDigits(value);
    }

    private static String versionHex(final DirectBuffer version) {
        final byte[] bytes = new byte[VERSION_BYTES];
        version.getBytes(0, bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
