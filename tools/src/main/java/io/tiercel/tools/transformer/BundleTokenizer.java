package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.TensorInfo;
import io.tiercel.tools.llama.Tokenizer;
import io.tiercel.tools.llama.TokenizerTensors;

/** The tokenizer that a bundle carries. */
public final class BundleTokenizer {

    private BundleTokenizer() {
    }

    /** Null if there is none. */
    public static Tokenizer of(final Bundle bundle) {
        return TokenizerTensors.read(bundle.path().toString(), new TokenizerTensors.Source() {

            @Override
            public boolean has(final String name) {
                return bundle.has(name);
            }

            @Override
            public float[] floats(final String name, final int... shape) {
                return bundle.floats(name, shape);
            }

            @Override
            public int[] integers(final String name, final int... shape) {
                return bundle.integers(name, shape);
            }

            @Override
            public byte[] bytes(final String name) {
                return bundle.bytes(name, DType.U8, bundle.tensors().stream()
                        .filter(tensor -> tensor.name().equals(name))
                        .mapToInt(TensorInfo::length)
                        .findFirst()
                        .orElse(0));
            }
        }, bundle.manifest().shape().getOrDefault("vocabulary", 0));
    }
}
