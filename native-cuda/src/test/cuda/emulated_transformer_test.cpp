/* The transformer's CUDA kernels over the emulation, against golden files; emulated_main.h says how it is called. */
#include <random>

#include "emulated_main.h"
#include "transformer_ahead.cu"
#include "transformer_conversation.h"
#include "transformer_persistent.cu"
#include "transformer_step.cu"
#include "transformer_steps.cu"

namespace {

using tiercel::DeviceTransformer;
using tiercel::TransformerLink;
using tiercel::TransformerPosition;
using tiercel::TransformerRow;

/** The emulation as a device. */
class EmulatedDevice : public EmulatedMemory {
public:
    std::string step(const TransformerLaunch& launch, const DeviceTransformer& view,
                     const TransformerPosition* positions, uint8_t* records, uint8_t* vectors) {
        return run(launch, [&] { tiercel_transformer_step(view, positions, records, vectors); });
    }
    std::string ahead(const TransformerLaunch& launch, const DeviceTransformer& view,
                      const TransformerPosition* positions, uint8_t* records) {
        return run(launch, [&] { tiercel_transformer_ahead(view, positions, records); });
    }
    std::string steps(const TransformerLaunch& launch, const DeviceTransformer& view, const TransformerRow* rows,
                      uint8_t* records, uint8_t* vectors) {
        return run(launch, [&] { tiercel_transformer_steps(view, rows, records, vectors); });
    }

    std::string persist(const TransformerKernelLaunch& launch, const DeviceTransformer& view,
                        const TransformerLink& link, const std::function<void()>& host) {
        return emulation::run({launch.blocks, launch.teams, launch.threads, static_cast<size_t>(launch.sharedBytes),
                               [&] { tiercel_transformer_persistent(view, link); }, host, link.isCluster != 0});
    }

    void store(uint64_t* word, uint64_t value) { tiercel::storeRelaxed(word, value); }
    void storeRelease(uint64_t* word, uint64_t value) { tiercel::storeReleaseToHost(word, value); }
    uint64_t loadAcquire(const uint64_t* word) { return tiercel::loadAcquireOfHost(word); }
    void pause(int64_t) { tiercel::pauseThread(); }

private:
    static std::string run(const TransformerLaunch& launch, const std::function<void()>& kernel) {
        const size_t sharedBytes = static_cast<size_t>(launch.sharedBytes);
        return emulation::run({1, launch.positions, launch.threads, sharedBytes, kernel, {}});
    }
};

/** Both ways over one file; what went wrong, or nothing. */
std::string check(const golden::Transformer& golden, uint64_t seed) {
    // Of each file others, so that one seed has teams of one block and of several.
    std::mt19937_64 random(seed + 1 + 1000 * static_cast<uint64_t>(golden.shape.hidden));
    EmulatedDevice device;
    const TransformerGeometry geometry = transformerGeometryOf(random);
    std::string wrong = TransformerCheck<EmulatedDevice>(device, golden, geometry).run();
    if (wrong.empty()) {
        const TransformerTeams teams = transformerTeamsOf(random);
        wrong = TransformerConversation<EmulatedDevice>(device, golden, geometry, teams).run();
        wrong = wrong.empty() ? wrong : nameOf(teams) + ": " + wrong;
    }
    return wrong.empty() ? wrong : nameOf(geometry) + ": " + wrong;
}

}  // namespace

int main(int argc, char** argv) {
    return testMain<golden::Transformer>(argc, argv, check);
}
