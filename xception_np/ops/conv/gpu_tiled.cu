// Regular convolution, tiled: a product of matrices, as in pointwise_conv/gpu_tiled.cu, one of which is read from wherever windows see it.
//
//     y[n, oh, ow, f] = sum over i, j, c of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c] * weight[i, j, c, f]
//
//     x (N, H, W, C)    weight (kh, kw, C, F)    y (N, OH, OW, F), P = N * OH * OW positions
//
// The sum runs over all channels of all taps, one after the other, and its number k is channel k % C of tap k / C. weight is a matrix of
// kh*kw*C rows as it lies in memory. The row of the other matrix that belongs to a position is what its window sees, which is nowhere put
// together: where every window of the block's tile has its corner is worked out once, and a thread looks from there.
//
//       x            96 corners       a: 8 x 96                 y: 96 x 128
//     +-----------+    +---+       +-------------+
//     | . . o . o |    |   |     k | tap 0, c 0  |          sums += a.T @ b,
//     | . . . . . | -> |   | ->    | tap 0, c 1  |      b: 8 x 128, rows of weight
//     | . . o . o |    |   |       | ...         |
//     +-----------+    +---+       +-------------+

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

// piece[k, q] of a thread that has 8 neighbours along k of each of 4 rows of the matrix, turned
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
forward(const REAL* __restrict__ x, const REAL* __restrict__ weight, REAL* __restrict__ y, long long P, int H, int W, int C, int F, int OH,
        int OW, int kh, int kw, int sh, int sw, int dh, int dw, int top, int left) {
    __shared__ __align__(16) REAL a[2][DEPTH * PITCH(HEIGHT)];
    __shared__ __align__(16) REAL b[2][DEPTH * PITCH(WIDTH)];
    __shared__ long long images[HEIGHT];  // of every window, the image's first row in x, and the corner in the image
    __shared__ int tops[HEIGHT];
    __shared__ int lefts[HEIGHT];
    const int across = (F - 1) / WIDTH + 1, thread = threadIdx.y * 32 + threadIdx.x, depth = kh * kw * C;
    const long long p = (long long)(blockIdx.x / across) * HEIGHT;
    const int f = blockIdx.x % across * WIDTH;
    if (thread < HEIGHT) {
        const long long own = p + thread;
        images[thread] = own / OW / OH * H;
        tops[thread] = own < P ? own / OW % OH * sh - top : H;  // what is below the image is 0
        lefts[thread] = own % OW * sw - left;
    }
    __syncthreads();
    REAL sums[ROWS][COLUMNS] = {};
    REAL next_a[HEIGHT / 32];
    REAL next_b[WIDTH / 32];
    const auto read_pixels = [&](int k) {  // a thread one k of several windows, for put_turned
        const int tap = k / C, c = k % C, down = tap / kw * dh, right = tap % kw * dw;
#pragma unroll
        for (int j = 0; j < HEIGHT / 32; ++j) {
            const int q = threadIdx.y * 4 + threadIdx.x / 8 + j * 32, h = tops[q] + down, w = lefts[q] + right;
            const bool inside = k < depth && h >= 0 && h < H && w >= 0 && w < W;
            next_a[j] = inside ? x[((images[q] + h) * W + w) * C + c] : REAL(0);
        }
    };
    read_pixels(threadIdx.x % 8);
    read<WIDTH>(next_b, weight, 0, depth, f, F);
    for (int k = 0, pair = 0; k < depth; k += DEPTH, pair = 1 - pair) {
        put_turned<HEIGHT>(a[pair], next_a);
        put<WIDTH>(b[pair], next_b);
        __syncthreads();
        read_pixels(k + DEPTH + threadIdx.x % 8);
        read<WIDTH>(next_b, weight, k + DEPTH, depth, f, F);
        multiply(a[pair], b[pair], sums, P - p);
    }
    write(sums, y, p, P, f, F);
}

