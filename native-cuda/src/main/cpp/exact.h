/*
 * Exact arithmetic: the float formulas of appliance/ENGINE.md, each operation one IEEE binary32 operation rounded to
 * nearest even, in the order written. Compiled with -ffp-contract=off (nvcc: -fmad=false), so nothing is fused.
 *
 * A formula is written once, over lanes: ScalarLanes below is one float (and what a CUDA thread computes with); the
 * kernel sets bring lanes of 8 or 16. An element's operations are the same in any lane, so its bits are too.
 * Coefficients and errors are those of the Java reference, io.tiercel.appliance.engine.reference.Elementwise, from
 * tools/training/fit_activations.py.
 */
#ifndef TIERCEL_EXACT_H
#define TIERCEL_EXACT_H

#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define TIERCEL_INLINE __host__ __device__ __forceinline__
#else
#define TIERCEL_INLINE inline __attribute__((always_inline))
#define TIERCEL_LAMBDA __attribute__((always_inline))
#endif

// Each translation unit is compiled for its own instruction set, so nothing here may be merged by the linker.
namespace tiercel {
namespace {

/** One float at a time: the specification's own shape. */
struct ScalarLanes {
    static constexpr int LANES = 1;
    using Floats = float;
    using Integers = int32_t;

    static TIERCEL_INLINE Floats all(float value) { return value; }
    static TIERCEL_INLINE Floats minimum(Floats a, Floats b) { return a < b ? a : b; }
    static TIERCEL_INLINE Floats maximum(Floats a, Floats b) { return a > b ? a : b; }
    static TIERCEL_INLINE Floats toFloats(Integers value) { return static_cast<float>(value); }
    static TIERCEL_INLINE Floats load(const float* from) { return *from; }
    static TIERCEL_INLINE void store(float* to, Floats value) { *to = value; }
    static TIERCEL_INLINE void store(int32_t* to, Integers value) { *to = value; }

    /** Nearest integer, ties to even, of a value within +-2^22: a float of 1.5 x 2^23 has a last place of 1. */
    static TIERCEL_INLINE Integers rint(Floats value) {
        const float rounded = value + 0x1.8p23f;
        int32_t bits;
        std::memcpy(&bits, &rounded, sizeof bits);
        return bits - 0x4B400000;
    }

    /** The same of a value in 0..2^30; above 2^23 every float is an integer already. */
    static TIERCEL_INLINE Integers rintLarge(Floats value) {
        return value < 0x1p22f ? rint(value) : static_cast<int32_t>(
            value < 0x1p23f ? (value + 0x1p23f) - 0x1p23f : value);
    }

    /** 2^n for n in -126..127. */
    static TIERCEL_INLINE Floats powerOfTwo(Integers n) {
        const int32_t bits = (n + 127) * (1 << 23);
        float value;
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }
};

template <class L>
struct Exact {
    using Floats = typename L::Floats;
    using Integers = typename L::Integers;

    /** max(-limit, min(limit, value)). */
    static TIERCEL_INLINE Floats hold(Floats value, float limit) {
        return L::maximum(L::all(-limit), L::minimum(L::all(limit), value));
    }

    /**
     * tanh in steps, for whoever has something else to do between them: x P(x^2) / Q(x^2) of x held to +-8, by Horner.
     * Odd to the bit, within +-1; error at most 3.7e-7.
     */
    struct Tanh {
        Floats x;
        Floats y;
        Floats p;
        Floats q;

        Tanh() = default;
        TIERCEL_INLINE explicit Tanh(Floats value) : x(hold(value, 8.0f)), y(x * x) {
            p = y * 0x1.06b858p-26f + 0x1.70136ep-16f;
            q = y * 0x1.cae5e2p-21f + 0x1.6629c4p-12f;
        }
        TIERCEL_INLINE void second() {
            p = p * y + 0x1.d47dep-9f;
            q = q * y + 0x1.acd9p-6f;
        }
        TIERCEL_INLINE void third() {
            p = p * y + 0x1.1363eap-3f;
            q = q * y + 0x1.df0748p-2f;
        }
        TIERCEL_INLINE void fourth() {
            p = p * y + 1.0f;
            q = q * y + 1.0f;
        }
        TIERCEL_INLINE Floats value() const { return (x * p) / q; }
    };

    static TIERCEL_INLINE Floats tanh(Floats value) {
        Tanh steps(value);
        steps.second();
        steps.third();
        steps.fourth();
        return steps.value();
    }

    /** What a sigmoid is of tanh(0.5 x): 0.5 tanh(0.5 x) + 0.5; error at most 2.1e-7. */
    static TIERCEL_INLINE Floats sigmoidOfTanh(Floats tanhOfHalf) {
        return tanhOfHalf * 0.5f + 0.5f;
    }

    /** 2^x for x in -126..0: a polynomial of x - rint(x) by Horner, times 2^rint(x). Relative error at most 1.1e-7. */
    static TIERCEL_INLINE Floats exp2(Floats x) {
        const Integers n = L::rint(x);
        const Floats f = x - L::toFloats(n);
        Floats p = f * 0x1.41fbbcp-13f + 0x1.5f3e54p-10f;
        p = p * f + 0x1.3b2d4cp-7f;
        p = p * f + 0x1.c6aee8p-5f;
        p = p * f + 0x1.ebfbdcp-3f;
        p = p * f + 0x1.62e43p-1f;
        p = p * f + 1.0f;
        return p * L::powerOfTwo(n);
    }

    /** rint(hold(value * inverseScale, +-maximum)). */
    static TIERCEL_INLINE Integers quantise(Floats value, float inverseScale, float maximum) {
        return L::rint(hold(value * inverseScale, maximum));
    }

    /** A feature, normalised and quantised: (value - mean) * inverseDeviation, then quantise. */
    static TIERCEL_INLINE Integers quantiseFeature(
        Floats value, Floats mean, Floats inverseDeviation, float inverseScale, float maximum) {
        return quantise((value - mean) * inverseDeviation, inverseScale, maximum);
    }

    /** What softmax sums: rint(2^30 exp2((value - largest) log2(e), held above -64)), an integer in 0..2^30. */
    static TIERCEL_INLINE Integers softmaxTerm(Floats value, float largest) {
        const Floats exponent = L::maximum(L::all(-64.0f), (value - largest) * 0x1.715476p0f);
        return L::rintLarge(exp2(exponent) * 0x1p30f);
    }

    /** A sum over integers brought back: (float) sum * scale + addend, each operation rounded once. */
    static TIERCEL_INLINE Floats scaled(Integers sum, Floats scale, Floats addend) {
        return L::toFloats(sum) * scale + addend;
    }
};

/** Bits of a digit of an integer that is too wide for 8: x = d0 + 2^7 d1 + 2^14 d2. */
constexpr int DIGIT_BITS = 7;
constexpr int DIGITS = 3;

/** The digit of an integer of up to 22 bits: 0..127, of the last one with x's sign. */
TIERCEL_INLINE int32_t digit(int32_t x, int index) {
    return index < DIGITS - 1 ? (x >> (DIGIT_BITS * index)) & 127 : x >> (DIGIT_BITS * index);
}

/** Of a term of softmax and the sum of all, both exact: their quotient, rounded to double and then to float. */
TIERCEL_INLINE float probabilityOf(int32_t term, int64_t sum) {
    return static_cast<float>(static_cast<double>(term) / static_cast<double>(sum));
}

}  // namespace
}  // namespace tiercel

#endif
