package io.tiercel.appliance.config;

/** How far a misspelt word is from one that was meant. */
final class EditDistance {

    private EditDistance() {
    }

    /** Insertions, deletions and replacements of characters that make one word the other (Levenshtein). */
    static int between(final String left, final String right) {
        int[] previous = new int[right.length() + 1];
        int[] current = new int[right.length() + 1];
        for (int column = 0; column <= right.length(); column++) {
            previous[column] = column;
        }
        for (int row = 1; row <= left.length(); row++) {
            current[0] = row;
            for (int column = 1; column <= right.length(); column++) {
                final int replaced = previous[column - 1] + (left.charAt(row - 1) == right.charAt(column - 1) ? 0 : 1);
                current[column] = Math.min(replaced, 1 + Math.min(previous[column], current[column - 1]));
            }
            final int[] finished = current;
            current = previous;
            previous = finished;
        }
        return previous[right.length()];
    }
}
