// Depthwise convolution, tiled: windows overlap, so a block reads the pixels of all its windows once, into shared memory.
//
//     y[n, oh, ow, c*M + m] = sum over i, j of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c] * weight[i, j, c, m]
//
//     x (N, H, W, C)    weight (kh, kw, C, M)    y (N, OH, OW, C*M)
//
// A block has 32 channels of a tile of results: a lane a channel, so that a warp reads and writes 32 neighbours in memory and uses 32
// banks of shared memory; a warp a row, whose 8 results a thread keeps in registers, so that it reads a weight once for all 8:
//
//          patch of x, for a kernel of 3 x 3              tile of y
//         +---------------------+
//         | . . . . . . . . . . |                   8 columns
//         | . +-----------------+-+     i, j     +-----------------+
//         | . | . . . . . . . . . |  --------->  | . . . . . . . . |  warp 0
//         | . | . . . . . . . . . |              | . . . . . . . . |  warp 1
//         | . | . . . . . . . . . |              | ...             |
//         +---+ . . . . . . . . . |              +-----------------+
//             +-------------------+
//
// What is outside of the image is 0 in the patch. Where patches would be too large for shared memory, a block has fewer rows.

#define COLUMNS 8  // of a tile

// patch[r, q, lane] = image[row + r, column + q, channel], 0 outside; channels are `step` numbers apart from `image` on
__device__ __forceinline__ void copy(REAL* patch, int height, int width, const REAL* __restrict__ image, int row, int rows, int column,
                                     int columns, int step, bool channel) {
    for (int r = threadIdx.y; r < height; r += blockDim.y) {
        const bool inside = channel && row + r >= 0 && row + r < rows;
        const REAL* pixel = image + ((long long)(row + r) * columns + column) * step;
        REAL* own = patch + r * width * 32 + threadIdx.x;
#pragma unroll 5
        for (int q = 0; q < width; ++q) {
            own[q * 32] = inside && column + q >= 0 && column + q < columns ? *pixel : REAL(0);
            pixel += step;
        }
    }
}

extern "C" __global__ void forward(const REAL* __restrict__ x, const REAL* __restrict__ weight, REAL* __restrict__ y, int H, int W,
                                   int C, int M, int OH, int OW, int kh, int kw, int sh, int sw, int dh, int dw, int top, int left) {
    extern __shared__ REAL patch[];
    const int outputs = C * M, groups = (outputs - 1) / 32 + 1;
    const int down = (OH - 1) / blockDim.y + 1, across = (OW - 1) / COLUMNS + 1;
    const int tile = blockIdx.x / groups, k = blockIdx.x % groups * 32 + threadIdx.x;  // neighbouring blocks read the same pixels
    const int oh = tile / across % down * blockDim.y, ow = tile % across * COLUMNS;
    const long long n = tile / across / down;
    const int height = (blockDim.y - 1) * sh + (kh - 1) * dh + 1, width = (COLUMNS - 1) * sw + (kw - 1) * dw + 1;
    copy(patch, height, width, x + n * H * W * C + k / M, oh * sh - top, H, ow * sw - left, W, C, k < outputs);
    __syncthreads();

    REAL sums[COLUMNS] = {};
    const REAL* tap = weight + k;
    for (int i = 0; i < kh; ++i) {
        const REAL* pixel = patch + (threadIdx.y * sh + i * dh) * width * 32 + threadIdx.x;
#pragma unroll 3
        for (int j = 0; j < kw; ++j) {
            const REAL number = k < outputs ? *tap : REAL(0);
#pragma unroll
            for (int o = 0; o < COLUMNS; ++o) sums[o] += pixel[o * sw * 32] * number;
            pixel += dw * 32;
            tap += outputs;
        }
    }
#pragma unroll
    for (int o = 0; o < COLUMNS; ++o) {
        if (k < outputs && oh + threadIdx.y < OH && ow + o < OW)
            y[((n * OH + oh + threadIdx.y) * OW + ow + o) * outputs + k] = sums[o];
    }
}

