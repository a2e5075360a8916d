// Regular convolution: every output channel looks at every input channel, through a window.
//
//     y[n, oh, ow, f] = sum over i, j, c of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c] * weight[i, j, c, f]
//
//     x (N, H, W, C)    weight (kh, kw, C, F)    y (N, OH, OW, F)
//
// One thread a number of the result: each gathers what it needs, so nobody adds to what another one writes.

extern "C" __global__ void forward(const REAL* __restrict__ x, const REAL* __restrict__ weight, REAL* __restrict__ y, long long count,
                                   int H, int W, int C, int F, int OH, int OW, int kh, int kw, int sh, int sw, int dh, int dw,
                                   int top, int left) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int f = k % F;
    const long long position = k / F;
    const int ow = position % OW, oh = position / OW % OH;
    const long long n = position / OW / OH;
    REAL sum = 0;
    for (int i = 0; i < kh; ++i) {
        const int h = oh * sh + i * dh - top;
        if (h < 0 || h >= H) continue;
        for (int j = 0; j < kw; ++j) {
            const int w = ow * sw + j * dw - left;
            if (w < 0 || w >= W) continue;
            const REAL* pixel = x + ((n * H + h) * W + w) * C;
            const REAL* tap = weight + (long long)(i * kw + j) * C * F + f;
            for (int c = 0; c < C; ++c) sum += pixel[c] * tap[(long long)c * F];
        }
    }
    y[k] = sum;
}

// y += x @ w, so dx is the sum of dy @ w.T over the windows that see the pixel: tap (i, j) of window (oh, ow) is at
// h = oh*sh + i*dh - top, so oh = (h + top - i*dh) / sh, where that is a whole number
extern "C" __global__ void backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ weight, REAL* __restrict__ dx,
                                      long long count, int H, int W, int C, int F, int OH, int OW, int kh, int kw, int sh, int sw,
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
            const REAL* window = dy + ((n * OH + down / sh) * OW + right / sw) * F;
            const REAL* tap = weight + ((long long)(i * kw + j) * C + c) * F;
            for (int f = 0; f < F; ++f) sum += window[f] * tap[f];
        }
    }
    dx[k] = sum;
}

// y += x @ w, so dw is the sum of x.T @ dy over the positions
extern "C" __global__ void backward_weight(const REAL* __restrict__ dy, const REAL* __restrict__ x, REAL* __restrict__ dweight,
                                           long long count, int N, int H, int W, int C, int F, int OH, int OW, int kh, int kw, int sh,
                                           int sw, int dh, int dw, int top, int left) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int f = k % F, c = k / F % C, j = k / F / C % kw, i = k / F / C / kw;
    REAL sum = 0;
    for (long long n = 0; n < N; ++n) {
        for (int oh = 0; oh < OH; ++oh) {
            const int h = oh * sh + i * dh - top;
            if (h < 0 || h >= H) continue;
            for (int ow = 0; ow < OW; ++ow) {
                const int w = ow * sw + j * dw - left;
                if (w < 0 || w >= W) continue;
                sum += x[((n * H + h) * W + w) * C + c] * dy[((n * OH + oh) * OW + ow) * F + f];
            }
        }
    }
    dweight[k] = sum;
}
