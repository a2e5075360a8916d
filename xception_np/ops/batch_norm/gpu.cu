// Batch normalisation: every channel to mean beta and standard deviation gamma, over the P positions.
//
//     mean[c]     = mean of x[:, c]
//     variance[c] = mean of (x[:, c] - mean[c])**2
//     xhat        = (x - mean) / sqrt(variance + epsilon)
//     y           = activation(gamma * xhat + beta)
//
//     x, y (P, C)    gamma, beta, mean, variance (C,)
//
// A mean over positions has two steps, so that there are threads enough and few roundings in a row: first every chunk of positions,
// a thread a chunk and channel (neighbouring threads read neighbouring channels), then the chunks, a thread a channel.

__device__ REAL normalised(REAL x, REAL mean, REAL variance, REAL epsilon) { return (x - mean) / sqrt(variance + epsilon); }

extern "C" __global__ void sum_chunks(const REAL* __restrict__ x, REAL* __restrict__ sums, long long positions, int channels,
                                      long long chunk) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long first = k / channels * chunk;
    if (first >= positions) return;
    const int c = k % channels;
    const long long last = first + chunk < positions ? first + chunk : positions;
    REAL sum = 0;
    for (long long p = first; p < last; ++p) sum += x[p * channels + c];
    sums[k] = sum;
}

extern "C" __global__ void square_chunks(const REAL* __restrict__ x, const REAL* __restrict__ mean, REAL* __restrict__ sums,
                                         long long positions, int channels, long long chunk) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long first = k / channels * chunk;
    if (first >= positions) return;
    const int c = k % channels;
    const long long last = first + chunk < positions ? first + chunk : positions;
    REAL sum = 0;
    for (long long p = first; p < last; ++p) {
        const REAL difference = x[p * channels + c] - mean[c];
        sum += difference * difference;
    }
    sums[k] = sum;
}

extern "C" __global__ void add_chunks(const REAL* __restrict__ sums, REAL* __restrict__ total, long long chunks, int channels,
                                      long long divisor) {
    const int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= channels) return;
    REAL sum = 0;
    for (long long k = 0; k < chunks; ++k) sum += sums[k * channels + c];
    total[c] = sum / REAL(divisor);
}

extern "C" __global__ void forward(const REAL* __restrict__ x, const REAL* __restrict__ gamma, const REAL* __restrict__ beta,
                                   const REAL* __restrict__ mean, const REAL* __restrict__ variance, REAL* __restrict__ y,
                                   long long count, int channels, REAL epsilon, int relu) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int c = k % channels;
    const REAL sum = gamma[c] * normalised(x[k], mean[c], variance[c], epsilon) + beta[c];
    y[k] = relu && sum <= 0 ? REAL(0) : sum;
}

// y = activation(gamma * xhat + beta): where the ReLU cut, nothing comes back
extern "C" __global__ void backward_activation(const REAL* __restrict__ dy, const REAL* __restrict__ x,
                                               const REAL* __restrict__ gamma, const REAL* __restrict__ beta,
                                               const REAL* __restrict__ mean, const REAL* __restrict__ variance,
                                               REAL* __restrict__ dsum, long long count, int channels, REAL epsilon) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int c = k % channels;
    dsum[k] = gamma[c] * normalised(x[k], mean[c], variance[c], epsilon) + beta[c] <= 0 ? REAL(0) : dy[k];
}

// y = gamma * xhat + beta, so dgamma is the sum of dy * xhat, and dbeta that of dy (sum_chunks)
extern "C" __global__ void dgamma_chunks(const REAL* __restrict__ dy, const REAL* __restrict__ x, const REAL* __restrict__ mean,
                                         const REAL* __restrict__ variance, REAL* __restrict__ sums, long long positions,
                                         int channels, REAL epsilon, long long chunk) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long first = k / channels * chunk;
    if (first >= positions) return;
    const int c = k % channels;
    const long long last = first + chunk < positions ? first + chunk : positions;
    REAL sum = 0;
    for (long long p = first; p < last; ++p) {
        const long long at = p * channels + c;
        sum += dy[at] * normalised(x[at], mean[c], variance[c], epsilon);
    }
    sums[k] = sum;
}

// xhat = (x - mean) / std, and both mean and std depend on every x: their terms are averages over the P positions
extern "C" __global__ void backward_x(const REAL* __restrict__ dy, const REAL* __restrict__ x, const REAL* __restrict__ gamma,
                                      const REAL* __restrict__ mean, const REAL* __restrict__ variance,
                                      const REAL* __restrict__ dgamma, const REAL* __restrict__ dbeta, REAL* __restrict__ dx,
                                      long long count, long long positions, int channels, REAL epsilon) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const int c = k % channels;
    const REAL xhat = normalised(x[k], mean[c], variance[c], epsilon), std = sqrt(variance[c] + epsilon);
    dx[k] = gamma[c] / std * (dy[k] - dbeta[c] / REAL(positions) - xhat * dgamma[c] / REAL(positions));
}
