// Softmax and cross-entropy: the loss of choosing one class.
//
//     p[n, k]      = exp(logits[n, k]) / sum over j of exp(logits[n, j])
//     share[n, k]  = labels[n, k], or k == labels[n]
//     target[n, k] = (1 - smoothing) * share[n, k] + smoothing / K
//     loss         = mean over n of  - sum over k of target[n, k] * log p[n, k]
//
//     logits, p (N, K)    labels (N,) classes or (N, K) shares    losses (N,)
//
// One thread an image, which writes p; then its loss; then one thread adds the images' losses.

extern "C" __global__ void softmax(const REAL* __restrict__ logits, REAL* __restrict__ p, REAL* __restrict__ log_p, long long N,
                                   int K) {
    const long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= N) return;
    const REAL* row = logits + n * K;
    REAL largest = row[0];  // subtracted: the same probabilities, and no overflow
    for (int k = 1; k < K; ++k) {
        if (row[k] > largest) largest = row[k];
    }
    REAL sum = 0;
    for (int k = 0; k < K; ++k) sum += exp(row[k] - largest);
    const REAL log_sum = log(sum);
    for (int k = 0; k < K; ++k) {
        log_p[n * K + k] = row[k] - largest - log_sum;
        p[n * K + k] = exp(row[k] - largest - log_sum);
    }
}

__device__ REAL target(REAL share, REAL smoothing, int K) { return (1 - smoothing) * share + smoothing / K; }

extern "C" __global__ void losses_of_classes(const REAL* __restrict__ log_p, const long long* __restrict__ labels,
                                             REAL* __restrict__ losses, long long N, int K, REAL smoothing) {
    const long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= N) return;
    REAL loss = 0;
    for (int k = 0; k < K; ++k) loss -= target(REAL(k == labels[n]), smoothing, K) * log_p[n * K + k];
    losses[n] = loss;
}

extern "C" __global__ void losses_of_shares(const REAL* __restrict__ log_p, const REAL* __restrict__ labels,
                                            REAL* __restrict__ losses, long long N, int K, REAL smoothing) {
    const long long n = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= N) return;
    REAL loss = 0;
    for (int k = 0; k < K; ++k) loss -= target(labels[n * K + k], smoothing, K) * log_p[n * K + k];
    losses[n] = loss;
}

extern "C" __global__ void mean(const REAL* __restrict__ losses, REAL* __restrict__ loss, long long N) {
    REAL sum = 0;
    for (long long n = 0; n < N; ++n) sum += losses[n];
    loss[0] = sum / REAL(N);
}

// loss = mean of (log sum exp - target . logits), so dlogits = (p - target) / N; scale is dloss / N
extern "C" __global__ void backward_of_classes(const REAL* __restrict__ p, const long long* __restrict__ labels,
                                               REAL* __restrict__ dlogits, long long count, int K, REAL smoothing, REAL scale) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) dlogits[k] = (p[k] - target(REAL(k % K == labels[k / K]), smoothing, K)) * scale;
}

extern "C" __global__ void backward_of_shares(const REAL* __restrict__ p, const REAL* __restrict__ labels,
                                              REAL* __restrict__ dlogits, long long count, int K, REAL smoothing, REAL scale) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) dlogits[k] = (p[k] - target(labels[k], smoothing, K)) * scale;
}
