// What g++ calls: before every load and store of a kernel compiled with `-fsanitize=thread`, where arithmetic or an index is wrong with
// `-fsanitize=undefined`, and after every branch with `-fsanitize-coverage=trace-pc`. The sanitizers' own libraries are not linked; these functions stand in their place.
#include <cstring>

#include "checker.h"

using emulator::access;
using emulator::READ;
using emulator::WRITE;

namespace {

// What is not aligned to its size, such as a structure of four ints, is moved in words, or in bytes where it is no whole number of them.
void access_range(emulator::Access kind, void* place, size_t size, emulator::Site site) {
    const size_t step = (reinterpret_cast<uintptr_t>(place) | size) % 4 ? 1 : 4;
    for (size_t offset = 0; offset < size; offset += step) access(kind, static_cast<char*>(place) + offset, step, site);
}

struct Source {  // the first member of what every callback for undefined behaviour is given
    const char* file;
    uint32_t line, column;
};

// 0 for one of the emulator's own headers.
unsigned line_of(const Source& source) { return std::strstr(source.file, "/kernels.cu") ? source.line : 0; }

}  // namespace

#define SITE reinterpret_cast<emulator::Site>(__builtin_return_address(0))
#define ON_ACCESS(size)                                                        \
    void __tsan_read##size(void* place) { access(READ, place, size, SITE); }   \
    void __tsan_write##size(void* place) { access(WRITE, place, size, SITE); } \
    void __tsan_unaligned_read##size(void* place) { access_range(READ, place, size, SITE); } \
    void __tsan_unaligned_write##size(void* place) { access_range(WRITE, place, size, SITE); }

#define ON_UNDEFINED(name, kind, goes_on) \
    void __ubsan_handle_##name(Source* source, void*, void*) { emulator::undefined(emulator::kind, line_of(*source), goes_on); }

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
ON_ACCESS(1)
ON_ACCESS(2)
ON_ACCESS(4)
ON_ACCESS(8)
ON_ACCESS(16)
void __tsan_read_range(void* place, size_t size) { access_range(READ, place, size, SITE); }
void __tsan_write_range(void* place, size_t size) { access_range(WRITE, place, size, SITE); }

void __sanitizer_cov_trace_pc() {
    if (emulator::steps_left-- == 0) emulator::endless(SITE);
}

ON_UNDEFINED(add_overflow, UNDEFINED_ARITHMETIC, true)
ON_UNDEFINED(sub_overflow, UNDEFINED_ARITHMETIC, true)
ON_UNDEFINED(mul_overflow, UNDEFINED_ARITHMETIC, true)
ON_UNDEFINED(negate_overflow, UNDEFINED_ARITHMETIC, true)
ON_UNDEFINED(shift_out_of_bounds, UNDEFINED_ARITHMETIC, true)
ON_UNDEFINED(divrem_overflow, UNDEFINED_ARITHMETIC, false)  // x86 would stop the process
ON_UNDEFINED(out_of_bounds, OUT_OF_BOUNDS, false)
}
