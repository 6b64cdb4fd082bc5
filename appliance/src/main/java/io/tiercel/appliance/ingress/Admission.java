package io.tiercel.appliance.ingress;

import io.aeron.Aeron;
import io.aeron.ChannelUri;
import io.aeron.ChannelUriStringBuilder;
import io.aeron.CommonContext;
import io.aeron.ExclusivePublication;
import io.aeron.exceptions.RegistrationException;
import io.aeron.logbuffer.LogBufferDescriptor;
import io.tiercel.appliance.access.Access;
import io.tiercel.appliance.access.Principal;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.ClientCommands;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.appliance.session.ClientConnection.PendingRefusal;
import io.tiercel.appliance.session.ClientConnection.State;
import io.tiercel.appliance.session.Rights;
import io.tiercel.appliance.session.TokenBucket;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.Happenings;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.Principals;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.ProofDecoder;
import io.tiercel.protocol.wire.RejectCode;
import org.agrona.collections.Int2ObjectHashMap;
import org.agrona.collections.IntHashSet;
import org.agrona.concurrent.status.AtomicCounter;

import java.io.File;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Clients coming and going: hello to welcome, silence to goodbye. Part of the ingress thread; the only writer of a
 * {@link ClientConnection}'s place. Allocates when a client comes or goes, and at no other time.
 *
 * <p>A hello that is refused needs a publication too, to say so; a few places beyond the client limit are kept for
 * that. A response channel that is not allowed is never opened: such a client hears nothing and runs into its
 * connect timeout, and a counter says why.
 */
final class Admission {

    private static final int REFUSAL_PLACES = 4;
    /** Of those who have not proved who they are, so that they can take nobody else's. */
    private static final int DENIAL_PLACES = 2;
    /** Aeron takes no fragment that is longer than an eighth of a term. */
    private static final int MAX_REFUSAL_MTU_LENGTH = LogBufferDescriptor.TERM_MIN_LENGTH / 8;
    /** Each costs the media driver a publication. */
    private static final int DENIALS_PER_SECOND = 4;
    private static final int HELLOS_PER_SECOND = 50;
    private static final String ENDPOINT_KEY = CommonContext.ENDPOINT_PARAM_NAME + '=';

    /**
     * What a client may be, from the configuration.
     *
     * @param rights of everybody, where there are no keys.
     */
    record Rules(
            int maxClients,
            List<String> principals,
            Rights rights,
            List<String> responseChannels,
            int responseTermLength,
            int responseMtuLength,
            long connectTimeoutNs,
            long heartbeatTimeoutNs) {
    }

    private final Aeron aeron;
    private final Rules rules;
    private final Access access;
    private final Challenger challenger;
    private final List<LoadedModel> models;
    private final Routes routes;
    private final ClientCommands commands;
    private final ClientConnection[] clients;
    private final Int2ObjectHashMap<ClientConnection> clientBySessionId = new Int2ObjectHashMap<>();
    private final AtomicCounter clientCount;
    private final AtomicCounter welcomedCount;
    private final AtomicCounter goneCount;
    private final AtomicCounter unanswerableCount;
    private final Happenings happenings;
    private final AtomicCounter deniedCount;
    private final AtomicCounter unansweredCount;
    /** Where Aeron has its logs. */
    private final File logDirectory;
    private final TokenBucket denials = new TokenBucket();
    private final Map<String, TokenBucket> hellos = new HashMap<>();
    /** Aeron sessions that have had their try. */
    private final IntHashSet denied = new IntHashSet();
    private Map<String, Principal> known;
    private int busyPlaces;
    /** Of the hello at hand: whether it came on the administrators' stream. */
    private boolean asksToAdminister;

