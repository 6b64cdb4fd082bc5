package io.tiercel.nativecuda.cpu;

import net.jqwik.api.lifecycle.LifecycleContext;
import net.jqwik.api.lifecycle.SkipExecutionHook;
import org.opentest4j.TestAbortedException;

/** Tests of the kernels do not run where there are none, and say so: a hook for properties, a call for the others. */
final class KernelsAreBuilt implements SkipExecutionHook {

    private static final String REASON = "the kernels were not built (no g++)";

    @Override
    public SkipResult shouldBeSkipped(final LifecycleContext context) {
        return CpuKernels.isBuilt() ? SkipResult.doNotSkip() : SkipResult.skip(say(context.label()));
    }

    static void orSkip(final String what) {
        if (!CpuKernels.isBuilt()) {
            throw new TestAbortedException(say(what));
        }
    }

    private static String say(final String what) {
        System.out.println("not run: " + what + ": " + REASON);
        return REASON;
    }
}
