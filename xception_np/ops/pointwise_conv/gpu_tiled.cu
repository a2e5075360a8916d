// Pointwise convolution, tiled: what one thread of gpu.cu reads by itself, 64 of its neighbours read too, so a block reads it once.
//
//     y[p, f] = sum over c of  x[p, c] * weight[c, f]        x (P, C)    weight (C, F)    y (P, F)
//
// A block makes a tile of 64 x 64 results, in steps of 32 along the sum. In each step its 8 warps copy two pieces to shared memory,
// lanes along what lies side by side in memory, wait for each other, and multiply:
//
//                                  64 f
//                          +----------+----------+
//                     32 c |          |          |  b, a piece of weight: lane l reads columns l and 32 + l,
//                          |          |          |  32 neighbours at a time, so a row is in 32 different banks
//                          +----------+----------+
//               32 c
//            +---------+   +----------+----------+
//            | ------- |   | warp 0: rows 0 .. 7 |
//       64 p |    a    |   | warp 1: rows 8 ..15 |  y: a thread keeps 8 x 2 sums in registers
//            |         |   | ...                 |
//            +---------+   +----------+----------+
//     a, a piece of x: all lanes of a warp read the same number, which is sent to all of them at once
//
// So a thread reads 8 + 2 numbers for 8 * 2 products, a block 64 + 64 numbers of memory for 64 * 64. What is beyond the matrices' ends
// is 0 in the tiles, and not written.

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

extern "C" __global__ void forward(const REAL* __restrict__ x, const REAL* __restrict__ weight, REAL* __restrict__ y, long long P,
                                   int C, int F) {
    __shared__ __align__(16) REAL a[TILE * DEPTH];
    __shared__ __align__(16) REAL b[DEPTH * TILE];
    const int across = (F - 1) / TILE + 1;  // neighbouring blocks read the same rows of x
    const long long p = (long long)(blockIdx.x / across) * TILE;
    const int f = blockIdx.x % across * TILE;
    REAL sums[ROWS][COLUMNS] = {};
    for (int c = 0; c < C; c += DEPTH) {
        copy(a, TILE, DEPTH, DEPTH, 1, x, p, P, c, C);
        copy(b, DEPTH, TILE, TILE, 1, weight, c, C, f, F);
        __syncthreads();
        multiply(a, DEPTH, 1, b, TILE, min(DEPTH, C - c), sums);
        __syncthreads();  // the next step overwrites what others may still read
    }
    write(sums, y, p, P, f, F);
}

// y = x @ w, so dx = dy @ w.T. Lanes run along f when they read weight, and along c when they read b: it is turned on its way, and a
// row of it is one number longer, so that what lies below each other is in different banks.
extern "C" __global__ void backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ weight, REAL* __restrict__ dx,
                                      long long P, int C, int F) {
    __shared__ __align__(16) REAL a[TILE * DEPTH];
    __shared__ REAL b[DEPTH * (TILE + 1)];
    const int across = (C - 1) / TILE + 1;
    const long long p = (long long)(blockIdx.x / across) * TILE;
    const int c = blockIdx.x % across * TILE;
    REAL sums[ROWS][COLUMNS] = {};
    for (int f = 0; f < F; f += DEPTH) {
        copy(a, TILE, DEPTH, DEPTH, 1, dy, p, P, f, F);
        copy(b, TILE, DEPTH, 1, TILE + 1, weight, c, C, f, F);
        __syncthreads();
        multiply(a, DEPTH, 1, b, TILE + 1, min(DEPTH, F - f), sums);
        __syncthreads();
    }
    write(sums, dx, p, P, c, C);
}

// y = x @ w, so dw = x.T @ dy, a sum over positions: first every chunk of them, a block a chunk and tile; x is turned as it is read
extern "C" __global__ void backward_weight(const REAL* __restrict__ dy, const REAL* __restrict__ x, REAL* __restrict__ sums_of_chunks,
                                           long long P, int C, int F, long long chunk) {
    __shared__ __align__(16) REAL a[DEPTH * TILE];
    __shared__ __align__(16) REAL b[DEPTH * TILE];
    const int across = (F - 1) / TILE + 1;
    const int c = blockIdx.x / across * TILE, f = blockIdx.x % across * TILE;
    const long long first = blockIdx.y * chunk, last = first + chunk < P ? first + chunk : P;
    REAL sums[ROWS][COLUMNS] = {};
    for (long long p = first; p < last; p += DEPTH) {
        copy(a, DEPTH, TILE, TILE, 1, x, p, last, c, C);
        copy(b, DEPTH, TILE, TILE, 1, dy, p, last, f, F);
        __syncthreads();
        multiply(a, 1, TILE, b, TILE, (int)min((long long)DEPTH, last - p), sums);
        __syncthreads();
    }
    write(sums, sums_of_chunks + (long long)blockIdx.y * C * F, c, C, f, F);
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
