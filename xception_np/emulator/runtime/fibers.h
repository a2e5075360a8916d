// Fibers: a stack, and the place where it goes on. A thread of a kernel that waits leaves its fiber for another.
//
// On x86-64 a switch is a dozen instructions: it saves the registers that a called function must keep, and exchanges the stacks.
// Elsewhere ucontext does it, which also saves the signal mask, with a call of the operating system.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#if !defined(__x86_64__)
#define EMULATOR_UCONTEXT
#endif

#ifdef EMULATOR_UCONTEXT
#include <ucontext.h>
#endif

namespace emulator {

#ifdef EMULATOR_UCONTEXT

using Context = ucontext_t;

inline void prepare(Context& context, char* stack, size_t size, void (*entry)()) {
    getcontext(&context);
    context.uc_stack.ss_sp = stack;
    context.uc_stack.ss_size = size;
    context.uc_link = nullptr;
    makecontext(&context, entry, 0);
}

inline void switch_context(Context& from, Context& to) { swapcontext(&from, &to); }

#else

struct Context {
    void** stack;
};

extern "C" void emulator_switch(Context* from, Context* to);
asm(R"(
    .text
    .hidden emulator_switch
    .type emulator_switch, @function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size emulator_switch, . - emulator_switch
)");

inline void prepare(Context& context, char* stack, size_t size, void (*entry)()) {
    auto top = reinterpret_cast<void**>((reinterpret_cast<uintptr_t>(stack) + size) & ~uintptr_t(15));
    *--top = nullptr;  // where `entry` would return to, and what makes its stack aligned as after a call
    *--top = reinterpret_cast<void*>(entry);
    for (int registers = 0; registers < 6; ++registers) *--top = nullptr;
    context.stack = top;
}

inline void switch_context(Context& from, Context& to) { emulator_switch(&from, &to); }

#endif

class Fiber {
  public:
    static constexpr size_t SIZE = 256 << 10;

    explicit Fiber(size_t number) {
        const size_t page = sysconf(_SC_PAGESIZE);
        void* memory = mmap(nullptr, SIZE + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) abort();
        mprotect(memory, page, PROT_NONE);  // a stack that is too small stops the process rather than another stack
        stack = static_cast<char*>(memory) + page;
        used = SIZE - number * 192 % 4096;  // stacks that all begin at the same offset would fight for the same cache lines
    }
    Fiber(const Fiber&) = delete;

    void begin(void (*entry)()) { prepare(context, stack, used, entry); }

    Context context;
    char* stack;
    size_t used;
};

}  // namespace emulator