    Admission(final Aeron aeron, final Rules rules, final Access access, final List<LoadedModel> models,
            final Routes routes, final ClientCommands commands, final ClientConnection[] clients,
            final Counters counters) {
        this.aeron = aeron;
        this.rules = rules;
        logDirectory = aeron.context().aeronDirectory();
        this.access = access;
        this.models = models;
        this.routes = routes;
        challenger = access.isOpen() ? null : new Challenger(access.secret());
        known = access.principals();
        denials.begin(DENIALS_PER_SECOND, 0);
        deniedCount = counters.get(CounterId.ACCESS_DENIED);
        unansweredCount = counters.get(CounterId.ACCESS_UNANSWERED);
        this.commands = commands;
        this.clients = clients;
        happenings = counters.happenings();
        clientCount = counters.get(CounterId.CLIENTS);
        welcomedCount = counters.get(CounterId.CLIENTS_WELCOMED);
        goneCount = counters.get(CounterId.CLIENTS_GONE);
        unanswerableCount = counters.get(CounterId.FRAMES_UNANSWERABLE);
    }

    /** Places for the clients of a limit, and for those that are to be told it is reached. */
    static ClientConnection[] places(final int maxClients) {
        final ClientConnection[] places = new ClientConnection[maxClients + REFUSAL_PLACES + DENIAL_PLACES];
        for (int index = 0; index < places.length; index++) {
            places[index] = new ClientConnection(index);
        }
        return places;
    }

    /** The client behind an Aeron session, or null if it has not said hello. */
    ClientConnection find(final int aeronSessionId) {
        return clientBySessionId.get(aeronSessionId);
    }

    /** A first hello, of any version that a refusal can be read in: finds a place, and begins to open the way back. */
    void onHello(
            final int aeronSessionId, final HelloDecoder hello, final int length, final boolean isAdmin,
            final long nowTickNs) {
        asksToAdminister = isAdmin;
        if (access.isOpen()) {
            onHello(aeronSessionId, hello, null, null, freePlace(0, openPlaces()), nowTickNs);
            return;
        }
        if (denied.contains(aeronSessionId)) {
            unansweredCount.incrementRelease();
            return;
        }
        final byte[] frame = new byte[length];
        hello.buffer().getBytes(hello.offset() - Frames.HEADER_LENGTH, frame);
        final Principal principal = known.get(hello.principal());
        hello.sbeRewind();
        final byte[] key = provedKey(aeronSessionId, hello, frame, principal);
        if (key == null) {
            deny(aeronSessionId, hello, nowTickNs);
        } else if (isInTime(principal, nowTickNs)) {
            onHello(aeronSessionId, hello, principal, key, freePlace(0, openPlaces()), nowTickNs);
            final ClientConnection client = clientBySessionId.get(aeronSessionId);
            if (client != null) {
                client.hello = frame;
            }
        } else {
            unansweredCount.incrementRelease();
        }
    }

    private byte[] provedKey(
            final int aeronSessionId, final HelloDecoder hello, final byte[] frame, final Principal principal) {
        final int version = hello.actingVersion();
        if (version < Frames.ACCESS_SINCE_VERSION || version > Frames.VERSION) {
            return null;
        }
        final byte[] proof = new byte[Handshake.PROOF_LENGTH];
        hello.getProof(proof, 0, proof.length);
        return challenger.keyOf(principal, aeronSessionId, frame, proof);
    }

    /** Who has not proved who it is has one try for each connection, and hears about it as long as few do so. */
    private void deny(final int aeronSessionId, final HelloDecoder hello, final long nowTickNs) {
        denied.add(aeronSessionId);
        deniedCount.incrementRelease();
        final ClientConnection client = freePlace(openPlaces(), clients.length);
        if (client == null || !denials.admits(nowTickNs)) {
            unansweredCount.incrementRelease();
            return;
        }
        denials.take();
        onHello(aeronSessionId, hello, null, null, client, nowTickNs);
    }

    /** Only who has the principal's key can use this up. */
    private boolean isInTime(final Principal principal, final long nowTickNs) {
        TokenBucket bucket = hellos.get(principal.name());
        if (bucket == null) {
            bucket = new TokenBucket();
            bucket.begin(HELLOS_PER_SECOND, nowTickNs);
            hellos.put(principal.name(), bucket);
        }
        if (bucket.admits(nowTickNs)) {
            bucket.take();
            return true;
        }
        return false;
    }

