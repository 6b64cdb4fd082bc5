package io.tiercel.ops.probe;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.util.Arrays;
import java.util.HexFormat;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.NanoClock;

/**
 * Asks an appliance a question whose answer is known, as any client would: resets a session of its own, sends a few
 * steps, compares the bits of the last one's outputs. One connection for as long as it lasts, and the next question
 * makes another; so it outlives restarts. After wrong bits the connection is made anew, so that the version that the
 * next answer is held against is the one that is served then.
 *
 * <p>One thread, which also calls {@link #keepAlive} ten times a second between two questions. A question takes two
 * requests of the appliance, both of them in its journal.
 */
public final class Probe implements AutoCloseable, ResponseHandler {

    /** The letters of its name: no user's session, as sessions belong to a principal, but easily told in a journal. */
    public static final long SESSION_KEY = 0x70_726F_6265L;

    private static final int FRAGMENT_LIMIT = 16;
    private static final int VERSION_DIGITS = 12;
    private static final long NONE = Long.MIN_VALUE;

    private final ProbeSettings settings;
    private final ClientContext context;
    private final KnownAnswers answers;
    private final NanoClock clock;
    private final IdleStrategy idleStrategy;
    private TiercelClient client;
    private ModelInfo model;
    private ProbeQuestion question;
    private long resetId = NONE;
    private long askedId = NONE;
    private ResultStatus status;
    private int[] outputBits;
    private long answeredNs;
    private long applianceNs;
    private String refusal;

    /**
     * @param context      of whose connect timeout the settings' takes the place.
     * @param idleStrategy while an answer is waited for: as it sleeps, so exact are the times.
     */
    public Probe(
            final ProbeSettings settings,
            final ClientContext context,
            final KnownAnswers answers,
            final NanoClock clock,
            final IdleStrategy idleStrategy) {
        this.settings = settings;
        this.context = context.connectTimeoutNs(settings.timeoutNs());
        this.answers = answers;
        this.clock = clock;
        this.idleStrategy = idleStrategy;
    }

    /** Asks once, which takes twice the timeout at most: once to connect, once to ask. */
    public ProbeResult ask() {
        final ProbeResult failure = client == null ? connect() : null;
        if (failure != null) {
            return failure;
        }
        final long deadlineNs = clock.nanoTime() + settings.timeoutNs();
        status = null;
        refusal = null;
        resetId = send(deadlineNs, true);
        final long sentNs = clock.nanoTime();
        askedId = resetId > 0 ? send(deadlineNs, false) : NONE;
        while (askedId > 0 && status == null && refusal == null && isInTime(deadlineNs)) {
            poll();
        }
        return judge(sentNs);
    }

    /** Keeps the connection, and hears of its end. */
    public void keepAlive() {
        if (client != null) {
            client.poll(this, FRAGMENT_LIMIT);
            dropIfOver();
        }
    }

    @Override
    public void close() {
        if (client != null) {
            client.close();
            client = null;
        }
    }

    @Override
    public void onResult(
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final ResultStatus resultStatus,
            final int appliance,
            final int batchSize,
            final DirectBuffer outputs,
            final int offset,
            final int outputCount) {
        if (correlationId != askedId) {
            return;
        }
        answeredNs = clock.nanoTime();
        applianceNs = Integer.toUnsignedLong(appliance);
        outputBits = new int[outputCount];
        Arrays.setAll(outputBits, index -> outputs.getInt(offset + index * Integer.BYTES, LITTLE_ENDIAN));
        status = resultStatus;
    }

    @Override
    public void onChunk(
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final int stepIndex,
            final DirectBuffer outputs,
            final int offset,
            final int outputCount) {
        throw new IllegalStateException("a chunk for correlationId=" + correlationId + ", which was not streamed");
    }

    @Override
    public void onReject(
            final long correlationId,
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final String detail) {
        if (correlationId == askedId || correlationId == resetId) {
            refusal = "code=" + code + " " + detail;
        }
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        // The connection's end follows, whose cause has the reason in it.
    }

    @Override
    public void onDisconnect() {
        // Whoever polls sees that the client is not connected any more.
    }

