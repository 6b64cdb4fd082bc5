/* What both families do with vectors, over lanes: integers with their sums, digits of wide ones, features, softmax. */
#ifndef TIERCEL_VECTORS_H
#define TIERCEL_VECTORS_H

#include "products.h"

namespace tiercel {
namespace {

template <class L>
struct Vectors {
    using Floats = typename L::Floats;
    using Activation = typename L::Activation;
    using E = Exact<L>;

    /** From a group on, after all its values are there. */
    static TIERCEL_INLINE void sumGroups(const Activations& of, int first) {
        const Activation* values = static_cast<const Activation*>(of.values);
        for (int group = first; group < of.groups * of.planes; group++) {
            of.groupSums[group] = L::sum32(values + group * GROUP_COLUMNS);
        }
    }

    /** An integer of more than 8 bits as three digits, one in each plane. */
    static TIERCEL_INLINE void storeDigits(const Activations& to, int i, int32_t x) {
        Activation* values = static_cast<Activation*>(to.values);
        const int planeColumns = to.groups * GROUP_COLUMNS;
        for (int plane = 0; plane < DIGITS; plane++) {
            values[plane * planeColumns + i] = static_cast<Activation>(digit(x, plane));
        }
    }

    /** features[count] to integers, with their group sums. */
    static void quantiseFeatures(const FeatureNormalisation& how, const float* features, const Activations& to) {
        Activation* values = static_cast<Activation*>(to.values);
        int i = 0;
        if (to.planes == 1) {
            for (; i <= how.count - L::LANES; i += L::LANES) {
                L::store(values + i, E::quantiseFeature(
                    L::load(features + i), L::load(how.means + i), L::load(how.inverseDeviations + i),
                    how.inverseScale, how.maximum));
            }
        }
        for (; i < how.count; i++) {
            const int32_t x = Exact<ScalarLanes>::quantiseFeature(
                features[i], how.means[i], how.inverseDeviations[i], how.inverseScale, how.maximum);
            if (to.planes == 1) {
                values[i] = static_cast<Activation>(x);
            } else {
                storeDigits(to, i, x);
            }
        }
        sumGroups(to, 0);
    }

    /**
     * Softmax's integers; returns their sum, which is exact. They go as their bits into floats, padded to a lane-full,
     * which may be the values themselves. What stands past the last value is not looked at: it could be larger than the
     * largest, and its power of two too large for an integer.
     */
    static int64_t softmaxTerms(const float* values, float largest, int count, float* termBits) {
        int32_t* terms = reinterpret_cast<int32_t*>(termBits);
        typename L::Wide sums = L::noWide();
        int i = 0;
        for (; i <= count - L::LANES; i += L::LANES) {
            const typename L::Integers some = E::softmaxTerm(L::load(values + i), largest);
            sums = L::addWide(sums, some);
            L::store(terms + i, some);
        }
        int64_t sum = L::sumWide(sums);
        if (i < count) {
            sum += lastTerms(values + i, largest, count - i, terms + i);
        }
        return sum;
    }

    /** Of a term, as softmaxTerms left it. */
    static TIERCEL_INLINE float probability(float termBits, int64_t sum) {
        int32_t term;
        std::memcpy(&term, &termBits, sizeof term);
        return probabilityOf(term, sum);
    }

    /** Of fewer values than there are lanes. */
    static int64_t lastTerms(const float* values, float largest, int count, int32_t* to) {
        float some[L::LANES];
        for (int i = 0; i < L::LANES; i++) {
            some[i] = i < count ? values[i] : largest;
        }
        int32_t terms[L::LANES];
        L::store(terms, E::softmaxTerm(L::load(some), largest));
        int64_t sum = 0;
        for (int i = 0; i < count; i++) {
            sum += terms[i];
        }
        std::memcpy(to, terms, sizeof terms);
        return sum;
    }

    /** In place; padded to a lane-full. */
    static void softmax(float* values, int count) {
        float largest = values[0];
        for (int i = 1; i < count; i++) {
            largest = ScalarLanes::maximum(largest, values[i]);
        }
        const int64_t sum = softmaxTerms(values, largest, count, values);
        for (int i = 0; i < count; i++) {
            values[i] = probability(values[i], sum);
        }
    }
};

}  // namespace
}  // namespace tiercel

#endif
