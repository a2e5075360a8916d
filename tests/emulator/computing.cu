// Kernels that compute something, with what kernels use: barriers, shared memory, exchanges within a warp, vectors, mathematics.

__device__ __forceinline__ REAL square(REAL x) { return x * x; }

// A block's sum of squares: halves of a tree in dynamic shared memory.
extern "C" __global__ void block_sum(const REAL* __restrict__ x, REAL* __restrict__ sums, int n) {
    extern __shared__ REAL partial[];
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    partial[threadIdx.x] = i < n ? square(x[i]) : REAL(0);
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) sums[blockIdx.x] = partial[0];
}

// The same by exchanges: a warp's sum has no shared memory, a block's one number a warp.
extern "C" __global__ void warp_sum(const REAL* __restrict__ x, REAL* __restrict__ sums, int n) {
    __shared__ REAL of_warps[32];
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    REAL sum = i < n ? square(x[i]) : REAL(0);
    for (int delta = 16; delta > 0; delta /= 2) sum += __shfl_down_sync(0xffffffff, sum, delta);
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int warp = 1; warp < blockDim.x / 32; ++warp) sum += of_warps[warp];
        sums[blockIdx.x] = sum;
    }
}

// c = a b, with a (rows, depth), b (depth, columns): tiles of 8 x 8 in shared memory, tails included.
extern "C" __global__ void multiply(const REAL* __restrict__ a, const REAL* __restrict__ b, REAL* __restrict__ c, int rows, int depth,
                                    int columns) {
    __shared__ REAL a_tile[8][8];
    __shared__ REAL b_tile[8][8 + 1];
    const int row = blockIdx.y * 8 + threadIdx.y, column = blockIdx.x * 8 + threadIdx.x;
    REAL sum = 0;
    for (int first = 0; first < depth; first += 8) {
        const int k_a = first + threadIdx.x, k_b = first + threadIdx.y;
        a_tile[threadIdx.y][threadIdx.x] = row < rows && k_a < depth ? a[size_t(row) * depth + k_a] : REAL(0);
        b_tile[threadIdx.y][threadIdx.x] = k_b < depth && column < columns ? b[size_t(k_b) * columns + column] : REAL(0);
        __syncthreads();
#pragma unroll
        for (int k = 0; k < 8; ++k) sum += a_tile[threadIdx.y][k] * b_tile[k][threadIdx.x];
        __syncthreads();
    }
    if (row < rows && column < columns) c[size_t(row) * columns + column] = sum;
}

__constant__ float weights[3] = {0.25f, 0.5f, 0.25f};

extern "C" __global__ void smooth(const float* __restrict__ x, float* __restrict__ y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float window[3];
#pragma unroll
    for (int k = 0; k < 3; ++k) window[k] = i + k >= 1 && i + k - 1 < n ? x[i + k - 1] : 0.0f;
    y[i] = window[0] * weights[0] + window[1] * weights[1] + window[2] * weights[2];
}

extern "C" __global__ void mathematics(const REAL* __restrict__ x, REAL* __restrict__ y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    y[i] = exp(-x[i]) + sqrt(fabs(x[i])) + rsqrt(1 + x[i] * x[i]) + log(2 + x[i] * x[i]) + max(x[i], REAL(0)) + fma(x[i], x[i], REAL(1));
}

extern "C" __global__ __launch_bounds__(64) void vectors(const float4* __restrict__ x, float4* __restrict__ y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const float4 four = x[i];
    y[i] = make_float4(four.w, four.z, four.y, four.x);
}

extern "C" __global__ void exchanges(int* __restrict__ y) {
    const int lane = threadIdx.x;
    int* row = y + lane * 9;
    row[0] = __shfl_sync(0xffffffff, lane, 5);
    row[1] = __shfl_up_sync(0xffffffff, lane, 3);
    row[2] = __shfl_down_sync(0xffffffff, lane, 3, 8);
    row[3] = __shfl_xor_sync(0xffffffff, lane, 4);
    row[4] = __popc(__ballot_sync(0xffffffff, lane % 3 == 0));
    row[5] = __any_sync(0xffffffff, lane == 31);
    row[6] = __all_sync(0xffffffff, lane < 31);
    row[7] = __shfl_sync(0xffffffff, lane, 2, 4);
    row[8] = lane < 8 ? __shfl_xor_sync(0x000000ff, lane, 1) : __shfl_xor_sync(0xffffff00, lane, 2);
}

extern "C" __global__ void integers(unsigned* __restrict__ y, unsigned long long* __restrict__ wide, unsigned a, unsigned b) {
    y[0] = __umulhi(a, b);
    y[1] = __clz(a);
    y[2] = __ffs(b);
    y[3] = __float_as_uint(1.5f);
    y[4] = min(a, b);
    wide[0] = __umul64hi(0xD2511F53D2511F53ull * a, 0xCD9E8D57CD9E8D57ull * b);
}

extern "C" __global__ void extremes(int* __restrict__ y, const int* __restrict__ x) {
    if (threadIdx.x == 0) y[0] = y[1] = x[0];
    __syncthreads();
    atomicMax(y, x[threadIdx.x]);
    atomicMin(y + 1, x[threadIdx.x]);
}

extern "C" __global__ void negate(float* y, const float* x, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = -x[i];
}

struct Pixel {
    float red, green, blue;
};

template <int COUNT>
__device__ float mean(const float* values) {
    float sum = 0;
    for (int k = 0; k < COUNT; ++k) sum += values[k];
    return sum / COUNT;
}

extern "C" __global__ void structures(const float* __restrict__ x, float* __restrict__ y) {
    __shared__ Pixel pixels[32];
    pixels[threadIdx.x] = reinterpret_cast<const Pixel*>(x)[threadIdx.x];
    __syncthreads();
    const Pixel pixel = pixels[31 - threadIdx.x];
    constexpr int count = 3;
    const float values[count] = {pixel.red, pixel.green, pixel.blue};
    y[threadIdx.x] = mean<count>(values);
}
