/* The lstm kernels over the emulation, against golden files; emulated_main.h says how it is called. */
#include <random>

#include "emulated_main.h"
#include "lstm_ahead.cu"
#include "lstm_check.h"
#include "lstm_persistent.cu"
#include "lstm_step.cu"

namespace {

using tiercel::BatchPosition;
using tiercel::LstmGeometry;
using tiercel::LstmLink;
using tiercel::LstmShared;
using tiercel::LstmView;

/** The emulation as a device. */
class EmulatedDevice : public EmulatedMemory {
public:
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
    std::string persist(
        const LstmView& view, bool isCluster, const LstmLink& link, const std::function<void()>& host) {
        const auto persistent = view.isInt4 ? tiercel_lstm_persistent_int4 : tiercel_lstm_persistent_int8;
        const auto cluster = view.isInt4 ? tiercel_lstm_cluster_int4 : tiercel_lstm_cluster_int8;
        const auto kernel = [&] { (isCluster ? cluster : persistent)(view, link); };
        const int sharedBytes = isCluster ? clusterBytes(view) : persistentBytes(view);
        return emulation::run(
            {view.slices, 1, view.threads, static_cast<size_t>(sharedBytes), kernel, host, isCluster});
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
};

/** Each way over one file; what went wrong, or nothing. */
std::string check(const golden::Golden& golden, uint64_t seed) {
    std::mt19937_64 random(seed + 1);
    EmulatedDevice device;
    LstmGeometry geometry = geometryOf(golden.shape, random);
    std::string wrong = checkSteps(device, golden, geometry);
    for (const bool isCluster : {false, true}) {
        if (wrong.empty()) {
            geometry = persistentGeometryOf(golden.shape, random);
            wrong = checkPersistent(device, golden, geometry, isCluster, random);
        }
    }
    return wrong.empty() ? wrong : nameOf(geometry) + ": " + wrong;
}

}  // namespace

int main(int argc, char** argv) {
    return testMain<golden::Golden>(argc, argv, check);
}
