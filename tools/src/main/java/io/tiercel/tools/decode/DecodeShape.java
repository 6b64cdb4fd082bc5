package io.tiercel.tools.decode;

import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.llama.LlamaShape;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A network with random weights whose single steps are measured.
 *
 * @param title  as {@link #parse} takes it.
 * @param window newest tokens of the context that are kept in 8 bits.
 */
record DecodeShape(String title, LlamaShape network, int window) {

    /** LAYERSxDIMENSION/HEADSxSIZE/HIDDEN/VOCABULARY/CONTEXT/WINDOW. */
    static final String DEFAULT = "4x128/2x64/352/512/256/64";

    private static final Pattern FORM =
            Pattern.compile("(\\d{1,7})x(\\d{1,7})/(\\d{1,7})x(\\d{1,7})/(\\d{1,7})/(\\d{1,7})/(\\d{1,7})/(\\d{1,7})");
    /** So that the heap that benchmarks have is enough. */
    private static final long MAX_PARAMETERS = 4_000_000;
    private static final int MAX_CONTEXT = 4_096;
    private static final double ROPE_THETA = 10_000;
    private static final float NORM_EPSILON = 1e-5f;

    /** @throws ToolException if it is none. */
    static DecodeShape parse(final String text) {
        final Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw ToolException.badArgument("--shape=" + text + " is not LAYERSxDIMENSION/HEADSxSIZE/HIDDEN/VOCABULARY/"
                    + "CONTEXT/WINDOW, such as " + DEFAULT);
        }
        final int[] sizes = new int[form.groupCount()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = Integer.parseInt(form.group(i + 1));
        }
        final int context = sizes[6];
        final int window = sizes[7];
        if (context > MAX_CONTEXT || window >= context) {
            throw ToolException.badArgument("--shape=" + text + ": context=" + context + " is not in 1.." + MAX_CONTEXT
                    + " and above window=" + window);
        }
        try {
            final LlamaShape network = new LlamaShape(sizes[1], sizes[0], sizes[2], sizes[2], sizes[3], sizes[4],
                    sizes[5], context, 0, 0, ROPE_THETA, NORM_EPSILON, true);
            if (network.parameterCount() > MAX_PARAMETERS) {
                throw ToolException.badArgument("--shape=" + text + " has parameters=" + network.parameterCount()
                        + ", more than " + MAX_PARAMETERS);
            }
            return new DecodeShape(text, network, window);
        } catch (final IllegalArgumentException ex) {
            throw new ToolException(ExitCode.BAD_ARGUMENTS, "--shape=" + text + ": " + ex.getMessage(),
                    ex);
        }
    }
}
