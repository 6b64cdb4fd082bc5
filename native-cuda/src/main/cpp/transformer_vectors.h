/*
 * What a token's vectors go through outside of matrices and attention: integers and norms, rotary positions, the likeliest.
 *
 * Loops over plain floats are left to the compiler: an element's operations are the same in any lane.
 */
#ifndef TIERCEL_TRANSFORMER_VECTORS_H
#define TIERCEL_TRANSFORMER_VECTORS_H

#include <cmath>
#include <limits>

#include "transformer_formulas.h"
#include "transformer_view.h"
#include "vectors.h"

namespace tiercel {
namespace {

template <class L>
struct TransformerVectors {
    using Floats = typename L::Floats;
    using Integers = typename L::Integers;
    using Activation = typename L::Activation;
    using V = Vectors<L>;

    /** Of bits: a processor compares integers in a quarter of the time that it takes for floats. */
    static TIERCEL_INLINE float largestMagnitude(const float* vector, int count) {
        Integers largest = L::allIntegers(0);
        int i = 0;
        for (; i <= count - L::LANES; i += L::LANES) {
            largest = L::maximum(largest, L::magnitudeBits(L::load(vector + i)));
        }
        const int32_t bits = L::largest(largest);
        float most;
        std::memcpy(&most, &bits, sizeof most);
        for (; i < count; i++) {
            most = ScalarLanes::maximum(most, std::fabs(vector[i]));
        }
        return most;
    }

    static TIERCEL_INLINE int32_t rint(float value) { return ScalarLanes::rint(value); }

    /** q = rint(v * (maximum / m)), m the largest magnitude; returns the scale m / maximum. */
    static float quantise(const float* __restrict vector, int count, int maximum, const Activations& to) {
        const float largest = largestMagnitude(vector, count);
        const bool isNothing = largest < SMALLEST_MAGNITUDE;
        const float inverse = isNothing ? 0.0f : static_cast<float>(maximum) / largest;
        if (to.planes == 1) {
            quantiseGroups(vector, inverse, count, to);
        } else {
            for (int i = 0; i < count; i++) {
                V::storeDigits(to, i, rint(vector[i] * inverse));
            }
            V::sumGroups(to, 0);
        }
        return isNothing ? 0.0f : largest / static_cast<float>(maximum);
    }

    /** Of one plane. Whole groups are summed as they come: what was just stored in parts is slow to load as a whole. */
    static TIERCEL_INLINE void quantiseGroups(
        const float* __restrict vector, float inverse, int count, const Activations& to) {
        Activation* __restrict values = static_cast<Activation*>(to.values);
        int i = 0;
        for (; i <= count - GROUP_COLUMNS; i += GROUP_COLUMNS) {
            Integers sum = L::allIntegers(0);
            for (int lane = 0; lane < GROUP_COLUMNS; lane += L::LANES) {
                const Integers some = L::rint(L::load(vector + i + lane) * L::all(inverse));
                L::store(values + i + lane, some);
                sum = L::add(sum, some);
            }
            to.groupSums[i / GROUP_COLUMNS] = L::sumLanes(sum);
        }
        for (int j = i; j < count; j++) {
            values[j] = static_cast<Activation>(rint(vector[j] * inverse));
        }
        V::sumGroups(to, i / GROUP_COLUMNS);
    }

    static void norm(
        const float* __restrict vector, const float* __restrict weights, float epsilon, int count,
        float* __restrict normed) {
        const float largest = largestMagnitude(vector, count);
        int64_t sum = 0;
        if (largest >= SMALLEST_MAGNITUDE) {
            const float inverse = static_cast<float>(NORM_MAXIMUM) / largest;
            sum = sumOfSquares(vector, inverse, count);
        }
        const float factor = normFactor(largest, sum, count, epsilon);
        for (int i = 0; i < count; i++) {
            normed[i] = vector[i] * factor * weights[i];
        }
    }

    /** Of integers of 15 bits. */
    static TIERCEL_INLINE int64_t sumOfSquares(const float* vector, float inverse, int count) {
        typename L::Wide sums = L::noWide();
        int i = 0;
        for (; i <= count - L::LANES; i += L::LANES) {
            sums = L::addSquares(sums, L::rint(L::load(vector + i) * L::all(inverse)));
        }
        int64_t sum = L::sumWide(sums);
        for (; i < count; i++) {
            const int64_t q = rint(vector[i] * inverse);
            sum += q * q;
        }
        return sum;
    }

