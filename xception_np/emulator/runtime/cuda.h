// What a .cu file may use, in C++: so the file itself stays plain CUDA. The compiler reads this first (`-include`).
//
// Missing on purpose, because this project's kernels do without: fences, inline PTX, half precision, textures, dynamic parallelism,
// `__activemask`. A kernel that uses them does not compile here.
#pragma once

#include <cstddef>
#undef _GLIBCXX_USE_STD_SPEC_FUNCS  // Bessel's functions and their kind: to read them takes longer than a kernel
#include <math.h>

#include <type_traits>

#include "checker.h"
#include "runtime.h"
#include "warp.h"

// Words of the language. `__shared__` is not among them: ../source.py rewrites its declarations to the macros at the end.
#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

#define EMULATOR_INLINE inline __attribute__((always_inline))  // so that an access inside has the kernel's own line, too

constexpr int warpSize = emulator::WARP;

// Vectors of two and four are aligned so that one instruction moves them.
#define EMULATOR_VECTORS(type, name)                                                                    \
    struct alignas(2 * sizeof(type)) name##2 { type x, y; };                                            \
    struct alignas(4 * sizeof(type) > 16 ? 16 : 4 * sizeof(type)) name##4 { type x, y, z, w; };         \
    EMULATOR_INLINE name##2 make_##name##2(type x, type y) { return {x, y}; }                           \
    EMULATOR_INLINE name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
EMULATOR_VECTORS(float, float)
EMULATOR_VECTORS(double, double)
EMULATOR_VECTORS(int, int)
EMULATOR_VECTORS(unsigned, uint)
EMULATOR_VECTORS(unsigned char, uchar)
#undef EMULATOR_VECTORS

// Waiting for each other. A default argument is evaluated where the call is, so `line` is the kernel's.
EMULATOR_INLINE void __syncthreads(unsigned line = __builtin_LINE()) { emulator::barrier(line); }

EMULATOR_INLINE void __syncwarp(unsigned mask = ~0u, unsigned line = __builtin_LINE()) {
    emulator::exchange(emulator::Operation::SYNCHRONISE, mask, 0, 0, line);
}
EMULATOR_INLINE unsigned __ballot_sync(unsigned mask, int predicate, unsigned line = __builtin_LINE()) {
    return static_cast<unsigned>(emulator::exchange(emulator::Operation::BALLOT, mask, predicate != 0, 0, line));
}
EMULATOR_INLINE int __any_sync(unsigned mask, int predicate, unsigned line = __builtin_LINE()) {
    return emulator::exchange(emulator::Operation::ANY, mask, predicate != 0, 0, line) != 0;
}
EMULATOR_INLINE int __all_sync(unsigned mask, int predicate, unsigned line = __builtin_LINE()) {
    return emulator::exchange(emulator::Operation::ALL, mask, predicate == 0, 0, line) == 0;
}

namespace emulator {

inline unsigned lane() { return now.thread % WARP; }

template <class T>
EMULATOR_INLINE T shuffle(Operation operation, unsigned mask, T value, unsigned source, unsigned line) {
    static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
    uint64_t bits = 0;
    __builtin_memcpy(&bits, &value, sizeof value);
    bits = exchange(operation, mask, bits, source, line);
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace emulator

// A warp is cut into segments of `width` lanes; a lane whose source lies outside its segment keeps its own value.
template <class T>
EMULATOR_INLINE T __shfl_sync(unsigned mask, T value, int source, int width = 32, unsigned line = __builtin_LINE()) {
    const unsigned first = emulator::lane() & ~unsigned(width - 1);
    return emulator::shuffle(emulator::Operation::SHUFFLE, mask, value, first + (unsigned(source) & unsigned(width - 1)), line);
}
template <class T>
EMULATOR_INLINE T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, unsigned line = __builtin_LINE()) {
    const unsigned lane = emulator::lane(), place = lane & unsigned(width - 1);
    return emulator::shuffle(emulator::Operation::SHUFFLE_UP, mask, value, place < delta ? lane : lane - delta, line);
}
template <class T>
EMULATOR_INLINE T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, unsigned line = __builtin_LINE()) {
    const unsigned lane = emulator::lane(), place = lane & unsigned(width - 1);
    return emulator::shuffle(emulator::Operation::SHUFFLE_DOWN, mask, value, place + delta >= unsigned(width) ? lane : lane + delta, line);
}
template <class T>
EMULATOR_INLINE T __shfl_xor_sync(unsigned mask, T value, int other, int width = 32, unsigned line = __builtin_LINE()) {
    const unsigned lane = emulator::lane(), source = lane ^ unsigned(other), after = (lane & ~unsigned(width - 1)) + unsigned(width);
    return emulator::shuffle(emulator::Operation::SHUFFLE_XOR, mask, value, source < after ? source : lane, line);
}

// Memory. Threads change places only where they wait, so nothing can come between the parts of an atomic operation.
template <class T>
EMULATOR_INLINE T __ldg(const T* place) {
    return *place;
}

namespace emulator {

template <class T>
struct Identity {
    using Type = T;
};
template <class T>
using Same = typename Identity<T>::Type;  // an argument that is converted, and not what T is found out from

template <class T, class Change>
__attribute__((no_sanitize("thread"))) inline T atomic(T* place, unsigned line, Change change) {
    atomic_access(place, sizeof(T), line);
    const T before = *place;
    *place = change(before);
    return before;
}

}  // namespace emulator

