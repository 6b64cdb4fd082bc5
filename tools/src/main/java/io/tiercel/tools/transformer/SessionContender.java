package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.bundle.Bundle;
import java.util.function.IntPredicate;
import org.agrona.concurrent.NanoClock;

/** Texts made on the calling thread, in one session, with a draft or without. */
final class SessionContender implements TextContender {

    private final Bundle bundle;
    private final Bundle draftBundle;
    private final int draftCount;
    private final int tokenCount;
    private final IntPredicate isEnd;
    private final NanoClock clock;
    private TransformerSession session;
    private long guessCount;
    private long rightCount;

    /**
     * @param draftBundle of the model that guesses; null where the text's own past does.
     * @param draftCount  guesses a pass at most; 0 for none.
     */
    SessionContender(
            final Bundle bundle, final Bundle draftBundle, final int draftCount, final int tokenCount,
            final IntPredicate isEnd, final NanoClock clock) {
        this.bundle = bundle;
        this.draftBundle = draftBundle;
        this.draftCount = draftCount;
        this.tokenCount = tokenCount;
        this.isEnd = isEnd;
        this.clock = clock;
    }

    @Override
    public String name() {
        return draftCount == 0
                ? "here"
                : "here, draft " + draftCount +
                        (draftBundle == null ? " of the text" : " by " + draftBundle.path().getFileName());
    }

    @Override
    public void begin() {
        session = new TransformerSession(bundle, Backends.select(Backends.AUTO, bundle));
    }

    @Override
    public TimedText make(final int[] prompt, final Sampling sampling) {
        final TimedText text = new TimedText(clock, tokenCount);
        session.reset();
        session.steps(prompt);
        try (Draft draft = newDraft(sampling)) {
            final TokenMaker maker = new TokenMaker(session, sampling, draft, draftCount);
            maker.goOn(prompt, tokenCount, isEnd, text::add);
            guessCount += maker.guessCount();
            rightCount += maker.rightCount();
        }
        return text;
    }

    private Draft newDraft(final Sampling sampling) {
        return draftBundle == null
                ? new NgramDraft()
                : new ModelDraft(draftBundle, Backends.select(Backends.AUTO, draftBundle), session.vocabularySize(),
                        sampling);
    }

    @Override
    public long guessCount() {
        return guessCount;
    }

    @Override
    public long rightCount() {
        return rightCount;
    }

    @Override
    public void end() {
        session.close();
    }
}
