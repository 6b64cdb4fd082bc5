/* Transformers of kernels_test.cpp. */
#ifndef TIERCEL_TRANSFORMER_TEST_H
#define TIERCEL_TRANSFORMER_TEST_H

#include <cstdint>

/** Whether all ways to compute one random transformer give the same bits; otherwise says which one does not. */
bool transformerAgrees(uint64_t seed, int index);

#endif
