// What a warp asks for at once: the accesses of its 32 lanes by one instruction are one request to memory.
//
// Threads run one after the other here, so a request is put together from the n-th time that each lane comes to an instruction since the
// last barrier. Where lanes of a warp take different ways through a loop, that is an approximation.
#pragma once

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "runtime.h"

namespace emulator {

class Requests {
  public:
    void begin_launch(size_t threads) {
        std::fill(recent, recent + RECENT, Recent{});
        numbers.clear();
        instructions.clear();
        uses.clear();
        lanes.assign(threads, {});
        warps.assign((threads + WARP - 1) / WARP, {});
    }

    void add(unsigned thread, Site site, int32_t region, bool shared, Access access, uintptr_t address, unsigned size) {
        const unsigned number = number_of(site, access);
        auto& visits = lanes[thread];
        if (visits.size() <= number) visits.resize(number + 1);
        auto& requests = warps[thread / WARP];
        if (requests.size() <= number) requests.resize(number + 1);
        if (visits[number] == MOST_VISITS) flush();
        const unsigned visit = visits[number]++;
        if (requests[number].size() <= visit) requests[number].resize(visit + 1);
        Request& request = requests[number][visit];
        request.region = region;
        request.shared = shared;
        request.size = size;
        request.threads[request.lanes] = thread % WARP;
        request.addresses[request.lanes++] = address;
    }

    void flush() {  // at a barrier and at a block's end, all that was begun is whole
        for (auto& visits : lanes) std::fill(visits.begin(), visits.end(), 0);
        for (auto& requests : warps)
            for (size_t number = 0; number < requests.size(); ++number) {
                for (Request& request : requests[number]) count(request, instructions[number]);
                requests[number].clear();
            }
    }

    std::vector<SiteUse> result() const {
        std::vector<SiteUse> all;
        for (const auto& [key, use] : uses) all.push_back(use);
        return all;
    }

  private:
    struct Instruction {
        Site site;
        Access access;
    };
    struct Request {
        Request() {}  // leaves the lists as they are: there are many requests
        int32_t region = 0;
        bool shared = false;
        unsigned size = 0, lanes = 0;
        unsigned char threads[WARP];  // of the warp, in the order in which they came
        uintptr_t addresses[WARP];
    };

    unsigned number_of(Site site, Access access) {
        const uint64_t key = site * 4 + access;
        Recent& one = recent[(key ^ key >> 10) % RECENT];
        if (one.key != key) {
            const auto [found, is_new] = numbers.try_emplace(key, static_cast<unsigned>(instructions.size()));
            if (is_new) instructions.push_back({site, access});
            one = {key, found->second};
        }
        return one.number;
    }

    void count(const Request& request, const Instruction& instruction) {
        SiteUse& use = uses[{instruction.site, instruction.access, request.region}];
        use.site = instruction.site;
        use.region = request.region;
        use.access = instruction.access;
        use.requests += 1;
        use.bytes += uint64_t(request.size) * request.lanes;
        if (request.shared)
            count_passes(request, instruction.access, use);
        else
            use.sectors += sectors(request);
    }

    static uint64_t sectors(const Request& request) {
        uintptr_t touched[WARP];
        for (unsigned lane = 0; lane < request.lanes; ++lane) touched[lane] = request.addresses[lane] / 32;
        std::sort(touched, touched + request.lanes);
        return static_cast<uint64_t>(std::unique(touched, touched + request.lanes) - touched);
    }

    // Shared memory has 32 banks, a word of 4 bytes wide: a pass reads one word of each. Lanes that want the same word share it. Of 8 bytes a
    // lane, half a warp is served at a time, of 16 a quarter. Atomic operations on one word come one after the other.
    static void count_passes(const Request& request, Access access, SiteUse& use) {
        const unsigned words = (request.size + 3) / 4, together = WARP / words;
        for (unsigned first = 0; first < WARP; first += together) {
            std::vector<uintptr_t> wanted;
            for (unsigned lane = 0; lane < request.lanes; ++lane) {
                if (request.threads[lane] / together != first / together) continue;
                for (unsigned word = 0; word < words; ++word) wanted.push_back(request.addresses[lane] / 4 + word);
            }
            if (wanted.empty()) continue;
            std::sort(wanted.begin(), wanted.end());
            if (access != ATOMIC) wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
            unsigned banks[32] = {};
            for (const uintptr_t word : wanted) ++banks[word % 32];
            use.passes += *std::max_element(banks, banks + 32);
            use.least_passes += 1;
        }
    }

    // A thread that comes to an instruction so often is counted alone, or a loop without an end would fill the memory.
    static constexpr unsigned MOST_VISITS = 1 << 18;
    static constexpr size_t RECENT = 256;
    struct Recent {
        uint64_t key = 0;
        unsigned number = 0;
    };
    Recent recent[RECENT];  // in front of `numbers`
    std::unordered_map<uint64_t, unsigned> numbers;
    std::vector<Instruction> instructions;
    std::vector<std::vector<unsigned>> lanes;               // [thread][instruction]: how often it came there
    std::vector<std::vector<std::vector<Request>>> warps;   // [warp][instruction][visit]
    std::map<std::tuple<Site, int32_t, int32_t>, SiteUse> uses;
};

}  // namespace emulator
