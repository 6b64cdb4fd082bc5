package io.tiercel.appliance.session;

import com.lmax.disruptor.Sequence;
import io.tiercel.protocol.wire.RejectCode;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.OneToOneConcurrentArrayQueue;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;

/**
 * What ingress tells egress about clients, outside the ring of requests: only egress writes to a client, so a
 * welcome, a reject, a returned heartbeat or an answer that is asked for again goes through here. One writing thread,
 * one reading thread (they may be the same); allocates nothing. Commands of one client keep their order.
 *
 * <pre>
 *   0               4               8              16              24              32      34      36      40
 *  +---------------+---------------+---------------+---------------+---------------+-------+-------+-------+
 *  | client index  | generation    | first         | second        | third         | code  |templt.|detail |
 *  +---------------+---------------+---------------+---------------+---------------+-------+-------+-------+
 * </pre>
 */
public final class ClientCommands {

    /** Reads one command. */
    @FunctionalInterface
    public interface Handler {
        /**
         * @param type          one of this class's constants.
         * @param clientIndex   whose command.
         * @param generation    of the client, so that a late command does not reach the next user of the place.
         * @param first         nonce of an open, timestamp of a heartbeat, correlation id of a reject, a repeat or what
         *                      is cancelled.
         * @param second        offending value of a reject, sequence of a repeat or of the last token's request.
         * @param third         allowed value of a reject, position of a repeat's answer, session that is cancelled.
         * @param code          of a reject, the reason of a goodbye, the generation of a repeat.
         * @param templateId    of the refused or repeated frame; model of what is cancelled.
         * @param detail        checksum of a repeated frame; step that a reject for a token is about.
         */
        void onCommand(
                int type,
                int clientIndex,
                int generation,
                long first,
                long second,
                long third,
                short code,
                short templateId,
                int detail);
    }

    /**
     * The client's publication is connected and is egress's from now on. The first thing to say there is a welcome,
     * or, with a code, a reject: one command, so that a full queue cannot part them.
     */
    public static final int OPEN = 1;
    public static final int REJECT = 2;
    public static final int HEARTBEAT = 3;
    public static final int GOODBYE = 4;
    /** Close the publication and release the place. */
    public static final int CLOSE = 5;
    /** A request that is known came again: give the client the answer of the first one. */
    public static final int REPEAT = 6;

    /** A generation makes no more tokens, because its client cancelled it. */
    public static final int CANCELLED = 7;

    /** The client's publication is connected and is egress's from now on: ask the client to prove who it is. */
    public static final int CHALLENGE = 8;

    /** The client has proved who it is: say the appliance's proof, and the welcome. */
    public static final int ADMIT = 9;

    /** A frame that ingress has written: the next of those that were handed over with {@link #offerFrame}. */
    public static final int FRAME = 10;

    private static final int MAX_FRAMES = 64;
    private static final int GENERATION_OFFSET = 4;
    private static final int FIRST_OFFSET = 8;
    private static final int SECOND_OFFSET = 16;
    private static final int THIRD_OFFSET = 24;
    private static final int CODE_OFFSET = 32;
    private static final int TEMPLATE_OFFSET = 34;
    private static final int DETAIL_OFFSET = 36;
    private static final int COMMAND_LENGTH = 40;

    private final OneToOneRingBuffer commands;
    /** Few and rare, of any length. */
    private final OneToOneConcurrentArrayQueue<DirectBuffer> frames = new OneToOneConcurrentArrayQueue<>(MAX_FRAMES);
    /** Repeats written, by ingress (release), and read, by egress. */
    private final Sequence offeredRepeatCount = new Sequence(0);
    private long readRepeatCount;
    private final MessageHandler messageHandler = this::onMessage;
    private Handler handler;

    /**
     * @param capacityBytes a power of two. A full queue holds ingress back until egress has read.
     */
    public ClientCommands(final int capacityBytes) {
        commands = new OneToOneRingBuffer(new UnsafeBuffer(
                BufferUtil.allocateDirectAligned(capacityBytes + RingBufferDescriptor.TRAILER_LENGTH, 64)));
    }

    /** Writes a command; false if the queue is full and nothing was written. */
    public boolean offer(
            final int type,
            final ClientConnection client,
            final long first,
            final long second,
            final long third,
            final short code,
            final short templateId) {
        return offer(type, client, first, second, third, code, templateId, 0);
    }

