// Pairs of kernels: one with a bug, at the line that says so, and its correct twin. Two blocks of 64 threads; x and y have n = 128 floats, y no
// values yet.

// ---- bounds

extern "C" __global__ void guard_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x + 1;
    if (i <= n) y[i - 1] = x[i];  // BUG
}
extern "C" __global__ void guard_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x + 1;
    if (i < n) y[i - 1] = x[i];
}

extern "C" __global__ void halo_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = x[i] +
           x[i - 1];  // BUG
}
extern "C" __global__ void halo_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = x[i] + (i > 0 ? x[i - 1] : 0.0f);
}

extern "C" __global__ void strides_wrong(const float* x, float* y, int n) {
    const int row = blockIdx.x, column = threadIdx.x;
    y[row * 64 + column] = x[column * 64 + row];  // BUG
}
extern "C" __global__ void strides_right(const float* x, float* y, int n) {
    const int row = blockIdx.x, column = threadIdx.x;
    y[row * 64 + column] = x[column * 2 + row];
}

extern "C" __global__ void written_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i + n / 2] = x[i];  // BUG
}
extern "C" __global__ void written_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[(i + n / 2) % n] = x[i];
}

extern "C" __global__ void shared_index_wrong(const float* x, float* y, int n) {
    __shared__ float tile[63];
    tile[threadIdx.x] = x[threadIdx.x];  // BUG
    y[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x];
}
extern "C" __global__ void shared_index_right(const float* x, float* y, int n) {
    __shared__ float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    y[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x];
}

extern "C" __global__ void shared_pointer_wrong(const float* x, float* y, int n) {
    __shared__ float tile[63];
    float* place = tile;
    place[threadIdx.x] = x[threadIdx.x];  // BUG
    y[blockIdx.x * 64 + threadIdx.x] = place[threadIdx.x];
}
extern "C" __global__ void shared_pointer_right(const float* x, float* y, int n) {
    __shared__ float tile[64];
    float* place = tile;
    place[threadIdx.x] = x[threadIdx.x];
    y[blockIdx.x * 64 + threadIdx.x] = place[threadIdx.x];
}

extern "C" __global__ void row_wrong(const float* x, float* y, int n) {
    __shared__ float tile[8][8];
    tile[0][threadIdx.x] = x[threadIdx.x];  // BUG
    y[blockIdx.x * 64 + threadIdx.x] = tile[0][threadIdx.x];
}
extern "C" __global__ void row_right(const float* x, float* y, int n) {
    __shared__ float tile[8][8];
    tile[threadIdx.x / 8][threadIdx.x % 8] = x[threadIdx.x];
    y[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x / 8][threadIdx.x % 8];
}

extern "C" __global__ void dynamic_wrong(const float* x, float* y, int n) {
    extern __shared__ float tile[];
    tile[threadIdx.x + 1] = x[threadIdx.x];  // BUG
    y[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x + 1];
}
extern "C" __global__ void dynamic_right(const float* x, float* y, int n) {
    extern __shared__ float tile[];
    tile[threadIdx.x] = x[threadIdx.x];
    y[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x];
}

extern "C" __global__ void registers_wrong(const float* x, float* y, int n) {
    float window[4];
    for (int k = 0; k < 4; ++k) window[k] = x[k];
    y[blockIdx.x * 64 + threadIdx.x] = window[threadIdx.x % 5];  // BUG
}
extern "C" __global__ void registers_right(const float* x, float* y, int n) {
    float window[4];
    for (int k = 0; k < 4; ++k) window[k] = x[k];
    y[blockIdx.x * 64 + threadIdx.x] = window[threadIdx.x % 4];
}

extern "C" __global__ void static_size_wrong(const float* x, float* y, int n) {
    __shared__ float tile[12289];  // BUG
    tile[threadIdx.x] = x[threadIdx.x];
}
extern "C" __global__ void static_size_right(const float* x, float* y, int n) {
    __shared__ float tile[12288];
    tile[threadIdx.x] = x[threadIdx.x];
}

// ---- alignment

extern "C" __global__ void aligned_wrong(const float* x, float* y, int n) {
    const int i = threadIdx.x % 16;
    const float4 four = reinterpret_cast<const float4*>(x + 2)[i];  // BUG
    y[blockIdx.x * 64 + threadIdx.x] = four.x;
}
extern "C" __global__ void aligned_right(const float* x, float* y, int n) {
    const int i = threadIdx.x % 16;
    const float4 four = reinterpret_cast<const float4*>(x + 4)[i];
    y[blockIdx.x * 64 + threadIdx.x] = four.x;
}

extern "C" __global__ void aligned_shared_wrong(const float* x, float* y, int n) {
    __shared__ float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    const float4 four = reinterpret_cast<const float4*>(tile)[threadIdx.x % 16];  // BUG
    y[blockIdx.x * 64 + threadIdx.x] = four.x;
}
extern "C" __global__ void aligned_shared_right(const float* x, float* y, int n) {
    __shared__ __align__(16) float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    const float4 four = reinterpret_cast<const float4*>(tile)[threadIdx.x % 16];
    y[blockIdx.x * 64 + threadIdx.x] = four.x;
}