    private void onHello(
            final int aeronSessionId, final HelloDecoder hello, final Principal proved, final byte[] key,
            final ClientConnection client, final long nowTickNs) {
        final int version = hello.actingVersion();
        final int streamId = hello.responseStreamId();
        final long nonce = hello.nonce();
        final String principal = hello.principal();
        final String channel = hello.responseChannel();
        final ChannelUriStringBuilder responseChannel = responseChannel(channel, aeronSessionId);
        if (client == null || responseChannel == null) {
            unanswerableCount.incrementRelease();
            return;
        }
        client.state = State.CONNECTING;
        client.generation++;
        client.aeronSessionId = aeronSessionId;
        client.principal = principal;
        client.rights = proved == null ? rules.rights() : proved.rights();
        client.key = key;
        client.nonce = nonce;
        client.connectDeadlineTickNs = nowTickNs + rules.connectTimeoutNs();
        client.lastHeardTickNs = nowTickNs;
        client.rate.begin(client.rights.maxRatePerSecond(), nowTickNs);
        client.version = Math.min(version, Frames.VERSION);
        client.isAdmin = asksToAdminister;
        client.refusal = refusalOf(client, version, principal);
        serve(client);
        client.principalId = client.refusal == null ? Principals.idOf(principal) : 0;
        client.publicationRegistrationId =
                aeron.asyncAddExclusivePublication(withLog(responseChannel, client.refusal != null), streamId);
        clientBySessionId.put(aeronSessionId, client);
        busyPlaces++;
    }

    /**
     * The answer to a challenge.
     *
     * @return whether it has been dealt with; not if egress has to catch up first.
     */
    boolean onProof(final ClientConnection client, final ProofDecoder decoder, final long nowTickNs) {
        final byte[] clientNonce = new byte[Handshake.NONCE_LENGTH];
        decoder.getClientNonce(clientNonce, 0, clientNonce.length);
        final byte[] proof = new byte[Handshake.PROOF_LENGTH];
        decoder.getProof(proof, 0, proof.length);
        client.applianceProof = challenger.answer(client, clientNonce, proof);
        if (client.applianceProof == null) {
            deniedCount.incrementRelease();
            denied.add(client.aeronSessionId);
            commands.offer(ClientCommands.REJECT, client, 0, ProofDecoder.TEMPLATE_ID, 0,
                    (short) RejectCode.ACCESS_DENIED.value(), (short) ProofDecoder.TEMPLATE_ID);
            beginClose(client);
            return true;
        }
        tell(client);
        if (!commands.offer(ClientCommands.ADMIT, client, client.nonce)) {
            return false;
        }
        client.hello = null;
        open(client, nowTickNs);
        return true;
    }

    /** The client says goodbye, or its image is gone. */
    void onGone(final int aeronSessionId, final boolean vanished) {
        if (vanished) {
            denied.remove(aeronSessionId);
        }
        final ClientConnection client = clientBySessionId.get(aeronSessionId);
        if (client != null && client.state != State.CLOSING) {
            if (vanished && client.state == State.OPEN) {
                goneCount.incrementRelease();
            }
            beginClose(client);
        }
    }

    /** One round over the places: connections made, refused or timed out; silence; places given up by egress. */
    int doWork(final long nowTickNs) {
        int work = followPrincipals(nowTickNs);
        if (busyPlaces > 0) {
            for (final ClientConnection client : clients) {
                work += switch (client.state) {
                    case CONNECTING -> pollConnecting(client, nowTickNs);
                    case PROVING -> pollProving(client, nowTickNs);
                    case OPEN -> pollOpen(client, nowTickNs);
                    case CLOSING -> pollClosing(client);
                    default -> 0;
                };
            }
        }
        return work;
    }

