package io.tiercel.tools.kv;

/** How many sessions come to stand where one stands that has been warmed up. */
enum Beginning {
    /** Each takes all tokens of the warm-up. */
    BY_ITSELF("warmed up by itself"),
    /** A copy of the whole state. */
    COPIED("forked, copied"),
    /** As the appliance does: full pages of coded tokens are common to all. */
    SHARED("forked, pages shared");

    private final String title;

    Beginning(final String title) {
        this.title = title;
    }

    String title() {
        return title;
    }
}
