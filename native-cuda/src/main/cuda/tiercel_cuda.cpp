#include "tiercel_cuda.h"

#include <dlfcn.h>

#include <cstddef>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "lstm_geometry.h"
#include "lstm_link.h"
#include "lstm_packing.h"
#include "transformer_geometry.h"
#include "transformer_link.h"
#include "transformer_mirror.h"
#include "transformer_packing.h"

namespace tiercel {
namespace {

constexpr const char* LIBRARY = "libcuda.so.1";

struct Driver {
#define TIERCEL_MEMBER(name, symbol, parameters, arguments) int32_t(*name) parameters = nullptr;
    TIERCEL_DRIVER_CALLS(TIERCEL_MEMBER)
#undef TIERCEL_MEMBER
};

Driver driver;

template <class Function>
bool find(void* library, const char* symbol, Function*& function) {
    function = reinterpret_cast<Function*>(dlsym(library, symbol));
    return function != nullptr;
}

/** Empty if all is there. */
std::string open() {
    static void* library = nullptr;
    library = library != nullptr ? library : dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const std::string reason = dlerror();
        return reason.find("cannot open shared object file: No such file") != std::string::npos
                   ? std::string(LIBRARY) + " not found"
                   : std::string(LIBRARY) + " cannot be loaded: " + reason;
    }
#define TIERCEL_FIND(name, symbol, parameters, arguments)                              \
    if (!find(library, #symbol, driver.name)) {                                        \
        return std::string(LIBRARY) + " is too old: it has no function " #symbol;      \
    }
    TIERCEL_DRIVER_CALLS(TIERCEL_FIND)
#undef TIERCEL_FIND
    return "";
}

/** A launch whose blocks of each row of the grid are a cluster. */
struct ClusterLaunch {
    ClusterLaunch(int32_t blocks, int32_t rows, int32_t threads, int32_t sharedBytes, int64_t stream)
        : cluster{TIERCEL_CLUSTER_DIMENSION, 0, static_cast<uint32_t>(blocks), 1, 1, {}},
          launch{static_cast<uint32_t>(blocks),
                 static_cast<uint32_t>(rows),
                 1,
                 static_cast<uint32_t>(threads),
                 1,
                 1,
                 static_cast<uint32_t>(sharedBytes),
                 stream,
                 &cluster,
                 1} {}
    ClusterLaunch(const ClusterLaunch&) = delete;
    ClusterLaunch& operator=(const ClusterLaunch&) = delete;

    int32_t begin(int64_t function, void** parameters) const {
        return driver.cuLaunchKernelEx(&launch, function, parameters, nullptr);
    }
    int32_t countActive(int64_t function, int32_t* count) const {
        return driver.cuOccupancyMaxActiveClusters(count, function, &launch);
    }

    const tiercel_cluster_attribute cluster;
    const tiercel_launch launch;
};

/** A model, packed as it is shared out. */
struct CudaLstm {
    CudaLstm(const LstmShape& shape, const DeviceLimits& limits, int32_t way)
        : clusters(clusterGeometries(shape, limits)),
          isCluster(chooseCluster(way)),
          isPersistent(isCluster || (way == TIERCEL_WAY_PERSISTENT && chooseGeometry(shape, limits, geometry))),
          view(shape, geometry),
          sharedBytes(
              isCluster      ? clusterBytes(view)
              : isPersistent ? persistentBytes(view)
                             : LstmShared(view).bytes),
          isThere(sharedBytes <= limits.sharedBytes),
          packing(shape, geometry) {}

    void sizes(int32_t* to) const {
        const LstmLinkLayout layout(view);
        to[TIERCEL_IS_PERSISTENT] = isPersistent ? 1 : 0;
        to[TIERCEL_BLOCKS] = isThere ? view.slices : 0;
        to[TIERCEL_THREADS] = view.threads;
        to[TIERCEL_SHARED_BYTES] = sharedBytes;
        to[TIERCEL_CLUSTER_WAYS] = static_cast<int32_t>(clusters.size());
        to[TIERCEL_CUDA_STATE_BYTES] = static_cast<int32_t>(view.state.bytes);
        to[TIERCEL_REQUEST_WORDS] = layout.requestWords;
        to[TIERCEL_REQUEST_STATE] = layout.requestState;
        to[TIERCEL_RESPONSE_WORDS] = layout.responseWords;
        to[TIERCEL_RESPONSE_STATE] = layout.responseState;
        to[TIERCEL_LAYER_WORDS] = layout.layerWords;
        to[TIERCEL_EXCHANGE_WORDS] = 2 * LstmExchange(view).words;
    }

