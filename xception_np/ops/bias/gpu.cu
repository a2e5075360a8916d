// y = activation(x + bias)        x, y (P, C)    bias (C,)
//
// The sum over positions has two steps, so that there are threads enough: first every chunk of positions, a thread a chunk and
// channel (neighbouring threads read neighbouring channels), then the chunks, a thread a channel.

extern "C" __global__ void forward(const REAL* __restrict__ x, const REAL* __restrict__ bias, REAL* __restrict__ y, long long count,
                                   int channels, int relu) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const REAL sum = x[k] + bias[k % channels];
    y[k] = relu && sum <= 0 ? REAL(0) : sum;
}

// y = x + bias, with the same bias at every position, so dbias is the sum of dy over the positions
extern "C" __global__ void sum_chunks(const REAL* __restrict__ dy, REAL* __restrict__ sums, long long positions, int channels,
                                      long long chunk) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long first = k / channels * chunk;
    if (first >= positions) return;
    const int c = k % channels;
    const long long last = first + chunk < positions ? first + chunk : positions;
    REAL sum = 0;
    for (long long p = first; p < last; ++p) sum += dy[p * channels + c];
    sums[k] = sum;
}

extern "C" __global__ void sum(const REAL* __restrict__ sums, REAL* __restrict__ dbias, long long chunks, int channels) {
    const int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= channels) return;
    REAL sum = 0;
    for (long long k = 0; k < chunks; ++k) sum += sums[k * channels + c];
    dbias[c] = sum;
}
