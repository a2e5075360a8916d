// Check mode: every access of a kernel comes here first, and what would be wrong is never done.
//
// In order: is there memory, is the address a multiple of the size (if not, the launch ends, as it would on a GPU); was it ever written; does
// another thread come to it that nothing orders; and then it is counted.
#include <cstring>
#include <unordered_map>

#include "checker.h"
#include "requests.h"
#include "shadow.h"

// Where this library begins and ends in memory: the linker's symbols.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start, _end;

namespace emulator {
namespace {

constexpr size_t STATIC_LIMIT = 48 << 10;
constexpr size_t GAP = 256 << 10;  // between shared arrays: more than a block has, so that no wrong index reaches another
constexpr size_t MOST_TRACED = 1 << 18;
constexpr size_t ARENA = 64 << 20;  // addresses; what nobody touches takes no memory

alignas(4096) char arena[ARENA];
size_t arena_used, static_shared;
Launch launch;
std::vector<Region> regions;
std::unordered_map<const char*, int32_t> shared_regions;  // by what stands for the declaration, once a thread has come to it
int32_t dynamic_region;
uint32_t epoch;
std::vector<uint32_t> warp_epochs;
Requests requests;
std::vector<SiteUse> sites;
std::vector<RegionUse> region_uses;
std::vector<Traced> traced;

Finding found(Kind kind, Access access, int32_t region, Site site) {
    Finding finding{};
    finding.kind = kind;
    finding.access = access;
    finding.region = region;
    finding.site = site;
    finding.block = now.block;
    finding.thread = now.thread;
    return finding;
}

int32_t region_of(uintptr_t address, size_t size) {
    static size_t last = 0;
    if (last < regions.size() && regions[last].holds(address, size)) return static_cast<int32_t>(last);
    for (size_t number = 0; number < regions.size(); ++number)
        if (regions[number].holds(address, size)) return static_cast<int32_t>(last = number);
    return -1;
}

[[noreturn]] void report_outside(uintptr_t address, size_t size, Access access, Site site) {
    int32_t nearest = -1;  // the region that the address is least far from: a guess at which one was meant
    uint64_t least = ~uint64_t(0);
    for (size_t number = 0; number < regions.size(); ++number) {
        const Region& region = regions[number];
        const uint64_t distance = address < region.start ? region.start - address : address + size - region.start - region.size;
        if (distance < least) least = distance, nearest = static_cast<int32_t>(number);
    }
    Finding finding = found(OUT_OF_BOUNDS, access, nearest, site);
    finding.size = static_cast<uint32_t>(size);
    if (nearest >= 0) finding.offset = static_cast<int64_t>(address - regions[static_cast<size_t>(nearest)].start);
    report(finding);
    abandon();
}

void report_race(const Visit& other, Access others, Access access, int32_t region, uint64_t offset, size_t size, Site site) {
    Finding finding = found(RACE, access, region, site);
    finding.offset = static_cast<int64_t>(offset);
    finding.size = static_cast<uint32_t>(size);
    finding.with_other = 1;
    finding.other_thread = other.thread;
    finding.other_block = launch.blocks ? launch.blocks[other.serial] : other.serial;
    finding.other_site = other.site;
    finding.other_access = others;
    report(finding);
}

void visit_word(Word& word, Access access, int32_t number, uint64_t offset, size_t size, Site site) {
    const Region& region = regions[static_cast<size_t>(number)];
    const Moment moment{now.serial, epoch, warp_epochs[now.thread / WARP], static_cast<uint16_t>(now.thread)};
    const auto races = [&](const Visit& other, Access others) {
        if (!is_over(other, moment, region.shared)) report_race(other, others, access, number, offset, size, site);
    };
    races(word.write, WRITE);
    if (access != ATOMIC) races(word.atomic, ATOMIC);
    if (access != READ) races(word.read, READ);
    if (access == READ) word.read = joined(word.read, moment, site, region.shared);
    if (access == ATOMIC) word.atomic = joined(word.atomic, moment, site, region.shared);
    if (access == WRITE) word = {joined({}, moment, site, region.shared), {}, {}};
}

void visit(Access access, uintptr_t address, size_t size, int32_t number, Site site) {
    Region& region = regions[static_cast<size_t>(number)];
    const uint64_t offset = address - region.start;
    const uint64_t place = address - region.base;
    const uint64_t bytes = (~uint64_t(0) >> (64 - size)) << place % 64;  // size is at most 16, and divides address and base

    if (region.initialised) {
        const uint64_t bit = region.before + offset;
        uint64_t& known = region.initialised[bit / 64];
        const uint64_t wanted = (~uint64_t(0) >> (64 - size)) << bit % 64;  // allocations are aligned, too
        if (access != WRITE && (known & wanted) != wanted) {
            Finding finding = found(UNINITIALISED, access, number, site);
            finding.offset = static_cast<int64_t>(offset);
            finding.size = static_cast<uint32_t>(size);
            report(finding);
        }
        if (access != READ) known |= wanted;
    }

    Page& page = region.page(place);
    for (uint64_t at = place / region.grain; at <= (place + size - 1) / region.grain; ++at)
        visit_word(page.words[at & (page.words.size() - 1)], access, number, offset, size, site);

    const auto note = [&](uint64_t* touched, int which) {
        uint64_t& known = touched[place % PAGE / 64];
        region.asked[which] += size;
        region.unique[which] += static_cast<uint64_t>(__builtin_popcountll(bytes & ~known));
        known |= bytes;
    };
    if (access != WRITE) note(page.read, 0);
    if (access != READ) note(page.written, 1);
    requests.add(now.thread, site, number, region.shared, access, address, static_cast<unsigned>(size));
    if (now.block == launch.traced_block && traced.size() < MOST_TRACED) traced.push_back({site, offset, number, access, now.thread, static_cast<uint32_t>(size)});
}

void add_shared(char* start, size_t size, size_t grain, const char* name) {
    regions.emplace_back(start, size, grain, true, name);
    Region& region = regions.back();
    region.before = region.start - region.base;
    region.own_initialised.assign((region.before + size + 63) / 64, 0);
    region.initialised = region.own_initialised.data();
}

// A block finds no values in its shared memory; NaN, should a kernel use them all the same.
void forget(Region& region) {
    std::memset(reinterpret_cast<void*>(region.start), 0xFF, region.size);
    std::fill(region.own_initialised.begin(), region.own_initialised.end(), 0);
}

// No better aligned than it has to be: a GPU may put something else before it.
char* take_from_arena(size_t size, size_t alignment) {
    const size_t step = 2 * (alignment > 128 ? alignment : 128);
    const size_t start = (arena_used + step - 1) / step * step + alignment;
    arena_used = start + size + GAP;
    return arena + start;
}

}  // namespace

uint64_t steps_left = ~uint64_t(0);  // before the first launch, while the library is loaded

void access(Access access, const void* place, size_t size, Site site) {
    const auto address = reinterpret_cast<uintptr_t>(place);
    const auto bytes = static_cast<const char*>(place);
    if (bytes >= now.stack && bytes < now.stack_end) return;  // the thread's own variables
    if (bytes >= &__ehdr_start && bytes < &_end && !(bytes >= arena && bytes < arena + ARENA)) return;  // threadIdx, constants
    const int32_t number = region_of(address, size);
    if (number < 0) report_outside(address, size, access, site);
    if (address % size) {
        Finding finding = found(MISALIGNED, access, number, site);
        finding.offset = static_cast<int64_t>(address - regions[static_cast<size_t>(number)].start);
        finding.size = static_cast<uint32_t>(size);
        report(finding);
        abandon();
    }
    visit(access, address, size, number, site);
}

void atomic_access(const void* place, size_t size, unsigned line) { access(ATOMIC, place, size, line); }

void endless(Site site) {
    report(found(ENDLESS_LOOP, READ, -1, site));
    abandon();
}

// Arithmetic that C++ leaves undefined, and a wrong index into an array whose size is known; the first kind goes on, as on a GPU.
void undefined(Kind kind, unsigned line, bool goes_on) {
    report(found(kind, READ, -1, line));
    if (!goes_on) abandon();
}

void* shared_array(const char* declaration, const char* name, size_t size, size_t alignment, size_t grain, unsigned line) {
    const auto [known, is_new] = shared_regions.try_emplace(declaration, static_cast<int32_t>(regions.size()));
    if (is_new) {
        static_shared = (static_shared + alignment - 1) / alignment * alignment + size;
        if (static_shared > STATIC_LIMIT || static_shared + launch.dynamic_shared > launch.most_shared) {
            Finding finding = found(TOO_MUCH_SHARED, WRITE, -1, line);
            finding.size = static_cast<uint32_t>(static_shared + launch.dynamic_shared);
            report(finding);
            abandon();
        }
        add_shared(take_from_arena(size, alignment), size, grain, name);
        forget(regions.back());
    }
    return reinterpret_cast<void*>(regions[static_cast<size_t>(known->second)].start);
}

void* dynamic_shared(const char* name, size_t grain) {
    if (dynamic_region < 0) {
        dynamic_region = static_cast<int32_t>(regions.size());
        add_shared(take_from_arena(launch.dynamic_shared, 16), launch.dynamic_shared, grain, name);
        forget(regions.back());
    }
    return reinterpret_cast<void*>(regions[static_cast<size_t>(dynamic_region)].start);
}

void begin_launch(const Launch& next) {
    launch = next;
    traced.clear();
    regions.clear();
    shared_regions.clear();
    arena_used = GAP;
    static_shared = 0;
    dynamic_region = -1;
    for (uint64_t number = 0; number < launch.buffer_count; ++number) {
        const Buffer& buffer = launch.buffers[number];
        regions.emplace_back(buffer.start, buffer.size, buffer.grain, false, nullptr);
        regions.back().initialised = buffer.initialised;
        regions.back().before = buffer.before;
    }
    const size_t threads = size_t(launch.block.x) * launch.block.y * launch.block.z;
    warp_epochs.assign((threads + WARP - 1) / WARP, 0);
    requests.begin_launch(threads);
}

void begin_block() {
    steps_left = launch.most_steps;
    epoch = 0;
    std::fill(warp_epochs.begin(), warp_epochs.end(), 0);
    for (Region& region : regions)
        if (region.shared) forget(region);
}

void barrier_passed() {
    ++epoch;
    requests.flush();
}

void warp_synchronised(unsigned warp) { ++warp_epochs[warp]; }

void end_block() { requests.flush(); }

void end_launch(Result& result) {
    sites = requests.result();
    region_uses.clear();
    for (const Region& region : regions)
        region_uses.push_back({region.name, region.size, region.asked[0], region.asked[1], region.unique[0], region.unique[1]});
    result.sites = sites.data();
    result.site_count = sites.size();
    result.regions = region_uses.data();
    result.region_count = region_uses.size();
    result.traced = traced.data();
    result.traced_count = traced.size();
}

}  // namespace emulator
