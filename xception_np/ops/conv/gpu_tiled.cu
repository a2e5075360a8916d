// Regular convolution, tiled: for every tap of the window a product of matrices, as in pointwise_conv/gpu_tiled.cu.
//
//     y[n, oh, ow, f] = sum over i, j, c of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c] * weight[i, j, c, f]
//
//     x (N, H, W, C)    weight (kh, kw, C, F)    y (N, OH, OW, F), P = N * OH * OW positions
//
// A block makes a tile of 64 positions x 64 filters. The rows of the product's first matrix are pixels, and where they lie changes from tap
// to tap: 64 threads work it out, and put it where all can read it.
//
//       x                    places          a: 64 x 32          b: 32 x 64           y: 64 x 64
//     +-----------+         +------+       +-----------+      +-------------+      +-------------+
//     | . . o . o |  tap    | 2    |       | x[2]      |      |             |      | warp 0      |
//     | . . . . . |  (0,0)  | 4    |  -->  | x[4]      |  @   | weight[0,0] |  +=  | warp 1      |
//     | . . o . o |  of     | none |       | 0 ... 0   |      |             |      | ...         |
//     +-----------+  each p +------+       +-----------+      +-------------+      +-------------+
//
// Once all channels of a tap are through, the next tap has the same rows elsewhere, and another piece of weight.

#define WARPS 8
#define TILE 64              // results of a block, each way
#define DEPTH 32             // of the sum, in a step
#define ROWS (TILE / WARPS)  // results of a thread
#define COLUMNS (TILE / 32)

// tile[r, q] = matrix[row + r, column + q], 0 from `rows` and `columns` on. A row of the matrix is along the lanes; in the tile,
// its numbers are `right` apart, and rows `down`.
__device__ __forceinline__ void copy(REAL* tile, int height, int width, int down, int right, const REAL* __restrict__ matrix,
                                     long long row, long long rows, int column, int columns) {
#pragma unroll
    for (int r = threadIdx.y; r < height; r += WARPS) {
#pragma unroll
        for (int q = threadIdx.x; q < width; q += 32) {
            const bool inside = row + r < rows && column + q < columns;
            tile[r * down + q * right] = inside ? matrix[(row + r) * columns + column + q] : REAL(0);
        }
    }
}

// sums += a @ b, of which this thread has 8 rows and 2 columns. Number (row, k) of a is at row * a_row + k * a_k; b's rows are b_k apart
__device__ __forceinline__ void multiply(const REAL* a, int a_row, int a_k, const REAL* b, int b_k, int depth,
                                         REAL sums[ROWS][COLUMNS]) {
#pragma unroll 4
    for (int k = 0; k < depth; ++k) {
        REAL numbers[COLUMNS];
#pragma unroll
        for (int j = 0; j < COLUMNS; ++j) numbers[j] = b[k * b_k + j * 32 + threadIdx.x];
#pragma unroll
        for (int i = 0; i < ROWS; ++i) {
            const REAL number = a[(threadIdx.y * ROWS + i) * a_row + k * a_k];
#pragma unroll
            for (int j = 0; j < COLUMNS; ++j) sums[i][j] += number * numbers[j];
        }
    }
}

__device__ __forceinline__ void write(const REAL sums[ROWS][COLUMNS], REAL* __restrict__ matrix, long long row, long long rows,
                                      int column, int columns) {
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
#pragma unroll
        for (int j = 0; j < COLUMNS; ++j) {
            const long long r = row + threadIdx.y * ROWS + i;
            const int q = column + j * 32 + threadIdx.x;
            if (r < rows && q < columns) matrix[r * columns + q] = sums[i][j];
        }
    }
}

// tile (64, 32): row r is from `column` on what lies at places[r] of the matrix, 0 where that is none
__device__ __forceinline__ void copy_rows(REAL* tile, const REAL* __restrict__ matrix, const long long* places, int column,
                                          int columns) {
#pragma unroll
    for (int r = threadIdx.y; r < TILE; r += WARPS) {
        const bool inside = places[r] >= 0 && column + threadIdx.x < columns;
        tile[r * DEPTH + threadIdx.x] = inside ? matrix[places[r] * columns + column + threadIdx.x] : REAL(0);
    }
}

extern "C" __global__ void forward(const REAL* __restrict__ x, const REAL* __restrict__ weight, REAL* __restrict__ y, long long P, int H,
                                   int W, int C, int F, int OH, int OW, int kh, int kw, int sh, int sw, int dh, int dw, int top,
                                   int left) {
    __shared__ __align__(16) REAL a[TILE * DEPTH];
    __shared__ __align__(16) REAL b[DEPTH * TILE];
    __shared__ long long places[TILE];
    const int across = (F - 1) / TILE + 1, thread = threadIdx.y * 32 + threadIdx.x;
    const long long p = (long long)(blockIdx.x / across) * TILE, own = p + thread, n = own / OW / OH;
    const int f = blockIdx.x % across * TILE, first_h = own / OW % OH * sh - top, first_w = own % OW * sw - left;
    REAL sums[ROWS][COLUMNS] = {};
    for (int tap = 0; tap < kh * kw; ++tap) {
        const int h = first_h + tap / kw * dh, w = first_w + tap % kw * dw;
        if (thread < TILE) places[thread] = own < P && h >= 0 && h < H && w >= 0 && w < W ? (n * H + h) * W + w : -1;
        __syncthreads();
        for (int c = 0; c < C; c += DEPTH) {
            copy_rows(a, x, places, c, C);
            copy(b, DEPTH, TILE, TILE, 1, weight + (long long)tap * C * F, c, C, f, F);
            __syncthreads();
            multiply(a, DEPTH, 1, b, TILE, min(DEPTH, C - c), sums);
            __syncthreads();  // the next step overwrites what others may still read
        }
    }
    write(sums, y, p, P, f, F);
}