    int32_t launch(int64_t function, int64_t stream, int64_t weights, LstmLink link) const {
        LstmView there = packing.viewAt(reinterpret_cast<const uint8_t*>(weights));
        link.sessionStride = view.state.bytes;
        void* parameters[] = {&there, &link};
        if (isCluster) {
            return ClusterLaunch(view.slices, 1, view.threads, sharedBytes, stream).begin(function, parameters);
        }
        return driver.cuLaunchCooperativeKernel(
            function, view.slices, 1, 1, view.threads, 1, 1, sharedBytes, stream, parameters);
    }

    int32_t activeClusters(int64_t function, int32_t* count) const {
        return ClusterLaunch(view.slices, 1, view.threads, sharedBytes, 0).countActive(function, count);
    }

    int32_t launchBatch(
        int64_t function, int64_t stream, int64_t weights, int64_t positions, int32_t blocks, int32_t count) const {
        LstmView there = packing.viewAt(reinterpret_cast<const uint8_t*>(weights));
        void* parameters[] = {&there, &positions};
        return driver.cuLaunchKernel(
            function, blocks, count, 1, view.threads, 1, 1, sharedBytes, stream, parameters, nullptr);
    }

    LstmGeometry geometry = launchedGeometry();
    const std::vector<LstmGeometry> clusters;
    const bool isCluster;
    const bool isPersistent;
    const LstmView view;
    const int32_t sharedBytes;
    const bool isThere;
    LstmPacking packing;

private:
    bool chooseCluster(int32_t way) {
        const size_t index = static_cast<size_t>(way - TIERCEL_FIRST_CLUSTER_WAY);
        if (way < TIERCEL_FIRST_CLUSTER_WAY || index >= clusters.size()) {
            return false;
        }
        geometry = clusters[index];
        return true;
    }
};

CudaLstm* asLstm(void* model) {
    return static_cast<CudaLstm*>(model);
}

const CudaLstm* asLstm(const void* model) {
    return static_cast<const CudaLstm*>(model);
}

// As Java writes it.
static_assert(
    offsetof(TransformerRow, outputsStride) == 24 && offsetof(TransformerRow, recordStride) == 32 &&
        offsetof(TransformerRow, count) == 40 && sizeof(TransformerRow) == 48 && sizeof(TransformerPosition) == 24,
    "rows and positions");
static_assert(
    static_cast<int>(TransformerOperation::GREET) == 1 && static_cast<int>(TransformerOperation::STEP) == 2 &&
        static_cast<int>(TransformerOperation::ROW) == 3 && static_cast<int>(TransformerOperation::AHEAD) == 4 &&
        static_cast<int>(TransformerOperation::BRING) == 5 && static_cast<int>(TransformerOperation::COPY) == 6 &&
        static_cast<int>(TransformerOperation::STOP) == 0,
    "operations");
static_assert(
    static_cast<int>(TransformerPhase::ANSWERED) == 1 && static_cast<int>(TransformerPhase::RECORDED) == 2 &&
        static_cast<int>(TransformerPhase::SETTLED) == 3,
    "phases");
static_assert(
    REQUEST_OPERATION == 0 && REQUEST_COPY == 1 && REQUEST_FROM_OR_COUNT == 2 && REQUEST_INDEX == 3 &&
        REQUEST_ARE_ALL_WANTED == 4 && TRANSFORMER_REQUEST_HEADER_WORDS == 8,
    "words of a request");
static_assert(
    offsetof(TransformerLink, requests) == 0 && offsetof(TransformerLink, done) == 8 &&
        offsetof(TransformerLink, inputs) == 16 && offsetof(TransformerLink, bringing) == 24 &&
        offsetof(TransformerLink, outputs) == 32 && offsetof(TransformerLink, hostRecords) == 40 &&
        offsetof(TransformerLink, records) == 48 && offsetof(TransformerLink, states) == 56 &&
        offsetof(TransformerLink, exchange) == 64 && offsetof(TransformerLink, vectors) == 72 &&
        offsetof(TransformerLink, common) == 80 && offsetof(TransformerLink, outputStride) == 88 &&
        offsetof(TransformerLink, blocks) == 96 && offsetof(TransformerLink, places) == 104 &&
        offsetof(TransformerLink, firstSequence) == 112 && offsetof(TransformerLink, isCluster) == 120 &&
        sizeof(TransformerLink) == 128,
    "the link");

/** A model, packed, and what of a step is done by the host. */
struct CudaTransformer {
    CudaTransformer(
        const TransformerShape& shape, const TransformerNumbers& numbers, int32_t sharedBytes, int32_t blocks)
        : threads(transformerThreads(shape)),
          blocks(blocks),
          packing(shape, numbers, threads * blocks),
          view(packing.viewAt(nullptr)),
          memory(view.workspace, sharedBytes),
          mirror(shape) {}