    /**
     * Tells every client that the appliance stops; false if it is too early for one of them, or egress has to catch
     * up first.
     *
     * @param answersFirst whether a client with requests on their way is to have their answers before.
     */
    boolean sayGoodbye(final boolean answersFirst) {
        for (final ClientConnection client : clients) {
            if (client.state == State.OPEN) {
                if (answersFirst && client.inFlightCount() > 0) {
                    return false;
                }
                if (!commands.offer(ClientCommands.GOODBYE, client, 0, 0, 0,
                        GoodbyeReason.SHUTTING_DOWN.value(), (short) 0)) {
                    return false;
                }
                beginClose(client);
            }
        }
        return true;
    }

    private PendingRefusal refusalOf(final ClientConnection client, final int version, final String principal) {
        if (!access.isOpen() && client.index >= openPlaces()) {
            return denial(version);
        }
        if (version > Frames.VERSION) {
            return refusal(RejectCode.UNSUPPORTED_VERSION, version, Frames.VERSION);
        }
        if (client.isAdmin && !client.rights.isAdmin()) {
            return refusal(version < Frames.ADMIN_SINCE_VERSION
                    ? RejectCode.PRINCIPAL_REFUSED
                    : RejectCode.NOT_AN_ADMINISTRATOR, HelloDecoder.TEMPLATE_ID, 0);
        }
        if (client.index >= rules.maxClients()) {
            return refusal(RejectCode.CLIENT_LIMIT, rules.maxClients() + 1L, rules.maxClients());
        }
        if (connectionCount(principal) > client.rights.maxConnections()) {
            return refusal(RejectCode.CLIENT_LIMIT, connectionCount(principal), client.rights.maxConnections());
        }
        if (!Principals.isValid(principal)) {
            return refusal(RejectCode.BAD_HELLO, principal.length(), Principals.MAX_LENGTH);
        }
        if (!rules.principals().isEmpty() && !rules.principals().contains(principal)) {
            return refusal(RejectCode.PRINCIPAL_REFUSED, Principals.idOf(principal), 0);
        }
        return null;
    }

    /** The same for a principal that is not known and for a wrong key. An older version has another word for it. */
    private static PendingRefusal denial(final int version) {
        if (version > Frames.VERSION) {
            return refusal(RejectCode.UNSUPPORTED_VERSION, version, Frames.VERSION);
        }
        return version < Frames.ACCESS_SINCE_VERSION
                ? refusal(RejectCode.PRINCIPAL_REFUSED, 0, 0)
                : refusal(RejectCode.ACCESS_DENIED, HelloDecoder.TEMPLATE_ID, 0);
    }

    /** Of a principal, that of the hello at hand included. */
    private int connectionCount(final String principal) {
        int count = 0;
        for (final ClientConnection client : clients) {
            final boolean isIn = client.state != State.FREE && client.state != State.CLOSING && client.refusal == null;
            count += isIn && principal.equals(client.principal) ? 1 : 0;
        }
        return count;
    }

    private static PendingRefusal refusal(final RejectCode code, final long offendingValue, final long allowedValue) {
        return new PendingRefusal((short) code.value(), offendingValue, allowedValue);
    }

    private ClientConnection freePlace(final int from, final int to) {
        for (int index = from; index < to; index++) {
            if (clients[index].state == State.FREE) {
                return clients[index];
            }
        }
        return null;
    }

    /** Places of those who may be let in, or are to hear why not. */
    private int openPlaces() {
        return rules.maxClients() + REFUSAL_PLACES;
    }

    private void serve(final ClientConnection client) {
        client.served = new boolean[routes.modelCount()];
        for (int modelId = 0; modelId < client.served.length; modelId++) {
            client.served[modelId] = client.canUse(models.get(modelId));
        }
    }

    /** What the welcome, which is next, tells the client: of each model the version that most new sessions come to. */
    private void tell(final ClientConnection client) {
        final int[] told = new int[client.served.length];
        int count = 0;
        for (int modelId = 0; modelId < told.length; modelId++) {
            if (client.served[modelId]) {
                told[count++] = routes.foremost(modelId);
            }
        }
        client.told = Arrays.copyOf(told, count);
    }

