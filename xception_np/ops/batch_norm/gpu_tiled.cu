// Batch normalisation, tiled: fewer passes over memory, and what depends on the channel alone is computed once a thread.
//
//     mean[c]     = mean of x[:, c]
//     variance[c] = mean of (x[:, c] - mean[c])**2
//     y           = activation((x - mean) * gamma / sqrt(variance + epsilon) + beta)
//
//     x, y (P, C)    gamma, beta, mean, variance (C,)
//
// A block has 32 channels of a chunk of positions: a lane a channel, so that a warp reads 32 neighbours in memory, and a warp every
// eighth group of 8 rows, which a thread reads at once:
//
//            32 channels
//         +---------------+
//         | | | | ... | | |  8 rows: warp 0
//         +---------------+
//         | | | | ... | | |  8 rows: warp 1      warp 0 ... 7, lane by lane
//         +---------------+       ...          ----------------------------->  a number a channel, for the chunk
//         | | | | ... | | |  8 rows: warp 0
//         +---------------+
//
// Mean and variance need one pass: a thread finds the mean of its 8 rows and the squares around it while they are in registers, and
// puts sets together by the formula of Chan et al. for the variance of a union. No large sums of squares are subtracted.

#define WARPS 8
#define ROWS 8  // of a group

struct Set {
    REAL count, mean, squares;  // squares: the sum of (x - mean)**2
};

// Both sets together
__device__ __forceinline__ Set joined(Set a, Set b) {
    if (b.count == 0) return a;
    const REAL count = a.count + b.count, difference = b.mean - a.mean, share = b.count / count;
    return {count, a.mean + difference * share, a.squares + b.squares + difference * difference * a.count * share};
}

// The sets of all warps, one after the other; valid in warp 0
__device__ __forceinline__ Set joined_by_block(Set set) {
    __shared__ REAL means_of_warps[WARPS][32];
    __shared__ REAL squares_of_warps[WARPS][32];
    __shared__ REAL counts_of_warps[WARPS];
    means_of_warps[threadIdx.y][threadIdx.x] = set.mean;
    squares_of_warps[threadIdx.y][threadIdx.x] = set.squares;
    if (threadIdx.x == 0) counts_of_warps[threadIdx.y] = set.count;  // the same in all lanes
    __syncthreads();
    for (int warp = 1; warp < WARPS; ++warp)
        set = joined(set, {counts_of_warps[warp], means_of_warps[warp][threadIdx.x], squares_of_warps[warp][threadIdx.x]});
    return set;
}

extern "C" __global__ void moments_of_chunks(const REAL* __restrict__ x, REAL* __restrict__ means, REAL* __restrict__ squares,
                                             long long positions, int channels, long long chunk) {
    const int c = blockIdx.x * 32 + threadIdx.x;
    const long long first = blockIdx.y * chunk, last = first + chunk < positions ? first + chunk : positions;
    Set set = {};
    for (long long p = first + threadIdx.y * ROWS; p < last; p += WARPS * ROWS) {
        const int rows = last - p < ROWS ? last - p : ROWS;
        REAL numbers[ROWS];
        REAL sum = 0;
#pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            numbers[r] = r < rows && c < channels ? x[(p + r) * channels + c] : REAL(0);
            sum += numbers[r];
        }
        const REAL mean = sum / rows;
        REAL around = 0;
#pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            if (r < rows) around += (numbers[r] - mean) * (numbers[r] - mean);
        }
        set = joined(set, {REAL(rows), mean, around});
    }
    set = joined_by_block(set);
    if (threadIdx.y == 0 && c < channels) {
        means[(long long)blockIdx.y * channels + c] = set.mean;
        squares[(long long)blockIdx.y * channels + c] = set.squares;
    }
}

// A block 32 channels, a warp every eighth chunk
extern "C" __global__ void moments(const REAL* __restrict__ means, const REAL* __restrict__ squares, REAL* __restrict__ mean,
                                   REAL* __restrict__ variance, long long positions, int channels, long long chunk) {
    const int c = blockIdx.x * 32 + threadIdx.x;
    Set set = {};
    for (long long k = threadIdx.y; k * chunk < positions; k += WARPS) {
        const long long left = positions - k * chunk;
        if (c < channels) set = joined(set, {REAL(left < chunk ? left : chunk), means[k * channels + c], squares[k * channels + c]});
    }
    set = joined_by_block(set);
    if (threadIdx.y == 0 && c < channels) {
        mean[c] = set.mean;
        variance[c] = set.squares / REAL(positions);
    }
}

// y = (x - mean) * scale + shift, cut off at 0 if relu; of one channel
struct Affine {
    REAL mean, inverse, scale, shift;
};

__device__ __forceinline__ Affine affine(const REAL* __restrict__ gamma, const REAL* __restrict__ beta, const REAL* __restrict__ mean,
                                         const REAL* __restrict__ variance, REAL epsilon, int c) {
    const REAL inverse = 1 / sqrt(variance[c] + epsilon);
    return {mean[c], inverse, gamma[c] * inverse, beta[c]};
}

