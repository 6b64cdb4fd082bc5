package io.tiercel.tools.load;

import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.tools.ToolException;
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
            throw ToolException.badArgument("--features=tape has features, but " + model.alias() + " takes tokens");
        }
        final MarketFeed feed = MarketFeed.open(MarketFeed.BITSTAMP, plan.sessions(), 0);
        if (feed.featureCount() != model.featureCount()) {
            throw ToolException.badArgument("--features=tape has " + feed.featureCount() + " features a trade, but "
                    + model.alias() + " takes " + model.featureCount());
        }
        return new FeedRequests(feed);
    }
}