    /** When the files of principals have changed: who is not known any more has to go, the others have new rights. */
    private int followPrincipals(final long nowTickNs) {
        if (access.principals() == known) {
            return 0;
        }
        boolean isDone = true;
        final Map<String, Principal> newer = access.principals();
        for (final ClientConnection client : clients) {
            if (client.key != null && client.state != State.FREE && client.state != State.CLOSING) {
                isDone &= follow(client, newer.get(client.principal), nowTickNs);
            }
        }
        if (isDone) {
            known = newer;
            hellos.keySet().retainAll(newer.keySet());
        }
        return 1;
    }

    private boolean follow(final ClientConnection client, final Principal principal, final long nowTickNs) {
        if (principal == null || !principal.hasKey(client.key)) {
            final boolean isSaid = client.state != State.OPEN || commands.offer(ClientCommands.GOODBYE, client, 0, 0,
                    0, GoodbyeReason.ACCESS_REVOKED.value(), (short) 0);
            if (isSaid) {
                beginClose(client);
            }
            return isSaid;
        }
        if (!client.rights.equals(principal.rights())) {
            client.rights = principal.rights();
            client.rate.begin(client.rights.maxRatePerSecond(), nowTickNs);
            serve(client);
        }
        return true;
    }

    /** The channel to answer on, or null if it is not one that the configuration allows. */
    private ChannelUriStringBuilder responseChannel(final String channel, final int aeronSessionId) {
        for (final String allowed : rules.responseChannels()) {
            if (channel.startsWith(allowed)) {
                try {
                    return ourChannel(channel, aeronSessionId);
                } catch (final IllegalArgumentException | IllegalStateException ex) {
                    return null;
                }
            }
        }
        return null;
    }

    /**
     * Only where to send is the client's choice. How is ours: a fragment length or a window from outside could make a
     * claim of egress impossible.
     */
    private static ChannelUriStringBuilder ourChannel(final String channel, final int aeronSessionId) {
        final ChannelUri asked = ChannelUri.parse(channel);
        if (channel.indexOf(ENDPOINT_KEY) != channel.lastIndexOf(ENDPOINT_KEY)) {
            throw new IllegalArgumentException("the allowed endpoint is followed by another one");
        }
        return new ChannelUriStringBuilder()
                .media(asked.media())
                .endpoint(asked.get(CommonContext.ENDPOINT_PARAM_NAME))
                .networkInterface(asked.get(CommonContext.INTERFACE_PARAM_NAME))
                .sessionId(aeronSessionId);
    }

    /**
     * As long as answers need it, or as short as can be where one refusal is all that will ever be said: the driver
     * clears a log as it makes it, which takes its thread a microsecond a page, and on a machine whose memory others
     * want too, twenty. All of it at once, as memory that is not there any more when it is written to ends the process.
     */
    private String withLog(final ChannelUriStringBuilder channel, final boolean isForARefusal) {
        return channel
                .termLength(isForARefusal ? LogBufferDescriptor.TERM_MIN_LENGTH : rules.responseTermLength())
                .mtu(isForARefusal
                        ? Math.min(rules.responseMtuLength(), MAX_REFUSAL_MTU_LENGTH)
                        : rules.responseMtuLength())
                .sparse(false)
                .build();
    }

    private int pollConnecting(final ClientConnection client, final long nowTickNs) {
        if (nowTickNs - client.connectDeadlineTickNs > 0) {
            abandon(client);
            return 1;
        }
        final ExclusivePublication publication;
        try {
            publication = aeron.getExclusivePublication(client.publicationRegistrationId);
        } catch (final RegistrationException ex) {
            forget(client);
            unanswerableCount.incrementRelease();
            return 1;
        }
        if (publication == null || !hasRoom(publication)) {
            return 0;
        }
        client.publication = publication;
        if (client.refusal == null && client.key != null) {
            return challenge(client);
        }
        if (!offerOpen(client)) {
            return 0;
        }
        open(client, nowTickNs);
        if (client.refusal != null) {
            beginClose(client);
        }
        return 1;
    }

