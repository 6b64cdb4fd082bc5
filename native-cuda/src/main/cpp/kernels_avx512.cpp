#include "lanes_avx512.h"
#include "lstm_kernels.h"

namespace tiercel {

const KernelSet AVX512_KERNELS = LstmKernels<Avx512Lanes>::set("AVX-512 VNNI");

}  // namespace tiercel
