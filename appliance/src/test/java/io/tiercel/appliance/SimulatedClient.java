package io.tiercel.appliance;

import io.aeron.Aeron;
import io.tiercel.appliance.SimulatedPrincipal.Answer;
import io.tiercel.appliance.SimulatedPrincipal.Request;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.CancelGenerationEncoder;
import io.tiercel.protocol.wire.ChunkDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.DirectBuffer;
import org.agrona.ExpandableArrayBuffer;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A client behind a bad network: it comes and goes, with or without a word, sends whatever a client may send, reads
 * when it feels like it, and its frames are doubled, delayed past later ones, or lost. Checks each answer as it comes.
 *
 * <p>{@link #act} is one moment of its life. It knows of its connection only what a client can know.
 */
final class SimulatedClient implements SimulatedConnection.Owner, AutoCloseable {

    private static final int MAX_DEAF_OUTSTANDING = 600;
    private static final int POLL_LIMIT = 16;
    private static final int MAX_NEWEST = 100;
    private static final int MAX_PAUSE_ACTS = 300;
    private static final int HEARTBEAT_ACTS = 100;

    /** A frame on its way through the network, for so many more acts. */
    private static final class Delayed {
        private final Request request;
        private int actsLeft;

        private Delayed(final Request request, final int actsLeft) {
            this.request = request;
            this.actsLeft = actsLeft;
        }
    }

    private final int index;
    private final boolean isRetrying;
    private final SimulatedConnection connection;
    private final SimulatedPrincipal principal;
    private final SimulatedTraffic traffic;
    private final SimulationCheck check;
    private final SimulationTrace trace;
    private final SplittableRandom random;
    private final int sendPercent;
    private final int readPercent;
    private final int faultPercent;
    private final int maxOutstanding;
    private final List<Delayed> network = new ArrayList<>();
    /** What it asked for and has no answer to, in the order in which it asked. */
    private final Set<Request> unanswered = new LinkedHashSet<>();
    private final List<Request> newest = new ArrayList<>();
    /** Copies that were sent on this connection and have no answer, by correlation id. */
    private final Map<Long, Integer> outstanding = new HashMap<>();
    private final Map<Long, ByteArrayOutputStream> chunks = new HashMap<>();
    /** Of those, whose session began with them. */
    private final Set<Long> begun = new HashSet<>();
    private final ExpandableArrayBuffer frame = new ExpandableArrayBuffer();
    private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
    private boolean isDeaf;
    private boolean isCalm;
    private boolean hasAskedLast;
    private int outstandingCount;
    /** Who is refused holds back, now and then. */
    private int pausedActs;
    private long lastSequence = -1;

    /** @param isRetrying whether it sends again what it has no answer to, and now and then what it has one to. */
    SimulatedClient(
            final int index,
            final boolean isRetrying,
            final Aeron aeron,
            final SimulatedPrincipal principal,
            final SimulatedTraffic traffic,
            final SimulationCheck check,
            final SimulationTrace trace,
            final SplittableRandom random) {
        this.index = index;
        this.isRetrying = isRetrying;
        this.principal = principal;
        this.traffic = traffic;
        this.check = check;
        this.trace = trace;
        this.random = random;
        sendPercent = 2 + random.nextInt(60);
        readPercent = 10 + random.nextInt(91);
        faultPercent = random.nextInt(3) == 0 ? 0 : random.nextInt(20);
        maxOutstanding = 1 + random.nextInt(40);
        connection = new SimulatedConnection(
                index, SimulationPlan.REQUEST_STREAM, aeron, principal, check, this);
    }

    /** Whatever comes next to its mind. */
    void act() {
        connection.act(isCalm, random);
    }

    /** From here on it wants one more answer besides those that it waits for, over a network that does not fail. */
    void calm() {
        isCalm = true;
        isDeaf = false;
        hasAskedLast = false;
    }

    /** It does as it likes again. */
    void goOn() {
        isCalm = false;
    }

    /** It dies with the machine, and has heard no more than it has read. */
    void lose() {
        connection.lose();
    }

    /** Whether it is connected, and every frame that it has sent is answered, its last one too. */
    boolean isContent() {
        return connection.state() == SimulatedConnection.State.OPEN && hasAskedLast && network.isEmpty()
                && outstanding.isEmpty();
    }

    @Override
    public String toString() {
        return "client=" + index + " " + connection + " outstanding=" + outstanding.keySet();
    }

    @Override
    public void close() {
        connection.close();
    }

    @Override
    public void talk() {
        if (!isDeaf && (isCalm || random.nextInt(100) < readPercent)) {
            connection.poll(POLL_LIMIT);
        }
        if (connection.isLost()) {
            leave("lost");
            return;
        }
        passNetwork();
        if (!isCalm) {
            fancy();
        } else if (!hasAskedLast) {
            hasAskedLast = true;
            ask();
        } else if (random.nextInt(HEARTBEAT_ACTS) == 0) {
            // Or its silence would end the connection, and an answer that never comes would be forgotten with it.
            connection.heartbeat(outstandingCount);
        }
    }

    private void fancy() {
        switch (random.nextInt(3_000)) {
            case 0 -> {
                trace.count(SimulationEvent.VANISHES);
                leave("vanishes");
            }
            case 1 -> {
                trace.count(SimulationEvent.GOODBYES);
                connection.goodbye();
                leave("goodbye");
            }
            case 2, 3 -> isDeaf = true;
            case 4, 5, 6, 7, 8, 9 -> isDeaf = false;
            case 10, 11, 12 -> connection.heartbeat(outstandingCount);
            case 21, 22, 23, 24, 25, 26 -> cancel();
            case 13, 14, 15, 16, 17, 18, 19, 20 -> {
                if (isRetrying && !newest.isEmpty()) {
                    trace.count(SimulationEvent.REQUESTS_REPEATED);
                    // Mostly one that may still be under way, or is about to leave the retry window.
                    final int bound = Math.min(newest.size(), 4 << 2 * random.nextInt(4));
                    send(newest.get(newest.size() - 1 - random.nextInt(bound)));
                }
            }
            default -> {
                if (--pausedActs < 0 && random.nextInt(100) < sendPercent &&
                        outstandingCount < (isDeaf ? MAX_DEAF_OUTSTANDING : maxOutstanding)) {
                    ask();
                }
            }
        }
    }

    /** Perhaps of a generation. */
    private void cancel() {
        if (!newest.isEmpty()) {
            trace.count(SimulationEvent.CANCELS);
            new CancelGenerationEncoder().wrapAndApplyHeader(frame, 0, headerEncoder)
                    .correlationId(newest.get(random.nextInt(newest.size())).correlationId);
            connection.offer(frame, Frames.CANCEL_GENERATION_LENGTH);
        }
    }

    private void ask() {
        final Request request = traffic.next(principal);
        trace.count(SimulationEvent.REQUESTS_SENT);
        if (request.isBad) {
            trace.count(SimulationEvent.BAD_FRAMES);
        }
        principal.add(request);
        unanswered.add(request);
        newest.add(request);
        if (newest.size() > MAX_NEWEST) {
            newest.remove(0);
        }
        send(request);
    }

    private void send(final Request request) {
        if (isCalm || random.nextInt(100) >= faultPercent) {
            network.add(new Delayed(request, 0));
            return;
        }
        switch (random.nextInt(3)) {
            case 0 -> {
                trace.count(SimulationEvent.FRAMES_DOUBLED);
                network.add(new Delayed(request, 0));
                network.add(new Delayed(request, random.nextInt(20)));
            }
            case 1 -> {
                trace.count(SimulationEvent.FRAMES_DELAYED);
                network.add(new Delayed(request, 1 + random.nextInt(20)));
            }
            default -> trace.count(SimulationEvent.FRAMES_LOST);
        }
    }

    /** Frames that are due go out, in the order in which they came; the others wait, and may be overtaken. */
    private void passNetwork() {
        final Iterator<Delayed> frames = network.iterator();
        while (frames.hasNext()) {
            final Delayed delayed = frames.next();
            if (delayed.actsLeft-- <= 0 && offer(delayed.request)) {
                frames.remove();
            }
        }
    }

    private boolean offer(final Request request) {
        if (!connection.offer(request.frame)) {
            return false;
        }
        request.sentCount++;
        outstanding.merge(request.correlationId, 1, Integer::sum);
        outstandingCount++;
        trace.say("client=" + index + " asks id=" + request.correlationId);
        return true;
    }

    @Override
    public void leave(final String why) {
        trace.say("client=" + index + " is away: " + why + " unanswered=" + outstandingCount);
        connection.leave();
        network.clear();
        outstanding.clear();
        chunks.clear();
        begun.clear();
        outstandingCount = 0;
        lastSequence = -1;
        isDeaf = false;
    }

    @Override
    public void onFrame(final MessageHeaderDecoder header, final DirectBuffer buffer, final int offset) {
        switch (header.templateId()) {
            case RejectDecoder.TEMPLATE_ID -> onReject(new RejectDecoder().wrapAndApplyHeader(buffer, offset, header));
            case ResultDecoder.TEMPLATE_ID -> onResult(new ResultDecoder().wrapAndApplyHeader(buffer, offset, header));
            case ChunkDecoder.TEMPLATE_ID -> onChunk(new ChunkDecoder().wrapAndApplyHeader(buffer, offset, header));
            default -> throw new AssertionError("templateId=" + header.templateId());
        }
    }

    @Override
    public void onWelcome() {
        trace.count(SimulationEvent.CONNECTS);
        trace.say("client=" + index + " is welcome principal=" + principal.name());
        if (isRetrying) {
            trace.count(SimulationEvent.REQUESTS_REPEATED, unanswered.size());
            unanswered.forEach(request -> network.add(new Delayed(request, 0)));
        } else {
            unanswered.clear();
        }
    }

    private void onReject(final RejectDecoder reject) {
        final RejectCode code = reject.code();
        final Request request = takeAnswered(reject.correlationId());
        trace.count(SimulationEvent.REJECTS);
        trace.say("client=" + index + " hears id=" + request.correlationId + " code=" + code);
        check.onRefusal(request, code);
        pausedActs = random.nextInt(4) == 0 ? random.nextInt(MAX_PAUSE_ACTS) : 0;
        request.onRefused(code);
    }

    private void onChunk(final ChunkDecoder chunk) {
        if (principal.find(chunk.correlationId()).maxTokens > 0) {
            onToken(chunk);
            return;
        }
        final ByteArrayOutputStream outputs =
                chunks.computeIfAbsent(chunk.sequence(), sequence -> new ByteArrayOutputStream());
        final byte[] bytes = new byte[chunk.outputsLength()];
        final long stepIndex = chunk.stepIndex();
        check.that(stepIndex * bytes.length == outputs.size(), () -> "a chunk out of turn: stepIndex=" + stepIndex);
        if (chunk.flags().sessionBegan()) {
            check.that(stepIndex == 0, () -> "a session began at stepIndex=" + stepIndex);
            begun.add(chunk.sequence());
        }
        chunk.getOutputs(bytes, 0, bytes.length);
        outputs.writeBytes(bytes);
    }

    /** Two copies of one request may be answered at the same time, so a token's place among others says nothing. */
    private void onToken(final ChunkDecoder chunk) {
        final byte[] bytes = new byte[chunk.outputsLength()];
        final long stepIndex = chunk.stepIndex();
        final Answer answer = new Answer(chunk.sequence(), ResultStatus.OK, bytes, chunk.flags().sessionBegan());
        chunk.getOutputs(bytes, 0, bytes.length);
        trace.say("client=" + index + " hears id=" + chunk.correlationId() + " token=" + stepIndex + " sequence=" +
                chunk.sequence());
        check.onToken(principal, chunk.correlationId() + stepIndex, answer);
    }

    private void onResult(final ResultDecoder result) {
        final Request request = takeAnswered(result.correlationId());
        final ByteArrayOutputStream outputs = chunks.remove(result.sequence());
        final ByteArrayOutputStream all = outputs == null ? new ByteArrayOutputStream() : outputs;
        final long sequence = result.sequence();
        final ResultStatus status = result.status();
        final byte[] bytes = new byte[result.outputsLength()];
        result.getOutputs(bytes, 0, bytes.length);
        all.writeBytes(bytes);
        trace.count(SimulationEvent.RESULTS);
        trace.say("client=" + index + " hears id=" + request.correlationId + " sequence=" + sequence + " " + status);
        if (status != ResultStatus.CANCELLED) {
            check.that(isRetrying || sequence > lastSequence,
                    () -> "an answer behind a later one: sequence=" + sequence);
            lastSequence = sequence;
        }
        final boolean isFirstFrame = outputs == null;
        check.that(isFirstFrame || !result.flags().sessionBegan(), () -> "a session began twice: sequence=" + sequence);
        final boolean hasBegun = isFirstFrame ? result.flags().sessionBegan() : begun.remove(sequence);
        check.onAnswer(principal, request, new Answer(sequence, status, all.toByteArray(), hasBegun));
    }

    private Request takeAnswered(final long correlationId) {
        final Integer copies = outstanding.get(correlationId);
        check.that(copies != null, () -> "an answer that nobody waits for: id=" + correlationId + " " + this);
        if (copies == 1) {
            outstanding.remove(correlationId);
        } else {
            outstanding.put(correlationId, copies - 1);
        }
        outstandingCount--;
        final Request request = principal.find(correlationId);
        unanswered.remove(request);
        return request;
    }
}
