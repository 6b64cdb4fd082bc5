package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * Which backend a model is to have where the configuration leaves it open and a device is there: small models belong on
 * the CPU, where there is no bus, and large ones may not. So both make the same steps, one at a time as a request would
 * find them, and the smaller median wins. All of them compute the same bits, so a replay does not depend on it.
 *
 * <p>At start only. Where there is no device nothing is measured.
 *
 * @param backend   that was chosen.
 * @param model     loaded by it.
 * @param rationale one line: what each backend took, or why it was not asked; empty if there was no choice.
 */
public record Placement(Backend backend, Model model, String rationale) {

    private static final int WARM_UP_STEPS = 2_000;
    private static final int STEPS = 4_000;
    /** Of one backend, warm-up included: a large model on a slow backend makes fewer steps. */
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(2);
    private static final long HIGHEST_NS = TimeUnit.SECONDS.toNanos(10);
    private static final int SIGNIFICANT_DIGITS = 3;

    /** A backend, and what its steps took in ns. */
    private record Candidate(Backend backend, Model model, Histogram stepNs) {
    }

    /**
     * Chooses among the backend that {@link Backends#select} prefers and those whose device can be lost, but for those
     * that are used only by name.
     *
     * @throws NoBackendException if none can serve the bundle.
     */
    static Placement choose(
            final List<Backend> backends, final Bundle bundle, final int threads,
            final DeviceSettings device, final NanoClock clock) {
        final Backend preferred = Backends.select(backends, Backends.AUTO, bundle);
        final List<Candidate> candidates = new ArrayList<>();
        final StringBuilder reasons = new StringBuilder();
        try {
            for (final Backend backend : backends) {
                if (backend != preferred && backend.canBeLost() && backend.preference() >= 0 &&
                        Backends.canServe(backend, bundle)) {
                    measure(candidates, reasons, backend, bundle, threads, device, clock);
                }
            }
            final boolean hasChoice = !reasons.isEmpty();
            if (hasChoice) {
                measure(candidates, reasons, preferred, bundle, threads, device, clock);
            } else {
                candidates.add(new Candidate(preferred, Backends.load(preferred, bundle, threads, device), null));
            }
            return take(candidates, hasChoice ? reasons.toString() : "");
        } finally {
            candidates.forEach(left -> left.model().close());
        }
    }

    /** The fastest, which is taken out of the candidates. */
    private static Placement take(final List<Candidate> candidates, final String reasons) {
        if (candidates.isEmpty()) {
            throw new NoBackendException(reasons);
        }
        final Candidate best = candidates.size() == 1
                ? candidates.get(0)
                : candidates.stream().min(Comparator.comparingLong(Placement::medianNs)).orElseThrow();
        candidates.remove(best);
        return new Placement(best.backend(), best.model(),
                reasons.isEmpty() ? "" : "backend=" + best.backend().name() + " has the smallest median: " + reasons);
    }

    private static long medianNs(final Candidate candidate) {
        return candidate.stepNs().getValueAtPercentile(50);
    }

    /** A backend that cannot load it, or loses its device meanwhile, is no candidate. */
    private static void measure(
            final List<Candidate> candidates, final StringBuilder reasons, final Backend backend, final Bundle bundle,
            final int threads, final DeviceSettings device, final NanoClock clock) {
        reasons.append(reasons.isEmpty() ? "" : "; ").append(backend.name()).append(' ');
        Model model = null;
        boolean isCandidate = false;
        try {
            model = Backends.load(backend, bundle, threads, device);
            final Histogram stepNs = new Histogram(HIGHEST_NS, SIGNIFICANT_DIGITS);
            isCandidate = hasKeptDevice(model, stepNs, clock);
            if (isCandidate) {
                candidates.add(new Candidate(backend, model, stepNs));
            }
            reasons.append(isCandidate ? describe(stepNs) : "has lost its device");
        } catch (final BundleException | DeviceLostException ex) {
            reasons.append(ex.getMessage());
        } finally {
            if (model != null && !isCandidate) {
                model.close();
            }
        }
    }

    private static boolean hasKeptDevice(final Model model, final Histogram stepNs, final NanoClock clock) {
        try (ModelExecutor executor = model.newExecutor(1)) {
            final UnseenSession session = new UnseenSession(model.shape(), executor);
            final long begunNs = clock.nanoTime();
            for (int step = -WARM_UP_STEPS; step < STEPS && !executor.isOnStandby(); step++) {
                final long beforeNs = clock.nanoTime();
                session.answer();
                final long afterNs = clock.nanoTime();
                session.settle();
                final boolean isLate = afterNs - begunNs > LIMIT_NS;
                if (step >= 0 || isLate) {
                    stepNs.recordValue(Math.min(Math.max(0, afterNs - beforeNs), HIGHEST_NS));
                }
                if (isLate) {
                    break;
                }
            }
            return !executor.isOnStandby();
        }
    }

    private static String describe(final Histogram stepNs) {
        return String.format(Locale.ROOT, "p50=%.2fus p99=%.2fus p99.9=%.2fus max=%.2fus steps=%d",
                us(stepNs.getValueAtPercentile(50)), us(stepNs.getValueAtPercentile(99)),
                us(stepNs.getValueAtPercentile(99.9)), us(stepNs.getMaxValue()), stepNs.getTotalCount());
    }

    private static double us(final long ns) {
        return ns / 1e3;
    }
}
