#include "lanes_avx2.h"
#include "lstm_kernels.h"
#include "transformer_kernels.h"

namespace tiercel {

const KernelSet AVX2_KERNELS =
    LstmKernels<Avx2Lanes>::set<TransformerKernels<Avx2Lanes, Avx2Attention>>("AVX2");

}  // namespace tiercel
