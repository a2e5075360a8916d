// Pointwise convolution, tiled: what one thread of gpu.cu reads by itself, a hundred of its neighbours read too, so a block reads it once.
//
//     y[p, f] = sum over c of  x[p, c] * weight[c, f]        x (P, C)    weight (C, F)    y (P, F)
//
// A block makes a tile of 96 x 128 results, in steps of 8 along the sum. In each step its 8 warps multiply two pieces in shared memory, in
// which the sum's axis goes down:
//
//                                128 f
//                   +------+------+------+------+
//               8 c |      |      |      |      |  b, a piece of weight: lane l reads columns l, 32 + l, 64 + l and 96 + l,
//                   +------+------+------+------+  32 neighbours at a time, which are in 32 different banks
//           8 c
//         +-----+   +------+------+------+------+
//         |     |   | warp 0: rows 0 ... 11     |
//    96 p |  a  |   | warp 1: rows 12 .. 23     |  y: a thread keeps 12 x 4 sums in registers
//         |     |   | ...                       |
//         +-----+   +------+------+------+------+
//     a, a piece of x, turned: 12 numbers below each other in x are a row of it, read four at once and sent to all lanes of a warp
//
// So a thread reads 12 + 4 numbers for 12 * 4 products, a block 96 + 128 numbers of memory for 96 * 128. Memory takes hundreds of cycles to
// answer: a thread asks for its numbers of the next step before it multiplies, and puts them into a second pair of pieces after. So one
// barrier a step is enough: who is late still reads the other pair. What is beyond the matrices' ends is 0 in the pieces, and not written.

#define WARPS 8
#define ROWS 12    // results of a thread, each way
#define COLUMNS 4
#define HEIGHT (WARPS * ROWS)  // of a block's tile
#define WIDTH (32 * COLUMNS)
#define DEPTH 8    // of the sum, in a step
#define PITCH(side) (side + 4)  // from row to row of a piece: what goes down its columns comes to other banks
#define BLOCKS (8 / sizeof(REAL))  // that registers leave room for: two, in float32

// This thread's numbers of piece[k, q] = matrix[row + k, column + q], 0 from `rows` and `columns` on: a warp has a row of the piece
template <int SIDE>
__device__ __forceinline__ void read(REAL own[SIDE / 32], const REAL* __restrict__ matrix, long long row, long long rows, int column,
                                     int columns) {
    const int q = column + threadIdx.x;
    const bool inside = row + threadIdx.y < rows;
    const REAL* number = matrix + (row + threadIdx.y) * columns + q;
#pragma unroll
    for (int j = 0; j < SIDE / 32; ++j) own[j] = inside && q + j * 32 < columns ? number[j * 32] : REAL(0);
}

template <int SIDE>
__device__ __forceinline__ void put(REAL* piece, const REAL own[SIDE / 32]) {
#pragma unroll
    for (int j = 0; j < SIDE / 32; ++j) piece[threadIdx.y * PITCH(SIDE) + threadIdx.x + j * 32] = own[j];
}

// The same of piece[k, q] = matrix[q, column + k], turned: a warp has 8 neighbours of each of 4 rows of the matrix
template <int SIDE>
__device__ __forceinline__ void read_turned(REAL own[SIDE / 32], const REAL* __restrict__ matrix, int rows, int column, int columns) {
    const int k = column + threadIdx.x % 8, q = threadIdx.y * 4 + threadIdx.x / 8;
    const REAL* number = matrix + (long long)q * columns + k;
#pragma unroll
    for (int j = 0; j < SIDE / 32; ++j) {
        own[j] = k < columns && q + j * 32 < rows ? *number : REAL(0);
        number += 32LL * columns;
    }
}

template <int SIDE>
__device__ __forceinline__ void put_turned(REAL* piece, const REAL own[SIDE / 32]) {
    const int k = threadIdx.x % 8, q = threadIdx.y * 4 + threadIdx.x / 8;
#pragma unroll
    for (int j = 0; j < SIDE / 32; ++j) piece[k * PITCH(SIDE) + q + j * 32] = own[j];
}

