// Batch normalisation with given statistics: y = activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta)
//
//     x, y (P, C)    gamma, beta, mean, variance (C,)
//
// The forward pass, dgamma and dbeta are those of ops/batch_norm.

// mean and variance are constant, so dx has one term where training has three
extern "C" __global__ void backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ gamma, const REAL* __restrict__ variance,
                                      REAL* __restrict__ dx, long long count, int channels, REAL epsilon) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int c = k % channels;
    dx[k] = gamma[c] / sqrt(variance[c] + epsilon) * dy[k];
}
