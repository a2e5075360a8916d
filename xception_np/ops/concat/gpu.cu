// y[p, first + c] = branch[p, c]        branch (P, C_k)    y (P, C)    first: the channels of the branches before
//
// One launch a branch, one thread a number of it.

extern "C" __global__ void forward(const REAL* __restrict__ branch, REAL* __restrict__ y, long long count, int branch_channels,
                                   int channels, int first) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const long long p = k / branch_channels;
    y[p * channels + first + k % branch_channels] = branch[k];
}

// every branch takes its own channels of dy
extern "C" __global__ void backward(const REAL* __restrict__ dy, REAL* __restrict__ dbranch, long long count, int branch_channels,
                                    int channels, int first) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const long long p = k / branch_channels;
    dbranch[k] = dy[p * channels + first + k % branch_channels];
}
