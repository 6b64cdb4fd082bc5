/* To be compiled where there is a CUDA toolkit: driver.h and CudaDriver.java say of the driver what cuda.h says. */
#include <cuda.h>

#include <cstddef>

#include "driver.h"

namespace {

/** As many parameters, each of the same size, and a result of the same: so a call of one is a call of the other. */
template <class Ours, class Theirs>
struct Same;
template <class OurResult, class TheirResult, class... Ours, class... Theirs>
struct Same<OurResult(Ours...), TheirResult(Theirs...)> {
    static constexpr bool value() {
        if constexpr (sizeof...(Ours) == sizeof...(Theirs)) {
            return sizeof(OurResult) == sizeof(TheirResult) && ((sizeof(Ours) == sizeof(Theirs)) && ...);
        }
        return false;
    }
};

#define CHECK(name, symbol, parameters, arguments) \
    static_assert(Same<int32_t parameters, decltype(symbol)>::value(), #symbol);
TIERCEL_DRIVER_CALLS(CHECK)

static_assert(
    sizeof(tiercel_launch) == sizeof(CUlaunchConfig) &&
        offsetof(tiercel_launch, shared_bytes) == offsetof(CUlaunchConfig, sharedMemBytes) &&
        offsetof(tiercel_launch, stream) == offsetof(CUlaunchConfig, hStream) &&
        offsetof(tiercel_launch, attributes) == offsetof(CUlaunchConfig, attrs) &&
        offsetof(tiercel_launch, attribute_count) == offsetof(CUlaunchConfig, numAttrs),
    "a launch");
static_assert(
    sizeof(tiercel_cluster_attribute) == sizeof(CUlaunchAttribute) &&
        offsetof(tiercel_cluster_attribute, x) == offsetof(CUlaunchAttribute, value) &&
        CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION == TIERCEL_CLUSTER_DIMENSION,
    "a cluster");
static_assert(CUDA_SUCCESS == SUCCESS && CUDA_ERROR_NOT_READY == NOT_READY, "codes");
static_assert(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT == MULTIPROCESSOR_COUNT, "multiprocessors");
static_assert(CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT == KERNEL_EXEC_TIMEOUT, "limit of time");
static_assert(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR == COMPUTE_CAPABILITY_MAJOR, "major");
static_assert(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR == COMPUTE_CAPABILITY_MINOR, "minor");
static_assert(CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH == COOPERATIVE_LAUNCH, "cooperative launch");
static_assert(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN == MAX_SHARED_BYTES_OF_BLOCK, "shared memory");
static_assert(CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH == CLUSTER_LAUNCH, "clusters");
static_assert(CUDA_ERROR_NOT_FOUND == NOT_FOUND, "a function that is not there");
static_assert(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES == MAX_DYNAMIC_SHARED_BYTES, "of a function");
static_assert(CU_MEMHOSTALLOC_PORTABLE == HOST_MEMORY_PORTABLE, "portable");
static_assert(CU_MEMHOSTALLOC_DEVICEMAP == HOST_MEMORY_MAPPED, "mapped");
static_assert(CU_STREAM_NON_BLOCKING == STREAM_NON_BLOCKING, "stream");
static_assert(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL == CAPTURE_THREAD_LOCAL, "capture");
static_assert(CU_EVENT_DISABLE_TIMING == EVENT_DISABLE_TIMING, "event");

}  // namespace
