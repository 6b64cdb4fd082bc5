#include "lanes_portable.h"
#include "lstm_kernels.h"

namespace tiercel {

const KernelSet PORTABLE_KERNELS = LstmKernels<PortableLanes>::set("portable C++");

}  // namespace tiercel
