// What Python hands to a launch and gets back (mirrored in ../native.py), and what the parts of the runtime know of each other.
//
//     cuda.h         what a .cu file may use, in C++
//     scheduler.cpp  blocks, threads, barriers, exchanges within a warp: both modes
//     fibers.h       a stack for each thread that waits
//     checker.cpp    check mode: watches every access; callbacks.cpp leads them there
//     unchecked.cpp  fast mode: nobody watches
//
// The runtime is global state: one launch at a time, in one thread of the operating system.
#pragma once

#include <cstddef>
#include <cstdint>

struct uint3 {
    unsigned x, y, z;
};
using dim3 = uint3;

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace emulator {

constexpr unsigned WARP = 32;
constexpr uint64_t ARGUMENT_BYTES = 16;
constexpr uint64_t MOST_ARGUMENTS = 64;

// Where something happened: an address in the kernel's code, or a source line, which is far below any address.
using Site = uint64_t;

enum Kind : int32_t {
    OUT_OF_BOUNDS,
    UNINITIALISED,
    MISALIGNED,
    RACE,
    DIVERGENT_BARRIER,
    WARP_EXCHANGE,
    DEADLOCK,
    UNDEFINED_ARITHMETIC,
    TOO_MUCH_SHARED,
    ENDLESS_LOOP,
};

enum Access : int32_t { READ, WRITE, ATOMIC };

struct Buffer {  // an array among the arguments
    char* start;
    uint64_t size;
    uint64_t* initialised;  // a bit for every byte of the array's allocation; null if all of them are
    uint64_t before;        // bytes of that allocation before `start`
    uint64_t grain;         // bytes that one thread at a time may write to: 4, or 1 where elements are smaller
};

struct Launch {
    void (*kernel)();
    const char* arguments;  // MOST_ARGUMENTS times ARGUMENT_BYTES
    dim3 grid, block;
    uint64_t dynamic_shared;
    uint64_t most_shared;  // static and dynamic together
    const uint64_t* blocks;  // numbers of the blocks to run, in order; null for all
    uint64_t block_count;
    int32_t order;  // of threads: 0 forward, 1 reverse, 2 random
    uint32_t seed;
    Buffer* buffers;
    uint64_t buffer_count;
    uint64_t most_steps;    // of a block, in check mode: pieces of code without a branch that its threads run
    uint64_t traced_block;  // whose accesses are all kept; no block's if there is none of that number
};

struct Finding {
    int32_t kind;
    int32_t access;
    int32_t region;  // of Result::regions, -1 for none
    uint32_t size;
    int64_t offset;  // bytes from the region's start
    Site site, other_site;
    uint64_t block, other_block;
    uint32_t thread, other_thread;
    int32_t with_other;  // whether there is a second thread in it
    int32_t other_access;  // of a race: what that thread did
    uint64_t count;  // how often, at this site
};

struct RegionUse {
    const char* name;  // of a shared array; null for an argument
    uint64_t size, asked_read, asked_written, unique_read, unique_written;
};

struct SiteUse {
    Site site;
    int32_t region, access;
    uint64_t requests, bytes;
    uint64_t sectors;       // of 32 bytes, touched by all requests; 0 for shared memory
    uint64_t passes;        // through the banks of shared memory, by all requests; 0 for global memory
    uint64_t least_passes;  // what they would be without conflicts
};

struct Traced {  // an access of the block that was asked for
    Site site;
    uint64_t offset;  // bytes from the region's start
    int32_t region, access;
    uint32_t thread, size;
};

struct Result {
    const Finding* findings;
    uint64_t finding_count;
    const RegionUse* regions;
    uint64_t region_count;
    const SiteUse* sites;
    uint64_t site_count;
    const Traced* traced;
    uint64_t traced_count;
    uint64_t threads, blocks, barriers;
};

// The thread that runs now.
struct Now {
    uint32_t thread;  // number in its block, x fastest
    uint32_t serial;  // how many blocks were run before
    uint64_t block;   // number in the grid, x fastest
    const char *stack, *stack_end;
};
extern Now now;
extern char arguments[MOST_ARGUMENTS][ARGUMENT_BYTES];

// scheduler.cpp
void report(Finding finding);
[[noreturn]] void abandon();  // ends the launch: what the thread was about to do cannot be done

// checker.cpp, or unchecked.cpp
void begin_launch(const Launch& launch);
void begin_block();
void barrier_passed();
void warp_synchronised(unsigned warp);
void end_block();
void end_launch(Result& result);

}  // namespace emulator
