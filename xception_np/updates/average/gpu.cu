// An average that follows. One thread a number.

extern "C" __global__ void follow(REAL* __restrict__ average, const REAL* __restrict__ values, long long count, REAL share) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) average[k] += share * (values[k] - average[k]);
}
