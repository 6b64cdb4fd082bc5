/* The transformer's CUDA kernels over the emulation, against golden files; emulated_main.h says how it is called. */
#include <random>

#include "emulated_main.h"
#include "transformer_ahead.cu"
#include "transformer_check.h"
#include "transformer_step.cu"
#include "transformer_steps.cu"

namespace {

using tiercel::DeviceTransformer;
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

private:
    static std::string run(const TransformerLaunch& launch, const std::function<void()>& kernel) {
        const size_t sharedBytes = static_cast<size_t>(launch.sharedBytes);
        return emulation::run({1, launch.positions, launch.threads, sharedBytes, kernel, {}});
    }
};

std::string check(const golden::Transformer& golden, uint64_t seed) {
    std::mt19937_64 random(seed + 1);
    EmulatedDevice device;
    const TransformerGeometry geometry = transformerGeometryOf(random);
    const std::string wrong = TransformerCheck<EmulatedDevice>(device, golden, geometry).run();
    return wrong.empty() ? wrong : nameOf(geometry) + ": " + wrong;
}

}  // namespace

int main(int argc, char** argv) {
    return testMain<golden::Transformer>(argc, argv, check);
}
