/*
 * The part of CUDA that the kernels are written in. nvcc maps it to itself and to PTX; any other compiler takes
 * emulation.h instead (src/test/cpp), where a thread is a fiber, so that the same sources run without a GPU.
 *
 * Rules that keep both alike: shared memory is dynamic and given out by its owner; warps are whole, and their shuffles
 * are of all 32 lanes; a thread that waits for another block or for the host does it by awaitTagged (tagged_word.h),
 * which pauses, as a team's barrier does (block_team.h); integers wrap as unsigned.
 */
#ifndef TIERCEL_DEVICE_H
#define TIERCEL_DEVICE_H

#include <cstdint>

#include "exact.h"

#if defined(__CUDACC__)

/** No block has more threads: so many registers are left for each. */
#define TIERCEL_KERNEL_OF(threads) extern "C" __global__ __launch_bounds__(threads) void
#define TIERCEL_KERNEL TIERCEL_KERNEL_OF(1024)
#define TIERCEL_DEVICE __device__ __forceinline__
/** Of a function that is called: large, and from several places. */
#define TIERCEL_DEVICE_CALLED __device__ __noinline__
/** Before a kernel's parameter that is large and read by reference: it is where all threads can read it, not copied. */
#define TIERCEL_PARAMETER const __grid_constant__
/** The parameters of a function that is a barrier, and its arguments for one in it: which barrier it is. */
#define TIERCEL_PLACE
#define TIERCEL_SAME_PLACE
#define TIERCEL_PRAGMA(text) _Pragma(#text)
/** Before a loop: so many turns of it side by side. */
#define TIERCEL_UNROLL(turns) TIERCEL_PRAGMA(unroll turns)
/** Generations of GPUs that have no clusters get none of their kernels. */
#define TIERCEL_HAS_CLUSTERS (!defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900)