    /** Null if there is a connection now. */
    private ProbeResult connect() {
        try {
            client = TiercelClient.connect(context);
        } catch (final TiercelClientException ex) {
            return new ProbeResult(ex.code() == null ? ProbeOutcome.NOT_CONNECTED : ProbeOutcome.REFUSED, "", "", 0, 0,
                    ex.getMessage());
        }
        model = client.models().stream()
                .filter(served -> settings.alias() == null || served.alias().equals(settings.alias()))
                .findFirst()
                .orElse(null);
        if (model == null) {
            final String served = client.models().stream().map(ModelInfo::alias).toList().toString();
            close();
            return new ProbeResult(ProbeOutcome.REFUSED, "", "", 0, 0,
                    "model=" + settings.alias() + " is not served; models=" + served);
        }
        question = ProbeQuestion.of(model, client.maxSteps());
        return null;
    }

    /** Above 0, or what the client returned last. */
    private long send(final long deadlineNs, final boolean isReset) {
        long sent = trySend(isReset);
        while (sent == TiercelClient.BACK_PRESSURED && isInTime(deadlineNs)) {
            poll();
            sent = trySend(isReset);
        }
        return sent;
    }

    private long trySend(final boolean isReset) {
        return isReset
                ? client.resetSession(model.modelId(), SESSION_KEY)
                : client.infer(
                        model.modelId(), SESSION_KEY, question.inputs(), 0, question.stepCount(), 0, false);
    }

    private boolean isInTime(final long deadlineNs) {
        return client.isConnected() && clock.nanoTime() - deadlineNs < 0;
    }

    private void poll() {
        idleStrategy.idle(client.poll(this, FRAGMENT_LIMIT));
    }

    private ProbeResult judge(final long sentNs) {
        if (refusal != null) {
            return result(ProbeOutcome.REFUSED, 0, refusal);
        }
        if (status != null) {
            final long roundTripNs = Math.max(1, answeredNs - sentNs);
            return status == ResultStatus.OK
                    ? compare(roundTripNs)
                    : result(ProbeOutcome.REFUSED, roundTripNs, "status=" + status);
        }
        if (!client.isConnected()) {
            client.poll(this, FRAGMENT_LIMIT);
            final ProbeResult lost = result(ProbeOutcome.NOT_CONNECTED, 0, "lost: " + client.disconnectCause());
            dropIfOver();
            return lost;
        }
        return result(ProbeOutcome.NO_ANSWER, 0, "timeoutNs=" + settings.timeoutNs());
    }

    private ProbeResult compare(final long roundTripNs) {
        final int[] expected = answers.outputBits(model, question);
        if (expected == null) {
            return answers.learn(model, question, outputBits)
                    ? result(ProbeOutcome.OK, roundTripNs, "learned")
                    : result(ProbeOutcome.UNKNOWN_ANSWER, roundTripNs,
                            "nobody knows the answer of model=" + model.alias() + " version=" + model.version());
        }
        final int other = Arrays.mismatch(expected, outputBits);
        if (other >= 0 && !isOfAnotherVersion()) {
            final ProbeResult wrong = result(ProbeOutcome.WRONG_BITS, roundTripNs, "output=" + other + " expected="
                    + hex(expected, other) + " actual=" + hex(outputBits, other));
            close();
            return wrong;
        }
        return roundTripNs > settings.lateNs()
                ? result(ProbeOutcome.LATE, roundTripNs, "lateNs=" + settings.lateNs())
                : result(ProbeOutcome.OK, roundTripNs, "");
    }

    /** Whether the session is with another version than was thought; then that one is what is expected from here on. */
    private boolean isOfAnotherVersion() {
        for (final String version : answers.otherVersions(model)) {
            final ModelInfo other = new ModelInfo(model.modelId(), model.alias(), model.featureCount(),
                    model.outputCount(), version, model.vocabularySize(), model.contextTokens());
            if (Arrays.equals(answers.outputBits(other, question), outputBits)) {
                model = other;
                return true;
            }
        }
        return false;
    }

    private ProbeResult result(final ProbeOutcome outcome, final long roundTripNs, final String detail) {
        return new ProbeResult(outcome, model.alias(),
                model.version().substring(0, Math.min(VERSION_DIGITS, model.version().length())), roundTripNs,
                roundTripNs == 0 ? 0 : applianceNs, detail);
    }

    private void dropIfOver() {
        if (!client.isConnected()) {
            close();
        }
    }

    private static String hex(final int[] bits, final int index) {
        return index < bits.length ? HexFormat.of().toHexDigits(bits[index]) : "none";
    }
}
