// What training does to its vectors. One thread a number; of a sum, one thread a part.

extern "C" __global__ void fill(REAL* __restrict__ y, long long count, REAL value) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) y[k] = value;
}

extern "C" __global__ void add(REAL* __restrict__ y, const REAL* __restrict__ x, long long count) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) y[k] += x[k];
}

extern "C" __global__ void scale(REAL* __restrict__ y, long long count, REAL factor) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) y[k] *= factor;
}

// Part p is x[p], x[p + parts], x[p + 2 * parts], ...: threads side by side read numbers side by side.
extern "C" __global__ void square_parts(const REAL* __restrict__ x, REAL* __restrict__ sums, long long count, long long parts) {
    const long long part = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (part >= parts) return;
    REAL sum = 0;
    for (long long k = part; k < count; k += parts) sum += x[k] * x[k];
    sums[part] = sum;
}
