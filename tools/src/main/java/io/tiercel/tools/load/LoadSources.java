package io.tiercel.tools.load;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.tools.CommittedModels;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.market.EventFeed;
import io.tiercel.tools.market.EventVocabulary;
import io.tiercel.tools.market.MarketFeed;

/** Chooses what a load run sends. */
final class LoadSources {

    private LoadSources() {
    }

    static RequestSource of(final LoadPlan plan, final ModelInfo model) {
        return plan.isTape()
                ? tape(plan, model)
                : new RandomRequests(model.featureCount(), model.vocabularySize(), plan.sessions(), plan.seed());
    }

    private static RequestSource tape(final LoadPlan plan, final ModelInfo model) {
        if (model.hasTokens()) {
            return new FeedRequests(EventFeed.open(MarketFeed.BITSTAMP, plan.sessions(), 0, vocabulary(model)));
        }
        final MarketFeed feed = MarketFeed.open(MarketFeed.BITSTAMP, plan.sessions(), 0);
        if (feed.featureCount() != model.featureCount()) {
            throw ToolException.badArgument("--features=tape has " + feed.featureCount() + " features a trade, but "
                    + model.alias() + " takes " + model.featureCount());
        }
        return new FeedRequests(feed);
    }

    /** The wire does not say what tokens stand for, so the tape is for the one model that is known here. */
    private static EventVocabulary vocabulary(final ModelInfo model) {
        final Bundle known = CommittedModels.open(CommittedModels.BITSTAMP_EVENTS);
        if (!known.versionHex().equals(model.version())) {
            throw ToolException.badArgument("--features=tape has tokens for " + known.path().getFileName() +
                    " only, and " + model.alias() + " is another model of tokens");
        }
        return EventVocabulary.ofBundle(known);
    }
}
