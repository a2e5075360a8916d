// Global average pooling: y[n, c] = mean over the P = H * W pixels of x[n, p, c]        x (N, P, C)    y (N, C)

// One thread an image and channel: neighbouring threads read neighbouring channels.
extern "C" __global__ void forward(const REAL* __restrict__ x, REAL* __restrict__ y, long long count, long long P, int C) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const long long n = k / C;
    REAL sum = 0;
    for (long long p = 0; p < P; ++p) sum += x[(n * P + p) * C + k % C];
    y[k] = sum / REAL(P);
}

// y = sum of x / P, so every pixel gets dy / P
extern "C" __global__ void backward(const REAL* __restrict__ dy, REAL* __restrict__ dx, long long count, long long P, int C) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const long long n = k / C / P;
    dx[k] = dy[n * C + k % C] / REAL(P);
}
