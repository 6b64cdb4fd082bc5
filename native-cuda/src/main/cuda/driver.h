/*
 * The functions of the CUDA driver that the host side calls. They are looked up in libcuda.so.1 when it is first wanted:
 * a library that were linked to them would not load on a machine without a driver, and a function that an older driver
 * lacks would end the process when it is called. Declared here, since a build needs no CUDA toolkit: handles, device
 * addresses and host addresses are 64 bits, as on every system that has this driver, and enums are ints.
 */
#ifndef TIERCEL_DRIVER_H
#define TIERCEL_DRIVER_H

#include <stdint.h>

/** As CUlaunchAttribute, of a cluster's dimensions. */
struct tiercel_cluster_attribute {
    int32_t id;
    int32_t padding;
    uint32_t x;
    uint32_t y;
    uint32_t z;
    uint32_t of_other_attributes[13];
};
/** CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION. */
#define TIERCEL_CLUSTER_DIMENSION 4

/** As CUlaunchConfig. */
struct tiercel_launch {
    uint32_t grid_x;
    uint32_t grid_y;
    uint32_t grid_z;
    uint32_t block_x;
    uint32_t block_y;
    uint32_t block_z;
    uint32_t shared_bytes;
    int64_t stream;
    const struct tiercel_cluster_attribute* attributes;
    uint32_t attribute_count;
};

/**
 * CALL(name, symbol, parameters, arguments) of each: name in the driver's documentation, and in the library, where it
 * stands with the version of its interface. All return a CUresult.
 */
