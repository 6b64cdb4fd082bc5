package io.tiercel.replay;

import io.tiercel.appliance.engine.OutputComparison;
import io.tiercel.protocol.journal.Arithmetic;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Locale;
import org.agrona.DirectBuffer;

/**
 * Compares what the journal says became of a request with what became of it again: all that does not depend on the
 * clock. Times and the batch's size are not compared. The outputs are compared as bits, but those of a model that is
 * not exact within its tolerance; the state's hash always as it is. Keeps nothing, so any thread may ask.
 */
final class OutcomeComparator {

    private OutcomeComparator() {
    }

    /** The first field of the two records by which one is not the other's; null if there is none. */
    static Divergence compareRecords(final JoinedJournal journal, final ReplayTask task) {
        final OutcomeFrame outcome = journal.outcomeFrame();
        final RequestFrame request = journal.requestFrame();
        if (outcome.correlationId() != request.correlationId()) {
            return divergence(task, "correlationId", outcome.correlationId(), request.correlationId());
        }
        if (outcome.sessionKey() != request.sessionKey()) {
            return divergence(task, "sessionKey", outcome.sessionKey(), request.sessionKey());
        }
        if (journal.outcomePrincipalId() != journal.requestPrincipalId()) {
            return divergence(task, "principalId", journal.outcomePrincipalId(), journal.requestPrincipalId());
        }
        if (journal.outcomeIngressNs() != journal.requestIngressNs()) {
            return divergence(task, "ingressNs", journal.outcomeIngressNs(), journal.requestIngressNs());
        }
        if (outcome.modelId() != request.modelId()) {
            return divergence(task, "modelId", outcome.modelId(), request.modelId());
        }
        return compareModelVersion(journal, task);
    }

    /** The first field of what was computed that is not as journaled; null if there is none. */
    static Divergence compare(final ReplayTask task) {
        final Divergence divergence = compareShape(task);
        return divergence == null ? compareBits(task) : divergence;
    }

    private static Divergence compareModelVersion(final JoinedJournal journal, final ReplayTask task) {
        final DirectBuffer expected = journal.outcomeModelVersion();
        final DirectBuffer actual = journal.requestModelVersion();
        if (ReplayModel.areSameVersion(expected, actual)) {
            return null;
        }
        return divergence(
                task, "modelVersion", ReplayModel.versionHex(expected), ReplayModel.versionHex(actual),
                "of the outcome", "of the request");
    }

    private static Divergence compareShape(final ReplayTask task) {
        if (task.expectedStatus != task.status) {
            return divergence(task, "status",
                    hex(task.expectedStatus.value()), hex(task.status.value()),
                    task.expectedStatus.name(), task.status.name());
        }
        if (task.expectedStepCount != task.stepCount) {
            return divergence(task, "stepCount", task.expectedStepCount, task.stepCount);
        }
        if (task.expectedOutputCount != task.outputCount) {
            return divergence(task, "outputCount", task.expectedOutputCount, task.outputCount);
        }
        final Arithmetic arithmetic = task.model.arithmetic();
        if (task.expectedArithmetic != arithmetic) {
            return divergence(task, "arithmetic",
                    hex(task.expectedArithmetic.value()), hex(arithmetic.value()),
                    task.expectedArithmetic.name(), arithmetic.name());
        }
        if (task.expectedOutputsLength != task.outputsLength) {
            return divergence(task, "outputsLength", task.expectedOutputsLength, task.outputsLength);
        }
        return null;
    }

    private static Divergence compareBits(final ReplayTask task) {
        final OutputComparison comparison = task.model.comparison();
        final DirectBuffer expected = task.journaledOutputs();
        final DirectBuffer actual = task.outputs();
        final int index = comparison.firstDifference(expected, 0, actual, task.outputsLength);
        task.largestDistance = comparison.largestDistance();
        if (index != OutputComparison.NONE) {
            return outputDivergence(task, index, expected, actual);
        }
        if (task.expectedHash != task.stateHash) {
            return divergence(task, "stateHash",
                    hex16(task.expectedHash), hex16(task.stateHash),
                    "the session's state in the journal", "the session's state computed again");
        }
        return null;
    }

    private static Divergence outputDivergence(
            final ReplayTask task, final int index, final DirectBuffer expected, final DirectBuffer actual) {
        final int expectedBits = expected.getInt(index * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
        final int actualBits = actual.getInt(index * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
        return divergence(task, "outputs[" + index + "]",
                String.format(Locale.ROOT, "0x%08x", expectedBits),
                String.format(Locale.ROOT, "0x%08x", actualBits),
                Float.toString(Float.intBitsToFloat(expectedBits)),
                Float.toString(Float.intBitsToFloat(actualBits)));
    }

    private static Divergence divergence(
            final ReplayTask task, final String field, final long expected, final long actual) {
        return divergence(task, field, hex(expected), hex(actual), Long.toString(expected), Long.toString(actual));
    }

    private static Divergence divergence(
            final ReplayTask task,
            final String field,
            final String expectedHex,
            final String actualHex,
            final String expected,
            final String actual) {
        return new Divergence(
                task.sequence,
                task.principalId,
                task.sessionKey,
                task.model.versionHex(),
                task.correlationId,
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
}
