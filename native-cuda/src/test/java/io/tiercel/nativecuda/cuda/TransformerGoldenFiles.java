package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * Golden files ({@link TransformerGolden}) for machines without Java: {@code TransformerGoldenFiles DIRECTORY} writes
 * models of odd shapes.
 */
final class TransformerGoldenFiles {

    /** So many have every codec with every width of weights. */
    static final int ODD_MODELS = 36;

    private static final int SESSIONS = 3;
    private static final int ACTS = 12;
    private static final Codec[][] CODECS = {
        {Codec.UNIFORM8, Codec.UNIFORM8}, {Codec.UNIFORM4, Codec.UNIFORM4}, {Codec.UNIFORM4, Codec.UNIFORM2},
        {Codec.UNIFORM2, Codec.UNIFORM2}, {Codec.UNIFORM1, Codec.UNIFORM1}, {Codec.COUPLED4, Codec.COUPLED4},
        {Codec.COUPLED2, Codec.COUPLED2}, {Codec.COUPLED1, Codec.COUPLED1}, {Codec.COUPLED2, Codec.UNIFORM2},
        {Codec.UNIFORM1, Codec.COUPLED4}, {Codec.UNIFORM8, Codec.UNIFORM4}, {Codec.COUPLED1, Codec.UNIFORM8}
    };
    private static final int[] WINDOWS = {0, 1, 5, 16, 32, 0, 64};
    private static final int[] CODED = {9, 1, 20, 15, 12, 30, 7, 10, 40, 9, 140};
    private static final int[] DIMENSIONS = {4, 20, 33, 64, 100};
    /** Powers of two where heads are rotated. */
    private static final int[] HEAD_SIZES = {8, 24, 40, 16, 8};
    private static final int[] ROTATED_HEAD_SIZES = {8, 64, 16, 128, 256};

    private TransformerGoldenFiles() {
    }

    public static void main(final String[] args) throws IOException {
        final Path directory = Files.createDirectories(Path.of(args[0]));
        for (int i = 0; i < ODD_MODELS; i++) {
            writeOdd(directory.resolve("odd-transformer-" + i), i, ACTS);
        }
    }

    /** An odd shape by its number: codecs, widths of weights, windows and ways of cutting them by turns. */
    static Path writeOdd(final Path file, final int number, final int actCount) {
        final SplittableRandom random = new SplittableRandom(number);
        final Codec[] codecs = CODECS[number % CODECS.length];
        final boolean isRotated = number % 5 == 2;
        final boolean isTokens = number % 4 != 3;
        final int keyValueHeads = 1 + random.nextInt(2);
        final int experts = number % 6 == 4 ? 2 + random.nextInt(3) : 0;
        final boolean isWide = number % 9 == 8;
        final int window = isWide ? 16 : WINDOWS[number % WINDOWS.length];
        final int sinks = number % 3 == 1 ? 1 + random.nextInt(5) : 0;
        final int coded = isWide ? 0 : CODED[number % CODED.length];
        final TransformerSetting setting = new TransformerSetting(
                number,
                1 + random.nextInt(2),
                one(random, DIMENSIONS),
                keyValueHeads * (isRotated ? 2 : 1 + random.nextInt(3)),
                keyValueHeads,
                one(random, isRotated ? ROTATED_HEAD_SIZES : HEAD_SIZES),
                1 + random.nextInt(50),
                isTokens || number % 8 == 7 ? 3 + random.nextInt(70) : 0,
                1 + random.nextInt(40),
                isTokens ? 2 * (1 + random.nextInt(3)) : 2 + random.nextInt(4),
                isTokens ? Task.TOKENS : random.nextBoolean() ? Task.CLASSIFICATION : Task.REGRESSION,
                sinks + window + coded,
                window,
                sinks,
                experts,
                experts == 0 ? 0 : 2 + random.nextInt(experts - 1),
                isTokens && random.nextBoolean(),
                WeightFormat.values()[(number + number / CODECS.length) % 3],
                WeightFormat.values()[random.nextInt(3)],
                number % 4 == 1 || number % 8 == 3 ? Short.SIZE : Byte.SIZE,
                codecs[0],
                codecs[1],
                isRotated,
                isWide ? Short.SIZE : Byte.SIZE);
        return TransformerGolden.write(file, setting, SESSIONS, actCount);
    }

    private static int one(final SplittableRandom random, final int... of) {
        return of[random.nextInt(of.length)];
    }
}
