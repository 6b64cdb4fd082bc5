#include "lanes_portable.h"
#include "lstm_kernels.h"
#include "transformer_kernels.h"

namespace tiercel {

const KernelSet PORTABLE_KERNELS =
    LstmKernels<PortableLanes>::set<TransformerKernels<PortableLanes, PortableAttention>>("portable C++");

}  // namespace tiercel