    /** Writes a command without a code. */
    public boolean offer(final int type, final ClientConnection client, final long first) {
        return offer(type, client, first, 0, 0, (short) 0, (short) 0);
    }

    /** A reject for a token of a request; false if the queue is full and nothing was written. */
    public boolean offerTokenReject(
            final ClientConnection client,
            final int templateId,
            final long correlationId,
            final int step,
            final long token,
            final int vocabularySize) {
        return offer(REJECT, client, correlationId, token, vocabularySize,
                (short) RejectCode.TOKEN_OUT_OF_VOCABULARY.value(), (short) templateId, step);
    }

    /**
     * Asks for the answer of a known request; false if the queue is full and nothing was written.
     *
     * @param generationIndex of the generation that it is a part of, or -1.
     */
    public boolean offerRepeat(
            final ClientConnection client,
            final long correlationId,
            final long sequence,
            final long position,
            final short templateId,
            final int checksum,
            final int generationIndex) {
        final boolean isOffered = offer(
                REPEAT, client, correlationId, sequence, position, (short) generationIndex, templateId, checksum);
        if (isOffered) {
            offeredRepeatCount.set(offeredRepeatCount.get() + 1);
        }
        return isOffered;
    }

    /**
     * Hands over a frame that is written already; false if a queue is full and nothing was handed over.
     *
     * @param frame not to be touched any more.
     */
    public boolean offerFrame(final ClientConnection client, final DirectBuffer frame) {
        if (frames.size() == frames.capacity() || !offer(FRAME, client, 0)) {
            return false;
        }
        return frames.offer(frame);
    }

    /**
     * Egress: the frame of the {@link #FRAME} command at hand, whether or not its client is still there. Ingress hands
     * it over with its next instructions after the command.
     */
    public DirectBuffer takeFrame() {
        DirectBuffer frame = frames.poll();
        while (frame == null) {
            Thread.onSpinWait();
            frame = frames.poll();
        }
        return frame;
    }

    /**
     * Egress: repeats that ingress has offered, at least those before any request of which egress has seen the
     * sequence. The load (acquire) has the release of {@link #offerRepeat} as its partner.
     */
    public long offeredRepeatCount() {
        return offeredRepeatCount.get();
    }

    /** Egress: repeats that it has read. */
    public long readRepeatCount() {
        return readRepeatCount;
    }

    private boolean offer(
            final int type,
            final ClientConnection client,
            final long first,
            final long second,
            final long third,
            final short code,
            final short templateId,
            final int detail) {
        final int index = commands.tryClaim(type, COMMAND_LENGTH);
        if (index < 0) {
            return false;
        }
        final AtomicBuffer buffer = commands.buffer();
        buffer.putInt(index, client.index);
        buffer.putInt(index + GENERATION_OFFSET, client.generation);
        buffer.putLong(index + FIRST_OFFSET, first);
        buffer.putLong(index + SECOND_OFFSET, second);
        buffer.putLong(index + THIRD_OFFSET, third);
        buffer.putShort(index + CODE_OFFSET, code);
        buffer.putShort(index + TEMPLATE_OFFSET, templateId);
        buffer.putInt(index + DETAIL_OFFSET, detail);
        commands.commit(index);
        return true;
    }

    /** Reads up to {@code limit} commands, in order. */
    public int poll(final Handler commandHandler, final int limit) {
        handler = commandHandler;
        return commands.read(messageHandler, limit);
    }

    /** Whether all that was written has been read and acted upon. Any thread. */
    public boolean isEmpty() {
        return commands.size() == 0;
    }

    private void onMessage(final int type, final MutableDirectBuffer buffer, final int index,
            final int length) {
        if (type == REPEAT) {
            readRepeatCount++;
        }
        handler.onCommand(
                type,
                buffer.getInt(index),
                buffer.getInt(index + GENERATION_OFFSET),
                buffer.getLong(index + FIRST_OFFSET),
                buffer.getLong(index + SECOND_OFFSET),
                buffer.getLong(index + THIRD_OFFSET),
                buffer.getShort(index + CODE_OFFSET),
                buffer.getShort(index + TEMPLATE_OFFSET),
                buffer.getInt(index + DETAIL_OFFSET));
    }
}
