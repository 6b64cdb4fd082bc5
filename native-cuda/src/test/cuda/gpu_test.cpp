/*
 * The fat binary on a GPU: golden files bit for bit, and how long a request takes. Needs a driver and nothing of Java.
 *
 *   gpu_test check KERNELS.fatbin SEEDS FILE...    files of any family with odd geometries of SEEDS seeds; launched
 *                                                  kernels and persistent ones
 *   gpu_test bench KERNELS.fatbin PING_PONG.fatbin REQUESTS FILE UNITS:LANES:THREADS[c]... [FILE ...]
 *                                                  each file with each geometry, as a cluster where a c follows:
 *                                                  equal first, then latency in ns
 *   exits 0, or 1 with what went wrong
 */
#include <cuda_runtime_api.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "lstm_check.h"
#include "lstm_geometry.h"
#include "transformer_conversation.h"

namespace {

using tiercel::BatchPosition;
using tiercel::DeviceTransformer;
using tiercel::LstmGeometry;
using tiercel::LstmLink;
using tiercel::LstmShared;
using tiercel::LstmView;
using tiercel::TransformerLink;
using tiercel::TransformerPosition;
using tiercel::TransformerRow;

constexpr int64_t LIMIT_NS = 20'000'000'000;

int64_t nowNs() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000ll + time.tv_nsec;
}

void must(cudaError_t code, const char* call) {
    if (code != cudaSuccess) {
        std::printf("%s: %s: %s\n", call, cudaGetErrorName(code), cudaGetErrorString(code));
        std::fflush(stdout);
        // A kernel may still be running, which nothing would end.
        _exit(1);
    }
}
#define MUST(call) must(call, #call)

