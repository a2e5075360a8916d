// Pointwise convolution: every pixel's channels are mixed, a matrix product.
//
//     y[p, f] = sum over c of  x[p, c] * weight[c, f]        x (P, C)    weight (C, F)    y (P, F)
//
// One thread a number of the result. Each reads a row and a column by itself, which its neighbours read too.

extern "C" __global__ void forward(const REAL* __restrict__ x, const REAL* __restrict__ weight, REAL* __restrict__ y, long long count,
                                   int C, int F) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int f = k % F;
    const long long p = k / F;
    REAL sum = 0;
    for (int c = 0; c < C; ++c) sum += x[p * C + c] * weight[(long long)c * F + f];
    y[k] = sum;
}

// y = x @ w, so dx = dy @ w.T
extern "C" __global__ void backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ weight, REAL* __restrict__ dx,
                                      long long count, int C, int F) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int c = k % C;
    const long long p = k / C;
    REAL sum = 0;
    for (int f = 0; f < F; ++f) sum += dy[p * F + f] * weight[(long long)c * F + f];
    dx[k] = sum;
}

// y = x @ w, so dw = x.T @ dy
extern "C" __global__ void backward_weight(const REAL* __restrict__ dy, const REAL* __restrict__ x, REAL* __restrict__ dweight,
                                           long long count, long long P, int C, int F) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int f = k % F, c = k / F;
    REAL sum = 0;
    for (long long p = 0; p < P; ++p) sum += x[p * C + c] * dy[p * F + f];
    dweight[k] = sum;
}