__device__ int floor_of_quotient(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

// y += x * w, so dx is the sum of dy * w over m and over the windows that see the pixel: tap (i, j) of window (oh, ow) is at
// h = oh*sh + i*dh - top. The patch is of dy, and begins at the first window that may see a pixel of the tile; a pixel is `rest` below
// or right of a window's tap, and sees it if that is 0.
extern "C" __global__ void backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ weight, REAL* __restrict__ dx, int H, int W,
                                      int C, int M, int OH, int OW, int kh, int kw, int sh, int sw, int dh, int dw, int top,
                                      int left) {
    extern __shared__ REAL patch[];
    const int outputs = C * M, groups = (C - 1) / 32 + 1;
    const int down = (H - 1) / blockDim.y + 1, across = (W - 1) / COLUMNS + 1;
    const int tile = blockIdx.x / groups, c = blockIdx.x % groups * 32 + threadIdx.x;
    const int h = tile / across % down * blockDim.y, w = tile % across * COLUMNS;
    const long long n = tile / across / down;
    const int oh = floor_of_quotient(h + top - (kh - 1) * dh, sh), ow = floor_of_quotient(w + left - (kw - 1) * dw, sw);
    const int height = (blockDim.y - 1 + (kh - 1) * dh + sh - 1) / sh + 1, width = (COLUMNS - 1 + (kw - 1) * dw + sw - 1) / sw + 1;

    REAL sums[COLUMNS] = {};
    for (int m = 0; m < M; ++m) {
        copy(patch, height, width, dy + n * OH * OW * outputs + (long long)c * M + m, oh, OH, ow, OW, outputs, c < C);
        __syncthreads();
        for (int i = 0; i < kh; ++i) {
            const int below = h + threadIdx.y + top - i * dh - oh * sh;
            if (below % sh != 0) continue;
            for (int j = 0; j < kw; ++j) {
                const REAL number = c < C ? weight[((long long)(i * kw + j) * C + c) * M + m] : REAL(0);
                const int right = w + left - j * dw - ow * sw;
                const REAL* window = patch + (below / sh * width + right / sw) * 32 + threadIdx.x;
                int rest = right % sw;
#pragma unroll
                for (int o = 0; o < COLUMNS; ++o) {
                    if (rest == 0) sums[o] += *window * number;
                    if (++rest == sw) {
                        rest = 0;
                        window += 32;
                    }
                }
            }
        }
        __syncthreads();  // the next patch overwrites what others may still read
    }
#pragma unroll
    for (int o = 0; o < COLUMNS; ++o) {
        if (c < C && h + threadIdx.y < H && w + o < W) dx[((n * H + h + threadIdx.y) * W + w + o) * C + c] = sums[o];
    }
}

// y += x * w, so dw is the sum of x * dy over the positions: first those of a chunk of tiles, a block a chunk and 32 channels. A warp
// adds what its row of a tile gives each tap to totals of its own in shared memory, and those of all warps are added at the end.
extern "C" __global__ void backward_weight(const REAL* __restrict__ dy, const REAL* __restrict__ x, REAL* __restrict__ sums_of_chunks,
                                           long long tiles, int H, int W, int C, int M, int OH, int OW, int kh, int kw, int sh, int sw,
                                           int dh, int dw, int top, int left, long long chunk) {
    extern __shared__ REAL patch[];
    const int outputs = C * M, taps = kh * kw, k = blockIdx.x * 32 + threadIdx.x;
    const int down = (OH - 1) / blockDim.y + 1, across = (OW - 1) / COLUMNS + 1;
    const int height = (blockDim.y - 1) * sh + (kh - 1) * dh + 1, width = (COLUMNS - 1) * sw + (kw - 1) * dw + 1;
    REAL* totals = patch + height * width * 32 + threadIdx.x;
    for (int tap = 0; tap < taps; ++tap) totals[(threadIdx.y * taps + tap) * 32] = 0;

    const long long first = blockIdx.y * chunk, last = first + chunk < tiles ? first + chunk : tiles;
    for (long long tile = first; tile < last; ++tile) {
        const int row = tile / across % down * blockDim.y, oh = row + threadIdx.y, ow = tile % across * COLUMNS;
        const long long n = tile / across / down;
        copy(patch, height, width, x + n * H * W * C + k / M, row * sh - top, H, ow * sw - left, W, C, k < outputs);
        REAL upstream[COLUMNS];
#pragma unroll
        for (int o = 0; o < COLUMNS; ++o)
            upstream[o] = k < outputs && oh < OH && ow + o < OW ? dy[((n * OH + oh) * OW + ow + o) * outputs + k] : REAL(0);
        __syncthreads();
        REAL* total = totals + threadIdx.y * taps * 32;
        for (int i = 0; i < kh; ++i) {
            const REAL* pixel = patch + (threadIdx.y * sh + i * dh) * width * 32 + threadIdx.x;
#pragma unroll 3
            for (int j = 0; j < kw; ++j) {
                REAL sum = 0;
#pragma unroll
                for (int o = 0; o < COLUMNS; ++o) sum += pixel[o * sw * 32] * upstream[o];
                *total += sum;
                pixel += dw * 32;
                total += 32;
            }
        }
        __syncthreads();
    }
    for (int tap = threadIdx.y; tap < taps; tap += blockDim.y) {
        REAL sum = 0;
        for (int warp = 0; warp < blockDim.y; ++warp) sum += totals[(warp * taps + tap) * 32];
        if (k < outputs) sums_of_chunks[((long long)blockIdx.y * taps + tap) * outputs + k] = sum;
    }
}

// then the chunks, a thread a number of dw
extern "C" __global__ void add_chunks(const REAL* __restrict__ sums_of_chunks, REAL* __restrict__ dweight, long long count,
                                      int chunks) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    REAL sum = 0;
    for (int chunk = 0; chunk < chunks; ++chunk) sum += sums_of_chunks[chunk * count + k];
    dweight[k] = sum;
}
