// Where threads wait for each other: the barrier of a block, and exchanges between the lanes of a warp.
#pragma once

#include "runtime.h"

namespace emulator {

// Only lanes that come for the same operation meet.
enum class Operation : uint8_t { SHUFFLE, SHUFFLE_UP, SHUFFLE_DOWN, SHUFFLE_XOR, BALLOT, ANY, ALL, SYNCHRONISE };

struct Exchange {
    uint64_t value, result;
    unsigned source;  // the lane whose value is wanted
};

void barrier(unsigned line);

// Waits until all lanes of the mask that have not ended are there; a shuffle returns the source lane's value, a ballot whose are not 0.
uint64_t exchange(Operation operation, unsigned mask, uint64_t value, unsigned source, unsigned line);

}  // namespace emulator