#define EMULATOR_WRAPS __attribute__((no_sanitize("undefined")))  // integers begin again from the other end, as on a GPU
#define EMULATOR_ATOMIC(name, expression)                                                              \
    template <class T>                                                                                 \
    inline T name(T* place, emulator::Same<T> value, unsigned line = __builtin_LINE()) {               \
        const auto change = [=](T before) EMULATOR_WRAPS -> T { return expression; };                  \
        return emulator::atomic(place, line, change);                                                  \
    }
EMULATOR_ATOMIC(atomicAdd, before + value)
EMULATOR_ATOMIC(atomicMax, before < value ? value : before)
EMULATOR_ATOMIC(atomicMin, value < before ? value : before)
EMULATOR_ATOMIC(atomicExch, ((void)before, value))
#undef EMULATOR_ATOMIC

// Mathematics beyond <math.h>. The fast intrinsics are as precise here as their namesakes: only a GPU shows their own errors.
// glibc has internal functions of some of these names, hence macros.
#define __expf(x) expf(x)
#define __logf(x) logf(x)
#define __powf(x, y) powf(x, y)
#define __fdividef(x, y) ((x) / (y))
EMULATOR_INLINE float rsqrtf(float x) { return 1.0f / sqrtf(x); }
EMULATOR_INLINE double rsqrt(double x) { return 1.0 / sqrt(x); }
EMULATOR_INLINE float rsqrt(float x) { return rsqrtf(x); }

#define EMULATOR_EXTREMES(type)                                              \
    EMULATOR_INLINE type min(type a, type b) { return b < a ? b : a; }       \
    EMULATOR_INLINE type max(type a, type b) { return a < b ? b : a; }
EMULATOR_EXTREMES(int)
EMULATOR_EXTREMES(unsigned)
EMULATOR_EXTREMES(long)
EMULATOR_EXTREMES(unsigned long)
EMULATOR_EXTREMES(long long)
EMULATOR_EXTREMES(unsigned long long)
#undef EMULATOR_EXTREMES
EMULATOR_INLINE float min(float a, float b) { return fminf(a, b); }
EMULATOR_INLINE float max(float a, float b) { return fmaxf(a, b); }
EMULATOR_INLINE double min(double a, double b) { return fmin(a, b); }
EMULATOR_INLINE double max(double a, double b) { return fmax(a, b); }

template <class To, class From>
EMULATOR_INLINE To emulator_bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
}
EMULATOR_INLINE int __float_as_int(float x) { return emulator_bits<int>(x); }
EMULATOR_INLINE unsigned __float_as_uint(float x) { return emulator_bits<unsigned>(x); }
EMULATOR_INLINE float __int_as_float(int x) { return emulator_bits<float>(x); }
EMULATOR_INLINE float __uint_as_float(unsigned x) { return emulator_bits<float>(x); }
EMULATOR_INLINE unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(uint64_t(a) * b >> 32); }
EMULATOR_INLINE unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}
EMULATOR_INLINE int __popc(unsigned x) { return __builtin_popcount(x); }
EMULATOR_INLINE int __ffs(int x) { return __builtin_ffs(x); }
EMULATOR_INLINE int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }

// Shared memory. In fast mode an array of a block is an ordinary static one, since one block runs at a time.
#ifdef EMULATOR_CHECK
namespace emulator {

template <class T>
struct Element : Identity<T> {};
template <class T, size_t N>
struct Element<T[N]> : Element<T> {};

template <class T>
inline T& shared(const char* declaration, const char* name, size_t alignment, unsigned line) {
    constexpr size_t element = sizeof(typename Element<T>::Type);
    constexpr size_t least = alignof(T);
    void* place = shared_array(declaration, name, sizeof(T), alignment > least ? alignment : least, element % 4 ? 1 : 4, line);
    return *static_cast<T*>(place);
}

}  // namespace emulator
// A static variable has an address of its own in every instantiation of a template, and so have arrays of blocks.
#define EMULATOR_SHARED(alignment, type, name, ...) \
    static const char name##_declaration = 0;       \
    auto& name = emulator::shared<__typeof__(type __VA_ARGS__)>(&name##_declaration, #name, alignment, __builtin_LINE())
#define EMULATOR_DYNAMIC_SHARED(type, name) \
    type* const name = static_cast<type*>(emulator::dynamic_shared(#name, sizeof(type) % 4 ? 1 : 4))
#else
namespace emulator {
extern char dynamic_memory[];
}
#define EMULATOR_SHARED(alignment, type, name, ...) alignas(alignment) static type name __VA_ARGS__
#define EMULATOR_DYNAMIC_SHARED(type, name) type* const name = reinterpret_cast<type*>(emulator::dynamic_memory)
#endif

// How the scheduler calls a kernel: its arguments lie in `emulator::arguments`.
namespace emulator {
template <class T>
EMULATOR_INLINE T argument(unsigned number) {
    T value;
    __builtin_memcpy(&value, arguments[number], sizeof value);
    return value;
}
}  // namespace emulator
