package io.tiercel.replay;

/**
 * The first thing that stops a journal from being verified.
 *
 * @param queue    {@code requests}, {@code outcomes}, {@code bundles} or {@code snapshots}.
 * @param sequence where it was met; -1 if it has no place in the sequence.
 * @param detail   what was found and what should have been there, as {@code name=value}.
 */
public record Damage(DamageKind kind, String queue, long sequence, String detail) {

    @Override
    public String toString() {
        return kind.words() + " in " + queue + (sequence < 0 ? "" : " at sequence " + sequence) + ": " + detail;
    }
}
