// Grouped convolution: channels in S segments, each convolved on its own.
//
//     y[n, oh, ow, s*F/S + f] = sum over i, j, c < C/S of
//         x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, s*C/S + c] * weight[i, j, c, s*F/S + f]
//
//     x (N, H, W, C)    weight (kh, kw, C/S, F)    y (N, OH, OW, F)
//
// own_C = C/S and own_F = F/S are the channels and filters of one segment.
// One thread a number of the result: each gathers what it needs, so nobody adds to what another one writes.

extern "C" __global__ void forward(const REAL* __restrict__ x, const REAL* __restrict__ weight, REAL* __restrict__ y, long long count,
                                   int H, int W, int C, int F, int S, int OH, int OW, int kh, int kw, int sh, int sw, int dh,
                                   int dw, int top, int left) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int own_C = C / S, own_F = F / S;
    const int f = k % F, s = f / own_F;
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
            const REAL* pixel = x + ((n * H + h) * W + w) * C + s * own_C;
            const REAL* tap = weight + (long long)(i * kw + j) * own_C * F + f;
            for (int c = 0; c < own_C; ++c) sum += pixel[c] * tap[(long long)c * F];
        }
    }
    y[k] = sum;
}

// y += x @ w, so dx is the sum of dy @ w.T over the windows that see the pixel: tap (i, j) of window (oh, ow) is at
// h = oh*sh + i*dh - top, so oh = (h + top - i*dh) / sh, where that is a whole number
extern "C" __global__ void backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ weight, REAL* __restrict__ dx,
                                      long long count, int H, int W, int C, int F, int S, int OH, int OW, int kh, int kw, int sh,
                                      int sw, int dh, int dw, int top, int left) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int own_C = C / S, own_F = F / S;
    const int c = k % C, w = k / C % W, h = k / C / W % H, s = c / own_C;
    const long long n = k / C / W / H;
    REAL sum = 0;
    for (int i = 0; i < kh; ++i) {
        const int down = h + top - i * dh;
        if (down < 0 || down % sh != 0 || down / sh >= OH) continue;
        for (int j = 0; j < kw; ++j) {
            const int right = w + left - j * dw;
            if (right < 0 || right % sw != 0 || right / sw >= OW) continue;
            const REAL* window = dy + ((n * OH + down / sh) * OW + right / sw) * F + s * own_F;
            const REAL* tap = weight + ((long long)(i * kw + j) * own_C + c % own_C) * F + s * own_F;
            for (int f = 0; f < own_F; ++f) sum += window[f] * tap[f];
        }
    }
    dx[k] = sum;
}

// y += x @ w, so dw is the sum of x.T @ dy over the positions
extern "C" __global__ void backward_weight(const REAL* __restrict__ dy, const REAL* __restrict__ x, REAL* __restrict__ dweight,
                                           long long count, int N, int H, int W, int C, int F, int S, int OH, int OW, int kh, int kw,
                                           int sh, int sw, int dh, int dw, int top, int left) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int own_C = C / S, own_F = F / S;
    const int f = k % F, j = k / F / own_C % kw, i = k / F / own_C / kw;
    const int c = f / own_F * own_C + k / F % own_C;  // of all channels
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