// ---- values that nobody wrote

extern "C" __global__ void accumulated_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] += x[i];  // BUG
}
extern "C" __global__ void accumulated_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = 0;
    y[i] += x[i];
}

extern "C" __global__ void filled_wrong(const float* x, float* y, int n) {
    __shared__ float tile[64];
    if (threadIdx.x < 63) tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = tile[63 - threadIdx.x];  // BUG
}
extern "C" __global__ void filled_right(const float* x, float* y, int n) {
    __shared__ float tile[64];
    tile[threadIdx.x] = threadIdx.x < 63 ? x[threadIdx.x] : 0.0f;
    __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = tile[63 - threadIdx.x];
}

extern "C" __global__ void next_block_wrong(const float* x, float* y, int n) {
    __shared__ float total;
    if (blockIdx.x == 0 && threadIdx.x == 0) total = x[0];
    __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = total;  // BUG
}
extern "C" __global__ void next_block_right(const float* x, float* y, int n) {
    __shared__ float total;
    if (threadIdx.x == 0) total = x[0];
    __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = total;
}

// ---- races

extern "C" __global__ void barrier_wrong(const float* x, float* y, int n) {
    __shared__ float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    y[blockIdx.x * 64 + threadIdx.x] = threadIdx.x ? tile[threadIdx.x - 1] : 0;  // BUG
}
extern "C" __global__ void barrier_right(const float* x, float* y, int n) {
    __shared__ float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = threadIdx.x ? tile[threadIdx.x - 1] : 0;
}

extern "C" __global__ void second_barrier_wrong(const float* x, float* y, int n) {
    __shared__ float tile[64];
    float sum = 0;
    for (int k = 0; k < 2; ++k) {
        tile[threadIdx.x] = x[64 * k + threadIdx.x];  // BUG
        __syncthreads();
        sum += tile[63 - threadIdx.x];
    }
    y[blockIdx.x * 64 + threadIdx.x] = sum;
}
extern "C" __global__ void second_barrier_right(const float* x, float* y, int n) {
    __shared__ float tile[64];
    float sum = 0;
    for (int k = 0; k < 2; ++k) {
        tile[threadIdx.x] = x[64 * k + threadIdx.x];
        __syncthreads();
        sum += tile[63 - threadIdx.x];
        __syncthreads();
    }
    y[blockIdx.x * 64 + threadIdx.x] = sum;
}

extern "C" __global__ void two_writers_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    y[i / 2] = x[i];  // BUG
}
extern "C" __global__ void two_writers_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    if (i % 2) y[i / 2] = x[i];
}

extern "C" __global__ void blocks_write_wrong(const float* x, float* y, int n) {
    y[threadIdx.x] = x[threadIdx.x];  // BUG
}
extern "C" __global__ void blocks_write_right(const float* x, float* y, int n) {
    y[blockIdx.x * 64 + threadIdx.x] = x[threadIdx.x];
}

extern "C" __global__ void blocks_read_wrong(const float* x, float* y, int n) {
    if (blockIdx.x == 0)
        y[threadIdx.x] = x[threadIdx.x];  // BUG
    else
        y[64 + threadIdx.x] = y[threadIdx.x];  // BUG
}
extern "C" __global__ void blocks_read_right(const float* x, float* y, int n) {
    if (blockIdx.x == 0)
        y[threadIdx.x] = x[threadIdx.x];
    else
        y[64 + threadIdx.x] = x[threadIdx.x];
}

extern "C" __global__ void lanes_wrong(const float* x, float* y, int n) {
    __shared__ float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    y[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x ^ 1];  // BUG
}
extern "C" __global__ void lanes_right(const float* x, float* y, int n) {
    __shared__ float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    __syncwarp();
    y[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x ^ 1];
}

extern "C" __global__ void other_warp_wrong(const float* x, float* y, int n) {
    __shared__ float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    __syncwarp();
    y[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x ^ 32];  // BUG
}
extern "C" __global__ void other_warp_right(const float* x, float* y, int n) {
    __shared__ float tile[64];
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = tile[threadIdx.x ^ 32];
}

extern "C" __global__ void atomic_wrong(const float* x, float* y, int n) {
    __shared__ float total;
    if (threadIdx.x == 0) total = 0;
    __syncthreads();
    total += x[threadIdx.x];  // BUG
    __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = total;
}
extern "C" __global__ void atomic_right(const float* x, float* y, int n) {
    __shared__ float total;
    if (threadIdx.x == 0) total = 0;
    __syncthreads();
    atomicAdd(&total, x[threadIdx.x]);
    __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = total;
}