#define TIERCEL_DRIVER_CALLS(CALL)                                                                                     \
    CALL(cuInit, cuInit, (uint32_t flags), (flags))                                                                    \
    CALL(cuDriverGetVersion, cuDriverGetVersion, (int32_t* version), (version))                                        \
    CALL(cuGetErrorName, cuGetErrorName, (int32_t code, const char** text), (code, text))                              \
    CALL(cuGetErrorString, cuGetErrorString, (int32_t code, const char** text), (code, text))                          \
    CALL(cuDeviceGetCount, cuDeviceGetCount, (int32_t* count), (count))                                                \
    CALL(cuDeviceGet, cuDeviceGet, (int32_t* device, int32_t ordinal), (device, ordinal))                              \
    CALL(cuDeviceGetName, cuDeviceGetName, (int8_t* name, int32_t length, int32_t device), (name, length, device))     \
    CALL(cuDeviceGetAttribute, cuDeviceGetAttribute, (int32_t* value, int32_t attribute, int32_t device),              \
         (value, attribute, device))                                                                                   \
    CALL(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, (int64_t* context, int32_t device), (context, device))    \
    CALL(cuDevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2, (int32_t device), (device))                          \
    CALL(cuCtxSetCurrent, cuCtxSetCurrent, (int64_t context), (context))                                               \
    CALL(cuModuleLoadData, cuModuleLoadData, (int64_t* module, const int8_t* image), (module, image))                  \
    CALL(cuModuleUnload, cuModuleUnload, (int64_t module), (module))                                                   \
    CALL(cuModuleGetFunction, cuModuleGetFunction, (int64_t* function, int64_t module, const char* name),              \
         (function, module, name))                                                                                     \
    CALL(cuFuncSetAttribute, cuFuncSetAttribute, (int64_t function, int32_t attribute, int32_t value),                 \
         (function, attribute, value))                                                                                 \
    CALL(cuMemAlloc, cuMemAlloc_v2, (int64_t* address, int64_t bytes), (address, bytes))                               \
    CALL(cuMemFree, cuMemFree_v2, (int64_t address), (address))                                                        \
    CALL(cuMemHostAlloc, cuMemHostAlloc, (int64_t* address, int64_t bytes, uint32_t flags), (address, bytes, flags))   \
    CALL(cuMemFreeHost, cuMemFreeHost, (int64_t address), (address))                                                   \
    CALL(cuMemHostGetDevicePointer, cuMemHostGetDevicePointer_v2,                                                      \
         (int64_t* address, int64_t hostAddress, uint32_t flags), (address, hostAddress, flags))                       \
    CALL(cuMemcpyHtoD, cuMemcpyHtoD_v2, (int64_t to, int64_t from, int64_t bytes), (to, from, bytes))                  \
    CALL(cuMemcpyHtoDAsync, cuMemcpyHtoDAsync_v2, (int64_t to, int64_t from, int64_t bytes, int64_t stream),           \
         (to, from, bytes, stream))                                                                                    \
    CALL(cuMemcpyDtoHAsync, cuMemcpyDtoHAsync_v2, (int64_t to, int64_t from, int64_t bytes, int64_t stream),           \
         (to, from, bytes, stream))                                                                                    \
    CALL(cuMemcpyDtoDAsync, cuMemcpyDtoDAsync_v2, (int64_t to, int64_t from, int64_t bytes, int64_t stream),           \
         (to, from, bytes, stream))                                                                                    \
    CALL(cuMemsetD8Async, cuMemsetD8Async, (int64_t address, uint8_t value, int64_t count, int64_t stream),            \
         (address, value, count, stream))                                                                              \
    CALL(cuStreamCreate, cuStreamCreate, (int64_t* stream, uint32_t flags), (stream, flags))                           \
    CALL(cuStreamSynchronize, cuStreamSynchronize, (int64_t stream), (stream))                                         \
    CALL(cuStreamQuery, cuStreamQuery, (int64_t stream), (stream))                                                     \
    CALL(cuStreamDestroy, cuStreamDestroy_v2, (int64_t stream), (stream))                                              \
    CALL(cuStreamBeginCapture, cuStreamBeginCapture_v2, (int64_t stream, int32_t mode), (stream, mode))                \
    CALL(cuStreamEndCapture, cuStreamEndCapture, (int64_t stream, int64_t* graph), (stream, graph))                    \
    CALL(cuGraphInstantiateWithFlags, cuGraphInstantiateWithFlags,                                                     \
         (int64_t* executable, int64_t graph, uint64_t flags), (executable, graph, flags))                             \
    CALL(cuGraphDestroy, cuGraphDestroy, (int64_t graph), (graph))                                                     \
    CALL(cuGraphLaunch, cuGraphLaunch, (int64_t executable, int64_t stream), (executable, stream))                     \
    CALL(cuGraphExecDestroy, cuGraphExecDestroy, (int64_t executable), (executable))                                   \
    CALL(cuEventCreate, cuEventCreate, (int64_t* event, uint32_t flags), (event, flags))                               \
    CALL(cuEventRecord, cuEventRecord, (int64_t event, int64_t stream), (event, stream))                               \
    CALL(cuEventQuery, cuEventQuery, (int64_t event), (event))                                                         \
    CALL(cuEventDestroy, cuEventDestroy_v2, (int64_t event), (event))                                                  \
    CALL(cuLaunchKernel, cuLaunchKernel,                                                                               \
         (int64_t function, uint32_t gridX, uint32_t gridY, uint32_t gridZ, uint32_t blockX, uint32_t blockY,          \
          uint32_t blockZ, uint32_t sharedBytes, int64_t stream, void** parameters, void** extra),                     \
         (function, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, stream, parameters, extra))              \
    CALL(cuLaunchCooperativeKernel, cuLaunchCooperativeKernel,                                                         \
         (int64_t function, uint32_t gridX, uint32_t gridY, uint32_t gridZ, uint32_t blockX, uint32_t blockY,          \
          uint32_t blockZ, uint32_t sharedBytes, int64_t stream, void** parameters),                                   \
         (function, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, stream, parameters))                     \
    CALL(cuLaunchKernelEx, cuLaunchKernelEx,                                                                           \
         (const struct tiercel_launch* launch, int64_t function, void** parameters, void** extra),                     \
         (launch, function, parameters, extra))                                                                        \
    CALL(cuOccupancyMaxActiveClusters, cuOccupancyMaxActiveClusters,                                                   \
         (int32_t* count, int64_t function, const struct tiercel_launch* launch), (count, function, launch))

#endif