namespace tiercel {
namespace {

/** 16 bytes that are loaded at once, aligned to as many. */
using Words4 = uint4;

TIERCEL_DEVICE int threadIndex() { return static_cast<int>(threadIdx.x); }
TIERCEL_DEVICE int threadCount() { return static_cast<int>(blockDim.x); }
TIERCEL_DEVICE int blockIndex() { return static_cast<int>(blockIdx.x); }
/** The second dimension of a grid: a position of a batch. */
TIERCEL_DEVICE int positionIndex() { return static_cast<int>(blockIdx.y); }

TIERCEL_DEVICE void syncThreads() { __syncthreads(); }
TIERCEL_DEVICE int32_t shuffle(int32_t value, int lane) { return __shfl_sync(0xFFFFFFFFu, value, lane); }
TIERCEL_DEVICE int32_t shuffleXor(int32_t value, int mask) { return __shfl_xor_sync(0xFFFFFFFFu, value, mask); }

/** sum + the products of four signed bytes. */
TIERCEL_DEVICE int32_t dp4a(uint32_t a, uint32_t b, int32_t sum) {
    return __dp4a(static_cast<int32_t>(a), static_cast<int32_t>(b), sum);
}

/** The same with the bytes of a unsigned. */
TIERCEL_DEVICE int32_t dp4aUnsigned(uint32_t a, uint32_t b, int32_t sum) {
    int32_t total;
    asm("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(total) : "r"(a), "r"(b), "r"(sum));
    return total;
}

/** The block's shared memory, aligned to 16 bytes. */
TIERCEL_DEVICE uint8_t* sharedMemory() {
    extern __shared__ uint4 tiercelShared[];
    return reinterpret_cast<uint8_t*>(tiercelShared);
}

/** One load or store of 8 bytes, never split, seen by all blocks and by the host; orders nothing else. */
TIERCEL_DEVICE uint64_t loadRelaxed(const uint64_t* from) {
    uint64_t value;
    asm volatile("ld.relaxed.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(from));
    return value;
}
TIERCEL_DEVICE void storeRelaxed(uint64_t* to, uint64_t value) {
    asm volatile("st.relaxed.sys.global.u64 [%0], %1;" ::"l"(to), "l"(value));
}

/** With one of these two before it a thread that has seen a word sees what was written before it: among blocks. */
TIERCEL_DEVICE uint64_t loadAcquire(const uint64_t* from) {
    uint64_t value;
    asm volatile("ld.acquire.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(from) : "memory");
    return value;
}
TIERCEL_DEVICE void storeRelease(uint64_t* to, uint64_t value) {
    asm volatile("st.release.gpu.global.u64 [%0], %1;" ::"l"(to), "l"(value) : "memory");
}
/** The same with the host as well. */
TIERCEL_DEVICE uint64_t loadAcquireOfHost(const uint64_t* from) {
    uint64_t value;
    asm volatile("ld.acquire.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(from) : "memory");
    return value;
}
TIERCEL_DEVICE void storeReleaseToHost(uint64_t* to, uint64_t value) {
    asm volatile("st.release.sys.global.u64 [%0], %1;" ::"l"(to), "l"(value) : "memory");
}

#if TIERCEL_HAS_CLUSTERS
/** All threads of a cluster: what any of them has stored before, anywhere, all of them see after it. */
TIERCEL_DEVICE void syncCluster(TIERCEL_PLACE) {
    asm volatile("barrier.cluster.arrive.release;" ::: "memory");
    asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
}

/**
 * As storeRelaxed and loadRelaxed, of the shared memory of a block of this cluster, which is all of the grid: to the
 * same place there as this one is here; and from here. Before the first one the cluster has met.
 */
TIERCEL_DEVICE void storeToBlock(uint64_t* place, int block, uint64_t value) {
    uint32_t there;
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;"
                 : "=r"(there)
                 : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(place))), "r"(block));
    asm volatile("st.relaxed.cluster.shared::cluster.u64 [%0], %1;" ::"r"(there), "l"(value));
}
TIERCEL_DEVICE uint64_t loadFromBlocks(const uint64_t* from) {
    uint64_t value;
    asm volatile("ld.relaxed.cluster.shared.u64 %0, [%1];"
                 : "=l"(value)
                 : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(from))));
    return value;
}
#endif

/** Whether there is a barrier at this place: the emulation may have taken it out. */
TIERCEL_DEVICE bool isBarrier() { return true; }

/** Between two looks at what another writes. Nothing to do here: a look takes long enough. */
TIERCEL_DEVICE void pauseThread() {}

}  // namespace
}  // namespace tiercel

#else
#include "emulation.h"
#endif

namespace tiercel {
namespace {

constexpr int WARP_LANES = 32;

/** What a thread computes floats with. */
using Scalar = Exact<ScalarLanes>;

TIERCEL_DEVICE float shuffle(float value, int lane) {
    int32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    bits = shuffle(bits, lane);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

TIERCEL_DEVICE uint64_t shuffle(uint64_t value, int lane) {
    const uint32_t low = static_cast<uint32_t>(shuffle(static_cast<int32_t>(value), lane));
    const uint32_t high = static_cast<uint32_t>(shuffle(static_cast<int32_t>(value >> 32), lane));
    return static_cast<uint64_t>(high) << 32 | low;
}

/** Sums wrap: what leaves 32 bits on the way comes back. */
TIERCEL_DEVICE int32_t addWrapping(int32_t a, int32_t b) {
    return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
TIERCEL_DEVICE int32_t multiplyWrapping(int32_t a, int32_t b) {
    return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}

/** Two nibbles of each byte, as bytes that are 16 times them: low ones times the first word, high ones the second. */
TIERCEL_DEVICE int32_t sixteenfoldNibbleDot(uint32_t nibbles, uint32_t first, uint32_t second, int32_t sum) {
    return dp4a(nibbles & 0xF0F0F0F0u, second, dp4a((nibbles << 4) & 0xF0F0F0F0u, first, sum));
}

}  // namespace
}  // namespace tiercel

#endif
