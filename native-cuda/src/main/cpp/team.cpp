#include "team.h"

#include <chrono>
#include <functional>

namespace tiercel {
namespace {

/** How long a worker spins after its last job: long enough for a busy appliance, short enough for a quiet machine. */
constexpr std::chrono::milliseconds SPIN_DURATION{5};

/**
 * Turns of spinning between two looks at the clock, or before another thread is let onto the core: some 10 µs, longer
 * than a layer that is worth sharing takes to be finished, short where whoever is waited for has no core.
 */
constexpr int SPIN_TURNS = 512;

inline void spinOnce() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

template <class Condition>
void spinUntil(Condition condition) {
    for (int turns = 0; !condition(); turns++) {
        spinOnce();
        if (turns == SPIN_TURNS) {
            // More threads than cores: whoever is waited for may need this one.
            std::this_thread::yield();
            turns = 0;
        }
    }
}

}  // namespace

void Participant::meet() {
    generation++;
    // Pairs with the acquire below, in every other participant.
    team->arrivals[index].generation.store(generation, std::memory_order_release);
    for (int other = 0; other < count; other++) {
        const std::atomic<uint64_t>& arrival = team->arrivals[other].generation;
        const uint64_t awaited = generation;
        spinUntil([&] { return arrival.load(std::memory_order_acquire) >= awaited; });
    }
}

Team::Team(int threads)
    : workerCount(threads - 1), workers(new Worker[threads - 1]), arrivals(new Arrival[threads]) {
    try {
        for (int i = 0; i < workerCount; i++) {
            workers[i].thread = std::thread(work, std::ref(workers[i]));
        }
    } catch (...) {
        stop();
        throw;
    }
}

Team::~Team() {
    stop();
}

void Team::run(Job job, void* context, int limit) {
    int count = 1;
    for (int i = 0; i < workerCount && count < limit; i++) {
        if (claim(workers[i])) {
            workers[i].self.index = count++;
        }
    }
    for (int i = 0; i < workerCount && count > 1; i++) {
        Worker& worker = workers[i];
        if (worker.mailbox.load(std::memory_order_relaxed) == CLAIMED) {
            worker.self = Participant{this, worker.self.index, count, generation};
            worker.job = job;
            worker.context = context;
            // Pairs with the acquire in work().
            worker.mailbox.store(POSTED, std::memory_order_release);
        }
    }
    Participant self{this, 0, count, generation};
    job(context, self);
    generation = self.generation;
    if (count < limit) {
        wakeSleepers();
    }
}

/** A worker still on its way out of the last job will be back at once, unless it has lost its core. */
bool Team::claim(Worker& worker) {
    for (int turns = 0; turns < SPIN_TURNS; turns++) {
        uint32_t seen = IDLE;
        if (worker.mailbox.compare_exchange_strong(seen, CLAIMED, std::memory_order_acquire)) {
            return true;
        }
        if (seen != POSTED) {
            return false;
        }
        spinOnce();
    }
    return false;
}

void Team::work(Worker& worker) {
    auto sleepAt = std::chrono::steady_clock::now() + SPIN_DURATION;
    for (int turns = 0;;) {
        const uint32_t seen = worker.mailbox.load(std::memory_order_acquire);
        if (seen == POSTED) {
            worker.job(worker.context, worker.self);
            worker.mailbox.store(IDLE, std::memory_order_release);
            sleepAt = std::chrono::steady_clock::now() + SPIN_DURATION;
            turns = 0;
        } else if (seen == STOPPED) {
            return;
        }
        spinOnce();
        if (++turns == SPIN_TURNS) {
            turns = 0;
            if (std::chrono::steady_clock::now() >= sleepAt) {
                sleepUntilWanted(worker);
                sleepAt = std::chrono::steady_clock::now() + SPIN_DURATION;
            }
        }
    }
}

void Team::sleepUntilWanted(Worker& worker) {
    std::unique_lock<std::mutex> lock(worker.mutex);
    uint32_t seen = IDLE;
    if (worker.mailbox.compare_exchange_strong(seen, ASLEEP, std::memory_order_acq_rel)) {
        worker.wake.wait(lock, [&] { return worker.mailbox.load(std::memory_order_acquire) != ASLEEP; });
    }
}

void Team::wakeSleepers() {
    for (int i = 0; i < workerCount; i++) {
        Worker& worker = workers[i];
        if (worker.mailbox.load(std::memory_order_relaxed) == ASLEEP) {
            std::lock_guard<std::mutex> lock(worker.mutex);
            worker.mailbox.store(IDLE, std::memory_order_release);
            worker.wake.notify_one();
        }
    }
}

/** No job runs any more, so a worker is idle, asleep, or about to be idle. */
void Team::stop() {
    for (int i = 0; i < workerCount; i++) {
        Worker& worker = workers[i];
        if (worker.thread.joinable()) {
            spinUntil([&] { return worker.mailbox.load(std::memory_order_acquire) != POSTED; });
            {
                std::lock_guard<std::mutex> lock(worker.mutex);
                worker.mailbox.store(STOPPED, std::memory_order_release);
                worker.wake.notify_one();
            }
            worker.thread.join();
        }
    }
}

}  // namespace tiercel
