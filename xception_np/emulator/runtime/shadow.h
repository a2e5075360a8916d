// What is known of memory: which bytes were ever read and written, and who came last to every word.
//
// Two threads race for a word if at least one of them writes and nothing orders them. What does: being the same thread; a barrier between
// them, so another epoch of the same block; a whole warp's `__syncwarp` between them. Nothing orders two blocks. Atomic operations do not
// race with each other.
#pragma once

#include <memory>
#include <vector>

#include "runtime.h"

namespace emulator {

struct Visit {  // one access, or several of one kind that nothing orders
    enum Whose : uint8_t { NOBODY, ONE_THREAD, ONE_WARP, ONE_BLOCK, BLOCKS };

    uint32_t serial = 0, epoch = 0, warp_epoch = 0;
    uint16_t thread = 0;
    Whose whose = NOBODY;
    Site site = 0;
};

struct Word {  // the last visit of each kind; a write, which comes after all others or races with them, leaves none of those
    Visit write, atomic, read;
};

struct Moment {  // of the thread that runs now
    uint32_t serial, epoch, warp_epoch;
    uint16_t thread;
};

// Whether what was done before is over when the thread that runs now comes.
inline bool is_over(const Visit& before, const Moment& moment, bool shared_memory) {
    if (before.whose == Visit::NOBODY) return true;
    if (before.serial != moment.serial) return shared_memory;  // another block has shared memory of its own
    if (before.whose == Visit::BLOCKS) return false;
    if (before.epoch != moment.epoch) return true;
    if (before.whose == Visit::ONE_THREAD && before.thread == moment.thread) return true;
    return before.whose <= Visit::ONE_WARP && before.thread / WARP == moment.thread / WARP && before.warp_epoch != moment.warp_epoch;
}

// The visit of the thread that runs now, together with those before it of the same kind that are not over.
inline Visit joined(const Visit& before, const Moment& moment, Site site, bool shared_memory) {
    Visit visit{moment.serial, moment.epoch, moment.warp_epoch, moment.thread, Visit::ONE_THREAD, site};
    if (is_over(before, moment, shared_memory)) return visit;
    if (before.serial != moment.serial || before.whose == Visit::BLOCKS) {
        visit = before;  // whoever writes here later races with one of them
        visit.whose = Visit::BLOCKS;
        return visit;
    }
    const bool warp = before.whose <= Visit::ONE_WARP && before.thread / WARP == moment.thread / WARP;
    visit.whose = warp ? Visit::ONE_WARP : Visit::ONE_BLOCK;
    return visit;
}

constexpr uint64_t PAGE = 4096;

struct Page {
    explicit Page(uint64_t grain) : words(PAGE / grain) {}
    uint64_t read[PAGE / 64] = {}, written[PAGE / 64] = {};  // a bit a byte
    std::vector<Word> words;
};

// A range of memory that a kernel may use: an argument, or a shared array.
struct Region {
    Region(char* start, uint64_t size, uint64_t grain, bool shared, const char* name)
        : start(reinterpret_cast<uintptr_t>(start)),
          base(this->start & ~uintptr_t(63)),
          size(size),
          grain(grain),
          shared(shared),
          name(name),
          pages((this->start - base + size + PAGE - 1) / PAGE) {}

    bool holds(uintptr_t address, size_t bytes) const { return address >= start && address - start + bytes <= size; }

    Page& page(uint64_t place) {
        auto& page = pages[place / PAGE];
        if (!page) page = std::make_unique<Page>(grain);
        return *page;
    }

    uintptr_t start;
    uintptr_t base;  // at or before `start`, aligned: pages begin there
    uint64_t size, grain;
    bool shared;
    const char* name;
    uint64_t* initialised = nullptr;  // a bit a byte, from `before` bytes before `start`; null: all are
    uint64_t before = 0;
    uint64_t asked[2] = {}, unique[2] = {};  // read, written
    std::vector<std::unique_ptr<Page>> pages;
    std::vector<uint64_t> own_initialised;  // of a shared array
};

}  // namespace emulator
