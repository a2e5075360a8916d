// ELU: y = x where x > 0, else exp(x) - 1. One thread a number. NaN is not > 0, and exp makes NaN of it.

extern "C" __global__ void forward(const REAL* __restrict__ x, REAL* __restrict__ y, long long count) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) y[k] = x[k] > 0 ? x[k] : expm1(x[k]);
}

// y = exp(x) - 1 where x <= 0, whose slope is exp(x) = y + 1
extern "C" __global__ void backward(const REAL* __restrict__ y, const REAL* __restrict__ dy, REAL* __restrict__ dx, long long count) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) dx[k] = y[k] > 0 ? dy[k] : dy[k] * (y[k] + 1);
}