    void sizes(int64_t* to) const {
        to[TIERCEL_TRANSFORMER_THREADS] = threads;
        to[TIERCEL_TRANSFORMER_SHARED_BYTES] = memory.sharedBytes;
        to[TIERCEL_TRANSFORMER_LEAST_SHARED_BYTES] = view.workspace.sharedBytes;
        to[TIERCEL_TRANSFORMER_VECTOR_BYTES] = memory.vectorBytes;
        to[TIERCEL_TRANSFORMER_RECORD_BYTES] = view.record.bytes;
        to[TIERCEL_TRANSFORMER_RECORD_CODES] = view.record.codesOffset;
        to[TIERCEL_CUDA_TRANSFORMER_STATE_BYTES] = view.state.bytes;
        to[TIERCEL_TRANSFORMER_REQUEST_WORDS] = requestPlaceWords(view.shape);
        to[TIERCEL_TRANSFORMER_EXCHANGE_WORDS] = exchangeWords(view.shape, blocks);
        to[TIERCEL_TRANSFORMER_COMMON_BYTES] = view.workspace.vectorBytes;
    }

    /** A kernel with fewer parameters does not look at the last. */
    int32_t launch(
        int64_t function, int64_t stream, int64_t weights, int64_t items, int64_t records, int64_t last,
        uint32_t count, uint32_t ofThreads, uint32_t ofSharedBytes) const {
        DeviceTransformer there = packing.viewAt(reinterpret_cast<const uint8_t*>(weights));
        void* parameters[] = {&there, &items, &records, &last};
        return driver.cuLaunchKernel(
            function, 1, count, 1, ofThreads, 1, 1, ofSharedBytes, stream, parameters, nullptr);
    }

    int32_t stay(int64_t function, int64_t stream, int64_t weights, const int64_t* values, uint32_t teams) const {
        DeviceTransformer there = packing.viewAt(reinterpret_cast<const uint8_t*>(weights));
        TransformerLink link{};
        std::memcpy(&link, values, sizeof link);
        void* parameters[] = {&there, &link};
        if (link.isCluster != 0) {
            return clusters(static_cast<int32_t>(teams), stream).begin(function, parameters);
        }
        return driver.cuLaunchCooperativeKernel(
            function, static_cast<uint32_t>(blocks), teams, 1, static_cast<uint32_t>(threads), 1, 1,
            static_cast<uint32_t>(memory.sharedBytes), stream, parameters);
    }

    int32_t activeClusters(int64_t function, int32_t* count) const {
        return clusters(1, 0).countActive(function, count);
    }

    ClusterLaunch clusters(int32_t teams, int64_t stream) const {
        return ClusterLaunch(blocks, teams, threads, memory.sharedBytes, stream);
    }

    const int32_t threads;
    const int32_t blocks;
    TransformerPacking packing;
    const DeviceTransformer view;
    const TransformerMemory memory;
    const TransformerMirror mirror;
};

CudaTransformer* asTransformer(void* model) {
    return static_cast<CudaTransformer*>(model);
}

const CudaTransformer* asTransformer(const void* model) {
    return static_cast<const CudaTransformer*>(model);
}

/** Of the host. */
uint8_t* asBytes(int64_t address) {
    return reinterpret_cast<uint8_t*>(address);
}

}  // namespace
}  // namespace tiercel

