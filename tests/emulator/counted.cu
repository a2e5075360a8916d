// Kernels whose requests can be counted by hand. One line, one request.

extern "C" __global__ void in_a_row(const float* x, float* y, int n) {
    y[threadIdx.x] =
        x[threadIdx.x];  // row
}
extern "C" __global__ void every_second(const float* x, float* y, int n) {
    y[threadIdx.x] =
        x[2 * threadIdx.x];  // second
}
extern "C" __global__ void far_apart(const float* x, float* y, int n) {
    y[threadIdx.x] =
        x[8 * threadIdx.x];  // apart
}
extern "C" __global__ void one_off(const float* x, float* y, int n) {
    y[threadIdx.x] =
        x[threadIdx.x + 1];  // off
}
extern "C" __global__ void all_the_same(const float* x, float* y, int n) {
    y[threadIdx.x] =
        x[5];  // same
}
extern "C" __global__ void four_at_once(const float* x, float* y, int n) {
    const float4 four = reinterpret_cast<const float4*>(x)[threadIdx.x];  // four
    y[threadIdx.x] = four.x + four.y + four.z + four.w;
}
extern "C" __global__ void cached(const float* x, float* y, int n) {
    y[threadIdx.x] =
        __ldg(x + threadIdx.x);  // ldg
}

__device__ float both(const float* place) {
    return place[0] +
           place[1];  // helper
}
extern "C" __global__ void by_a_helper(const float* x, float* y, int n) { y[threadIdx.x] = both(x + 8 * threadIdx.x); }

extern "C" __global__ void doubles(const double* x, double* y, int n) {
    y[threadIdx.x] =
        x[threadIdx.x];  // double
}

// A tile of 32 x 32 is written by rows and read by columns: blocks of 32 x 32 threads, of x and y with 32 columns.
extern "C" __global__ void transpose(const REAL* x, REAL* y, int n) {
    __shared__ REAL tile[32][32 + PADDING];
    tile[threadIdx.y][threadIdx.x] = x[threadIdx.y * 32 + threadIdx.x];
    __syncthreads();
    y[threadIdx.y * 32 + threadIdx.x] =
        tile[threadIdx.x][threadIdx.y];  // column
}

extern "C" __global__ void banks(const float* x, float* y, int n) {
    __shared__ __align__(16) float tile[256];
    for (int k = threadIdx.x; k < 256; k += 32) tile[k] = x[k];
    __syncthreads();
    float sum = 0;
    sum += tile[threadIdx.x];      // bank 1
    sum += tile[2 * threadIdx.x];  // bank 2
    sum += tile[3 * threadIdx.x];  // bank 3
    sum += tile[8 * threadIdx.x % 256];  // bank 8
    sum += tile[threadIdx.x / 2];  // bank half
    sum += tile[7];                // bank same
    const float4 four = reinterpret_cast<const float4*>(tile)[threadIdx.x];  // bank four
    y[threadIdx.x] = sum + four.x;
}

// A loop that lanes leave at different times, and a barrier, after which all count afresh.
extern "C" __global__ void ragged(const float* x, float* y, int n) {
    float sum = 0;
    for (unsigned k = 0; k < threadIdx.x % 2 + 1; ++k)
        sum += x[32 * k + threadIdx.x];  // ragged
    __syncthreads();
    y[threadIdx.x] = sum;  // after
}

// y[n, h, w, c] = sum over taps of x[n, h + i - 1, w + j - 1, c] * weight[i, j, c], NHWC, a thread an output.
extern "C" __global__ void depthwise(const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ y, int N, int H, int W,
                                     int C) {
    const size_t place = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
    if (place >= size_t(N) * H * W * C) return;
    const int c = place % C, w = place / C % W, h = place / C / W % H;
    const size_t n = place / C / W / H;
    float sum = 0;
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) {
            const int row = h + i - 1, column = w + j - 1;
            if (row < 0 || row >= H || column < 0 || column >= W) continue;
            sum += x[((n * H + row) * W + column) * C + c] * weight[(i * 3 + j) * C + c];
        }
    y[place] = sum;
}

// Which thread came when.
extern "C" __global__ void turns(int* when, int* count) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    when[i] = atomicAdd(count, 1);
}
extern "C" __global__ void turns_after_a_barrier(int* when, int* count) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __syncthreads();
    when[i] = atomicAdd(count, 1);
}

// More than 2^31 bytes: the first kernel's i is negative there.
extern "C" __global__ void copy_int(const unsigned char* x, unsigned char* y, size_t n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i];
}
extern "C" __global__ void copy_int_unsigned_guard(const unsigned char* x, unsigned char* y, size_t n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (blockIdx.x * blockDim.x + threadIdx.x < n) y[i] = x[i];  // overflow
}
extern "C" __global__ void copy_size_t(const unsigned char* x, unsigned char* y, size_t n) {
    const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i];
}
