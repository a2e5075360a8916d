// ReLU: y = x where x > 0, else 0. One thread a number. Written with <= so that NaN, which is not <= 0, passes.

extern "C" __global__ void forward(const REAL* __restrict__ x, REAL* __restrict__ y, long long count) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) y[k] = x[k] <= 0 ? REAL(0) : x[k];
}

// y = x where x > 0 else 0, and y > 0 exactly where x > 0
extern "C" __global__ void backward(const REAL* __restrict__ y, const REAL* __restrict__ dy, REAL* __restrict__ dx, long long count) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) dx[k] = y[k] <= 0 ? REAL(0) : dy[k];
}
