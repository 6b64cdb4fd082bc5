/* Fibers, their turns, barriers and shuffles; emulation.h says what for. */
#include "emulation.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define EMULATION_ASAN 1
#else
#define EMULATION_ASAN 0
#endif

// This file is compiled without the thread sanitizer even where the kernels are with it; EMULATION_TSAN says so.
#if defined(EMULATION_TSAN)
extern "C" {
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#endif

namespace emulation {
namespace {

constexpr size_t STACK_BYTES = 128 * 1024;
constexpr size_t GUARD_BYTES = 4096;
constexpr int WARP_LANES = 32;
/** Of that many turns, one lets those that wait for a store look again while others are still busy. */
constexpr int LOOK_TURNS = 64;
/** So that a warp runs ahead of the others for as long as nothing stops it. */
constexpr uint64_t LAST_FIRST_SEED = 1;
/** Of barriers, in all kernels. */
constexpr size_t MAX_PLACES = 256;

#if defined(__x86_64__)
extern "C" void emulationSwitch(void** saveStack, void* toStack);
// Saves what a function has to keep, with the floats' control words, and goes on where the other has saved.
asm(R"(
.text
.globl emulationSwitch
.type emulationSwitch,@function
emulationSwitch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emulationSwitch,.-emulationSwitch
)");
#endif

/** Where something else than this goes on. */
struct Context {
#if defined(__x86_64__)
    void* stack = nullptr;
#else
    ucontext_t context;
#endif
    void* fakeStack = nullptr;
    void* tsanFiber = nullptr;
};

struct Place {
    const char* file = nullptr;
    int line = 0;

    bool operator==(const Place& other) const {
        return line == other.line && (file == other.file || std::strcmp(file, other.file) == 0);
    }
    std::string name() const {
        const char* slash = std::strrchr(file, '/');
        return std::string(slash == nullptr ? file : slash + 1) + ":" + std::to_string(line);
    }
};

/** Where threads that belong together wait until all of them are there. */
struct Meeting {
    int threads = 0;
    int threadsLeft = 0;
    std::vector<struct Fiber*> waiting;
    Place place;
    int64_t count = 0;
    /** What the thread sanitizer orders by, of odd and even ones. */
    char keys[2];

    /** Before a launch: nothing grows in a fiber, where the thread sanitizer would see who has moved what. */
    void begin(int ofThreads) {
        threads = ofThreads;
        threadsLeft = ofThreads;
        waiting.clear();
        waiting.reserve(threads);
        count = 0;
    }
};

struct Block {
    int index;
    int position;
    /** Exactly as many bytes as were asked for, so that the address sanitizer sees where they end. */
    std::unique_ptr<uint8_t[], void (*)(void*)> shared{nullptr, std::free};
    Meeting barrier;
};

struct Warp {
    std::vector<struct Fiber*> atShuffle;
};

enum class State { READY, AT_BARRIER, AT_SHUFFLE, PAUSED, ENDED };

/** Its stack is kept from launch to launch, and given back when the OS thread ends that launches. */
struct Fiber {
    Fiber() = default;
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;
    ~Fiber() {
        if (stack != nullptr) {
            munmap(stack, GUARD_BYTES + STACK_BYTES);
        }
    }

    Context context;
    uint8_t* stack = nullptr;
    State state = State::ENDED;
    Block* block = nullptr;
    Warp* warp = nullptr;
    int thread = 0;
    Place place;
    int32_t value = 0;
    int lane = 0;
    const std::function<void()>* work = nullptr;
};

struct Scheduler {
    Context main;
    std::vector<std::unique_ptr<Fiber>> pool;
    /** A ring of as many places as there are fibers. */
    std::vector<Fiber*> ready;
    size_t firstReady = 0;
    size_t readyCount = 0;
    Fiber* running = nullptr;
    uint64_t seed = 0;
    std::mt19937_64 random;
    std::string failure;
    std::string removedBarrier;
    /** Of barriers; few. */
    std::vector<Place> places;
    int threads = 0;
    std::vector<Block> blocks;
    /** Of all blocks of each position, if they are one; else none. */
    std::vector<Meeting> clusters;
    std::vector<Fiber*> paused;
    bool isStored = false;
    int64_t progress = 0;
    char startKey = 0;
    char endKey = 0;
};

/** Of each OS thread, so that several launches can run side by side. */
thread_local Scheduler scheduler;
thread_local void (*storeHook)() = nullptr;

void acquire([[maybe_unused]] void* key) {
#if defined(EMULATION_TSAN)
    __tsan_acquire(key);
#endif
}

void release([[maybe_unused]] void* key) {
#if defined(EMULATION_TSAN)
    __tsan_release(key);
#endif
}

#if EMULATION_ASAN
const void* mainStackBottom = nullptr;
size_t mainStackBytes = 0;
#endif

void switchContext(Context& from, Context& to, [[maybe_unused]] Fiber* toFiber, [[maybe_unused]] bool isLast) {
#if EMULATION_ASAN
    const void* bottom = toFiber == nullptr ? mainStackBottom : toFiber->stack + GUARD_BYTES;
    __sanitizer_start_switch_fiber(
        isLast ? nullptr : &from.fakeStack, bottom, toFiber == nullptr ? mainStackBytes : STACK_BYTES);
#endif
#if defined(EMULATION_TSAN)
    __tsan_switch_to_fiber(to.tsanFiber, 1);
#endif
#if defined(__x86_64__)
    emulationSwitch(&from.stack, to.stack);
#else
    swapcontext(&from.context, &to.context);
#endif
#if EMULATION_ASAN
    __sanitizer_finish_switch_fiber(from.fakeStack, nullptr, nullptr);
#endif
}

void toScheduler(bool isLast) {
    Fiber* fiber = scheduler.running;
    switchContext(fiber->context, scheduler.main, nullptr, isLast);
}

void fail(const std::string& what) {
    if (scheduler.failure.empty()) {
        scheduler.failure = what;
    }
}

std::string nameOf(const Fiber& fiber) {
    return fiber.block == nullptr
               ? "the host"
               : "block " + std::to_string(fiber.block->index) + "," + std::to_string(fiber.block->position) +
                     " thread " + std::to_string(fiber.thread);
}

Fiber*& readyAt(size_t index) {
    return scheduler.ready[(scheduler.firstReady + index) % scheduler.ready.size()];
}

void makeReady(Fiber* fiber) {
    fiber->state = State::READY;
    readyAt(scheduler.readyCount++) = fiber;
}

/** A thread has ended: nobody may wait for it. */
void leave(const Fiber& fiber, Meeting& meeting) {
    meeting.threadsLeft--;
    if (!meeting.waiting.empty()) {
        fail(nameOf(fiber) + " has ended while others wait at " + meeting.place.name());
    }
}

/** Null if its block is of none. */
Meeting* clusterOf(const Fiber& fiber) {
    return scheduler.clusters.empty() ? nullptr : &scheduler.clusters[fiber.block->position];
}

void fiberMain() {
    Fiber* fiber = scheduler.running;
#if EMULATION_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &mainStackBottom, &mainStackBytes);
#endif
    acquire(&scheduler.startKey);
    (*fiber->work)();
    release(&scheduler.endKey);
    fiber->state = State::ENDED;
    if (fiber->block != nullptr) {
        leave(*fiber, fiber->block->barrier);
        if (Meeting* const cluster = clusterOf(*fiber); cluster != nullptr) {
            leave(*fiber, *cluster);
        }
    }
    toScheduler(true);
    std::abort();
}

#if defined(__x86_64__)
/** A stack as emulationSwitch would have left it, with fiberMain to return to. */
void prepare(Fiber& fiber) {
    uintptr_t top = reinterpret_cast<uintptr_t>(fiber.stack + GUARD_BYTES + STACK_BYTES);
    // As after a call: 8 below a multiple of 16.
    uint64_t* at = reinterpret_cast<uint64_t*>(top) - 1;
    *--at = reinterpret_cast<uint64_t>(&fiberMain);
    for (int i = 0; i < 6; i++) {
        *--at = 0;
    }
    uint32_t floatControl;
    uint16_t oldFloatControl;
    asm volatile("stmxcsr %0" : "=m"(floatControl));
    asm volatile("fnstcw %0" : "=m"(oldFloatControl));
    *--at = static_cast<uint64_t>(oldFloatControl) << 32 | floatControl;
    fiber.context.stack = at;
}
#else
void prepare(Fiber& fiber) {
    getcontext(&fiber.context.context);
    fiber.context.context.uc_stack.ss_sp = fiber.stack + GUARD_BYTES;
    fiber.context.context.uc_stack.ss_size = STACK_BYTES;
    fiber.context.context.uc_link = nullptr;
    makecontext(&fiber.context.context, fiberMain, 0);
}
#endif

/** A fiber that is ready for its first turn. */
Fiber* takeFiber(size_t index) {
    if (index == scheduler.pool.size()) {
        auto fiber = std::make_unique<Fiber>();
        void* memory = mmap(
            nullptr, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (memory == MAP_FAILED || mprotect(memory, GUARD_BYTES, PROT_NONE) != 0) {
            std::perror("no stack for a fiber");
            std::abort();
        }
        fiber->stack = static_cast<uint8_t*>(memory);
#if defined(EMULATION_TSAN)
        fiber->context.tsanFiber = __tsan_create_fiber(0);
#endif
        scheduler.pool.push_back(std::move(fiber));
    }
    Fiber* fiber = scheduler.pool[index].get();
#if EMULATION_ASAN
    __asan_unpoison_memory_region(fiber->stack + GUARD_BYTES, STACK_BYTES);
    fiber->context.fakeStack = nullptr;
#endif
    prepare(*fiber);
    fiber->place = Place();
    return fiber;
}

void scribble(uint8_t* bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bytes[i] = static_cast<uint8_t>(scheduler.random());
    }
}

Fiber* nextReady() {
    if (scheduler.seed == LAST_FIRST_SEED) {
        return readyAt(--scheduler.readyCount);
    }
    if (scheduler.seed != 0) {
        std::swap(readyAt(0), readyAt(scheduler.random() % scheduler.readyCount));
    }
    Fiber* next = readyAt(0);
    scheduler.firstReady = (scheduler.firstReady + 1) % scheduler.ready.size();
    scheduler.readyCount--;
    return next;
}

void wakePaused() {
    scheduler.isStored = false;
    for (Fiber* fiber : scheduler.paused) {
        makeReady(fiber);
    }
    scheduler.paused.clear();
}

/** The last lane of a warp to come gives all of them what they want. */
void completeShuffle(Warp& warp) {
    scheduler.progress++;
    Fiber* lanes[WARP_LANES];
    int32_t values[WARP_LANES];
    for (Fiber* fiber : warp.atShuffle) {
        lanes[fiber->thread % WARP_LANES] = fiber;
        values[fiber->thread % WARP_LANES] = fiber->value;
        if (!(fiber->place == scheduler.running->place)) {
            fail(nameOf(*fiber) + " shuffles at " + fiber->place.name() + ", another lane at " +
                 scheduler.running->place.name());
        }
    }
    warp.atShuffle.clear();
    for (Fiber* fiber : lanes) {
        fiber->value = values[fiber->lane];
        if (fiber != scheduler.running) {
            makeReady(fiber);
        }
    }
}

std::string whoWaits(size_t fibers) {
    std::string text;
    std::set<std::string> seen;
    for (size_t i = 0; i < fibers; i++) {
        const Fiber& fiber = *scheduler.pool[i];
        if (fiber.state == State::ENDED || fiber.state == State::READY) {
            continue;
        }
        const std::string where = fiber.state == State::PAUSED ? "for a word" : "at " + fiber.place.name();
        if (seen.insert(where).second) {
            text += "; " + nameOf(fiber) + " " + where;
        }
    }
    return text;
}

bool isBarrierAt(const Place& place) {
    return scheduler.removedBarrier.empty() || place.name() != scheduler.removedBarrier;
}

void meet(Meeting& meeting, const Place& place) {
    Fiber* fiber = scheduler.running;
    if (std::find(scheduler.places.begin(), scheduler.places.end(), place) == scheduler.places.end()) {
        scheduler.places.push_back(place);
    }
    if (!isBarrierAt(place)) {
        return;
    }
    scheduler.progress++;
    fiber->place = place;
    if (meeting.waiting.empty()) {
        meeting.place = fiber->place;
    } else if (!(meeting.place == fiber->place)) {
        fail(nameOf(*fiber) + " is at the barrier " + fiber->place.name() + ", others at " + meeting.place.name());
    }
    if (meeting.threadsLeft < meeting.threads) {
        fail(nameOf(*fiber) + " waits at " + fiber->place.name() + " for threads that have ended");
    }
    char* key = &meeting.keys[meeting.count % 2];
    release(key);
    meeting.waiting.push_back(fiber);
    if (static_cast<int>(meeting.waiting.size()) == meeting.threads) {
        meeting.count++;
        for (Fiber* other : meeting.waiting) {
            if (other != fiber) {
                makeReady(other);
            }
        }
        meeting.waiting.clear();
        // Its turn is over as everybody's is: who comes first to a barrier is not who leaves it first.
        makeReady(fiber);
    } else {
        fiber->state = State::AT_BARRIER;
    }
    toScheduler(false);
    acquire(key);
}

}  // namespace

void setSeed(uint64_t seed) {
    scheduler.seed = seed;
    scheduler.random.seed(seed);
}

void setRemovedBarrier(const std::string& place) {
    scheduler.removedBarrier = place;
}

bool isBarrier(const char* file, int line) {
    return isBarrierAt({file, line});
}

std::set<std::string> barrierPlaces() {
    std::set<std::string> names;
    for (const Place& place : scheduler.places) {
        names.insert(place.name());
    }
    return names;
}

std::string run(const Launch& launch) {
    if (launch.threads % WARP_LANES != 0) {
        return "threads=" + std::to_string(launch.threads) + " are not whole warps";
    }
#if defined(EMULATION_TSAN)
    scheduler.main.tsanFiber = __tsan_get_current_fiber();
#endif
    scheduler.failure.clear();
    scheduler.threads = launch.threads;
    const int blockCount = launch.blocks * launch.positions;
    // Nothing grows in a fiber: the thread sanitizer would see who has moved what.
    const size_t fiberCount = static_cast<size_t>(blockCount) * launch.threads + 1;
    scheduler.ready.assign(fiberCount, nullptr);
    scheduler.firstReady = 0;
    scheduler.readyCount = 0;
    scheduler.paused.clear();
    scheduler.paused.reserve(fiberCount);
    scheduler.isStored = false;
    scheduler.places.reserve(MAX_PLACES);
    std::vector<Block>& blocks = scheduler.blocks;
    blocks.clear();
    blocks.resize(blockCount);
    scheduler.clusters.clear();
    scheduler.clusters.resize(launch.isCluster ? launch.positions : 0);
    for (Meeting& cluster : scheduler.clusters) {
        cluster.begin(launch.blocks * launch.threads);
    }
    std::vector<Warp> warps(static_cast<size_t>(blockCount) * launch.threads / WARP_LANES);
    for (Warp& warp : warps) {
        warp.atShuffle.reserve(WARP_LANES);
    }
    size_t fibers = 0;
    for (int i = 0; i < blockCount; i++) {
        Block& block = blocks[i];
        block.index = i % launch.blocks;
        block.position = i / launch.blocks;
        block.barrier.begin(launch.threads);
        block.shared.reset(static_cast<uint8_t*>(std::aligned_alloc(16, (launch.sharedBytes + 15) / 16 * 16)));
        scribble(block.shared.get(), launch.sharedBytes);
        for (int thread = 0; thread < launch.threads; thread++) {
            Fiber* fiber = takeFiber(fibers++);
            fiber->block = &block;
            fiber->warp = &warps[(static_cast<size_t>(i) * launch.threads + thread) / WARP_LANES];
            fiber->thread = thread;
            fiber->work = &launch.kernel;
            makeReady(fiber);
        }
    }
    if (launch.host) {
        Fiber* fiber = takeFiber(fibers++);
        fiber->block = nullptr;
        fiber->work = &launch.host;
        makeReady(fiber);
    }
    release(&scheduler.startKey);
    while (scheduler.failure.empty()) {
        if (scheduler.isStored && (scheduler.readyCount == 0 || scheduler.random() % LOOK_TURNS == 0)) {
            wakePaused();
        }
        if (scheduler.readyCount == 0) {
            break;
        }
        scheduler.running = nextReady();
        switchContext(scheduler.main, scheduler.running->context, scheduler.running, false);
        Block* block = scheduler.running->block;
        if (scheduler.running->state == State::ENDED && block != nullptr && block->barrier.threadsLeft == 0) {
            scribble(block->shared.get(), launch.sharedBytes);
        }
    }
    acquire(&scheduler.endKey);
    const std::string waiting = whoWaits(fibers);
    if (!waiting.empty()) {
        fail("threads wait for each other" + waiting);
    }
    for (size_t i = 0; i < fibers; i++) {
        scheduler.pool[i]->state = State::ENDED;
    }
    return scheduler.failure;
}

int threadIndex() {
    return scheduler.running->thread;
}

int threadCount() {
    return scheduler.threads;
}

int blockIndex() {
    return scheduler.running->block->index;
}

int positionIndex() {
    return scheduler.running->block->position;
}

uint8_t* sharedMemory() {
    return scheduler.running->block->shared.get();
}

void syncThreads(const char* file, int line) {
    meet(scheduler.running->block->barrier, {file, line});
}

void syncCluster(const char* file, int line) {
    Meeting* const cluster = clusterOf(*scheduler.running);
    if (cluster == nullptr) {
        fail(nameOf(*scheduler.running) + " is at the barrier " + Place{file, line}.name() + " of no cluster");
        return;
    }
    meet(*cluster, {file, line});
}

void* placeInBlock(void* place, int block) {
    const Fiber& fiber = *scheduler.running;
    const int64_t offset = static_cast<uint8_t*>(place) - fiber.block->shared.get();
    const Meeting* const cluster = clusterOf(fiber);
    const int blocks = cluster == nullptr ? 0 : cluster->threads / scheduler.threads;
    if (block < 0 || block >= blocks) {
        fail(nameOf(fiber) + " stores into block " + std::to_string(block) + ", which is not of its cluster");
        return place;
    }
    Block& other = scheduler.blocks[fiber.block->position * blocks + block];
    if (&other != fiber.block && (cluster->count == 0 || other.barrier.threadsLeft < scheduler.threads)) {
        fail(nameOf(fiber) + " stores into block " + std::to_string(block) +
             (cluster->count == 0 ? ", which may not have begun" : ", which has ended"));
        return place;
    }
    return other.shared.get() + offset;
}

int32_t shuffle(int32_t value, int lane, const char* file, int line) {
    Fiber* fiber = scheduler.running;
    fiber->value = value;
    fiber->lane = lane;
    fiber->place = {file, line};
    if (lane < 0 || lane >= WARP_LANES) {
        fail(nameOf(*fiber) + " shuffles with lane " + std::to_string(lane));
        fiber->lane = 0;
    }
    Warp& warp = *fiber->warp;
    warp.atShuffle.push_back(fiber);
    if (static_cast<int>(warp.atShuffle.size()) == WARP_LANES) {
        completeShuffle(warp);
        return fiber->value;
    }
    fiber->state = State::AT_SHUFFLE;
    toScheduler(false);
    return fiber->value;
}

void pauseThread() {
    Fiber* fiber = scheduler.running;
    fiber->state = State::PAUSED;
    scheduler.paused.push_back(fiber);
    toScheduler(false);
}

void noteStore() {
    scheduler.isStored = true;
    scheduler.progress++;
    if (storeHook != nullptr) {
        storeHook();
    }
}

void lookAgain() {
    scheduler.isStored = true;
}

int64_t progress() {
    return scheduler.progress;
}

void setStoreHook(void (*hook)()) {
    storeHook = hook;
}

}  // namespace emulation
