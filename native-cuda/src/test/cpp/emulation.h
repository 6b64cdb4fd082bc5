/*
 * The kernels' CUDA on a CPU, for tests: a thread is a fiber, and fibers take turns in the OS thread that launches,
 * each until it has to wait. device.h includes this where there is no nvcc.
 *
 * What it finds that a GPU may not show: the order of turns is a seed's, so whatever depends on an order differs
 * between seeds; shared memory begins as noise and ends as noise; a barrier that not all threads of a block or cluster
 * reach, or that they reach at different lines, a shuffle of lanes at different lines, a store to a block of the cluster
 * that may not be there yet, or not any more, and threads that wait for each other end the launch with a message. Built with a sanitizer: an access past shared memory is the address sanitizer's, and to
 * the thread sanitizer each CUDA thread is a thread, and only barriers, and acquiring loads of what was released, order
 * them, so it finds races. (A shuffle orders nothing but its own values, as on a GPU.) emulation.cpp is not to be compiled with the thread
 * sanitizer, but with EMULATION_TSAN where the kernels are.
 */
#ifndef TIERCEL_EMULATION_H
#define TIERCEL_EMULATION_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#define TIERCEL_KERNEL inline void
#define TIERCEL_KERNEL_OF(threads) inline void
#define TIERCEL_DEVICE inline __attribute__((always_inline))
#define TIERCEL_DEVICE_CALLED inline __attribute__((noinline))
#define TIERCEL_PARAMETER const
#define TIERCEL_UNROLL(turns)
#define TIERCEL_HAS_CLUSTERS 1
#define TIERCEL_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()
#define TIERCEL_SAME_PLACE file, line

namespace emulation {

/** A kernel's launch. */
struct Launch {
    int blocks;
    /** Second dimension of the grid. */
    int positions;
    /** Of a block. */
    int threads;
    size_t sharedBytes;
    std::function<void()> kernel;
    /** What the host does meanwhile, as one fiber more, by loadRelaxed, storeRelaxed and pauseThread. May be empty. */
    std::function<void()> host;
    /** Whether all blocks of a position are a cluster. */
    bool isCluster = false;
};

/** Turns go round for seed 0; for seed 1 who was the last to be ready goes first; for others as random numbers say. */
void setSeed(uint64_t seed);

/** Barriers at this place, as barrierPlaces has it, do nothing: what will be noticed? Empty: all barriers work. */
void setRemovedBarrier(const std::string& place);

/** Whether a barrier at this place works. */
bool isBarrier(const char* file, int line);

/** Places of all barriers that a thread has come to. */
std::set<std::string> barrierPlaces();

/** Runs a launch to its end; returns what went wrong, or nothing. */
std::string run(const Launch& launch);

int threadIndex();
int threadCount();
int blockIndex();
int positionIndex();
uint8_t* sharedMemory();
void syncThreads(const char* file, int line);
void syncCluster(const char* file, int line);
/** In another block of the cluster, the place that one in this block's shared memory has here. */
void* placeInBlock(void* place, int block);
/** Of the calling lane: what the lane at another one's index has given. */
int32_t shuffle(int32_t value, int lane, const char* file, int line);
/** Waits until something may have been stored by storeRelaxed. */
void pauseThread();
/** Something has been. */
void noteStore();
/** Something may have been by another OS thread. */
void lookAgain();
/** Grows with whatever threads do but wait: if it does not, all of them wait for a word. */
int64_t progress();
/** Called after each store by a kernel of this OS thread; NULL for nothing. */
void setStoreHook(void (*hook)());

}  // namespace emulation

namespace tiercel {
namespace {

struct alignas(16) Words4 {
    uint32_t x;
    uint32_t y;
    uint32_t z;
    uint32_t w;
};

TIERCEL_DEVICE int threadIndex() { return emulation::threadIndex(); }
TIERCEL_DEVICE int threadCount() { return emulation::threadCount(); }
TIERCEL_DEVICE int blockIndex() { return emulation::blockIndex(); }
TIERCEL_DEVICE int positionIndex() { return emulation::positionIndex(); }
TIERCEL_DEVICE uint8_t* sharedMemory() { return emulation::sharedMemory(); }

TIERCEL_DEVICE void syncThreads(TIERCEL_PLACE) {
    emulation::syncThreads(file, line);
}

TIERCEL_DEVICE void syncCluster(TIERCEL_PLACE) {
    emulation::syncCluster(file, line);
}

TIERCEL_DEVICE int32_t shuffle(
    int32_t value, int lane, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return emulation::shuffle(value, lane, file, line);
}
TIERCEL_DEVICE int32_t shuffleXor(
    int32_t value, int mask, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return emulation::shuffle(value, (threadIndex() % 32) ^ mask, file, line);
}

/** Bytes of a as A has them, those of b signed. */
template <class A>
TIERCEL_DEVICE int32_t sumOfProducts(uint32_t a, uint32_t b, int32_t sum) {
    uint32_t total = static_cast<uint32_t>(sum);
    for (int shift = 0; shift < 32; shift += 8) {
        total += static_cast<uint32_t>(static_cast<A>(a >> shift) * static_cast<int8_t>(b >> shift));
    }
    return static_cast<int32_t>(total);
}

TIERCEL_DEVICE int32_t dp4a(uint32_t a, uint32_t b, int32_t sum) { return sumOfProducts<int8_t>(a, b, sum); }
TIERCEL_DEVICE int32_t dp4aUnsigned(uint32_t a, uint32_t b, int32_t sum) { return sumOfProducts<uint8_t>(a, b, sum); }

TIERCEL_DEVICE uint64_t loadRelaxed(const uint64_t* from) { return __atomic_load_n(from, __ATOMIC_RELAXED); }
TIERCEL_DEVICE void storeRelaxed(uint64_t* to, uint64_t value) {
    __atomic_store_n(to, value, __ATOMIC_RELAXED);
    emulation::noteStore();
}
TIERCEL_DEVICE uint64_t loadAcquire(const uint64_t* from) { return __atomic_load_n(from, __ATOMIC_ACQUIRE); }
TIERCEL_DEVICE void storeRelease(uint64_t* to, uint64_t value) {
    __atomic_store_n(to, value, __ATOMIC_RELEASE);
    emulation::noteStore();
}
TIERCEL_DEVICE uint64_t loadAcquireOfHost(const uint64_t* from) { return loadAcquire(from); }
TIERCEL_DEVICE void storeReleaseToHost(uint64_t* to, uint64_t value) { storeRelease(to, value); }
TIERCEL_DEVICE void storeToBlock(uint64_t* place, int block, uint64_t value) {
    storeRelaxed(static_cast<uint64_t*>(emulation::placeInBlock(place, block)), value);
}
TIERCEL_DEVICE uint64_t loadFromBlocks(const uint64_t* from) { return loadRelaxed(from); }
TIERCEL_DEVICE bool isBarrier(TIERCEL_PLACE) { return emulation::isBarrier(file, line); }
TIERCEL_DEVICE void pauseThread() { emulation::pauseThread(); }

}  // namespace
}  // namespace tiercel

#endif
