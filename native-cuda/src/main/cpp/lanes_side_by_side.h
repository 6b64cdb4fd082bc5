/*
 * N lanes of something taken together, each step for all of them before the next one: N chains of dependent operations
 * that a processor works on at once, where one after the other they would not fit what it looks ahead.
 */
#ifndef TIERCEL_LANES_SIDE_BY_SIDE_H
#define TIERCEL_LANES_SIDE_BY_SIDE_H

#include "exact.h"

namespace tiercel {
namespace {

template <class L, int N>
struct SideBySide {
    static constexpr int LANES = N * L::LANES;

    template <class T>
    struct Of {
        T part[N];

        TIERCEL_INLINE T& operator[](int i) { return part[i]; }
        TIERCEL_INLINE const T& operator[](int i) const { return part[i]; }

        template <class F>
        static TIERCEL_INLINE Of each(F function) {
            Of result;
#pragma GCC unroll 16
            for (int i = 0; i < N; i++) {
                result.part[i] = function(i);
            }
            return result;
        }
        friend TIERCEL_INLINE Of operator+(const Of& a, const Of& b) {
            return each([&](int i) { return a[i] + b[i]; });
        }
        friend TIERCEL_INLINE Of operator*(const Of& a, const Of& b) {
            return each([&](int i) { return a[i] * b[i]; });
        }
        friend TIERCEL_INLINE Of operator/(const Of& a, const Of& b) {
            return each([&](int i) { return a[i] / b[i]; });
        }
        friend TIERCEL_INLINE Of operator+(const Of& a, float b) {
            return each([&](int i) { return a[i] + b; });
        }
        friend TIERCEL_INLINE Of operator*(const Of& a, float b) {
            return each([&](int i) { return a[i] * b; });
        }
    };

    using Floats = Of<typename L::Floats>;
    using Integers = Of<typename L::Integers>;

    static TIERCEL_INLINE Floats all(float value) {
        return Floats::each([=](int) { return L::all(value); });
    }
    static TIERCEL_INLINE Floats minimum(const Floats& a, const Floats& b) {
        return Floats::each([&](int i) { return L::minimum(a[i], b[i]); });
    }
    static TIERCEL_INLINE Floats maximum(const Floats& a, const Floats& b) {
        return Floats::each([&](int i) { return L::maximum(a[i], b[i]); });
    }
    static TIERCEL_INLINE Integers rint(const Floats& value) {
        return Integers::each([&](int i) { return L::rint(value[i]); });
    }
    static TIERCEL_INLINE Floats load(const float* from) {
        return Floats::each([=](int i) { return L::load(from + i * L::LANES); });
    }
    static TIERCEL_INLINE void store(float* to, const Floats& value) {
        for (int i = 0; i < N; i++) {
            L::store(to + i * L::LANES, value[i]);
        }
    }
};

}  // namespace
}  // namespace tiercel

#endif
