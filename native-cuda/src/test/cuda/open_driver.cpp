/* Says what tiercel_cuda_open says of the libcuda.so.1 that the dynamic linker finds, or "opened". */
#include <cstdio>

#include "tiercel_cuda.h"

int main() {
    const char* const missing = tiercel_cuda_open();
    std::puts(missing == nullptr ? "opened" : missing);
}
