// y = a + b. One thread a number. The backward pass needs no kernel: the gradient fans out unchanged.

extern "C" __global__ void forward(const REAL* a, const REAL* b, REAL* __restrict__ y, long long count) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) y[k] = a[k] + b[k];
}
