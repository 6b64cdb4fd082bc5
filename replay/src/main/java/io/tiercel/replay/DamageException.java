package io.tiercel.replay;

/** Carries {@link Damage} from where it is met to where it is reported. */
public final class DamageException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient Damage damage;

    DamageException(final Damage damage, final Throwable cause) {
        super(damage.toString(), cause);
        this.damage = damage;
    }

    DamageException(final DamageKind kind, final String queue, final long sequence, final String detail) {
        this(new Damage(kind, queue, sequence, detail), null);
    }

    public Damage damage() {
        return damage;
    }
}
