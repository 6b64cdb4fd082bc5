#include "lanes_avx512.h"
#include "lstm_kernels.h"
#include "transformer_kernels.h"

namespace tiercel {

const KernelSet AVX512_KERNELS =
    LstmKernels<Avx512Lanes>::set<TransformerKernels<Avx512Lanes, Avx512Attention>>("AVX-512 VNNI");

}  // namespace tiercel
