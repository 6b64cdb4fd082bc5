package io.tiercel.appliance;

import net.jqwik.api.lifecycle.LifecycleContext;
import net.jqwik.api.lifecycle.SkipExecutionHook;
import org.opentest4j.TestAbortedException;

/**
 * Tests that need to run once for a change, whatever the JDK: of C++ and CUDA, which are the same on any, and of inputs
 * that a seed fixes. Whoever tests on a further JDK says that they run elsewhere, and they say that they do not run: a
 * hook for properties, a call for the others.
 */
public final class RunsOnce implements SkipExecutionHook {

    private static final String SWITCH = "tiercel.runs.once";

    @Override
    public SkipResult shouldBeSkipped(final LifecycleContext context) {
        return isElsewhere() ? SkipResult.skip(say(context.label())) : SkipResult.doNotSkip();
    }

    public static void orSkip(final String what) {
        if (isElsewhere()) {
            throw new TestAbortedException(say(what));
        }
    }

    private static boolean isElsewhere() {
        return "elsewhere".equals(System.getProperty(SWITCH));
    }

    private static String say(final String what) {
        final String reason = "-D" + SWITCH + "=elsewhere";
        System.out.println("not run here: " + what + ": " + reason);
        return reason;
    }
}