void store(uint64_t* word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

bool await(const uint64_t* word, uint32_t sequence, uint32_t& content) {
    for (int64_t looks = 0;; looks++) {
        const uint64_t value = __atomic_load_n(word, __ATOMIC_RELAXED);
        if (tiercel::belongsTo(value, sequence)) {
            content = static_cast<uint32_t>(value);
            return true;
        }
        static thread_local int64_t since;
        if (looks % 65536 == 0) {
            since = looks == 0 ? nowNs() : since;
            if (nowNs() - since > LIMIT_NS) {
                return false;
            }
        }
    }
}

void mustAnswer(bool isThere) {
    if (!isThere) {
        std::printf("no answer\n");
        std::fflush(stdout);
        _exit(1);
    }
}

class Library {
public:
    explicit Library(const std::string& file) {
        MUST(cudaLibraryLoadFromFile(&library, file.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0));
    }

    cudaKernel_t kernel(const char* name) const {
        cudaKernel_t kernel;
        must(cudaLibraryGetKernel(&kernel, library, name), name);
        return kernel;
    }

private:
    cudaLibrary_t library;
};

/** The GPU, as lstm_check.h and transformer_check.h want it. */
class CudaDevice {
public:
    struct Grid {
        unsigned blocks;
        unsigned positions;
    };

    explicit CudaDevice(const Library& library) : library(library) {
        MUST(cudaDeviceGetAttribute(&sharedLimit, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
        MUST(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0));
        MUST(cudaDeviceGetAttribute(&hasClusters, cudaDevAttrClusterLaunch, 0));
        MUST(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    }
    ~CudaDevice() {
        for (void* piece : pieces) {
            cudaFree(piece);
        }
        for (void* piece : pinnedPieces) {
            cudaFreeHost(piece);
        }
        cudaStreamDestroy(stream);
    }

    uint8_t* memory(size_t bytes) {
        void* piece;
        MUST(cudaMalloc(&piece, bytes));
        MUST(cudaMemset(piece, 0, bytes));
        MUST(cudaDeviceSynchronize());
        pieces.push_back(piece);
        return static_cast<uint8_t*>(piece);
    }
    uint8_t* pinned(size_t bytes) {
        void* piece;
        MUST(cudaHostAlloc(&piece, bytes, cudaHostAllocMapped | cudaHostAllocPortable));
        std::memset(piece, 0, bytes);
        pinnedPieces.push_back(piece);
        return static_cast<uint8_t*>(piece);
    }
    void to(void* device, const void* host, size_t bytes) {
        MUST(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice));
        MUST(cudaDeviceSynchronize());
    }
    void from(void* host, const void* device, size_t bytes) {
        MUST(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost));
    }

    std::string step(LstmView view, const BatchPosition* positions, int count) {
        void* arguments[] = {&view, &positions};
        return launch(view.isInt4 ? "tiercel_lstm_step_int4" : "tiercel_lstm_step_int8", {1, unsigned(count)},
                      view.threads, LstmShared(view).bytes, arguments);
    }
    std::string ahead(LstmView view, const BatchPosition* positions, int count) {
        void* arguments[] = {&view, &positions};
        return launch(view.isInt4 ? "tiercel_lstm_ahead_int4" : "tiercel_lstm_ahead_int8",
                      {unsigned(view.slices), unsigned(count)}, view.threads, LstmShared(view).bytes, arguments);
    }

    std::string step(const TransformerLaunch& of, DeviceTransformer view, const TransformerPosition* positions,
                     uint8_t* records, uint8_t* vectors) {
        void* arguments[] = {&view, &positions, &records, &vectors};
        return launch("tiercel_transformer_step", of, arguments);
    }
    std::string ahead(const TransformerLaunch& of, DeviceTransformer view, const TransformerPosition* positions,
                      uint8_t* records) {
        void* arguments[] = {&view, &positions, &records};
        return launch("tiercel_transformer_ahead", of, arguments);
    }
    std::string steps(const TransformerLaunch& of, DeviceTransformer view, const TransformerRow* rows, uint8_t* records,
                      uint8_t* vectors) {
        void* arguments[] = {&view, &rows, &records, &vectors};
        return launch("tiercel_transformer_steps", of, arguments);
    }

    bool fits(const LstmView& view, bool isCluster) const {
        const bool hasBlocks = isCluster ? hasClusters != 0 && view.slices <= tiercel::MOST_CLUSTER_BLOCKS
                                         : view.slices <= processors;
        return view.passes == 1 && view.threads <= 1024 && bytesOf(view, isCluster) <= sharedLimit && hasBlocks;
    }

    static int bytesOf(const LstmView& view, bool isCluster) {
        return isCluster ? clusterBytes(view) : persistentBytes(view);
    }

    std::string persist(LstmView view, bool isCluster, LstmLink link, const std::function<void()>& host) {
        void* arguments[] = {&view, &link};
        const char* const persistent = view.isInt4 ? "tiercel_lstm_persistent_int4" : "tiercel_lstm_persistent_int8";
        const char* const cluster = view.isInt4 ? "tiercel_lstm_cluster_int4" : "tiercel_lstm_cluster_int8";
        return persist(isCluster ? cluster : persistent, {unsigned(view.slices), 1}, view.threads,
                       bytesOf(view, isCluster), arguments, host, isCluster);
    }

    bool fits(const TransformerKernelLaunch& of) const {
        return of.sharedBytes <= sharedLimit && of.blocks * of.teams <= processors;
    }

    std::string persist(const TransformerKernelLaunch& of, DeviceTransformer view, TransformerLink link,
                        const std::function<void()>& host) {
        if (!fits(of)) {
            return "the GPU has too few multiprocessors, or too little shared memory";
        }
        if (link.isCluster != 0 && hasClusters == 0) {
            link.isCluster = 0;
        }
        void* arguments[] = {&view, &link};
        return persist("tiercel_transformer_persistent", {unsigned(of.blocks), unsigned(of.teams)}, of.threads,
                       of.sharedBytes, arguments, host, link.isCluster != 0);
    }

    /** A cooperative launch fails where not all blocks are resident at once; those of a cluster always are. */
    std::string persist(
        const char* name, Grid grid, int threads, int sharedBytes, void** arguments,
        const std::function<void()>& host, bool isCluster = false) {
        const cudaKernel_t kernel = library.kernel(name);
        MUST(cudaKernelSetAttributeForDevice(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, sharedBytes, 0));
        cudaLaunchAttribute attribute{};
        attribute.id = isCluster ? cudaLaunchAttributeClusterDimension : cudaLaunchAttributeCooperative;
        if (isCluster) {
            attribute.val.clusterDim = {grid.blocks, 1, 1};
        } else {
            attribute.val.cooperative = 1;
        }
        cudaLaunchConfig_t launch{};
        launch.gridDim = dim3(grid.blocks, grid.positions);
        launch.blockDim = dim3(threads);
        launch.dynamicSmemBytes = sharedBytes;
        launch.stream = stream;
        launch.attrs = &attribute;
        launch.numAttrs = 1;
        must(cudaLaunchKernelExC(&launch, reinterpret_cast<const void*>(kernel), arguments), name);
        host();
        const int64_t begun = nowNs();
        cudaError_t code;
        while ((code = cudaStreamQuery(stream)) == cudaErrorNotReady) {
            if (nowNs() - begun > LIMIT_NS) {
                std::printf("%s does not end\n", name);
                std::fflush(stdout);
                _exit(1);
            }
        }
        must(code, name);
        return "";
    }

    void store(uint64_t* word, uint64_t value) { ::store(word, value); }
    void storeRelease(uint64_t* word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
    uint64_t loadAcquire(const uint64_t* word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
    /** A kernel that does not answer ends the program: nothing else would end it. */
    void pause(int64_t looks) {
        if (looks == 0) {
            waitingSince = nowNs();
        }
        mustAnswer(looks % 65536 != 0 || nowNs() - waitingSince < LIMIT_NS);
    }
    bool await(const uint64_t* word, uint32_t sequence, uint32_t& content) { return ::await(word, sequence, content); }

private:
    std::string launch(const char* name, const TransformerLaunch& of, void** arguments) {
        if (of.sharedBytes > sharedLimit) {
            return std::string(name) + " needs shared memory of " + std::to_string(of.sharedBytes) + " bytes, not " +
                   std::to_string(sharedLimit);
        }
        return launch(name, {1, unsigned(of.positions)}, of.threads, of.sharedBytes, arguments);
    }

    std::string launch(const char* name, Grid grid, int threads, int sharedBytes, void** arguments) {
        const cudaKernel_t kernel = library.kernel(name);
        MUST(cudaKernelSetAttributeForDevice(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, sharedBytes, 0));
        must(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(grid.blocks, grid.positions), dim3(threads),
                              arguments, sharedBytes, stream),
             name);
        must(cudaStreamSynchronize(stream), name);
        return "";
    }

    const Library& library;
    int64_t waitingSince = 0;
    int sharedLimit;
    int processors;
    int hasClusters;
    cudaStream_t stream;
    std::vector<void*> pieces;
    std::vector<void*> pinnedPieces;
};

/** How requests arrive. */
struct Arrivals {
    const char* name;
    /** From an answer to the next request. */
    int64_t gapNs;
    /** Of all requests, so many in this way. */
    int share;
};

constexpr Arrivals ARRIVALS[] = {{"back to back", 0, 1}, {"20 us apart", 20'000, 1}, {"1 ms apart", 1'000'000, 100}};

void report(const std::string& what, const char* arrivals, std::vector<int64_t>& ns) {
    std::sort(ns.begin(), ns.end());
    const auto quantile = [&](double part) {
        return static_cast<long long>(ns[static_cast<size_t>(part * static_cast<double>(ns.size() - 1))]);
    };
    int64_t sum = 0;
    for (const int64_t some : ns) {
        sum += some;
    }
    std::printf("%-22s %-13s mean %6lld p50 %6lld p99 %6lld p99.9 %6lld max %8lld n %zu\n", what.c_str(), arrivals,
                static_cast<long long>(sum / static_cast<int64_t>(ns.size())), quantile(0.5), quantile(0.99),
                quantile(0.999), quantile(1), ns.size());
    std::fflush(stdout);
}

/** request(i) sends one and awaits its answer; settle() awaits what follows. Times in ns. */
template <class Request, class Settle>
void measure(const std::string& what, int requests, const Request& request, const Settle& settle) {
    int index = 0;
    for (const Arrivals& arrivals : ARRIVALS) {
        std::vector<int64_t> ns;
        const int count = std::max(requests / arrivals.share, 100);
        for (int i = -count / 10; i < count; i++) {
            for (const int64_t until = nowNs() + arrivals.gapNs; arrivals.gapNs > 0 && nowNs() < until;) {
            }
            const int64_t begun = nowNs();
            request(index++);
            const int64_t ended = nowNs();
            settle();
            if (i >= 0) {
                ns.push_back(ended - begun);
            }
        }
        report(what, arrivals.name, ns);
    }
}

void benchPingPong(const Library& library, int words, int requests) {
    CudaDevice device(library);
    uint64_t* request = reinterpret_cast<uint64_t*>(device.pinned(words * sizeof(uint64_t)));
    uint64_t* response = reinterpret_cast<uint64_t*>(device.pinned(64));
    void* arguments[] = {&request, &words, &response};
    uint32_t sequence = 0;
    const auto ask = [&](uint32_t content) {
        sequence++;
        for (int i = 0; i < words; i++) {
            store(request + i, tiercel::taggedWord(sequence, content));
        }
        uint32_t answer;
        mustAnswer(await(response, sequence, answer));
    };
    device.persist("tiercel_ping_pong", {1, 1}, std::min((words + 31) / 32 * 32, 256), 16, arguments, [&] {
        measure("ping-pong, words=" + std::to_string(words), requests, [&](int) { ask(0); }, [] {});
        ask(1);
    });
}

std::string bench(
    const Library& library, const golden::Golden& golden, const LstmGeometry& geometry, bool isCluster,
    int requests) {
    CudaDevice device(library);
    LstmSessions<CudaDevice> sessions(device, golden, geometry, golden.sessions);
    const std::string name = golden.name.substr(golden.name.rfind('/') + 1) + " " +
                             std::to_string(geometry.unitsPerSlice) + ":" + std::to_string(geometry.lanesPerUnit) +
                             ":" + std::to_string(geometry.threads) + (isCluster ? "c" : "");
    if (!device.fits(sessions.view, isCluster)) {
        std::printf("%-22s does not fit: blocks %d, shared memory %d\n", name.c_str(), sessions.view.slices,
                    device.bytesOf(sessions.view, isCluster));
        return "";
    }
    std::mt19937_64 random(1);
    const std::string wrong = checkPersistent(device, golden, geometry, isCluster, random);
    if (!wrong.empty()) {
        return name + ": " + wrong;
    }
    sessions.begin();
    LstmHost<CudaDevice> host(sessions, 1);
    std::vector<uint32_t> outputs(golden.shape.outputs);
    std::vector<uint8_t> canonical(sessions.view.state.canonicalBytes);
    const std::vector<golden::Step>& steps = golden.batches[0];
    uint32_t last = 0;
    return device.persist(sessions.view, isCluster, host.link, [&] {
        measure(
            name, requests,
            [&](int i) {
                const uint32_t sequence = host.send(0, steps[i % steps.size()].features.data(), nullptr);
                mustAnswer(host.awaitOutputs(sequence, outputs.data()));
                last = sequence;
            },
            [&] { mustAnswer(host.awaitState(last, canonical.data())); });
        host.stop();
    });
}

std::string check(const Library& library, const golden::Golden& golden, std::mt19937_64& random) {
    CudaDevice device(library);
    LstmGeometry geometry = geometryOf(golden.shape, random);
    std::string wrong = checkSteps(device, golden, geometry);
    for (const bool isCluster : {false, true}) {
        if (wrong.empty()) {
            geometry = persistentGeometryOf(golden.shape, random);
            if (device.fits(LstmView(golden.shape, geometry), isCluster)) {
                wrong = checkPersistent(device, golden, geometry, isCluster, random);
            }
        }
    }
    return wrong.empty() ? wrong : nameOf(geometry) + ": " + wrong;
}

std::string check(const Library& library, const golden::Transformer& golden, std::mt19937_64& random) {
    CudaDevice device(library);
    const TransformerGeometry geometry = transformerGeometryOf(random);
    std::string wrong = TransformerCheck<CudaDevice>(device, golden, geometry).run();
    if (wrong.empty()) {
        const TransformerTeams teams = transformerTeamsOf(random);
        wrong = TransformerConversation<CudaDevice>(device, golden, geometry, teams).run();
        wrong = wrong.empty() ? wrong : nameOf(teams) + ": " + wrong;
    }
    return wrong.empty() ? wrong : nameOf(geometry) + ": " + wrong;
}

template <class Golden>
std::string checkSeeds(const Library& library, const Golden& golden, int seeds) {
    for (int seed = 0; seed < seeds; seed++) {
        std::mt19937_64 random(seed + 1);
        const std::string wrong = check(library, golden, random);
        if (!wrong.empty()) {
            return golden.name + " seed " + std::to_string(seed) + ", " + wrong;
        }
    }
    return "";
}

LstmGeometry geometryOf(const char* text) {
    LstmGeometry geometry{};
    if (std::sscanf(text, "%d:%d:%d", &geometry.unitsPerSlice, &geometry.lanesPerUnit, &geometry.threads) != 3) {
        std::printf("%s is not UNITS:LANES:THREADS\n", text);
        std::exit(1);
    }
    return geometry;
}

std::string checkFiles(int argc, char** argv) {
    const Library library(argv[2]);
    for (int i = 4; i < argc; i++) {
        const bool isTransformer = golden::familyOf(argv[i]) == static_cast<int32_t>(golden::Family::TRANSFORMER);
        const std::string wrong = isTransformer ? checkSeeds(library, golden::Transformer(argv[i]), std::atoi(argv[3]))
                                                : checkSeeds(library, golden::Golden(argv[i]), std::atoi(argv[3]));
        if (!wrong.empty()) {
            return wrong;
        }
    }
    std::printf("%d files, %s geometries each: equal\n", argc - 4, argv[3]);
    return "";
}

std::string benchFiles(int argc, char** argv) {
    // Migration from core to core would be measured too.
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) / 2, &cores);
    sched_setaffinity(0, sizeof cores, &cores);
    const Library pingPong(argv[3]);
    const int requests = std::atoi(argv[4]);
    for (const int words : {1, 131, 515}) {
        benchPingPong(pingPong, words, requests);
    }
    const Library library(argv[2]);
    for (int i = 5; i < argc;) {
        const golden::Golden golden(argv[i++]);
        for (; i < argc && std::strchr(argv[i], ':') != nullptr; i++) {
            const bool isCluster = std::strchr(argv[i], 'c') != nullptr;
            const std::string wrong = bench(library, golden, geometryOf(argv[i]), isCluster, requests);
            if (!wrong.empty()) {
                return wrong;
            }
        }
    }
    return "";
}

}  // namespace

int main(int argc, char** argv) {
    const bool isCheck = argc > 4 && std::strcmp(argv[1], "check") == 0;
    if (!isCheck && !(argc > 5 && std::strcmp(argv[1], "bench") == 0)) {
        std::printf("gpu_test check|bench ...\n");
        return 1;
    }
    int runtime = 0;
    int driver = 0;
    cudaDeviceProp properties;
    MUST(cudaRuntimeGetVersion(&runtime));
    MUST(cudaDriverGetVersion(&driver));
    MUST(cudaGetDeviceProperties(&properties, 0));
    std::printf("%s, %d multiprocessors, shared memory %zu, CUDA runtime %d driver %d\n", properties.name,
                properties.multiProcessorCount, properties.sharedMemPerBlockOptin, runtime, driver);
    const std::string wrong = isCheck ? checkFiles(argc, argv) : benchFiles(argc, argv);
    if (!wrong.empty()) {
        std::printf("%s\n", wrong.c_str());
    }
    return wrong.empty() ? 0 : 1;
}
