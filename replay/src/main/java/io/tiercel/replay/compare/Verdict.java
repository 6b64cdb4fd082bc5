package io.tiercel.replay.compare;

/** What a comparison comes to. */
public enum Verdict {
    /** Slower, surely and by more than the threshold. */
    SLOWER("slower"),
    /** Faster, surely and by more than the threshold. */
    FASTER("faster"),
    /** Nothing that is both sure and above the threshold. */
    NO_DIFFERENCE("no difference seen"),
    /** The noise hides changes that matter, either way. */
    CANNOT_TELL("cannot tell"),
    /** Not enough blocks of time to say anything. */
    TOO_LITTLE_DATA("too little data");

    private final String text;

    Verdict(final String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