// sums += a.T @ b, of which this thread has 12 rows and 4 columns; a warp all of whose rows are beyond the last has nothing to add
__device__ __forceinline__ void multiply(const REAL* a, const REAL* b, REAL sums[ROWS][COLUMNS], long long rows) {
    if (threadIdx.y * ROWS >= rows) return;
#pragma unroll
    for (int k = 0; k < DEPTH; ++k) {
        REAL numbers[COLUMNS];
#pragma unroll
        for (int j = 0; j < COLUMNS; ++j) numbers[j] = b[k * PITCH(WIDTH) + j * 32 + threadIdx.x];
#pragma unroll
        for (int i = 0; i < ROWS; ++i) {
            const REAL number = a[k * PITCH(HEIGHT) + threadIdx.y * ROWS + i];
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

extern "C" __global__ void __launch_bounds__(256, BLOCKS)
forward(const REAL* __restrict__ x, const REAL* __restrict__ weight, REAL* __restrict__ y, long long P, int C, int F) {
    __shared__ __align__(16) REAL a[2][DEPTH * PITCH(HEIGHT)];
    __shared__ __align__(16) REAL b[2][DEPTH * PITCH(WIDTH)];
    const int across = (F - 1) / WIDTH + 1;  // neighbouring blocks read the same rows of x
    const long long p = (long long)(blockIdx.x / across) * HEIGHT;
    const int f = blockIdx.x % across * WIDTH, rows = min((long long)HEIGHT, P - p);
    REAL sums[ROWS][COLUMNS] = {};
    REAL next_a[HEIGHT / 32];
    REAL next_b[WIDTH / 32];
    read_turned<HEIGHT>(next_a, x + p * C, rows, 0, C);
    read<WIDTH>(next_b, weight, 0, C, f, F);
    for (int c = 0, pair = 0; c < C; c += DEPTH, pair = 1 - pair) {
        put_turned<HEIGHT>(a[pair], next_a);
        put<WIDTH>(b[pair], next_b);
        __syncthreads();
        read_turned<HEIGHT>(next_a, x + p * C, rows, c + DEPTH, C);
        read<WIDTH>(next_b, weight, c + DEPTH, C, f, F);
        multiply(a[pair], b[pair], sums, rows);
    }
    write(sums, y, p, P, f, F);
}

// y = x @ w, so dx = dy @ w.T
extern "C" __global__ void __launch_bounds__(256, BLOCKS)
backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ weight, REAL* __restrict__ dx, long long P, int C, int F) {
    __shared__ __align__(16) REAL a[2][DEPTH * PITCH(HEIGHT)];
    __shared__ __align__(16) REAL b[2][DEPTH * PITCH(WIDTH)];
    const int across = (C - 1) / WIDTH + 1;
    const long long p = (long long)(blockIdx.x / across) * HEIGHT;
    const int c = blockIdx.x % across * WIDTH, rows = min((long long)HEIGHT, P - p), channels = C - c;
    REAL sums[ROWS][COLUMNS] = {};
    REAL next_a[HEIGHT / 32];
    REAL next_b[WIDTH / 32];
    read_turned<HEIGHT>(next_a, dy + p * F, rows, 0, F);
    read_turned<WIDTH>(next_b, weight + (long long)c * F, channels, 0, F);
    for (int f = 0, pair = 0; f < F; f += DEPTH, pair = 1 - pair) {
        put_turned<HEIGHT>(a[pair], next_a);
        put_turned<WIDTH>(b[pair], next_b);
        __syncthreads();
        read_turned<HEIGHT>(next_a, dy + p * F, rows, f + DEPTH, F);
        read_turned<WIDTH>(next_b, weight + (long long)c * F, channels, f + DEPTH, F);
        multiply(a[pair], b[pair], sums, rows);
    }
    write(sums, dx, p, P, c, C);
}

// y = x @ w, so dw = x.T @ dy, a sum over positions: first every chunk of them, a block a chunk and tile
extern "C" __global__ void __launch_bounds__(256, BLOCKS)
backward_weight(const REAL* __restrict__ dy, const REAL* __restrict__ x, REAL* __restrict__ sums_of_chunks, long long P, int C, int F,
                long long chunk) {
    __shared__ __align__(16) REAL a[2][DEPTH * PITCH(HEIGHT)];
    __shared__ __align__(16) REAL b[2][DEPTH * PITCH(WIDTH)];
    const int across = (F - 1) / WIDTH + 1;
    const int c = blockIdx.x / across * HEIGHT, f = blockIdx.x % across * WIDTH;
    const long long first = blockIdx.y * chunk, last = first + chunk < P ? first + chunk : P;
    REAL sums[ROWS][COLUMNS] = {};
    REAL next_a[HEIGHT / 32];
    REAL next_b[WIDTH / 32];
    int pair = 0;
    read<HEIGHT>(next_a, x, first, last, c, C);
    read<WIDTH>(next_b, dy, first, last, f, F);
    for (long long p = first; p < last; p += DEPTH, pair = 1 - pair) {
        put<HEIGHT>(a[pair], next_a);
        put<WIDTH>(b[pair], next_b);
        __syncthreads();
        read<HEIGHT>(next_a, x, p + DEPTH, last, c, C);
        read<WIDTH>(next_b, dy, p + DEPTH, last, f, F);
        multiply(a[pair], b[pair], sums, C - c);
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
