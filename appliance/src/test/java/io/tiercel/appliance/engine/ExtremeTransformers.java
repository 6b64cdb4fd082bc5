package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * {@code transformer} bundles at the edge of what is accepted: of a random one, some tensors are made as large, or as
 * small, as they can be without the bundle being refused. The same seed gives the same bundle.
 */
public final class ExtremeTransformers {

    private final SplittableRandom random;
    private final TransformerSetting setting;
    private final BundleEditor editor;

    private ExtremeTransformers(final long seed) {
        random = new SplittableRandom(seed);
        setting = TransformerSetting.random(seed);
        editor = new BundleEditor(setting.bundle());
    }

    public static Bundle bundle(final long seed) {
        final ExtremeTransformers extreme = new ExtremeTransformers(seed);
        final List<String> names = extreme.neighbours();
        for (int changes = 1 + extreme.random.nextInt(8); changes > 0; changes--) {
            extreme.change(names.get(extreme.random.nextInt(names.size())));
        }
        return extreme.editor.bundle();
    }

    /** An input for the bundle: now and then the largest numbers. */
    public static int[] input(final TransformerSetting setting, final SplittableRandom random) {
        final int[] input = setting.input(random);
        for (int i = 0; setting.vocabulary() == 0 && i < input.length; i++) {
            if (random.nextInt(4) == 0) {
                input[i] = Float.floatToRawIntBits(random.nextBoolean() ? Float.MAX_VALUE : -Float.MAX_VALUE);
            }
        }
        return input;
    }

    /** Tensors whose numbers meet: what one must not be may depend on another. */
    private List<String> neighbours() {
        final Pattern pattern = Pattern.compile(switch (random.nextInt(4)) {
            case 0 -> "(features|embedding|layers[.]0[.]attention)[.].*";
            case 1 -> "layers[.]0[.](attention|keys|values)[.].*";
            case 2 -> "layers[.]0[.](feed|router|experts[.]0)[.].*";
            default -> "(norm|final|head)[.].*";
        });
        return editor.names().stream().filter(name -> pattern.matcher(name).matches()).toList();
    }

    private void change(final String name) {
        if (editor.dtype(name) == DType.F32) {
            scale(name);
        } else if (editor.dtype(name) == DType.I32) {
            final int value = random.nextBoolean() ? 1 : 1 << 23;
            tryTo(name, data -> data.putInt(random.nextInt(data.capacity() / 4) * 4, value));
        } else if (!name.endsWith(".multiplier")) {
            weights(name);
        }
    }

    /** All elements, or one, times the largest or the least power of two that is accepted. */
    private void scale(final String name) {
        final int only = random.nextBoolean() ? -1 : random.nextInt(editor.elementCount(name));
        final int direction = random.nextInt(3) == 0 ? -1 : 1;
        for (int exponent = 64; exponent > 0; exponent /= 2) {
            final float factor = (float) Math.scalb(1.0, direction * exponent);
            tryTo(name, data -> multiply(data, only, factor));
        }
    }

    private static void multiply(final ByteBuffer data, final int only, final float factor) {
        for (int i = 0; i < data.capacity() / Float.BYTES; i++) {
            if (only < 0 || only == i) {
                data.putFloat(i * Float.BYTES, data.getFloat(i * Float.BYTES) * factor);
            }
        }
    }

    /** Zeros, or the largest codes, in some of the bytes. */
    private void weights(final String name) {
        final byte code = (byte) new int[] {0, 0, 127, 0x77, 0x88, -128}[random.nextInt(6)];
        tryTo(name, data -> {
            final int first = random.nextInt(data.capacity());
            final int end = random.nextBoolean() ? data.capacity() : first + random.nextInt(data.capacity() - first);
            for (int i = first; i < end; i++) {
                data.put(i, code);
            }
        });
    }

    /** Makes a change, and takes it back if the bundle is refused with it. */
    private void tryTo(final String name, final Consumer<ByteBuffer> change) {
        final byte[][] before = new byte[1][];
        editor.change(name, data -> before[0] = data.array().clone());
        editor.change(name, change);
        try {
            TransformerParameters.read(editor.bundle());
        } catch (final BundleException ex) {
            editor.change(name, data -> data.put(0, before[0]));
        }
    }
}