using namespace tiercel;

const char* tiercel_cuda_open(void) {
    static std::string reason;
    reason = open();
    return reason.empty() ? nullptr : reason.c_str();
}

#define TIERCEL_DEFINE(name, symbol, parameters, arguments) \
    int32_t tiercel_##name parameters { return driver.name arguments; }
TIERCEL_DRIVER_CALLS(TIERCEL_DEFINE)
#undef TIERCEL_DEFINE

const char* tiercel_cuda_error_name(int32_t code) {
    const char* text = nullptr;
    return driver.cuGetErrorName(code, &text) == 0 ? text : nullptr;
}

const char* tiercel_cuda_error_text(int32_t code) {
    const char* text = nullptr;
    return driver.cuGetErrorString(code, &text) == 0 ? text : nullptr;
}

void* tiercel_cuda_lstm_new(
    int32_t layers, int32_t hidden, int32_t features, int32_t outputs, int32_t is_int4, int32_t is_head_int4,
    int32_t is_softmax, int32_t feature_maximum, int32_t shared_bytes, int32_t multiprocessors, int32_t way) {
    const LstmShape shape{layers,           hidden,         features, outputs, is_int4 != 0, is_head_int4 != 0,
                          is_softmax != 0, feature_maximum};
    try {
        return new CudaLstm(shape, {shared_bytes, multiprocessors}, way);
    } catch (const std::exception&) {
        // Nothing may be thrown through C.
        return nullptr;
    }
}

void tiercel_cuda_lstm_delete(void* model) {
    delete asLstm(model);
}

void tiercel_cuda_lstm_sizes(const void* model, int32_t* sizes) {
    asLstm(model)->sizes(sizes);
}

void tiercel_cuda_lstm_set_features(
    void* model, const float* means, const float* inverse_deviations, float inverse_scale) {
    asLstm(model)->packing.setFeatures(means, inverse_deviations, inverse_scale);
}

void tiercel_cuda_lstm_set_layer(
    void* model, int32_t layer, const int8_t* input_codes, const int8_t* input_multipliers, const float* input_scales,
    const int8_t* recurrent_codes, const int8_t* recurrent_multipliers, const float* recurrent_scales,
    const float* biases, float inverse_hidden_scale) {
    asLstm(model)->packing.setLayer(
        layer, codesOf(input_codes, input_multipliers, input_scales),
        codesOf(recurrent_codes, recurrent_multipliers, recurrent_scales), biases, inverse_hidden_scale);
}

void tiercel_cuda_lstm_set_head(
    void* model, const int8_t* codes, const int8_t* multipliers, const float* scales, const float* biases) {
    asLstm(model)->packing.setHead(codesOf(codes, multipliers, scales), biases);
}

int64_t tiercel_cuda_lstm_data(const void* model) {
    return reinterpret_cast<int64_t>(asLstm(model)->packing.data());
}

int64_t tiercel_cuda_lstm_bytes(const void* model) {
    return static_cast<int64_t>(asLstm(model)->packing.bytes());
}

int32_t tiercel_cuda_lstm_launch(
    const void* model, int64_t function, int64_t stream, int64_t weights, int64_t requests, int64_t responses,
    int32_t places, int32_t first_sequence, int64_t exchange, int64_t sessions) {
    LstmLink link{};
    link.requests = reinterpret_cast<const uint64_t*>(requests);
    link.responses = reinterpret_cast<uint64_t*>(responses);
    link.places = static_cast<uint32_t>(places);
    link.firstSequence = static_cast<uint32_t>(first_sequence);
    link.exchange = reinterpret_cast<uint64_t*>(exchange);
    link.sessions = reinterpret_cast<uint8_t*>(sessions);
    return asLstm(model)->launch(function, stream, weights, link);
}

int32_t tiercel_cuda_lstm_active_clusters(const void* model, int64_t function, int32_t* count) {
    return asLstm(model)->activeClusters(function, count);
}

