// Runs a grid: block after block, and of a block thread after thread, each until it waits or ends.
//
// A thread needs no stack of its own until it waits. So a fiber that has run one thread to its end goes on with the next, and a kernel
// without barriers never switches. When no thread is ready, everybody waits: at a barrier, which is then released, or in vain.
#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "fibers.h"
#include "runtime.h"
#include "warp.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulator {

Now now;
char arguments[MOST_ARGUMENTS][ARGUMENT_BYTES];

namespace {

constexpr size_t MOST_FINDINGS = 100;

enum class State : uint8_t { READY, AT_BARRIER, IN_WARP, ENDED };

struct Thread {
    uint3 index;
    unsigned line;           // where it waits
    Fiber* fiber = nullptr;  // none until it starts
    State state;
    Exchange exchange;
};

struct Collective {  // threads of a warp that wait for each other
    unsigned mask, arrived;
    Operation operation;
};

struct Warp {
    unsigned ended;
    std::vector<Collective> collectives;
};

void (*kernel)();
int order;
std::mt19937 random_numbers;
std::vector<Thread> threads;
std::vector<Warp> warps;
std::vector<unsigned> queue;  // threads that are ready; those before `head` have been taken
size_t head, ended, at_barrier;
bool abandoned;
uint64_t barriers;
std::vector<Finding> findings;

Context scheduler;
std::vector<std::unique_ptr<Fiber>> fibers;
std::vector<Fiber*> spare;
Fiber* running;

void take_next() {  // by the fiber that runs
    const unsigned number = queue[head++];
    threads[number].fiber = running;
    threadIdx = threads[number].index;
    now.thread = number;
    now.stack = running->stack;
    now.stack_end = running->stack + Fiber::SIZE;
}

void run_threads();

Fiber* spare_fiber() {
    if (spare.empty()) {
        fibers.push_back(std::make_unique<Fiber>(fibers.size()));
        fibers.back()->begin(run_threads);
        return fibers.back().get();
    }
    Fiber* fiber = spare.back();
    spare.pop_back();
    return fiber;
}

void leave(Context& context) {  // for the next thread that is ready, or for the scheduler if none is
    if (head == queue.size()) {
        switch_context(context, scheduler);
        return;
    }
    Fiber* fiber = threads[queue[head]].fiber;
    running = fiber ? fiber : spare_fiber();
    take_next();
    switch_context(context, running->context);
}

void run_threads() {  // what every fiber does
    for (;;) {
        kernel();
        threads[now.thread].state = State::ENDED;
        warps[now.thread / WARP].ended |= 1u << now.thread % WARP;
        ++ended;
        if (head < queue.size() && !threads[queue[head]].fiber) {
            take_next();
        } else {
            spare.push_back(running);
            leave(running->context);
        }
    }
}

void wait(State state, unsigned line) {
    Thread& thread = threads[now.thread];
    thread.state = state;
    thread.line = line;
    leave(running->context);
}

void enqueue(State waiting) {  // all threads in this state, in the launch's order
    queue.clear();
    head = 0;
    for (unsigned number = 0; number < threads.size(); ++number)
        if (threads[number].state == waiting) {
            threads[number].state = State::READY;
            queue.push_back(number);
        }
    if (order == 1) std::reverse(queue.begin(), queue.end());
    if (order == 2) std::shuffle(queue.begin(), queue.end(), random_numbers);
}

void report_waiting(Kind kind, unsigned number, const Thread* other) {
    Finding finding{};
    finding.kind = kind;
    finding.region = -1;
    finding.site = threads[number].line;
    finding.block = finding.other_block = now.block;
    finding.thread = number;
    if (other) {
        finding.with_other = 1;
        finding.other_thread = static_cast<unsigned>(other - threads.data());
        finding.other_site = other->state == State::ENDED ? 0 : other->line;
    }
    report(finding);
}

void release_barrier() {
    unsigned first = 0;
    while (threads[first].state != State::AT_BARRIER) ++first;
    const auto elsewhere = [&](const Thread& thread) { return thread.state == State::ENDED || thread.line != threads[first].line; };
    const auto other = std::find_if(threads.begin(), threads.end(), elsewhere);
    if (other != threads.end()) report_waiting(DIVERGENT_BARRIER, first, &*other);
    ++barriers;
    at_barrier = 0;
    barrier_passed();
    enqueue(State::AT_BARRIER);
}

void complete(Warp& warp, size_t which) {
    const Collective collective = warp.collectives[which];
    warp.collectives.erase(warp.collectives.begin() + static_cast<long>(which));
    const unsigned number = static_cast<unsigned>(&warp - warps.data());
    Thread* lanes = &threads[number * WARP];
    const unsigned present = static_cast<unsigned>(std::min<size_t>(WARP, threads.size() - number * WARP));
    unsigned votes = 0;
    for (unsigned lane = 0; lane < present; ++lane)
        if (collective.arrived >> lane & 1) votes |= (lanes[lane].exchange.value ? 1u : 0u) << lane;
    for (unsigned lane = 0; lane < present; ++lane) {
        if (!(collective.arrived >> lane & 1)) continue;
        Exchange& exchange = lanes[lane].exchange;
        if (collective.operation <= Operation::SHUFFLE_XOR) {
            const bool there = exchange.source < present && collective.arrived >> exchange.source & 1;
            exchange.result = there ? lanes[exchange.source].exchange.value : ~uint64_t(0);
            if (!there) report_waiting(WARP_EXCHANGE, number * WARP + lane, nullptr);
        } else {
            exchange.result = votes;
        }
    }
    if (collective.operation == Operation::SYNCHRONISE && (collective.arrived | warp.ended) == (~0u >> (WARP - present)))
        warp_synchronised(number);
    if (head == queue.size()) queue.clear(), head = 0;
    for (unsigned lane = 0; lane < present; ++lane)
        if (collective.arrived >> lane & 1 && lanes[lane].state == State::IN_WARP) {  // all but the one that came last, which runs
            lanes[lane].state = State::READY;
            queue.push_back(number * WARP + lane);
        }
}

bool wake_warps() {  // where all lanes that are missing have ended: nobody waits for those
    bool woken = false;
    for (Warp& warp : warps)
        for (size_t which = warp.collectives.size(); which-- > 0;)
            if ((warp.collectives[which].mask & ~(warp.collectives[which].arrived | warp.ended)) == 0) {
                complete(warp, which);
                woken = true;
            }
    return woken;
}

void run_block() {
    for (Thread& thread : threads) {
        thread.fiber = nullptr;
        thread.state = State::AT_BARRIER;  // that of the block's beginning
    }
    for (size_t number = 0; number < warps.size(); ++number) warps[number] = {0, {}};
    ended = at_barrier = 0;
    begin_block();
    enqueue(State::AT_BARRIER);
    while (ended < threads.size() && !abandoned) {
        if (head < queue.size()) {
            leave(scheduler);
        } else if (!wake_warps()) {
            if (at_barrier + ended < threads.size()) {
                const auto in_warp = [](const Thread& thread) { return thread.state == State::IN_WARP; };
                const auto stuck = std::find_if(threads.begin(), threads.end(), in_warp);
                report_waiting(DEADLOCK, static_cast<unsigned>(stuck - threads.begin()), nullptr);
                abandoned = true;
            } else {
                release_barrier();
            }
        }
    }
    if (!abandoned) end_block();
}

}  // namespace

