// Average pooling: the mean of every window, channel by channel. Padding does not count.
//
//     y[n, oh, ow, c] = sum over i, j inside the image of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c]  /  inside[oh, ow]
//
//     x (N, H, W, C)    y (N, OH, OW, C)
//
// One thread a number of the result. inside[oh, ow] is taps(rows) * taps(columns).

// How many taps first, first + dilation, ... of a window are inside an axis
__device__ int taps(int first, int kernel, int dilation, int size) {
    int inside = 0;
    for (int i = 0; i < kernel; ++i) inside += first + i * dilation >= 0 && first + i * dilation < size;
    return inside;
}

extern "C" __global__ void forward(const REAL* __restrict__ x, REAL* __restrict__ y, long long count, int H, int W, int C, int OH,
                                   int OW, int kh, int kw, int sh, int sw, int dh, int dw, int top, int left) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int c = k % C, ow = k / C % OW, oh = k / C / OW % OH;
    const long long n = k / C / OW / OH;
    REAL sum = 0;
    for (int i = 0; i < kh; ++i) {
        const int h = oh * sh + i * dh - top;
        if (h < 0 || h >= H) continue;
        for (int j = 0; j < kw; ++j) {
            const int w = ow * sw + j * dw - left;
            if (w < 0 || w >= W) continue;
            sum += x[((n * H + h) * W + w) * C + c];
        }
    }
    y[k] = sum / REAL(taps(oh * sh - top, kh, dh, H) * taps(ow * sw - left, kw, dw, W));
}

// y = sum of x / inside, so every tap gets dy / inside
extern "C" __global__ void backward(const REAL* __restrict__ dy, REAL* __restrict__ dx, long long count, int H, int W, int C, int OH,
                                    int OW, int kh, int kw, int sh, int sw, int dh, int dw, int top, int left) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int c = k % C, w = k / C % W, h = k / C / W % H;
    const long long n = k / C / W / H;
    REAL sum = 0;
    for (int i = 0; i < kh; ++i) {
        const int down = h + top - i * dh;
        if (down < 0 || down % sh != 0 || down / sh >= OH) continue;
        const int rows = taps(down - top, kh, dh, H);
        for (int j = 0; j < kw; ++j) {
            const int right = w + left - j * dw;
            if (right < 0 || right % sw != 0 || right / sw >= OW) continue;
            const int columns = taps(right - left, kw, dw, W);
            sum += dy[((n * OH + down / sh) * OW + right / sw) * C + c] / REAL(rows * columns);
        }
    }
    dx[k] = sum;
}
