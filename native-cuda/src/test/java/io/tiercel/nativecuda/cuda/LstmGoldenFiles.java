package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Golden files ({@link LstmGolden}) for machines without Java: {@code LstmGoldenFiles DIRECTORY} writes models of odd
 * shapes, and in int8 and int4 the three sizes that are measured.
 */
final class LstmGoldenFiles {

    private static final int ODD_MODELS = 24;
    private static final int SESSIONS = 3;
    private static final int[] HIDDEN = {1, 7, 31, 32, 33, 64, 73, 96};
    private static final int[] FEATURES = {1, 2, 31, 33, 67, 128};
    private static final int[] OUTPUTS = {1, 2, 3, 33, 70};

    private LstmGoldenFiles() {
    }

    public static void main(final String[] args) throws IOException {
        final Path directory = Files.createDirectories(Path.of(args[0]));
        for (int i = 0; i < ODD_MODELS; i++) {
            writeOdd(directory.resolve("odd-" + i), i, 20);
        }
        for (final WeightFormat format : new WeightFormat[] {WeightFormat.INT8, WeightFormat.INT4}) {
            final String name = "-" + format.name().toLowerCase(Locale.ROOT);
            writeSize(directory.resolve("160k" + name), format, 2, 96, 128, 40);
            writeSize(directory.resolve("635k" + name), format, 3, 160, 192, 40);
            writeSize(directory.resolve("17m" + name), format, 4, 736, 512, 8);
        }
    }

    /** An odd shape by its number; widths by turns. */
    static Path writeOdd(final Path file, final long seed, final int batchCount) {
        final SplittableRandom random = new SplittableRandom(seed);
        final RandomModels model = RandomModels.lstm(seed)
                .layers(1 + (int) (seed % 3))
                .hidden(one(random, HIDDEN))
                .features(one(random, FEATURES))
                .outputs(one(random, OUTPUTS))
                .featureBits(random.nextBoolean() ? 8 : 16)
                .weights(seed % 2 == 0 ? WeightFormat.INT8 : WeightFormat.INT4)
                .head(random.nextBoolean() ? WeightFormat.INT8 : WeightFormat.INT4)
                .task(random.nextBoolean() ? Task.CLASSIFICATION : Task.REGRESSION);
        return LstmGolden.write(file, model.bundle(), seed, SESSIONS, batchCount);
    }

    private static void writeSize(
            final Path file, final WeightFormat format, final int layers, final int hidden, final int features,
            final int batchCount) {
        final RandomModels model = RandomModels.lstm(1).layers(layers).hidden(hidden).features(features).outputs(3)
                .weights(format);
        LstmGolden.write(file, model.bundle(), 1, SESSIONS, batchCount);
    }

    private static int one(final SplittableRandom random, final int... of) {
        return of[random.nextInt(of.length)];
    }
}