// y += x @ w, so dx is the sum of dy @ w.T over the windows that see the pixel: tap (i, j) of window (oh, ow) is at
// h = oh*sh + i*dh - top, so oh = (h + top - i*dh) / sh, where that is a whole number. weight is turned on its way, as in
// pointwise_conv/gpu_tiled.cu.
extern "C" __global__ void backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ weight, REAL* __restrict__ dx,
                                      long long pixels, int H, int W, int C, int F, int OH, int OW, int kh, int kw, int sh, int sw,
                                      int dh, int dw, int top, int left) {
    __shared__ __align__(16) REAL a[TILE * DEPTH];
    __shared__ REAL b[DEPTH * (TILE + 1)];
    __shared__ long long places[TILE];
    const int across = (C - 1) / TILE + 1, thread = threadIdx.y * 32 + threadIdx.x;
    const long long p = (long long)(blockIdx.x / across) * TILE, own = p + thread, n = own / W / H;
    const int c = blockIdx.x % across * TILE, last_h = own / W % H + top, last_w = own % W + left;
    REAL sums[ROWS][COLUMNS] = {};
    for (int tap = 0; tap < kh * kw; ++tap) {
        const int down = last_h - tap / kw * dh, right = last_w - tap % kw * dw;
        const bool sees = own < pixels && down >= 0 && down % sh == 0 && down / sh < OH && right >= 0 && right % sw == 0 && right / sw < OW;
        if (thread < TILE) places[thread] = sees ? (n * OH + down / sh) * OW + right / sw : -1;
        __syncthreads();
        for (int f = 0; f < F; f += DEPTH) {
            copy_rows(a, dy, places, f, F);
            copy(b, TILE, DEPTH, 1, TILE + 1, weight + (long long)tap * C * F, c, C, f, F);
            __syncthreads();
            multiply(a, DEPTH, 1, b, TILE + 1, min(DEPTH, F - f), sums);
            __syncthreads();
        }
    }
    write(sums, dx, p, pixels, c, C);
}

// y += x @ w, so dw is the sum of x.T @ dy over the positions: first every chunk of them, a block a chunk and tile. dw's rows are the
// channels of all taps, one after the other, so a lane has a tap and channel of its own, and looks from every position there.
extern "C" __global__ void backward_weight(const REAL* __restrict__ dy, const REAL* __restrict__ x, REAL* __restrict__ sums_of_chunks,
                                           long long P, int H, int W, int C, int F, int OH, int OW, int kh, int kw, int sh, int sw,
                                           int dh, int dw, int top, int left, long long chunk) {
    __shared__ __align__(16) REAL a[DEPTH * TILE];
    __shared__ __align__(16) REAL b[DEPTH * TILE];
    __shared__ long long images[DEPTH];  // of 32 positions, the image's first row, and the window's corner
    __shared__ int tops[DEPTH];
    __shared__ int lefts[DEPTH];
    const int across = (F - 1) / TILE + 1, rows = kh * kw * C;
    const int row = blockIdx.x / across * TILE, f = blockIdx.x % across * TILE;
    const long long first = blockIdx.y * chunk, last = first + chunk < P ? first + chunk : P;
    REAL sums[ROWS][COLUMNS] = {};
    for (long long p = first; p < last; p += DEPTH) {
        if (threadIdx.y == 0) {
            const long long own = p + threadIdx.x;
            images[threadIdx.x] = own / OW / OH * H;
            tops[threadIdx.x] = own < last ? own / OW % OH * sh - top : H;  // nothing is below the image
            lefts[threadIdx.x] = own % OW * sw - left;
        }
        __syncthreads();
#pragma unroll
        for (int j = 0; j < COLUMNS; ++j) {
            const int own = row + j * 32 + threadIdx.x, tap = own / C, c = own % C, down = tap / kw * dh, right = tap % kw * dw;
#pragma unroll
            for (int r = threadIdx.y; r < DEPTH; r += WARPS) {
                const int h = tops[r] + down, w = lefts[r] + right;
                const bool inside = own < rows && h >= 0 && h < H && w >= 0 && w < W;
                a[r * TILE + j * 32 + threadIdx.x] = inside ? x[((images[r] + h) * W + w) * C + c] : REAL(0);
            }
        }
        copy(b, DEPTH, TILE, TILE, 1, dy, p, last, f, F);
        __syncthreads();
        multiply(a, 1, TILE, b, TILE, (int)min((long long)DEPTH, last - p), sums);
        __syncthreads();
    }
    write(sums, sums_of_chunks + (long long)blockIdx.y * rows * F, row, rows, f, F);
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
