package io.tiercel.tools.access;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.exceptions.RegistrationException;
import io.aeron.logbuffer.Header;
import io.tiercel.protocol.Handshake;
import io.tiercel.protocol.SecretFiles;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.wire.ChallengeDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectDecoder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Knocks at an appliance with bad Hellos, each on a connection of its own, when it is due. A process of its own, so
 * that neither its garbage nor its compiler is in what is measured; one thread that sleeps between two looks.
 *
 * <p>Answers are heard on one subscription for all: whoever is spoken to is spoken to on the stream that his Hello
 * names, under the session id of his own publication.
 */
final class Strangers implements AutoCloseable {

    /** How the line begins that says what has become of those of one command. */
    static final String DONE = "done:";

    static final String READY = "ready";
    static final String NEXT_DOOR = "next-door";

    private static final int RESPONSE_STREAM_ID = 7399;
    /** Small and sparse: the strangers' logs are not to be what fills the machine's memory. */
    private static final String REQUEST_CHANNEL = "aeron:ipc?term-length=64k|sparse=true";
    /** As long as a connection stays to hear an answer, from its Hello on. */
    private static final long STAY_NS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long CONNECT_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(5);
    /** A look for each that is due is enough: each takes a core from somebody, which is not what is asked here. */
    private static final long MAX_PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int FRAGMENT_LIMIT = 64;

    private final StrangersHouse house;
    private final Aeron aeron;
    private final Subscription answers;
    private final FragmentAssembler assembler = new FragmentAssembler(this::onAnswer);
    private final Handshake handshake = new Handshake();
    private final String principal;
    private final byte[] key;
    private final NanoClock clock;
    private final Deque<Attempt> attempts = new ArrayDeque<>();
    private long beganCount;
    private long knockedCount;
    private long unsentCount;
    private long refusedCount;
    private long challengedCount;
    private long letInCount;

    /** One connection: until it is there, and then for a while. */
    private static final class Attempt {
        private final BadHello hello;
        private final long registrationId;
        private final long beganNs;
        private ExclusivePublication publication;
        private boolean hasKnocked;
        private long knockedNs;

        Attempt(final BadHello hello, final long registrationId, final long beganNs) {
            this.hello = hello;
            this.registrationId = registrationId;
            this.beganNs = beganNs;
        }
    }

    Strangers(final StrangersHouse house, final String principal, final byte[] key, final NanoClock clock) {
        this.house = house;
        aeron = house.aeron();
        this.principal = principal;
        this.key = key;
        this.clock = clock;
        answers = aeron.addSubscription(ClientContext.DEFAULT_CHANNEL, RESPONSE_STREAM_ID);
    }

    /**
     * Arguments: directory of the media driver, principal, file of its key, directory for a driver next door. A line
     * {@code COUNT RATE} on standard input is a command, with {@link #NEXT_DOOR} behind it one to knock there; its end
     * ends the process.
     */
    public static void main(final String[] arguments) throws IOException {
        final byte[] key = SecretFiles.readKey(Path.of(arguments[2]));
        System.out.println(READY);
        final BufferedReader commands =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String command = commands.readLine(); command != null; command = commands.readLine()) {
            final String[] words = command.split(" ");
            final boolean isNextDoor = words[words.length - 1].equals(NEXT_DOOR);
            try (StrangersHouse house = isNextDoor
                    ? StrangersHouse.nextDoor(arguments[3])
                    : StrangersHouse.appliance(arguments[0]);
                    Strangers strangers = new Strangers(house, arguments[1], key, SystemNanoClock.INSTANCE)) {
                System.out.println(DONE + ' ' +
                        strangers.knock(Long.parseLong(words[0]), Double.parseDouble(words[1])));
            }
        }
    }

    /** Sends so many bad Hellos, and stays until the last one has had time for an answer. */
    StrangerCounts knock(final long count, final double ratePerSecond) {
        final long startNs = clock.nanoTime();
        final long pauseNs = (long) Math.min(MAX_PAUSE_NS, 1e9 / ratePerSecond);
        while (beganCount < count || !attempts.isEmpty()) {
            final long nowNs = clock.nanoTime();
            while (beganCount < count && nowNs - startNs >= beganCount * 1e9 / ratePerSecond) {
                begin(nowNs);
            }
            advance(nowNs);
            answers.poll(assembler, FRAGMENT_LIMIT);
            house.turn();
            LockSupport.parkNanos(pauseNs);
        }
        return new StrangerCounts(knockedCount, unsentCount, refusedCount, challengedCount, letInCount);
    }

    @Override
    public void close() {
        attempts.forEach(attempt -> CloseHelper.close(attempt.publication));
        answers.close();
    }

    private void begin(final long nowNs) {
        attempts.add(new Attempt(BadHello.of(beganCount),
                aeron.asyncAddExclusivePublication(REQUEST_CHANNEL, ClientContext.DEFAULT_REQUEST_STREAM_ID), nowNs));
        beganCount++;
    }

    private void advance(final long nowNs) {
        final Iterator<Attempt> each = attempts.iterator();
        while (each.hasNext()) {
            final Attempt attempt = each.next();
            if (isOver(attempt, nowNs)) {
                unsentCount += attempt.hasKnocked ? 0 : 1;
                CloseHelper.close(attempt.publication);
                each.remove();
            }
        }
    }

    private boolean isOver(final Attempt attempt, final long nowNs) {
        if (attempt.hasKnocked) {
            return nowNs - attempt.knockedNs > STAY_NS;
        }
        try {
            if (attempt.publication == null) {
                attempt.publication = aeron.getExclusivePublication(attempt.registrationId);
            }
        } catch (final RegistrationException ex) {
            return true;
        }
        if (attempt.publication != null && attempt.publication.isConnected()) {
            knock(attempt, nowNs);
        }
        return !attempt.hasKnocked && nowNs - attempt.beganNs > CONNECT_TIMEOUT_NS;
    }

    private void knock(final Attempt attempt, final long nowNs) {
        final byte[] frame = attempt.hello.frame(handshake, principal, key, attempt.publication.sessionId(),
                ClientContext.DEFAULT_CHANNEL, RESPONSE_STREAM_ID);
        if (attempt.publication.offer(new UnsafeBuffer(frame)) > 0) {
            attempt.hasKnocked = true;
            attempt.knockedNs = nowNs;
            knockedCount++;
        }
    }

    /** In the version of the Hello, whose headers of answers are alike in all. */
    private void onAnswer(final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        final MessageHeaderDecoder header = new MessageHeaderDecoder().wrap(buffer, offset);
        if (header.templateId() == RejectDecoder.TEMPLATE_ID) {
            final RejectCode code = new RejectDecoder().wrapAndApplyHeader(buffer, offset, header).code();
            if (code == RejectCode.ACCESS_DENIED || code == RejectCode.PRINCIPAL_REFUSED) {
                refusedCount++;
                return;
            }
        }
        if (header.templateId() == ChallengeDecoder.TEMPLATE_ID) {
            challengedCount++;
        } else {
            letInCount++;
        }
    }
}