// A block 64 positions of 32 channels; neighbouring blocks have neighbouring channels
extern "C" __global__ void forward(const REAL* __restrict__ x, const REAL* __restrict__ gamma, const REAL* __restrict__ beta,
                                   const REAL* __restrict__ mean, const REAL* __restrict__ variance, REAL* __restrict__ y,
                                   long long positions, int channels, REAL epsilon, int relu) {
    const int groups = (channels - 1) / 32 + 1, c = blockIdx.x % groups * 32 + threadIdx.x;
    if (c >= channels) return;
    const Affine own = affine(gamma, beta, mean, variance, epsilon, c);
    const long long first = ((long long)(blockIdx.x / groups) * WARPS + threadIdx.y) * ROWS;
    REAL numbers[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; ++r) numbers[r] = first + r < positions ? x[(first + r) * channels + c] : REAL(0);
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        const REAL sum = (numbers[r] - own.mean) * own.scale + own.shift;
        if (first + r < positions) y[(first + r) * channels + c] = relu && sum <= 0 ? REAL(0) : sum;
    }
}

// y = activation((x - mean) * scale + shift): where the ReLU cut, nothing comes back. dgamma is the sum of dy * xhat, and dbeta that of
// dy: of a chunk of positions, side by side in one row of sums, (chunks, 2, C)
extern "C" __global__ void sums_of_chunks(const REAL* __restrict__ dy, const REAL* __restrict__ x, const REAL* __restrict__ gamma,
                                          const REAL* __restrict__ beta, const REAL* __restrict__ mean,
                                          const REAL* __restrict__ variance, REAL* __restrict__ sums, long long positions, int channels,
                                          REAL epsilon, int relu, long long chunk) {
    __shared__ REAL products[WARPS][32];
    __shared__ REAL upstreams[WARPS][32];
    const int c = blockIdx.x * 32 + threadIdx.x;
    const long long first = blockIdx.y * chunk, last = first + chunk < positions ? first + chunk : positions;
    REAL product = 0, upstream = 0;
    if (c < channels) {
        const Affine own = affine(gamma, beta, mean, variance, epsilon, c);
#pragma unroll 4
        for (long long p = first + threadIdx.y; p < last; p += WARPS) {
            const REAL d = dy[p * channels + c], around = x[p * channels + c] - own.mean;
            const REAL passed = relu && around * own.scale + own.shift <= 0 ? REAL(0) : d;
            product += passed * (around * own.inverse);
            upstream += passed;
        }
    }
    products[threadIdx.y][threadIdx.x] = product;
    upstreams[threadIdx.y][threadIdx.x] = upstream;
    __syncthreads();
    if (threadIdx.y == 0 && c < channels) {
        for (int warp = 1; warp < WARPS; ++warp) {
            product += products[warp][threadIdx.x];
            upstream += upstreams[warp][threadIdx.x];
        }
        sums[(2LL * blockIdx.y) * channels + c] = product;
        sums[(2LL * blockIdx.y + 1) * channels + c] = upstream;
    }
}

// total[k] = sum over chunks of sums[chunk, k]; a block 32 columns, a warp every eighth chunk
extern "C" __global__ void add_chunks(const REAL* __restrict__ sums, REAL* __restrict__ total, long long chunks, int columns) {
    __shared__ REAL rows[WARPS][32];
    const int k = blockIdx.x * 32 + threadIdx.x;
    REAL sum = 0;
    for (long long chunk = threadIdx.y; chunk < chunks; chunk += WARPS) {
        if (k < columns) sum += sums[chunk * columns + k];
    }
    rows[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && k < columns) {
        for (int warp = 1; warp < WARPS; ++warp) sum += rows[warp][threadIdx.x];
        total[k] = sum;
    }
}

// xhat = (x - mean) / std, and both mean and std depend on every x: their terms are averages over the P positions
extern "C" __global__ void backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ x, const REAL* __restrict__ gamma,
                                      const REAL* __restrict__ beta, const REAL* __restrict__ mean,
                                      const REAL* __restrict__ variance, const REAL* __restrict__ dgamma,
                                      const REAL* __restrict__ dbeta, REAL* __restrict__ dx, long long positions, int channels,
                                      REAL epsilon, int relu) {
    const int groups = (channels - 1) / 32 + 1, c = blockIdx.x % groups * 32 + threadIdx.x;
    if (c >= channels) return;
    const Affine own = affine(gamma, beta, mean, variance, epsilon, c);
    const REAL through_mean = dbeta[c] / REAL(positions), through_std = own.inverse * dgamma[c] / REAL(positions);
    const long long first = ((long long)(blockIdx.x / groups) * WARPS + threadIdx.y) * ROWS;
    REAL upstreams[ROWS], numbers[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        const long long at = (first + r) * channels + c;
        upstreams[r] = first + r < positions ? dy[at] : REAL(0);
        numbers[r] = first + r < positions ? x[at] : REAL(0);
    }
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        const REAL around = numbers[r] - own.mean;
        const REAL passed = relu && around * own.scale + own.shift <= 0 ? REAL(0) : upstreams[r];
        if (first + r < positions) dx[(first + r) * channels + c] = own.scale * (passed - through_mean - around * through_std);
    }
}
