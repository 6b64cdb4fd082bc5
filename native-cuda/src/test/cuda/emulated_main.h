/*
 * A test of kernels over the emulation: golden files with the turns of several seeds (0: they go round; 1: the last
 * one that can goes first), and odd geometries.
 *
 *   TEST SEEDS FILE...            exits 0, or 1 with what went wrong
 *   TEST --without-barriers SEEDS FILE...
 *                                 the same without each of the barriers in turn, which must go wrong
 */
#ifndef TIERCEL_EMULATED_MAIN_H
#define TIERCEL_EMULATED_MAIN_H

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "emulation.h"
#include "memory.h"

/** The emulation's memory, which is the host's. */
class EmulatedMemory {
public:
    uint8_t* memory(size_t bytes) {
        pieces.emplace_back(static_cast<uint8_t*>(std::aligned_alloc(64, tiercel::toCacheLines(bytes))), std::free);
        std::memset(pieces.back().get(), 0, tiercel::toCacheLines(bytes));
        return pieces.back().get();
    }
    uint8_t* pinned(size_t bytes) { return memory(bytes); }
    void to(void* device, const void* host, size_t bytes) { std::memcpy(device, host, bytes); }
    void from(void* host, const void* device, size_t bytes) { std::memcpy(host, device, bytes); }

private:
    std::vector<std::unique_ptr<uint8_t, void (*)(void*)>> pieces;
};

/** check(golden, seed) says what went wrong with a file, or nothing. */
template <class Golden, class Check>
std::string checkAll(const std::vector<Golden>& goldens, int seeds, const Check& check) {
    for (const Golden& golden : goldens) {
        for (int seed = 0; seed < seeds; seed++) {
            emulation::setSeed(seed);
            const std::string wrong = check(golden, seed);
            if (!wrong.empty()) {
                return golden.name + " seed " + std::to_string(seed) + ", " + wrong;
            }
        }
    }
    return "";
}

/** In a process of its own, since what goes wrong may be an address: noticed is a difference, a message or a signal. */
template <class Golden, class Check>
bool isNoticedWithout(const std::string& place, const std::vector<Golden>& goldens, int seeds, const Check& check) {
    constexpr unsigned LIMIT_SECONDS = 120;
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        alarm(LIMIT_SECONDS);
        emulation::setRemovedBarrier(place);
        const std::string wrong = checkAll(goldens, seeds, check);
        std::printf("without %s: %s\n", place.c_str(), wrong.c_str());
        std::fflush(stdout);
        _exit(wrong.empty() ? 0 : 1);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        std::perror("no process for a barrier");
        std::exit(2);
    }
    if (WIFSIGNALED(status)) {
        std::printf("without %s: %s\n", place.c_str(), strsignal(WTERMSIG(status)));
    }
    return status != 0;
}

template <class Golden, class Check>
int testMain(int argc, char** argv, const Check& check) {
    const bool isWithoutBarriers = argc > 1 && std::strcmp(argv[1], "--without-barriers") == 0;
    const int first = isWithoutBarriers ? 2 : 1;
    const int seeds = argc > first ? std::atoi(argv[first]) : 0;
    std::vector<Golden> goldens;
    for (int i = first + 1; i < argc; i++) {
        goldens.emplace_back(argv[i]);
    }
    const std::string wrong = goldens.empty() || seeds < 1 ? "no seeds or no files" : checkAll(goldens, seeds, check);
    if (!wrong.empty()) {
        std::printf("%s\n", wrong.c_str());
        return 1;
    }
    std::printf("%zu files, %d seeds: equal\n", goldens.size(), seeds);
    if (!isWithoutBarriers) {
        return 0;
    }
    for (const std::string& place : emulation::barrierPlaces()) {
        if (!isNoticedWithout(place, goldens, seeds, check)) {
            std::printf("without %s: nothing is noticed\n", place.c_str());
            return 1;
        }
    }
    return 0;
}

#endif
