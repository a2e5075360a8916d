// What a kernel that is checked calls: by the compiler's callbacks (callbacks.cpp), and by name (cuda.h).
#pragma once

#include "runtime.h"

namespace emulator {

void access(Access access, const void* place, size_t size, Site site);
void atomic_access(const void* place, size_t size, unsigned line);
extern uint64_t steps_left;  // of the block's threads together
[[noreturn]] void endless(Site site);
void undefined(Kind kind, unsigned line, bool goes_on);
void* shared_array(const char* declaration, const char* name, size_t size, size_t alignment, size_t grain, unsigned line);
void* dynamic_shared(const char* name, size_t grain);

}  // namespace emulator