    /** Cosines and sines of all pairs at a position. */
    static void angles(const TransformerView& model, int64_t position, float* cosines, float* sines) {
        const int pairs = model.shape.headSize / 2;
        for (int pair = 0; pair < pairs; pair++) {
            rotaryAngle(model.rotarySteps[pair], model.rotaryCircle, position, cosines[pair], sines[pair]);
        }
    }

    static TIERCEL_INLINE void rotate(
        float* __restrict firsts, float* __restrict seconds, const float* __restrict cosines,
        const float* __restrict sines, int pairs) {
        for (int pair = 0; pair < pairs; pair++) {
            const float first = firsts[pair];
            const float second = seconds[pair];
            firsts[pair] = first * cosines[pair] - second * sines[pair];
            seconds[pair] = first * sines[pair] + second * cosines[pair];
        }
    }

    static void hadamard(float* head, int count, float scale) {
        for (int stride = 1; stride < count; stride *= 2) {
            for (int first = 0; first < count; first += 2 * stride) {
                for (int i = first; i < first + stride; i++) {
                    const float sum = head[i] + head[i + stride];
                    head[i + stride] = head[i] - head[i + stride];
                    head[i] = sum;
                }
            }
        }
        for (int i = 0; i < count; i++) {
            head[i] *= scale;
        }
    }

    static TIERCEL_INLINE void add(float* sum, const float* addend, int count) {
        for (int i = 0; i < count; i++) {
            sum[i] = sum[i] + addend[i];
        }
    }

    /** Indices of the largest values, the largest first; of equals the lower index. */
    static void rank(const float* values, int valueCount, int count, int32_t* ranked) {
        // Most of many values are below all that will be found: they are passed a lane-full at a time.
        float limit = atMostRanked(values, valueCount, count);
        int found = 0;
        int i = 0;
        for (; i <= valueCount - L::LANES; i += L::LANES) {
            for (uint32_t some = L::notBelow(L::load(values + i), L::all(limit)); some != 0; some &= some - 1) {
                found = takeRank(values, i + __builtin_ctz(some), count, found, ranked);
                limit = found == count ? values[ranked[count - 1]] : limit;
            }
        }
        for (; i < valueCount; i++) {
            found = takeRank(values, i, count, found, ranked);
        }
    }

    /** Puts a value's index where it belongs among those found, if it does; returns how many there are then. */
    static TIERCEL_INLINE int takeRank(const float* values, int index, int count, int found, int32_t* ranked) {
        const float value = values[index];
        if (found == count && !(value > values[ranked[count - 1]])) {
            return found;
        }
        int place = found < count ? found++ : count - 1;
        for (; place > 0 && value > values[ranked[place - 1]]; place--) {
            ranked[place] = ranked[place - 1];
        }
        ranked[place] = index;
        return found;
    }

    /** Something that at least count values are not below: of the largest of each lane, the one of that rank. */
    static TIERCEL_INLINE float atMostRanked(const float* values, int valueCount, int count) {
        constexpr float NONE = -std::numeric_limits<float>::infinity();
        if (count > L::LANES || valueCount < 2 * L::LANES) {
            return NONE;
        }
        Floats largest = L::load(values);
        for (int i = L::LANES; i <= valueCount - L::LANES; i += L::LANES) {
            largest = L::maximum(largest, L::load(values + i));
        }
        float ofLane[L::LANES];
        int32_t above[L::LANES] = {};
        L::store(ofLane, largest);
        for (int lane = 0; lane < L::LANES; lane++) {
            for (int other = 0; other < L::LANES; other++) {
                above[other] += ofLane[lane] > ofLane[other] ? 1 : 0;
            }
        }
        float limit = std::numeric_limits<float>::infinity();
        for (int lane = 0; lane < L::LANES; lane++) {
            limit = above[lane] < count && ofLane[lane] < limit ? ofLane[lane] : limit;
        }
        return limit;
    }
};

}  // namespace
}  // namespace tiercel

#endif
