package io.tiercel.appliance.engine.bundle;

/**
 * How a transformer keeps the keys and values of tokens that have left the window; those in the window, and the first
 * few, are kept in 8 bits, or all of them in 16. Names only: means, scales and codebooks are tensors.
 *
 * @param keys     codes of the keys.
 * @param values   codes of the values.
 * @param rotation of keys, values and queries before they are coded.
 * @param whenFull what happens to a session that has as many tokens as the context holds.
 * @param recentBits of a channel in the window and of the sinks: 8, or 16 if these are the whole context.
 */
public record CacheFormat(Codec keys, Codec values, Rotation rotation, WhenFull whenFull, int recentBits) {

    public CacheFormat {
        if (recentBits != Byte.SIZE && recentBits != Short.SIZE) {
            throw new IllegalArgumentException("recentBits=" + recentBits + " is not 8 or 16");
        }
    }

    /** With a window of 8 bits. */
    public CacheFormat(final Codec keys, final Codec values, final Rotation rotation, final WhenFull whenFull) {
        this(keys, values, rotation, whenFull, Byte.SIZE);
    }

    /** Codes of channels: a number of bits for each channel, or one byte for several channels together. */
    public enum Codec {
        UNIFORM8(8, 1),
        UNIFORM4(4, 1),
        UNIFORM2(2, 1),
        UNIFORM1(1, 1),
        /** A byte for two channels, an index into a codebook of 256 pairs; CQ at 4 bits a channel. */
        COUPLED4(4, 2),
        COUPLED2(2, 4),
        COUPLED1(1, 8);

        private final int bits;
        private final int channels;

        Codec(final int bits, final int channels) {
            this.bits = bits;
            this.channels = channels;
        }

        /** A channel. */
        public int bits() {
            return bits;
        }

        /** That share a code: 1 unless coupled. */
        public int channels() {
            return channels;
        }

        public boolean isCoupled() {
            return channels > 1;
        }

        /** Whether tokens are coded again when they leave the window: not in 8 bits. */
        public boolean hasSteps() {
            return !isCoupled() && bits < Byte.SIZE;
        }

        /** Codes, and so bytes of an unpacked row, for that many channels. */
        public int codeCount(final int channelCount) {
            return channelCount / channels;
        }
    }

    /** Before coding. */
    public enum Rotation {
        NONE,
        /** A Walsh-Hadamard butterfly over the channels of a head, which then have to be a power of two. */
        HADAMARD
    }

    /** Of a session whose context is full. */
    public enum WhenFull {
        /** The oldest token that is no sink makes room: an endless stream. */
        SLIDE,
        /** A further token is refused. */
        REFUSE
    }
}
