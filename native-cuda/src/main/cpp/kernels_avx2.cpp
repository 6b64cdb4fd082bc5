#include "lanes_avx2.h"
#include "lstm_kernels.h"

namespace tiercel {

const KernelSet AVX2_KERNELS = LstmKernels<Avx2Lanes>::set("AVX2");

}  // namespace tiercel