int32_t tiercel_cuda_lstm_launch_batch(
    const void* model, int64_t function, int64_t stream, int64_t weights, int64_t positions, int32_t blocks,
    int32_t count) {
    return asLstm(model)->launchBatch(function, stream, weights, positions, blocks, count);
}

void* tiercel_cuda_transformer_new(
    const int32_t* sizes, const float* numbers, int32_t shared_bytes, int32_t blocks) {
    TransformerShape shape;
    TransformerNumbers of;
    std::memcpy(&shape, sizes, sizeof shape);
    std::memcpy(&of, numbers, sizeof of);
    try {
        return new CudaTransformer(shape, of, shared_bytes, blocks);
    } catch (const std::exception&) {
        return nullptr;
    }
}

void tiercel_cuda_transformer_delete(void* model) {
    delete asTransformer(model);
}

void tiercel_cuda_transformer_sizes(const void* model, int64_t* sizes) {
    asTransformer(model)->sizes(sizes);
}

void tiercel_cuda_transformer_set_matrix(
    void* model, int32_t layer, int32_t matrix, int32_t expert, const int8_t* codes, const int8_t* low_codes,
    const int8_t* multipliers, const float* scales) {
    asTransformer(model)->packing.setMatrix(
        layer, static_cast<MatrixId>(matrix), expert,
        {codesOf(codes, multipliers, scales), reinterpret_cast<const uint8_t*>(low_codes)});
}

void tiercel_cuda_transformer_set_vector(void* model, int32_t layer, int32_t vector, const float* values) {
    asTransformer(model)->packing.setVector(layer, static_cast<VectorId>(vector), values);
}

void tiercel_cuda_transformer_set_rotary_steps(void* model, const int64_t* steps) {
    asTransformer(model)->packing.setRotarySteps(reinterpret_cast<const uint64_t*>(steps));
}

void tiercel_cuda_transformer_set_codec(
    void* model, int32_t layer, int32_t is_values, const float* means, const float* scales, const float* steps,
    const int32_t* reciprocals, const int8_t* codebook) {
    asTransformer(model)->packing.setCodec(layer, is_values != 0, means, scales, steps, reciprocals, codebook);
}

int64_t tiercel_cuda_transformer_data(const void* model) {
    return reinterpret_cast<int64_t>(asTransformer(model)->packing.data());
}

int64_t tiercel_cuda_transformer_bytes(const void* model) {
    return static_cast<int64_t>(asTransformer(model)->packing.bytes());
}

int32_t tiercel_cuda_transformer_launch(
    const void* model, int64_t function, int64_t stream, int64_t weights, int64_t items, int64_t records, int64_t last,
    int32_t count, int32_t threads, int32_t shared_bytes) {
    return asTransformer(model)->launch(
        function, stream, weights, items, records, last, static_cast<uint32_t>(count), static_cast<uint32_t>(threads),
        static_cast<uint32_t>(shared_bytes));
}

int32_t tiercel_cuda_transformer_stay(
    const void* model, int64_t function, int64_t stream, int64_t weights, const int64_t* link, int32_t teams) {
    return asTransformer(model)->stay(function, stream, weights, link, static_cast<uint32_t>(teams));
}

int32_t tiercel_cuda_transformer_active_clusters(const void* model, int64_t function, int32_t* count) {
    return asTransformer(model)->activeClusters(function, count);
}

void tiercel_cuda_transformer_begin_step(const void* model, int64_t state, int64_t undo) {
    asTransformer(model)->mirror.begin(asBytes(state), asBytes(undo));
}

void tiercel_cuda_transformer_put_step(const void* model, int64_t state, int64_t record, int64_t undo) {
    asTransformer(model)->mirror.putStep(asBytes(state), asBytes(record), asBytes(undo));
}

void tiercel_cuda_transformer_put_ahead(const void* model, int64_t state, int64_t record, int64_t undo) {
    asTransformer(model)->mirror.putAhead(asBytes(state), asBytes(record), asBytes(undo));
}

void tiercel_cuda_transformer_take_back(const void* model, int64_t state, int64_t undo) {
    asTransformer(model)->mirror.takeBack(asBytes(state), asBytes(undo));
}
