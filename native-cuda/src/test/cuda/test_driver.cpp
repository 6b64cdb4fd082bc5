/*
 * A CUDA driver for tests: libcuda.so.1 without a GPU. The functions of driver.h, over the emulation, with one GPU whose
 * kernels are the compiled-in ones; a kernel that is launched runs on an OS thread of its own. Memory that the host and
 * the GPU share stands at two addresses, one for each, so that nobody can mistake them.
 *
 * TestDriver.java tells it, by JNI, what shall go wrong: any call at its n-th time, with any code; a GPU that has little
 * memory; one that stands still after so many stores of the kernels that stay, or launches of others, while calls go on
 * or fail too. A kernel that stands still does so for ever, with its thread or its stream.
 */
#include <jni.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "driver.h"
#include "emulation.h"
#include "kernels.cu"

namespace {

enum Code : int32_t {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    DEVICE_UNAVAILABLE = 46,
    INVALID_IMAGE = 200,
    NO_BINARY_FOR_GPU = 209,
    INVALID_CONTEXT = 201,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    COOPERATIVE_LAUNCH_TOO_LARGE = 720,
    LAUNCH_FAILED = 719,
};

const std::map<int32_t, std::pair<const char*, const char*>> NAMES = {
    {SUCCESS, {"CUDA_SUCCESS", "no error"}},
    {INVALID_VALUE, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
    {OUT_OF_MEMORY, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
    {DEVICE_UNAVAILABLE, {"CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable"}},
    {INVALID_IMAGE, {"CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"}},
    {NO_BINARY_FOR_GPU, {"CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"}},
    {INVALID_CONTEXT, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
    {NOT_FOUND, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
    {NOT_READY, {"CUDA_ERROR_NOT_READY", "device not ready"}},
    {ILLEGAL_ADDRESS, {"CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"}},
    {COOPERATIVE_LAUNCH_TOO_LARGE, {"CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE", "too many blocks in cooperative launch"}},
    {LAUNCH_FAILED, {"CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"}},
};

constexpr int64_t CONTEXT = 0xC0;
constexpr int64_t MODULE = 0xD0;
constexpr int32_t DEVICE = 0;
constexpr uint32_t FAT_BINARY_MAGIC = 0xBA55ED50u;
constexpr int64_t NEVER = -1;
constexpr uint32_t MOST_CLUSTER_BLOCKS = 8;

/** A kernel that stays, with its parameters, which are copied when it is launched. */
using Kernel = std::function<void()> (*)(void** parameters);
using BatchKernel = void (*)(void** parameters);

/** What a function's handle points at. */
struct Function {
    const char* name;
    Kernel kernel;
    BatchKernel batchKernel;
    int32_t sharedBytes;
};

template <class T>
T& at(void** parameters, int index) {
    return *static_cast<T*>(parameters[index]);
}

template <class Item, void (*KERNEL)(const tiercel::LstmView, const Item*)>
void launchOf(void** parameters) {
    KERNEL(at<tiercel::LstmView>(parameters, 0), at<const Item*>(parameters, 1));
}

template <void (*KERNEL)(const tiercel::LstmView, const tiercel::BatchPosition*)>
void launchLstm(void** parameters) {
    launchOf<tiercel::BatchPosition, KERNEL>(parameters);
}

/** Items are positions or rows. */
template <class Item, void (*KERNEL)(const tiercel::DeviceTransformer, Item*, uint8_t*, uint8_t*)>
void launchTransformer(void** parameters) {
    KERNEL(at<tiercel::DeviceTransformer>(parameters, 0), at<Item*>(parameters, 1), at<uint8_t*>(parameters, 2),
           at<uint8_t*>(parameters, 3));
}

void launchTransformerAhead(void** parameters) {
    tiercel_transformer_ahead(at<tiercel::DeviceTransformer>(parameters, 0),
                              at<const tiercel::TransformerPosition*>(parameters, 1), at<uint8_t*>(parameters, 2));
}

template <void (*KERNEL)(const tiercel::LstmView, const tiercel::LstmLink)>
std::function<void()> persistentLstm(void** parameters) {
    const auto view = at<tiercel::LstmView>(parameters, 0);
    const auto link = at<tiercel::LstmLink>(parameters, 1);
    return [view, link] { KERNEL(view, link); };
}

std::function<void()> persistentTransformer(void** parameters) {
    const auto view = at<tiercel::DeviceTransformer>(parameters, 0);
    const auto link = at<tiercel::TransformerLink>(parameters, 1);
    return [view, link] { tiercel_transformer_persistent(view, link); };
}

Function functions[] = {
    {"tiercel_transformer_persistent", persistentTransformer, nullptr, 0},
    {"tiercel_lstm_persistent_int8", persistentLstm<tiercel_lstm_persistent_int8>, nullptr, 0},
    {"tiercel_lstm_persistent_int4", persistentLstm<tiercel_lstm_persistent_int4>, nullptr, 0},
    {"tiercel_lstm_cluster_int8", persistentLstm<tiercel_lstm_cluster_int8>, nullptr, 0},
    {"tiercel_lstm_cluster_int4", persistentLstm<tiercel_lstm_cluster_int4>, nullptr, 0},
    {"tiercel_lstm_ping_pong", persistentLstm<tiercel_lstm_ping_pong>, nullptr, 0},
    {"tiercel_lstm_bring", nullptr, launchOf<tiercel::SessionCopy, tiercel_lstm_bring>, 0},
    {"tiercel_lstm_settle", nullptr, launchOf<tiercel::SessionCopy, tiercel_lstm_settle>, 0},
    {"tiercel_lstm_step_int8", nullptr, launchLstm<tiercel_lstm_step_int8>, 0},
    {"tiercel_lstm_step_int4", nullptr, launchLstm<tiercel_lstm_step_int4>, 0},
    {"tiercel_lstm_ahead_int8", nullptr, launchLstm<tiercel_lstm_ahead_int8>, 0},
    {"tiercel_lstm_ahead_int4", nullptr, launchLstm<tiercel_lstm_ahead_int4>, 0},
    {"tiercel_transformer_step", nullptr,
     launchTransformer<const tiercel::TransformerPosition, tiercel_transformer_step>, 0},
    {"tiercel_transformer_ahead", nullptr, launchTransformerAhead, 0},
    {"tiercel_transformer_steps", nullptr,
     launchTransformer<const tiercel::TransformerRow, tiercel_transformer_steps>, 0}};

struct Fault {
    int64_t callsLeft;
    int32_t code;
};

struct Block {
    int64_t bytes;
    /** Of shared memory, the GPU's address. */
    int64_t deviceAddress;
};

/** Launches that were recorded, one after the other. */
using Graph = std::vector<std::function<void()>>;

/** A stream is a kernel at most. */
struct Stream {
    std::atomic<bool> isRunning{false};
    std::atomic<int32_t> code{SUCCESS};
    /** What is launched goes into it and is not run, while there is one. */
    Graph* recording = nullptr;
};

/** What it was last recorded on, if that stood still there. */
struct Event {
    const Stream* stream;
};

/** Never destroyed: kernels that stand still have it when the process ends. */
struct Gpu {
    std::mutex mutex;
    std::condition_variable never;
    std::map<std::string, Fault> faults;
    std::map<int64_t, Block> memory;
    std::set<Stream*> streams;
    /** Recorded ones, executable ones, and events. */
    std::set<int64_t> others;
    int64_t memoryBytes = 0;
    int64_t usedBytes = 0;
    int32_t sharedBytes = 0;
    int32_t multiprocessors = 0;
    /** A display. */
    bool isDriving = false;
    /** That there may be at once; of none it does not know what that is. */
    int32_t clusters = 0;
    int32_t contexts = 0;
    int32_t modules = 0;
    uint64_t launches = 0;
    int32_t lostCode = SUCCESS;
    std::atomic<int64_t> storesLeft{NEVER};
    int32_t codeWhenStill = SUCCESS;
    std::atomic<bool> isStill{false};
    /** Kernels of a GPU before the last reset stand still, whatever this one does. */
    std::atomic<int32_t> generation{0};
};

Gpu& gpu = *new Gpu;

/** What a call comes to that was not to fail: the GPU may be lost, or have been told to fail it. */
int32_t begin(const char* name) {
    if (gpu.lostCode != SUCCESS) {
        return gpu.lostCode;
    }
    const auto fault = gpu.faults.find(name);
    if (fault == gpu.faults.end() || --fault->second.callsLeft > 0) {
        return SUCCESS;
    }
    const int32_t code = fault->second.code;
    gpu.faults.erase(fault);
    return code;
}

/** At the start of each call. */
#define BEGIN(name)                                        \
    const std::lock_guard<std::mutex> lock(gpu.mutex);     \
    if (const int32_t code = begin(#name); code != SUCCESS) { \
        return code;                                       \
    }

int64_t take(int64_t bytes, bool isShared) {
    const int file = memfd_create("gpu", 0);
    const int64_t whole = (bytes + 4095) / 4096 * 4096;
    if (file < 0 || ftruncate(file, whole) != 0) {
        return 0;
    }
    const auto map = [&] {
        return reinterpret_cast<int64_t>(mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    };
    const int64_t address = map();
    gpu.memory[address] = {whole, isShared ? map() : address};
    gpu.usedBytes += isShared ? 0 : whole;
    close(file);
    return address;
}

int32_t give(int64_t address, bool isShared) {
    const auto block = gpu.memory.find(address);
    if (block == gpu.memory.end() || (block->second.deviceAddress != address) != isShared) {
        return INVALID_VALUE;
    }
    munmap(reinterpret_cast<void*>(address), block->second.bytes);
    if (isShared) {
        munmap(reinterpret_cast<void*>(block->second.deviceAddress), block->second.bytes);
    } else {
        gpu.usedBytes -= block->second.bytes;
    }
    gpu.memory.erase(block);
    return SUCCESS;
}

thread_local int32_t generationOfThread = 0;

void standStillIfTold() {
    if (gpu.isStill || gpu.generation != generationOfThread) {
        std::unique_lock<std::mutex> lock(gpu.mutex);
        gpu.never.wait(lock, [] { return false; });
    }
}

/** After each store of a kernel. */
void onStore() {
    if (gpu.generation == generationOfThread && gpu.storesLeft >= 0 && gpu.storesLeft-- == 0) {
        const std::lock_guard<std::mutex> lock(gpu.mutex);
        gpu.isStill = true;
        gpu.lostCode = gpu.codeWhenStill;
    }
    standStillIfTold();
}

/** Threads of a kernel look again at what the host may have written, the more seldom the longer nothing comes. */
void lookForHost(const std::atomic<int64_t>& threadsLeft) {
    constexpr int64_t LONGEST_US = 200;
    int64_t sleepUs = 0;
    for (int64_t seen = -1; threadsLeft > 0;) {
        standStillIfTold();
        sleepUs = emulation::progress() != seen ? 0 : sleepUs + 1 < LONGEST_US ? sleepUs + 1 : LONGEST_US;
        seen = emulation::progress();
        if (sleepUs > 0) {
            usleep(static_cast<useconds_t>(sleepUs));
        }
        emulation::lookAgain();
        emulation::pauseThread();
    }
}

/** What stays is launched with. */
struct Staying {
    int32_t blocks;
    int32_t positions;
    int32_t threads;
    int32_t sharedBytes;
    bool isCluster;
};

void runKernel(
    Stream* stream, std::function<void()> kernel, Staying launch, uint64_t seed, int32_t generation) {
    std::atomic<int64_t> threadsLeft{static_cast<int64_t>(launch.blocks) * launch.positions * launch.threads};
    generationOfThread = generation;
    emulation::setSeed(seed);
    emulation::setStoreHook(onStore);
    const std::string failure =
        emulation::run({launch.blocks, launch.positions, launch.threads, static_cast<size_t>(launch.sharedBytes),
                        [&] {
                            kernel();
                            threadsLeft--;
                        },
                        [&] { lookForHost(threadsLeft); }, launch.isCluster});
    if (!failure.empty()) {
        std::fprintf(stderr, "kernel: %s\n", failure.c_str());
    }
    stream->code = failure.empty() ? SUCCESS : LAUNCH_FAILED;
    stream->isRunning = false;
}

/** Never, behind a kernel that stands still; recorded, while that is done. */
int32_t copy(int64_t to, int64_t from, int64_t bytes, int64_t stream) {
    Stream* const on = reinterpret_cast<Stream*>(stream);
    const auto make = [=] {
        if (!on->isRunning) {
            std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), static_cast<size_t>(bytes));
        }
    };
    if (on->recording == nullptr) {
        make();
    } else {
        on->recording->push_back(make);
    }
    return SUCCESS;
}

/** To its end; or the GPU stands still, from here on. */
void launch(
    const Function& function, Stream* on, uint32_t gridX, uint32_t gridY, uint32_t threads, uint32_t sharedBytes,
    void** parameters) {
    if (gpu.storesLeft >= 0 && gpu.storesLeft-- == 0) {
        gpu.isStill = true;
        gpu.lostCode = gpu.codeWhenStill;
    }
    if (gpu.isStill) {
        on->isRunning = true;
        return;
    }
    emulation::setSeed(gpu.launches++);
    const std::string failure = emulation::run({static_cast<int>(gridX), static_cast<int>(gridY),
                                                static_cast<int>(threads), sharedBytes,
                                                [&] { function.batchKernel(parameters); }, {}});
    if (!failure.empty()) {
        std::fprintf(stderr, "kernel: %s\n", failure.c_str());
    }
    on->code = failure.empty() ? SUCCESS : LAUNCH_FAILED;
}

/** A kernel that stays, with an OS thread of its own. */
int32_t stay(int64_t function, int64_t stream, void** parameters, const Staying& launch) {
    const Function* const of = reinterpret_cast<const Function*>(function);
    if (launch.sharedBytes > of->sharedBytes) {
        return INVALID_VALUE;
    }
    if (launch.blocks * launch.positions > gpu.multiprocessors) {
        return COOPERATIVE_LAUNCH_TOO_LARGE;
    }
    Stream* const on = reinterpret_cast<Stream*>(stream);
    on->isRunning = true;
    std::thread(runKernel, on, of->kernel(parameters), launch, gpu.launches++, gpu.generation.load()).detach();
    return SUCCESS;
}

/** Each row of the grid is one. */
bool areClusters(const tiercel_launch& launch) {
    return gpu.clusters > 0 && launch.attribute_count == 1 && launch.attributes->id == TIERCEL_CLUSTER_DIMENSION &&
           launch.attributes->x == launch.grid_x && launch.attributes->y == 1 && launch.attributes->z == 1 &&
           launch.grid_x > 1 && launch.grid_x <= MOST_CLUSTER_BLOCKS && launch.grid_z == 1;
}

bool isAnyRunning() {
    for (const Stream* stream : gpu.streams) {
        if (stream->isRunning) {
            return true;
        }
    }
    return false;
}

}  // namespace

extern "C" {

#define DECLARE(name, symbol, parameters, arguments) __attribute__((visibility("default"))) int32_t symbol parameters;
TIERCEL_DRIVER_CALLS(DECLARE)

int32_t cuInit(uint32_t) {
    BEGIN(cuInit);
    return SUCCESS;
}

int32_t cuDriverGetVersion(int32_t* version) {
    BEGIN(cuDriverGetVersion);
    *version = 13000;
    return SUCCESS;
}

int32_t cuGetErrorName(int32_t code, const char** text) {
    const auto name = NAMES.find(code);
    *text = name == NAMES.end() ? nullptr : name->second.first;
    return *text == nullptr ? INVALID_VALUE : SUCCESS;
}

int32_t cuGetErrorString(int32_t code, const char** text) {
    const auto name = NAMES.find(code);
    *text = name == NAMES.end() ? nullptr : name->second.second;
    return *text == nullptr ? INVALID_VALUE : SUCCESS;
}

int32_t cuDeviceGetCount(int32_t* count) {
    BEGIN(cuDeviceGetCount);
    *count = gpu.multiprocessors > 0 ? 1 : 0;
    return SUCCESS;
}

int32_t cuDeviceGet(int32_t* device, int32_t ordinal) {
    BEGIN(cuDeviceGet);
    *device = DEVICE;
    return ordinal == 0 ? SUCCESS : INVALID_VALUE;
}

int32_t cuDeviceGetName(int8_t* name, int32_t length, int32_t) {
    BEGIN(cuDeviceGetName);
    std::snprintf(reinterpret_cast<char*>(name), length, "Emulated GPU");
    return SUCCESS;
}

int32_t cuDeviceGetAttribute(int32_t* value, int32_t attribute, int32_t) {
    BEGIN(cuDeviceGetAttribute);
    const std::map<int32_t, int32_t> values = {
        {16, gpu.multiprocessors}, {17, gpu.isDriving ? 1 : 0}, {75, 9}, {76, 0}, {95, 1}, {97, gpu.sharedBytes},
        {120, gpu.clusters > 0 ? 1 : 0}};
    const auto found = values.find(attribute);
    *value = found == values.end() ? 0 : found->second;
    return found == values.end() ? INVALID_VALUE : SUCCESS;
}

int32_t cuDevicePrimaryCtxRetain(int64_t* context, int32_t) {
    BEGIN(cuDevicePrimaryCtxRetain);
    gpu.contexts++;
    *context = CONTEXT;
    return SUCCESS;
}

int32_t cuDevicePrimaryCtxRelease_v2(int32_t) {
    BEGIN(cuDevicePrimaryCtxRelease);
    gpu.contexts--;
    gpu.modules = gpu.contexts == 0 ? 0 : gpu.modules;
    return gpu.contexts < 0 || isAnyRunning() ? INVALID_CONTEXT : SUCCESS;
}

int32_t cuCtxSetCurrent(int64_t context) {
    BEGIN(cuCtxSetCurrent);
    return context == CONTEXT && gpu.contexts > 0 ? SUCCESS : INVALID_CONTEXT;
}

int32_t cuModuleLoadData(int64_t* module, const int8_t* image) {
    BEGIN(cuModuleLoadData);
    uint32_t magic;
    std::memcpy(&magic, image, sizeof magic);
    if (magic != FAT_BINARY_MAGIC) {
        return INVALID_IMAGE;
    }
    gpu.modules++;
    *module = MODULE;
    return SUCCESS;
}

/** As all that takes something away it would wait for kernels to end, so where one is running it fails instead. */
int32_t cuModuleUnload(int64_t) {
    BEGIN(cuModuleUnload);
    gpu.modules--;
    return isAnyRunning() ? INVALID_VALUE : SUCCESS;
}

int32_t cuModuleGetFunction(int64_t* function, int64_t, const char* name) {
    BEGIN(cuModuleGetFunction);
    for (Function& one : functions) {
        if (std::strcmp(one.name, name) == 0) {
            *function = reinterpret_cast<int64_t>(&one);
            return SUCCESS;
        }
    }
    return NOT_FOUND;
}

int32_t cuFuncSetAttribute(int64_t function, int32_t attribute, int32_t value) {
    BEGIN(cuFuncSetAttribute);
    if (attribute != 8 || value > gpu.sharedBytes) {
        return INVALID_VALUE;
    }
    reinterpret_cast<Function*>(function)->sharedBytes = value;
    return SUCCESS;
}

int32_t cuMemAlloc_v2(int64_t* address, int64_t bytes) {
    BEGIN(cuMemAlloc);
    *address = gpu.usedBytes + bytes > gpu.memoryBytes ? 0 : take(bytes, false);
    return *address == 0 ? OUT_OF_MEMORY : SUCCESS;
}

int32_t cuMemFree_v2(int64_t address) {
    BEGIN(cuMemFree);
    return isAnyRunning() ? INVALID_VALUE : give(address, false);
}

int32_t cuMemHostAlloc(int64_t* address, int64_t bytes, uint32_t) {
    BEGIN(cuMemHostAlloc);
    *address = take(bytes, true);
    return *address == 0 ? OUT_OF_MEMORY : SUCCESS;
}

int32_t cuMemFreeHost(int64_t address) {
    BEGIN(cuMemFreeHost);
    return isAnyRunning() ? INVALID_VALUE : give(address, true);
}

int32_t cuMemHostGetDevicePointer_v2(int64_t* address, int64_t hostAddress, uint32_t) {
    BEGIN(cuMemHostGetDevicePointer);
    const auto block = gpu.memory.find(hostAddress);
    if (block == gpu.memory.end()) {
        return INVALID_VALUE;
    }
    *address = block->second.deviceAddress;
    return SUCCESS;
}

int32_t cuMemcpyHtoD_v2(int64_t to, int64_t from, int64_t bytes) {
    BEGIN(cuMemcpyHtoD);
    std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), static_cast<size_t>(bytes));
    return SUCCESS;
}

int32_t cuMemcpyHtoDAsync_v2(int64_t to, int64_t from, int64_t bytes, int64_t stream) {
    BEGIN(cuMemcpyHtoDAsync);
    return copy(to, from, bytes, stream);
}

int32_t cuMemcpyDtoHAsync_v2(int64_t to, int64_t from, int64_t bytes, int64_t stream) {
    BEGIN(cuMemcpyDtoHAsync);
    return copy(to, from, bytes, stream);
}

int32_t cuMemcpyDtoDAsync_v2(int64_t to, int64_t from, int64_t bytes, int64_t stream) {
    BEGIN(cuMemcpyDtoDAsync);
    return copy(to, from, bytes, stream);
}

int32_t cuMemsetD8Async(int64_t address, uint8_t value, int64_t count, int64_t) {
    BEGIN(cuMemsetD8Async);
    std::memset(reinterpret_cast<void*>(address), value, static_cast<size_t>(count));
    return SUCCESS;
}

int32_t cuStreamCreate(int64_t* stream, uint32_t) {
    BEGIN(cuStreamCreate);
    Stream* const made = new Stream;
    gpu.streams.insert(made);
    *stream = reinterpret_cast<int64_t>(made);
    return SUCCESS;
}

int32_t cuStreamSynchronize(int64_t stream) {
    BEGIN(cuStreamSynchronize);
    return stream == 0 ? SUCCESS : INVALID_VALUE;
}

int32_t cuStreamQuery(int64_t stream) {
    BEGIN(cuStreamQuery);
    const Stream* const of = reinterpret_cast<const Stream*>(stream);
    return of->isRunning ? NOT_READY : of->code.load();
}

int32_t cuStreamDestroy_v2(int64_t stream) {
    BEGIN(cuStreamDestroy);
    Stream* const of = reinterpret_cast<Stream*>(stream);
    if (of->isRunning) {
        return INVALID_VALUE;
    }
    gpu.streams.erase(of);
    delete of;
    return SUCCESS;
}

int32_t cuStreamBeginCapture_v2(int64_t stream, int32_t mode) {
    BEGIN(cuStreamBeginCapture);
    Stream* const of = reinterpret_cast<Stream*>(stream);
    if (mode < 0 || mode > 2 || of->recording != nullptr) {
        return INVALID_VALUE;
    }
    of->recording = new Graph;
    return SUCCESS;
}

/** The recording is over, whatever comes of it. */
int32_t cuStreamEndCapture(int64_t stream, int64_t* graph) {
    const std::lock_guard<std::mutex> lock(gpu.mutex);
    Stream* const of = reinterpret_cast<Stream*>(stream);
    Graph* const recorded = of->recording;
    of->recording = nullptr;
    *graph = 0;
    if (const int32_t code = begin("cuStreamEndCapture"); code != SUCCESS) {
        delete recorded;
        return code;
    }
    if (recorded == nullptr) {
        return INVALID_VALUE;
    }
    *graph = reinterpret_cast<int64_t>(recorded);
    gpu.others.insert(*graph);
    return SUCCESS;
}

int32_t cuGraphInstantiateWithFlags(int64_t* executable, int64_t graph, uint64_t) {
    BEGIN(cuGraphInstantiateWithFlags);
    *executable = reinterpret_cast<int64_t>(new Graph(*reinterpret_cast<const Graph*>(graph)));
    gpu.others.insert(*executable);
    return SUCCESS;
}

int32_t cuGraphDestroy(int64_t graph) {
    BEGIN(cuGraphDestroy);
    gpu.others.erase(graph);
    delete reinterpret_cast<Graph*>(graph);
    return SUCCESS;
}

int32_t cuGraphLaunch(int64_t executable, int64_t) {
    BEGIN(cuGraphLaunch);
    for (const auto& launch : *reinterpret_cast<const Graph*>(executable)) {
        launch();
    }
    return SUCCESS;
}

/** What it has of the GPU is taken away: where a kernel runs it fails, as the others do. */
int32_t cuGraphExecDestroy(int64_t executable) {
    BEGIN(cuGraphExecDestroy);
    if (isAnyRunning()) {
        return INVALID_VALUE;
    }
    gpu.others.erase(executable);
    delete reinterpret_cast<Graph*>(executable);
    return SUCCESS;
}

int32_t cuEventCreate(int64_t* event, uint32_t) {
    BEGIN(cuEventCreate);
    *event = reinterpret_cast<int64_t>(new Event{nullptr});
    gpu.others.insert(*event);
    return SUCCESS;
}

int32_t cuEventRecord(int64_t event, int64_t stream) {
    BEGIN(cuEventRecord);
    const Stream* const on = reinterpret_cast<const Stream*>(stream);
    reinterpret_cast<Event*>(event)->stream = on->isRunning ? on : nullptr;
    return SUCCESS;
}

int32_t cuEventQuery(int64_t event) {
    BEGIN(cuEventQuery);
    return reinterpret_cast<const Event*>(event)->stream == nullptr ? SUCCESS : NOT_READY;
}

int32_t cuEventDestroy_v2(int64_t event) {
    BEGIN(cuEventDestroy);
    gpu.others.erase(event);
    delete reinterpret_cast<Event*>(event);
    return SUCCESS;
}

/** To its end, as what follows in the stream would have to wait for it. */
int32_t cuLaunchKernel(
    int64_t function, uint32_t gridX, uint32_t gridY, uint32_t, uint32_t blockX, uint32_t, uint32_t,
    uint32_t sharedBytes, int64_t stream, void** parameters, void**) {
    BEGIN(cuLaunchKernel);
    const Function* const of = reinterpret_cast<const Function*>(function);
    if (static_cast<int32_t>(sharedBytes) > of->sharedBytes) {
        return INVALID_VALUE;
    }
    Stream* const on = reinterpret_cast<Stream*>(stream);
    if (on->recording == nullptr) {
        launch(*of, on, gridX, gridY, blockX, sharedBytes, parameters);
        return SUCCESS;
    }
    const auto record = [&](const auto& view, auto... addresses) {
        on->recording->push_back([=] {
            auto viewCopy = view;
            int64_t copies[] = {addresses...};
            void* copied[1 + sizeof...(addresses)] = {&viewCopy};
            for (size_t i = 0; i < sizeof...(addresses); i++) {
                copied[1 + i] = copies + i;
            }
            launch(*of, on, gridX, gridY, blockX, sharedBytes, copied);
        });
    };
    // Parameters are copied when a launch is recorded.
    if (std::strncmp(of->name, "tiercel_transformer", 19) == 0) {
        record(at<tiercel::DeviceTransformer>(parameters, 0), at<int64_t>(parameters, 1), at<int64_t>(parameters, 2),
               at<int64_t>(parameters, 3));
    } else {
        record(at<tiercel::LstmView>(parameters, 0), at<int64_t>(parameters, 1));
    }
    return SUCCESS;
}

int32_t cuLaunchCooperativeKernel(
    int64_t function, uint32_t gridX, uint32_t gridY, uint32_t, uint32_t blockX, uint32_t, uint32_t,
    uint32_t sharedBytes, int64_t stream, void** parameters) {
    BEGIN(cuLaunchCooperativeKernel);
    return stay(function, stream, parameters,
                {static_cast<int32_t>(gridX), static_cast<int32_t>(gridY), static_cast<int32_t>(blockX),
                 static_cast<int32_t>(sharedBytes), false});
}

/** Of a grid each of whose rows is a cluster. */
int32_t cuLaunchKernelEx(const tiercel_launch* launch, int64_t function, void** parameters, void**) {
    BEGIN(cuLaunchKernelEx);
    if (!areClusters(*launch)) {
        return INVALID_VALUE;
    }
    return stay(function, launch->stream, parameters,
                {static_cast<int32_t>(launch->grid_x), static_cast<int32_t>(launch->grid_y),
                 static_cast<int32_t>(launch->block_x), static_cast<int32_t>(launch->shared_bytes), true});
}

int32_t cuOccupancyMaxActiveClusters(int32_t* count, int64_t function, const tiercel_launch* launch) {
    BEGIN(cuOccupancyMaxActiveClusters);
    const Function* const of = reinterpret_cast<const Function*>(function);
    *count = gpu.clusters;
    return areClusters(*launch) && static_cast<int32_t>(launch->shared_bytes) <= of->sharedBytes ? SUCCESS
                                                                                                  : INVALID_VALUE;
}

#define JNI_NAME(name) Java_io_tiercel_nativecuda_cuda_TestDriver_##name

/** A new GPU, of which everything works. What an old one has is left as it is. */
JNIEXPORT void JNICALL JNI_NAME(reset)(JNIEnv*, jclass, jint multiprocessors, jint sharedBytes, jlong memoryBytes) {
    const std::lock_guard<std::mutex> lock(gpu.mutex);
    gpu.generation++;
    gpu.faults.clear();
    gpu.memory.clear();
    gpu.streams.clear();
    gpu.others.clear();
    gpu.usedBytes = 0;
    gpu.memoryBytes = memoryBytes;
    gpu.sharedBytes = sharedBytes;
    gpu.multiprocessors = multiprocessors;
    gpu.isDriving = false;
    gpu.clusters = 0;
    gpu.contexts = 0;
    gpu.modules = 0;
    gpu.lostCode = SUCCESS;
    gpu.isStill = false;
    gpu.storesLeft = NEVER;
}

JNIEXPORT void JNICALL JNI_NAME(failCall)(JNIEnv* environment, jclass, jstring name, jint nth, jint code) {
    const char* const text = environment->GetStringUTFChars(name, nullptr);
    {
        const std::lock_guard<std::mutex> lock(gpu.mutex);
        gpu.faults[text] = {nth, code};
    }
    environment->ReleaseStringUTFChars(name, text);
}

JNIEXPORT void JNICALL JNI_NAME(clearFaults)(JNIEnv*, jclass) {
    const std::lock_guard<std::mutex> lock(gpu.mutex);
    gpu.faults.clear();
}

/** code: of all calls from then on; 0 if they go on as if nothing were. */
JNIEXPORT void JNICALL JNI_NAME(standStillAfter)(JNIEnv*, jclass, jlong stores, jint code) {
    const std::lock_guard<std::mutex> lock(gpu.mutex);
    gpu.codeWhenStill = code;
    gpu.storesLeft = stores;
}

JNIEXPORT void JNICALL JNI_NAME(driveDisplay)(JNIEnv*, jclass) {
    const std::lock_guard<std::mutex> lock(gpu.mutex);
    gpu.isDriving = true;
}

JNIEXPORT void JNICALL JNI_NAME(allowClusters)(JNIEnv*, jclass, jint count) {
    const std::lock_guard<std::mutex> lock(gpu.mutex);
    gpu.clusters = count;
}

JNIEXPORT jboolean JNICALL JNI_NAME(isStill)(JNIEnv*, jclass) {
    return gpu.isStill;
}

/** Whether nothing is left of what was taken, and nothing runs. */
JNIEXPORT jboolean JNICALL JNI_NAME(isClean)(JNIEnv*, jclass) {
    const std::lock_guard<std::mutex> lock(gpu.mutex);
    return gpu.memory.empty() && gpu.streams.empty() && gpu.others.empty() && gpu.contexts == 0 && gpu.modules == 0;
}

}  // extern "C"
