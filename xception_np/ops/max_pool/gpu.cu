// Max pooling: the largest value in every window, channel by channel. WINNER is an unsigned integer that can name every tap.
//
//     y[n, oh, ow, c] = max over i, j of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c]      (padding never wins)
//
//     x (N, H, W, C)    y, winners (N, OH, OW, C)
//
// One thread a number of the result. Taps are visited in window order, and a later one wins only if it is larger, or the first NaN.

extern "C" __global__ void forward(const REAL* __restrict__ x, REAL* __restrict__ y, WINNER* __restrict__ winners, long long count,
                                   int H, int W, int C, int OH, int OW, int kh, int kw, int sh, int sw, int dh, int dw, int top,
                                   int left) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int c = k % C, ow = k / C % OW, oh = k / C / OW % OH;
    const long long n = k / C / OW / OH;
    REAL best = 0;
    int winner = -1;
    for (int i = 0; i < kh; ++i) {
        const int h = oh * sh + i * dh - top;
        if (h < 0 || h >= H) continue;
        for (int j = 0; j < kw; ++j) {
            const int w = ow * sw + j * dw - left;
            if (w < 0 || w >= W) continue;
            const REAL value = x[((n * H + h) * W + w) * C + c];
            if (winner < 0 || value > best || (value != value && best == best)) {
                best = value;
                winner = i * kw + j;
            }
        }
    }
    y[k] = best;
    winners[k] = winner;
}

// y = x at the winning tap, so dx is the sum of dy over the windows that the pixel won
extern "C" __global__ void backward(const REAL* __restrict__ dy, const WINNER* __restrict__ winners, REAL* __restrict__ dx,
                                    long long count, int H, int W, int C, int OH, int OW, int kh, int kw, int sh, int sw, int dh,
                                    int dw, int top, int left) {
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
            const long long window = ((n * OH + down / sh) * OW + right / sw) * C + c;
            if (winners[window] == i * kw + j) sum += dy[window];
        }
    }
    dx[k] = sum;
}
