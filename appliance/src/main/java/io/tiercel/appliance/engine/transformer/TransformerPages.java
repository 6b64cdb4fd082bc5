package io.tiercel.appliance.engine.transformer;

import io.tiercel.appliance.engine.StatePages;
import org.agrona.UnsafeApi;

/** Pages of 128 coded tokens. */
final class TransformerPages extends StatePages {

    private final TransformerShape shape;

    TransformerPages(final TransformerShape shape, final TransformerStateLayout layout) {
        super(layout.pages(), layout.pageBytes(), layout.pagesOffset(), layout.tableOffset());
        this.shape = shape;
    }

    /** Each slot holds a token, and the next one that is coded goes to another page. */
    @Override
    public boolean isFull(final long stateAddress, final int page) {
        final long coded = Math.max(0, UnsafeApi.getLong(stateAddress + TransformerStateLayout.CODED_OFFSET) -
                shape.sinks());
        final int next = (int) (coded % shape.codedTokens());
        final int first = page * TransformerStateLayout.PAGE_SLOTS;
        final int end = Math.min(first + TransformerStateLayout.PAGE_SLOTS, shape.codedTokens());
        return next >= end || coded >= shape.codedTokens() && next < first;
    }
}
