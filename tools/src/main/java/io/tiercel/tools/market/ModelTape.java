package io.tiercel.tools.market;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.tools.ToolException;

/** A tape as a model takes it: as features, or as the tokens of the model's own vocabulary. */
public final class ModelTape {

    private ModelTape() {
    }

    /**
     * @param input     {@code bitstamp}, or the path of a LOBSTER zip.
     * @param sessions  instruments, or 0 for the default.
     * @param maxEvents events in played order after which it ends; 0 for all.
     * @throws ToolException if the model does not take what the tape gives, or an argument is out of range.
     */
    public static PlayedTape open(
            final Bundle bundle, final String input, final int sessions, final int maxEvents) {
        final Manifest manifest = bundle.manifest();
        final EventVocabulary vocabulary = EventVocabulary.ofBundle(bundle);
        if (vocabulary == null) {
            final MarketFeed feed = MarketFeed.open(input, sessions, maxEvents, manifest.featureNames());
            if (manifest.featureCount() != feed.featureCount()) {
                throw ToolException.badArgument("--model=" + bundle.path() + " takes " + manifest.featureCount()
                        + " features, but " + feed.tapeName() + " gives " + feed.featureCount());
            }
            return feed;
        }
        if (manifest.task() != Task.TOKENS || manifest.cache().whenFull() != WhenFull.SLIDE) {
            throw ToolException.badArgument(
                    "--model=" + bundle.path() + " must predict tokens, and slide when its context is full");
        }
        return EventFeed.open(input, sessions, maxEvents, vocabulary);
    }
}
