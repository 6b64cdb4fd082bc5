package io.tiercel.appliance;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * The long run, from a shell: {@code tools/simulate.sh}.
 *
 * <pre>
 *   --seed N      one seed, with its trace
 *   --first N     the first of many seeds; 1 if it is not there
 *   --seeds N     how many; 1000 if neither this nor --minutes is there
 *   --minutes N   for so long, or for so many seeds, whatever ends first
 * </pre>
 */
final class SimulationMain {

    private static final int REPORT_INTERVAL = 100;
    private static final int USAGE_EXIT_CODE = 2;

    private long firstSeed = 1;
    private long seedCount = Long.MAX_VALUE;
    private long minutes;
    private boolean isOne;
    private final int[] counts = new int[SimulationEvent.values().length];

    private SimulationMain() {
    }

    public static void main(final String[] args) {
        final SimulationMain main = new SimulationMain();
        try {
            main.read(args);
        } catch (final IllegalArgumentException ex) {
            System.err.println("usage: tools/simulate.sh [--seed N | --first N --seeds N --minutes N]: " +
                    ex.getMessage());
            System.exit(USAGE_EXIT_CODE);
        }
        System.exit(main.run() ? 0 : 1);
    }

    private void read(final String[] args) {
        for (int index = 0; index < args.length; index += 2) {
            final long value = index + 1 < args.length ? Long.parseLong(args[index + 1]) : -1;
            switch (args[index]) {
                case "--seed" -> {
                    firstSeed = value;
                    seedCount = 1;
                    isOne = true;
                }
                case "--first" -> firstSeed = value;
                case "--seeds" -> seedCount = value;
                case "--minutes" -> minutes = value;
                default -> throw new IllegalArgumentException("not an option: " + Arrays.toString(args));
            }
        }
        if (minutes == 0 && seedCount == Long.MAX_VALUE) {
            seedCount = 1_000;
        }
    }

    private boolean run() {
        final long startNs = System.nanoTime();
        final long endNs = startNs + (minutes == 0 ? TimeUnit.DAYS.toNanos(365) : TimeUnit.MINUTES.toNanos(minutes));
        try (Simulation simulation = new Simulation()) {
            long done = 0;
            for (; done < seedCount && System.nanoTime() - endNs < 0; done++) {
                add(simulation.run(firstSeed + done, isOne ? System.out : null));
                if ((done + 1) % REPORT_INTERVAL == 0) {
                    System.out.printf("seeds=%d last=%d s=%d%n", done + 1, firstSeed + done,
                            TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNs));
                }
            }
            report(done);
            return true;
        } catch (final AssertionError ex) {
            System.out.println(ex.getMessage());
            ex.getCause().printStackTrace(System.out);
            return false;
        }
    }

    private void add(final SimulationTrace trace) {
        for (final SimulationEvent event : SimulationEvent.values()) {
            counts[event.ordinal()] += trace.countOf(event);
        }
    }

    private void report(final long seeds) {
        System.out.println("all held in seeds=" + seeds);
        for (final SimulationEvent event : SimulationEvent.values()) {
            System.out.printf("%,12d  %s%n", counts[event.ordinal()], event.name().toLowerCase().replace('_', ' '));
        }
    }
}