// y += x @ w, so dx is the sum of dy @ w.T over the windows that see the pixel: tap (i, j) of window (oh, ow) is at
// h = oh*sh + i*dh - top, so oh = (h + top - i*dh) / sh, where that is a whole number. The sum's number k is filter k % F of tap k / F.
extern "C" __global__ void __launch_bounds__(256, BLOCKS)
backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ weight, REAL* __restrict__ dx, long long pixels, int H, int W, int C,
           int F, int OH, int OW, int kh, int kw, int sh, int sw, int dh, int dw, int top, int left) {
    __shared__ __align__(16) REAL a[2][DEPTH * PITCH(HEIGHT)];
    __shared__ __align__(16) REAL b[2][DEPTH * PITCH(WIDTH)];
    __shared__ long long images[HEIGHT];  // of every pixel, the image's first row in dy, and h + top and w + left
    __shared__ int bottoms[HEIGHT];
    __shared__ int rights[HEIGHT];
    const int across = (C - 1) / WIDTH + 1, thread = threadIdx.y * 32 + threadIdx.x, depth = kh * kw * F;
    const long long p = (long long)(blockIdx.x / across) * HEIGHT;
    const int c = blockIdx.x % across * WIDTH;
    if (thread < HEIGHT) {
        const long long own = p + thread;
        images[thread] = own / W / H * OH;
        bottoms[thread] = own < pixels ? int(own / W % H) + top : -1;  // no window begins above 0
        rights[thread] = own % W + left;
    }
    __syncthreads();
    REAL sums[ROWS][COLUMNS] = {};
    REAL next_a[HEIGHT / 32];
    REAL next_b[WIDTH / 32];
    const auto read_windows = [&](int k) {
        const int tap = k / F, f = k % F, i = tap / kw * dh, j = tap % kw * dw;
#pragma unroll
        for (int o = 0; o < HEIGHT / 32; ++o) {
            const int q = threadIdx.y * 4 + threadIdx.x / 8 + o * 32, down = bottoms[q] - i, right = rights[q] - j;
            const int oh = down / sh, ow = right / sw;
            const bool sees = k < depth && down >= 0 && oh * sh == down && oh < OH && right >= 0 && ow * sw == right && ow < OW;
            next_a[o] = sees ? dy[((images[q] + oh) * OW + ow) * F + f] : REAL(0);
        }
#pragma unroll
        for (int o = 0; o < WIDTH / 32; ++o) {
            const int q = c + threadIdx.y * 4 + threadIdx.x / 8 + o * 32;
            next_b[o] = k < depth && q < C ? weight[((long long)tap * C + q) * F + f] : REAL(0);
        }
    };
    read_windows(threadIdx.x % 8);
    for (int k = 0, pair = 0; k < depth; k += DEPTH, pair = 1 - pair) {
        put_turned<HEIGHT>(a[pair], next_a);
        put_turned<WIDTH>(b[pair], next_b);
        __syncthreads();
        read_windows(k + DEPTH + threadIdx.x % 8);
        multiply(a[pair], b[pair], sums, pixels - p);
    }
    write(sums, dx, p, pixels, c, C);
}

// y += x @ w, so dw is the sum of x.T @ dy over the positions: first every chunk of them, a block a chunk and tile. dw's rows are the
// channels of all taps, one after the other, so a lane has taps and channels of its own, and looks there from one position after the
// other; a warp has every eighth.
extern "C" __global__ void __launch_bounds__(256, BLOCKS)
backward_weight(const REAL* __restrict__ dy, const REAL* __restrict__ x, REAL* __restrict__ sums_of_chunks, long long P, int H, int W,
                int C, int F, int OH, int OW, int kh, int kw, int sh, int sw, int dh, int dw, int top, int left, long long chunk) {
    __shared__ __align__(16) REAL a[2][DEPTH * PITCH(HEIGHT)];
    __shared__ __align__(16) REAL b[2][DEPTH * PITCH(WIDTH)];
    const int across = (F - 1) / WIDTH + 1, rows = kh * kw * C;
    const int row = blockIdx.x / across * HEIGHT, f = blockIdx.x % across * WIDTH;
    const long long first = blockIdx.y * chunk, last = first + chunk < P ? first + chunk : P;
    int downs[HEIGHT / 32];
    int rights[HEIGHT / 32];
    int channels[HEIGHT / 32];
#pragma unroll
    for (int j = 0; j < HEIGHT / 32; ++j) {
        const int own = row + threadIdx.x + j * 32, tap = own / C;
        downs[j] = own < rows ? tap / kw * dh - top : H;
        rights[j] = tap % kw * dw - left;
        channels[j] = own % C;
    }
    long long own = first + threadIdx.y, image = own / OW / OH * H;
    int oh = own / OW % OH, ow = own % OW;
    REAL sums[ROWS][COLUMNS] = {};
    REAL next_a[HEIGHT / 32];
    REAL next_b[WIDTH / 32];
    const auto read_pixels = [&]() {  // and go on to the position that is 8 further on
#pragma unroll
        for (int j = 0; j < HEIGHT / 32; ++j) {
            const int h = oh * sh + downs[j], w = ow * sw + rights[j];
            const bool inside = own < last && h >= 0 && h < H && w >= 0 && w < W;
            next_a[j] = inside ? x[((image + h) * W + w) * C + channels[j]] : REAL(0);
        }
        own += DEPTH;
        for (ow += DEPTH; ow >= OW; ow -= OW) {
            if (++oh == OH) {
                oh = 0;
                image += H;
            }
        }
    };
    read_pixels();
    read<WIDTH>(next_b, dy, first, last, f, F);
    int pair = 0;
    for (long long p = first; p < last; p += DEPTH, pair = 1 - pair) {
        put<HEIGHT>(a[pair], next_a);
        put<WIDTH>(b[pair], next_b);
        __syncthreads();
        read_pixels();
        read<WIDTH>(next_b, dy, p + DEPTH, last, f, F);
        multiply(a[pair], b[pair], sums, rows - row);
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
