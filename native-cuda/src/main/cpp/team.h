/*
 * The threads of one executor: its caller, who leads, and workers. A job runs on all of them at once and meets at
 * barriers. Workers spin for a while after a job and then sleep; a job that finds one asleep is done without it, and
 * wakes it for the next. So a job never waits for the scheduler to start somebody.
 *
 * The leader is always the same thread at a time; nothing here is for two leaders. No allocation after construction.
 */
#ifndef TIERCEL_TEAM_H
#define TIERCEL_TEAM_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace tiercel {

class Team;

/** One thread's place in a job. */
struct Participant {
    Team* team;
    int index;
    int count;
    uint64_t generation;

    /** Waits until every participant of the job has come here; what each wrote before, all can read after. */
    void meet();

    /** The first and the one past the last of this participant's share of items. */
    int first(int items) const { return static_cast<int>(static_cast<int64_t>(items) * index / count); }
    int end(int items) const { return static_cast<int>(static_cast<int64_t>(items) * (index + 1) / count); }
};

class Team {
public:
    using Job = void (*)(void* context, Participant& self);

    /** threads, the leader included: 1..64. Throws std::system_error when a thread cannot be started. */
    explicit Team(int threads);
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    int threads() const { return workerCount + 1; }

    /** Runs the job on the caller and on up to limit - 1 workers that are awake. */
    void run(Job job, void* context, int limit);

private:
    friend struct Participant;

    /** IDLE and ASLEEP are set by the worker, the others by the leader; CLAIMED is IDLE for sure until POSTED. */
    enum Mailbox : uint32_t { IDLE, ASLEEP, CLAIMED, POSTED, STOPPED };

    struct alignas(64) Worker {
        std::atomic<uint32_t> mailbox{IDLE};
        /** Written by the leader before POSTED. */
        Participant self{};
        Job job = nullptr;
        void* context = nullptr;
        std::mutex mutex;
        std::condition_variable wake;
        std::thread thread;
    };

    struct alignas(64) Arrival {
        std::atomic<uint64_t> generation{0};
    };

    static void work(Worker& worker);
    static void sleepUntilWanted(Worker& worker);
    static bool claim(Worker& worker);
    void wakeSleepers();
    void stop();

    int workerCount;
    std::unique_ptr<Worker[]> workers;
    /** By participant's index; only ever grow. */
    std::unique_ptr<Arrival[]> arrivals;
    uint64_t generation = 0;
};

}  // namespace tiercel

#endif
