#include "memory.h"

#include <sys/mman.h>

#include <new>
#include <stdexcept>

namespace tiercel {
namespace {

constexpr size_t HUGE_PAGE_BYTES = size_t{2} << 20;

}  // namespace

Arena::Arena(size_t bytes) {
    const size_t wanted = toCacheLines(bytes == 0 ? 1 : bytes);
    const bool isHuge = wanted >= HUGE_PAGE_BYTES / 16;
    // A huge page must begin at a multiple of its size, and mmap promises only a small page's.
    mappingBytes = isHuge ? (wanted + 2 * HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES : wanted;
    void* mapped = mmap(nullptr, mappingBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) {
        throw std::bad_alloc();
    }
    mapping = static_cast<uint8_t*>(mapped);
    next = mapping;
    if (isHuge) {
        next += (HUGE_PAGE_BYTES - reinterpret_cast<uintptr_t>(mapping) % HUGE_PAGE_BYTES) % HUGE_PAGE_BYTES;
        // Advice: a system without huge pages to give goes on with small ones.
        madvise(next, mapping + mappingBytes - next, MADV_HUGEPAGE);
    }
    first = next;
    end = next + wanted;
}

Arena::~Arena() {
    munmap(mapping, mappingBytes);
}

void* Arena::take(size_t bytes) {
    uint8_t* taken = next;
    if (bytes > static_cast<size_t>(end - next)) {
        throw std::length_error("arena is used up");
    }
    const size_t lines = toCacheLines(bytes);
    next = lines > static_cast<size_t>(end - next) ? end : next + lines;
    return taken;
}

}  // namespace tiercel
