/*
 * The CUDA kernels over the emulation, against golden files, with the turns of several seeds and odd geometries.
 *
 *   emulated_test SEEDS FILE...            exits 0, or 1 with what went wrong
 *   emulated_test --without-barriers SEEDS FILE...
 *                                          the same without each of the barriers in turn, which must go wrong
 */
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "emulation.h"
#include "kernels.cu"
#include "lstm_check.h"

namespace {

using tiercel::BatchPosition;
using tiercel::LstmGeometry;
using tiercel::LstmLink;
using tiercel::LstmShared;
using tiercel::LstmView;

constexpr unsigned LIMIT_SECONDS = 120;

/** The emulation as a device: its memory is the host's. */
class EmulatedDevice {
public:
    uint8_t* memory(size_t bytes) {
        pieces.emplace_back(static_cast<uint8_t*>(std::aligned_alloc(64, tiercel::toCacheLines(bytes))), std::free);
        std::memset(pieces.back().get(), 0, tiercel::toCacheLines(bytes));
        return pieces.back().get();
    }
    uint8_t* pinned(size_t bytes) { return memory(bytes); }
    void to(void* device, const void* host, size_t bytes) { std::memcpy(device, host, bytes); }
    void from(void* host, const void* device, size_t bytes) { std::memcpy(host, device, bytes); }

    std::string step(const LstmView& view, const BatchPosition* positions, int count) {
        return launch(1, count, view.threads, LstmShared(view).bytes, [&] {
            view.isInt4 ? tiercel_lstm_step_int4(view, positions) : tiercel_lstm_step_int8(view, positions);
        });
    }
    std::string ahead(const LstmView& view, const BatchPosition* positions, int count) {
        return launch(view.slices, count, view.threads, LstmShared(view).bytes, [&] {
            view.isInt4 ? tiercel_lstm_ahead_int4(view, positions) : tiercel_lstm_ahead_int8(view, positions);
        });
    }
    std::string hash(const LstmView& view, const BatchPosition* positions, int count, uint64_t* hashes) {
        return launch(1, count, tiercel::WARP_LANES, 0, [&] { tiercel_lstm_hash(view, positions, hashes); });
    }
    std::string persist(const LstmView& view, const LstmLink& link, const std::function<void()>& host) {
        const auto kernel = [&] {
            view.isInt4 ? tiercel_lstm_persistent_int4(view, link) : tiercel_lstm_persistent_int8(view, link);
        };
        const int sharedBytes = persistentBytes(view);
        return emulation::run({view.slices, 1, view.threads, static_cast<size_t>(sharedBytes), kernel, host});
    }

    void store(uint64_t* word, uint64_t value) { tiercel::storeRelaxed(word, value); }
    bool await(const uint64_t* word, uint32_t sequence, uint32_t& content) {
        content = tiercel::awaitTagged(word, sequence);
        return true;
    }

private:
    static std::string launch(
        int blocks, int positions, int threads, int sharedBytes, const std::function<void()>& kernel) {
        return emulation::run({blocks, positions, threads, static_cast<size_t>(sharedBytes), kernel, {}});
    }

    std::vector<std::unique_ptr<uint8_t, void (*)(void*)>> pieces;
};

/** Both ways over one file; what went wrong, or nothing. */
std::string check(const golden::Golden& golden, uint64_t seed) {
    std::mt19937_64 random(seed + 1);
    EmulatedDevice device;
    emulation::setSeed(seed);
    LstmGeometry geometry = geometryOf(golden.shape, random);
    std::string wrong = checkSteps(device, golden, geometry);
    if (wrong.empty()) {
        geometry = persistentGeometryOf(golden.shape, random);
        wrong = checkPersistent(device, golden, geometry, random);
        wrong = wrong.empty() ? wrong : "persistent kernel: " + wrong;
    }
    return wrong.empty() ? wrong
                         : golden.name + " seed " + std::to_string(seed) + ", " + nameOf(geometry) + ": " + wrong;
}

std::string checkAll(const std::vector<golden::Golden>& goldens, int seeds) {
    for (const golden::Golden& golden : goldens) {
        for (int seed = 0; seed < seeds; seed++) {
            const std::string wrong = check(golden, seed);
            if (!wrong.empty()) {
                return wrong;
            }
        }
    }
    return "";
}

/** In a process of its own, since what goes wrong may be an address: noticed is a difference, a message or a signal. */
bool isNoticedWithout(const std::string& place, const std::vector<golden::Golden>& goldens, int seeds) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        alarm(LIMIT_SECONDS);
        emulation::setRemovedBarrier(place);
        const std::string wrong = checkAll(goldens, seeds);
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

}  // namespace

int main(int argc, char** argv) {
    const bool isWithoutBarriers = argc > 1 && std::strcmp(argv[1], "--without-barriers") == 0;
    const int first = isWithoutBarriers ? 2 : 1;
    const int seeds = argc > first ? std::atoi(argv[first]) : 0;
    std::vector<golden::Golden> goldens;
    for (int i = first + 1; i < argc; i++) {
        goldens.emplace_back(argv[i]);
    }
    std::string wrong = goldens.empty() || seeds < 1 ? "no seeds or no files" : checkAll(goldens, seeds);
    if (!wrong.empty()) {
        std::printf("%s\n", wrong.c_str());
        return 1;
    }
    std::printf("%zu files, %d seeds: equal\n", goldens.size(), seeds);
    if (!isWithoutBarriers) {
        return 0;
    }
    for (const std::string& place : emulation::barrierPlaces()) {
        if (!isNoticedWithout(place, goldens, seeds)) {
            std::printf("without %s: nothing is noticed\n", place.c_str());
            return 1;
        }
    }
    return 0;
}
