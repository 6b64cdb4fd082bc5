package io.tiercel.appliance;

import io.aeron.Aeron;
import io.tiercel.appliance.SimulatedPrincipal.Answer;
import io.tiercel.appliance.SimulatedPrincipal.Request;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.VersionsDecoder;
import org.agrona.DirectBuffer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * An administrator: comes and goes, with or without a word, and gives commands while clients work, not waiting for the
 * answer to one before it gives another. It gives none a second time: one that is not answered may have been applied.
 *
 * <p>{@link #act} is one moment of its life.
 */
final class SimulatedAdministrator implements SimulatedConnection.Owner, AutoCloseable {

    private static final int POLL_LIMIT = 4;
    private static final int COMMAND_ACTS = 40;
    private static final int LEAVE_ACTS = 1_500;
    private static final int HEARTBEAT_ACTS = 100;

    private final int index;
    private final SimulatedPrincipal principal;
    private final SimulatedCommands commands;
    private final SimulationCheck check;
    private final SimulationTrace trace;
    private final SplittableRandom random;
    private final SimulatedConnection connection;
    private final Deque<Request> unsent = new ArrayDeque<>();
    private final Map<Long, Request> unanswered = new HashMap<>();
    private boolean isCalm;
    /** What is heard may be from an appliance that is dead. */
    private boolean isBehind;
    private long lastSequence = -1;

    SimulatedAdministrator(
            final int index,
            final Aeron aeron,
            final SimulatedPrincipal principal,
            final SimulatedCommands commands,
            final SimulationCheck check,
            final SimulationTrace trace,
            final SplittableRandom random) {
        this.index = index;
        this.principal = principal;
        this.commands = commands;
        this.check = check;
        this.trace = trace;
        this.random = random;
        connection = new SimulatedConnection(index, SimulationPlan.ADMIN_STREAM, aeron, principal, check, this);
    }

    /** Whatever comes next to its mind. */
    void act() {
        connection.act(isCalm, random);
    }

    /** Another life of the appliance begins. */
    void onStart() {
        isBehind = connection.state() != SimulatedConnection.State.AWAY;
    }

    /** From here on it only listens. */
    void calm() {
        isCalm = true;
    }

    /** It does as it likes again. */
    void goOn() {
        isCalm = false;
    }

    /** It dies with the machine. */
    void lose() {
        connection.lose();
    }

    /** Whether it is connected, and every command that it has given is answered. */
    boolean isContent() {
        return connection.state() == SimulatedConnection.State.OPEN && unsent.isEmpty() && unanswered.isEmpty();
    }

    @Override
    public String toString() {
        return "administrator=" + index + " " + connection + " unanswered=" + unanswered.keySet();
    }

    @Override
    public void close() {
        connection.close();
    }

    @Override
    public void talk() {
        connection.poll(POLL_LIMIT);
        if (connection.isLost()) {
            leave("lost");
            return;
        }
        if (!isCalm && random.nextInt(LEAVE_ACTS) == 0) {
            if (random.nextBoolean()) {
                connection.goodbye();
            }
            leave("goes");
            return;
        }
        if (random.nextInt(HEARTBEAT_ACTS) == 0) {
            connection.heartbeat(0);
        }
        if (!isCalm && unsent.isEmpty() && random.nextInt(COMMAND_ACTS) == 0) {
            unsent.addAll(commands.next(principal));
        }
        send();
    }

    private void send() {
        final Request request = unsent.peek();
        if (request != null && connection.offer(request.frame)) {
            unsent.remove();
            request.sentCount++;
            unanswered.put(request.correlationId, request);
            trace.say(toId(request) + " says " + request.command);
        }
    }

    @Override
    public void leave(final String why) {
        trace.say("administrator=" + index + " is away: " + why + " unanswered=" + unanswered.size());
        connection.leave();
        unsent.clear();
        unanswered.clear();
        isBehind = false;
        lastSequence = -1;
    }

    @Override
    public void onWelcome() {
        trace.count(SimulationEvent.ADMINISTRATORS_WELCOMED);
        trace.say("administrator=" + index + " is welcome");
    }

    @Override
    public void onFrame(final MessageHeaderDecoder header, final DirectBuffer buffer, final int offset) {
        switch (header.templateId()) {
            case RejectDecoder.TEMPLATE_ID -> onReject(new RejectDecoder().wrapAndApplyHeader(buffer, offset, header));
            case ResultDecoder.TEMPLATE_ID -> onResult(new ResultDecoder().wrapAndApplyHeader(buffer, offset, header));
            case VersionsDecoder.TEMPLATE_ID ->
                    onVersions(new VersionsDecoder().wrapAndApplyHeader(buffer, offset, header));
            default -> throw new AssertionError("templateId=" + header.templateId());
        }
    }

    private void onReject(final RejectDecoder reject) {
        final Request request = takeAnswered(reject.correlationId());
        final RejectCode code = reject.code();
        trace.count(SimulationEvent.COMMANDS_REFUSED);
        trace.say(toId(request) + " hears code=" + code);
        if (code == RejectCode.VERSION_LOADED) {
            commands.onLoaded(request);
        }
        check.onRefusal(request, code);
        request.onRefused(code);
    }

    private void onResult(final ResultDecoder result) {
        final Request request = takeAnswered(result.correlationId());
        final long sequence = result.sequence();
        trace.count(switch (request.command) {
            case LOAD -> SimulationEvent.VERSIONS_LOADED;
            case ROUTE -> SimulationEvent.ROUTES_CHANGED;
            case PROMOTE -> SimulationEvent.VERSIONS_PROMOTED;
            case ROLL_BACK -> SimulationEvent.ROUTES_ROLLED_BACK;
            case DRAIN -> SimulationEvent.VERSIONS_DRAINED;
            case SNAPSHOT -> SimulationEvent.SNAPSHOTS_COMMANDED;
            default -> throw new AssertionError("applied: " + request.command);
        });
        trace.say(toId(request) + " hears sequence=" + sequence + " " + result.status());
        if (request.command == AdminCommand.LOAD) {
            commands.onLoaded(request);
        }
        check.that(sequence > lastSequence, () -> "an answer behind a later one: sequence=" + sequence);
        lastSequence = sequence;
        check.onAnswer(principal, request, new Answer(sequence, result.status(), new byte[result.outputsLength()],
                result.flags().sessionBegan()));
    }

    private void onVersions(final VersionsDecoder versions) {
        final Request request = takeAnswered(versions.correlationId());
        check.that(request.command == AdminCommand.VERSIONS, () -> "nobody asked for them: " + toId(request));
        final long sequence = versions.sequence();
        final List<SimulationCheck.Version> told = new ArrayList<>();
        for (final VersionsDecoder.ServedDecoder served : versions.served()) {
            final byte[] version = new byte[VersionsDecoder.ServedDecoder.modelVersionLength()];
            served.getModelVersion(version, 0, version.length);
            told.add(new SimulationCheck.Version(served.modelId(), version, served.weight(), served.formerWeight(),
                    served.flags().drained(), (int) served.sessionCount()));
        }
        trace.count(SimulationEvent.VERSIONS_TOLD);
        trace.say(toId(request) + " hears of versions=" + told.size() + " sequence=" + sequence);
        // What is told of need not be in the journal, and of one that is dead may never be.
        if (!isBehind) {
            check.onVersions(sequence, told);
        }
    }

    private Request takeAnswered(final long correlationId) {
        final Request request = unanswered.remove(correlationId);
        check.that(request != null, () -> "an answer that nobody waits for: id=" + correlationId + " " + this);
        return request;
    }

    private String toId(final Request request) {
        return "administrator=" + index + " id=" + request.correlationId;
    }
}
