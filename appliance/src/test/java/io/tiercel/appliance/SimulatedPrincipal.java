package io.tiercel.appliance;

import io.tiercel.appliance.access.Principal;
import io.tiercel.appliance.session.Rights;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.Principals;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What a principal has asked for and been told, over all of its connections and all lives of the appliance. Its clients
 * share it, as the processes of one desk share their memory of what they did.
 */
final class SimulatedPrincipal {

    /** A request and what became of it, as far as its client can know. */
    static final class Request {
        final long correlationId;
        final byte[] frame;
        final boolean isStreamed;
        final int stepCount;
        final boolean hasBudget;
        /** It is to be refused, whenever it comes. */
        final boolean isBad;
        /** Of a generation: tokens to make, each with a sequence and an id of its own; else 0. */
        int maxTokens;
        boolean isFork;
        /** Of an administrator; else null. */
        AdminCommand command;
        /** Copies of the frame that went to the appliance, which may have died before it read them. */
        int sentCount;
        /** Copies that were refused: they had no effect. */
        int refusedCount;
        final List<Answer> answers = new ArrayList<>();

        Request(
                final long correlationId,
                final byte[] frame,
                final int stepCount,
                final boolean isStreamed,
                final boolean hasBudget,
                final boolean isBad) {
            this.correlationId = correlationId;
            this.frame = frame;
            this.stepCount = stepCount;
            this.isStreamed = isStreamed;
            this.hasBudget = hasBudget;
            this.isBad = isBad;
        }

        /** A copy was refused. One that may be in the journal all the same does not count as such. */
        void onRefused(final RejectCode code) {
            // A request whose outcome cannot be journaled is refused too, and is in the journal.
            // And so may the first tokens be of a generation that cannot go on.
            if (code != RejectCode.JOURNAL_UNAVAILABLE && maxTokens == 0) {
                refusedCount++;
            }
        }

        /** Of a retry window. */
        int slotCount() {
            return isStreamed ? Math.max(1, stepCount) : 1;
        }
    }

    /** A result as it was heard; of a streamed request the outputs of all steps. */
    record Answer(long sequence, ResultStatus status, byte[] outputs, boolean hasSessionBegun) {

        @Override
        public String toString() {
            return "sequence=" + sequence + " status=" + status + " sessionBegan=" + hasSessionBegun + " outputs=" +
                    HexFormat.of().formatHex(outputs);
        }
    }

    private final String name;
    private final long id;
    /** Null where there are no keys. */
    private final byte[] key;
    private final NavigableMap<Long, Request> requests = new TreeMap<>();
    private long nextCorrelationId = 1;

    SimulatedPrincipal(final String name, final boolean hasKey) {
        this.name = name;
        id = Principals.idOf(name);
        key = hasKey ? new Handshake().nonce(new byte[Handshake.MIN_KEY_LENGTH], id) : null;
    }

    /** As the appliance knows it. */
    Principal entry(final Rights rights) {
        return new Principal(name, List.of(key), rights);
    }

    String name() {
        return name;
    }

    long id() {
        return id;
    }

    /** Null where there are no keys. */
    byte[] key() {
        return key;
    }

    long nextCorrelationId() {
        return nextCorrelationId;
    }

    void add(final Request request) {
        requests.put(request.correlationId, request);
        nextCorrelationId = request.correlationId + Math.max(1, request.maxTokens);
    }

    /** The request of that id, which may be that of one of its tokens; or null. */
    Request find(final long correlationId) {
        final Map.Entry<Long, Request> entry = requests.floorEntry(correlationId);
        return entry == null || correlationId >= entry.getKey() + Math.max(1, entry.getValue().maxTokens)
                ? null
                : entry.getValue();
    }

    Collection<Request> requests() {
        return requests.values();
    }

    /** What was promised of this sequence and later ones does not hold any more. */
    void forgetFrom(final long sequence) {
        requests.values().forEach(request -> request.answers.removeIf(answer -> answer.sequence() >= sequence));
    }
}