extern "C" __global__ void after_atomic_wrong(const float* x, float* y, int n) {
    __shared__ float total;
    if (threadIdx.x == 0) total = 0;
    __syncthreads();
    atomicAdd(&total, x[threadIdx.x]);
    y[blockIdx.x * 64 + threadIdx.x] = total;  // BUG
}
extern "C" __global__ void after_atomic_right(const float* x, float* y, int n) {
    __shared__ float total;
    if (threadIdx.x == 0) total = 0;
    __syncthreads();
    atomicAdd(&total, x[threadIdx.x]);
    __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = total;
}

// ---- barriers

extern "C" __global__ void half_wrong(const float* x, float* y, int n) {
    if (threadIdx.x < 32) {
        y[blockIdx.x * 64 + threadIdx.x] = x[threadIdx.x];
        __syncthreads();  // BUG
    }
}
extern "C" __global__ void half_right(const float* x, float* y, int n) {
    if (threadIdx.x < 32) y[blockIdx.x * 64 + threadIdx.x] = x[threadIdx.x];
    __syncthreads();
}

extern "C" __global__ void early_return_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    if (i >= n - 1) return;
    __syncthreads();  // BUG
    y[i] = x[i];
}
extern "C" __global__ void early_return_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    __syncthreads();
    if (i >= n - 1) return;
    y[i] = x[i];
}

extern "C" __global__ void two_barriers_wrong(const float* x, float* y, int n) {
    if (threadIdx.x % 2)
        __syncthreads();  // BUG
    else
        __syncthreads();  // BUG
    y[blockIdx.x * 64 + threadIdx.x] = x[threadIdx.x];
}
extern "C" __global__ void two_barriers_right(const float* x, float* y, int n) {
    if (blockIdx.x % 2)
        __syncthreads();
    else
        __syncthreads();
    y[blockIdx.x * 64 + threadIdx.x] = x[threadIdx.x];
}

// ---- exchanges within a warp

extern "C" __global__ void lane_ended_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    if (threadIdx.x % 32 >= 16) return;
    y[i] = __shfl_down_sync(0xffffffff, x[i], 1);  // BUG
}
extern "C" __global__ void lane_ended_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    if (threadIdx.x % 32 >= 16) return;
    y[i] = __shfl_down_sync(0x0000ffff, x[i], 1, 16);
}

extern "C" __global__ void mask_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    if (threadIdx.x % 32 < 16) y[i] = __shfl_xor_sync(0x00007fff, x[i], 1);  // BUG
}
extern "C" __global__ void mask_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    if (threadIdx.x % 32 < 16) y[i] = __shfl_xor_sync(0x0000ffff, x[i], 1);
}

extern "C" __global__ void in_vain_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    if (threadIdx.x % 32 < 16) y[i] = __shfl_xor_sync(0xffffffff, x[i], 1);  // BUG
    __syncthreads();
}
extern "C" __global__ void in_vain_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    y[i] = __shfl_xor_sync(0xffffffff, x[i], 1);
    __syncthreads();
}

extern "C" __global__ void intrinsics_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    if (threadIdx.x % 32 < 16)
        y[i] = __shfl_xor_sync(0xffffffff, x[i], 1);  // BUG
    else
        y[i] = __shfl_down_sync(0xffffffff, x[i], 1);  // BUG
}
extern "C" __global__ void intrinsics_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    if (threadIdx.x % 32 < 16)
        y[i] = __shfl_xor_sync(0x0000ffff, x[i], 1);
    else
        y[i] = __shfl_down_sync(0xffff0000, x[i], 1, 16);
}

// ---- arithmetic

extern "C" __global__ void overflow_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    y[i] = x[i] + i * 100000000;  // BUG
}
extern "C" __global__ void overflow_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    y[i] = x[i] + i * 100000000ll;
}

extern "C" __global__ void shift_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    y[i] = x[i] + (1 << threadIdx.x);  // BUG
}
extern "C" __global__ void shift_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    y[i] = x[i] + (1 << threadIdx.x % 31);
}

extern "C" __global__ void division_wrong(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    y[i] = x[i % (n - 128)];  // BUG
}
extern "C" __global__ void division_right(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    y[i] = x[i % (n - 127)];
}

// ---- loops

extern "C" __global__ void endless_wrong(const float* x, float* y, int n) {
    int half = 64;
    while (half > 0 || n > 0) half /= 2;  // BUG
    y[blockIdx.x * 64 + threadIdx.x] = half;
}
extern "C" __global__ void endless_right(const float* x, float* y, int n) {
    int half = 64;
    while (half > 0) half /= 2;
    y[blockIdx.x * 64 + threadIdx.x] = half;
}

extern "C" __global__ void endless_barriers_wrong(const float* x, float* y, int n) {
    for (int half = 32; half >= 0; half /= 2) __syncthreads();  // BUG
}
extern "C" __global__ void endless_barriers_right(const float* x, float* y, int n) {
    for (int half = 32; half > 0; half /= 2) __syncthreads();
}