    private int challenge(final ClientConnection client) {
        client.applianceNonce = challenger.nextNonce();
        if (!commands.offer(ClientCommands.CHALLENGE, client, client.nonce)) {
            return 0;
        }
        client.state = State.PROVING;
        return 1;
    }

    private void open(final ClientConnection client, final long nowTickNs) {
        client.state = State.OPEN;
        client.lastHeardTickNs = nowTickNs;
        if (client.refusal == null) {
            client.requestPages.forgetIfScarce(logDirectory);
            welcomedCount.incrementRelease();
            clientCount.incrementRelease();
            happenings.tell(EventKind.CLIENT_WELCOMED, client.aeronSessionId, client.principal);
        } else {
            happenings.tell(EventKind.CLIENT_REFUSED, client.refusal.code(), client.principal);
        }
    }

    private int pollProving(final ClientConnection client, final long nowTickNs) {
        if (client.isDropped() || nowTickNs - client.connectDeadlineTickNs > 0) {
            goneCount.incrementRelease();
            beginClose(client);
            return 1;
        }
        return 0;
    }

    /**
     * Connected is not enough: a driver with a thread of its own says so a moment before it gives the publication its
     * first window, and to egress a client without a window is one that does not read.
     */
    private static boolean hasRoom(final ExclusivePublication publication) {
        return publication.isConnected() && publication.availableWindow() > 0;
    }

    private boolean offerOpen(final ClientConnection client) {
        final PendingRefusal refusal = client.refusal;
        tell(client);
        return refusal == null
                ? commands.offer(ClientCommands.OPEN, client, client.nonce)
                : commands.offer(ClientCommands.OPEN, client, 0, refusal.offendingValue(), refusal.allowedValue(),
                        refusal.code(), (short) HelloDecoder.TEMPLATE_ID);
    }

    private int pollOpen(final ClientConnection client, final long nowTickNs) {
        if (client.isDropped()) {
            beginClose(client);
            return 1;
        }
        client.requestPages.touchSome();
        if (nowTickNs - client.lastHeardTickNs > rules.heartbeatTimeoutNs()) {
            if (commands.offer(ClientCommands.GOODBYE, client, 0, 0, 0, GoodbyeReason.IDLE.value(), (short) 0)) {
                goneCount.incrementRelease();
                beginClose(client);
            }
            return 1;
        }
        return 0;
    }

    private int pollClosing(final ClientConnection client) {
        if (client.closeRequested) {
            if (client.isReleased()) {
                forget(client);
                return 1;
            }
            return 0;
        }
        client.closeRequested = commands.offer(ClientCommands.CLOSE, client, 0);
        return 1;
    }

    private void beginClose(final ClientConnection client) {
        if (client.state == State.CONNECTING) {
            abandon(client);
            return;
        }
        if (client.refusal == null && client.state == State.OPEN) {
            clientCount.getAndAddRelease(-1);
            happenings.tell(EventKind.CLIENT_GONE, client.aeronSessionId, client.principal);
        }
        client.state = State.CLOSING;
        client.requestPages.forget();
        client.closeRequested = commands.offer(ClientCommands.CLOSE, client, 0);
    }

    /** Gives up a connection that egress has never heard of. */
    private void abandon(final ClientConnection client) {
        goneCount.incrementRelease();
        aeron.asyncRemovePublication(client.publicationRegistrationId);
        client.publication = null;
        forget(client);
    }

    private void forget(final ClientConnection client) {
        clientBySessionId.remove(client.aeronSessionId);
        client.state = State.FREE;
        client.requestPages.forget();
        client.closeRequested = false;
        client.refusal = null;
        client.key = null;
        client.hello = null;
        busyPlaces--;
    }
}