void report(Finding finding) {
    for (Finding& known : findings)
        if (known.kind == finding.kind && known.region == finding.region && known.site == finding.site && known.access == finding.access) {
            ++known.count;
            return;
        }
    finding.count = 1;
    if (findings.size() < MOST_FINDINGS) findings.push_back(finding);
}

void abandon() {
    abandoned = true;
    switch_context(running->context, scheduler);
    __builtin_unreachable();
}

void barrier(unsigned line) {
    ++at_barrier;
    wait(State::AT_BARRIER, line);
}

uint64_t exchange(Operation operation, unsigned mask, uint64_t value, unsigned source, unsigned line) {
    const unsigned lane = now.thread % WARP, first = now.thread - lane;
    const unsigned present = static_cast<unsigned>(std::min<size_t>(WARP, threads.size() - first));
    Thread& thread = threads[now.thread];
    thread.line = line;
    thread.exchange = {value, 0, source};
    if (!(mask >> lane & 1)) report_waiting(WARP_EXCHANGE, now.thread, nullptr);
    mask = (mask | 1u << lane) & (~0u >> (WARP - present));

    Warp& warp = warps[now.thread / WARP];
    size_t which = 0;
    while (which < warp.collectives.size() &&
           (warp.collectives[which].mask != mask || warp.collectives[which].operation != operation))
        ++which;
    if (which == warp.collectives.size()) warp.collectives.push_back({mask, 0, operation});
    const unsigned arrived = warp.collectives[which].arrived |= 1u << lane;
    if (arrived == mask)
        complete(warp, which);
    else
        wait(State::IN_WARP, line);
    return thread.exchange.result;
}

extern "C" __attribute__((visibility("default"))) void emulator_launch(const Launch* launch, Result* result) {
    kernel = launch->kernel;
    order = launch->order;
    random_numbers.seed(launch->seed);
    std::memcpy(arguments, launch->arguments, sizeof arguments);
    gridDim = launch->grid;
    blockDim = launch->block;
    threads.assign(size_t(blockDim.x) * blockDim.y * blockDim.z, {});
    warps.assign((threads.size() + WARP - 1) / WARP, {});
    for (unsigned number = 0; number < threads.size(); ++number)
        threads[number].index = {number % blockDim.x, number / blockDim.x % blockDim.y, number / blockDim.x / blockDim.y};
    findings.clear();
    barriers = 0;
    abandoned = false;
    begin_launch(*launch);
    uint64_t blocks = 0;
    for (; blocks < launch->block_count && !abandoned; ++blocks) {
        now.block = launch->blocks ? launch->blocks[blocks] : blocks;
        now.serial = static_cast<uint32_t>(blocks);
        const uint64_t row = now.block / gridDim.x;
        blockIdx = {unsigned(now.block % gridDim.x), unsigned(row % gridDim.y), unsigned(row / gridDim.y)};
        run_block();
    }
    if (abandoned) {  // threads that will never go on hold fibers
        spare.clear();
        for (auto& fiber : fibers) {
            fiber->begin(run_threads);
            spare.push_back(fiber.get());
        }
    }
    end_launch(*result);
    result->findings = findings.data();
    result->finding_count = findings.size();
    result->blocks = blocks;
    result->threads = blocks * threads.size();
    result->barriers = barriers;
}

}  // namespace emulator
