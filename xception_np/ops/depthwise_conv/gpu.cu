// Depthwise convolution: every channel looks at itself only, through M windows of its own.
//
//     y[n, oh, ow, c*M + m] = sum over i, j of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c] * weight[i, j, c, m]
//
//     x (N, H, W, C)    weight (kh, kw, C, M)    y (N, OH, OW, C*M)
//
// One thread a number of the result: each gathers what it needs, so nobody adds to what another one writes. Neighbouring threads
// have neighbouring channels, which lie side by side in memory.

extern "C" __global__ void forward(const REAL* __restrict__ x, const REAL* __restrict__ weight, REAL* __restrict__ y, long long count,
                                   int H, int W, int C, int M, int OH, int OW, int kh, int kw, int sh, int sw, int dh, int dw,
                                   int top, int left) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int m = k % M, c = k / M % C;
    const long long position = k / M / C;
    const int ow = position % OW, oh = position / OW % OH;
    const long long n = position / OW / OH;
    REAL sum = 0;
    for (int i = 0; i < kh; ++i) {
        const int h = oh * sh + i * dh - top;
        if (h < 0 || h >= H) continue;
        for (int j = 0; j < kw; ++j) {
            const int w = ow * sw + j * dw - left;
            if (w < 0 || w >= W) continue;
            sum += x[((n * H + h) * W + w) * C + c] * weight[((i * kw + j) * C + c) * M + m];
        }
    }
    y[k] = sum;
}

// y += x * w, so dx is the sum of dy * w over m and over the windows that see the pixel: tap (i, j) of window (oh, ow) is at
// h = oh*sh + i*dh - top, so oh = (h + top - i*dh) / sh, where that is a whole number
extern "C" __global__ void backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ weight, REAL* __restrict__ dx,
                                      long long count, int H, int W, int C, int M, int OH, int OW, int kh, int kw, int sh, int sw,
                                      int dh, int dw, int top, int left) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int c = k % C, w = k / C % W, h = k / C / W % H;
    const long long n = k / C / W / H;
    REAL sum = 0;
    for (int i = 0; i < kh; ++i) {
        const int down = h + top - i * dh;
        if (down < 0 || down % sh != 0 || down / sh >= OH) continue;
        for (int j = 0; j < kw; ++j) {
            const int right = w + left - j * dw;
            if (right < 0 || right % sw != 0 || right / sw >= OW) continue;
            const long long position = (n * OH + down / sh) * OW + right / sw;
            for (int m = 0; m < M; ++m) sum += dy[(position * C + c) * M + m] * weight[((i * kw + j) * C + c) * M + m];
        }
    }
    dx[k] = sum;
}

// y += x * w, so dw is the sum of x * dy over the positions
extern "C" __global__ void backward_weight(const REAL* __restrict__ dy, const REAL* __restrict__ x, REAL* __restrict__ dweight,
                                           int count, int N, int H, int W, int C, int M, int OH, int OW, int kh, int kw, int sh,
                                           int sw, int dh, int dw, int top, int left) {
    const int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int m = k % M, c = k / M % C, j = k / M / C % kw, i = k / M / C / kw;
    REAL sum = 0;
    for (long long n = 0; n < N; ++n) {
        for (int oh = 0; oh < OH; ++oh) {
            const int h = oh * sh + i * dh - top;
            if (h < 0 || h >= H) continue;
            for (int ow = 0; ow < OW; ++ow) {
                const int w = ow * sw + j * dw - left;
                if (w < 0 || w >= W) continue;
                sum += x[((n * H + h) * W + w) * C + c] * dy[(((n * OH + oh) * OW + ow) * C + c) * M + m];
            }
        }
    }
    dweight[k] = sum;
}
