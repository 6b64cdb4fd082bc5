/* Memory that is aligned to cache lines, of any size worth it in huge pages where the system gives them. */
#ifndef TIERCEL_MEMORY_H
#define TIERCEL_MEMORY_H

#include <cstddef>
#include <cstdint>

namespace tiercel {

constexpr size_t CACHE_LINE_BYTES = 64;

constexpr size_t toCacheLines(size_t bytes) {
    return (bytes + CACHE_LINE_BYTES - 1) / CACHE_LINE_BYTES * CACHE_LINE_BYTES;
}

/** A zeroed block of memory, given out from its start to its end. Throws std::bad_alloc. */
class Arena {
public:
    explicit Arena(size_t bytes);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /** The next bytes, on a cache line of their own. Throws std::length_error when the arena is used up. */
    void* take(size_t bytes);

    template <class T>
    T* take(size_t count) {
        return static_cast<T*>(take(count * sizeof(T)));
    }

    /** The first byte that is given out. */
    const uint8_t* start() const { return first; }

private:
    uint8_t* mapping;
    size_t mappingBytes;
    uint8_t* first;
    uint8_t* next;
    uint8_t* end;
};

}  // namespace tiercel

#endif
