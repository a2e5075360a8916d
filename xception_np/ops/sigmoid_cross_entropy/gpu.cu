// Sigmoid and cross-entropy: the loss of choosing any number of classes.
//
//     p    = 1 / (1 + exp(-logits))
//     loss = mean of  - target * log p - (1 - target) * log(1 - p)  =  mean of  max(logits, 0) - logits * target + log(1 + exp(-|logits|))
//
//     logits, targets, p, losses (N, K), count numbers in all
//
// One thread a number. exp is only taken of numbers <= 0, so it cannot overflow. The sum has two steps: chunks, a thread each, then
// one thread adds theirs.

extern "C" __global__ void forward(const REAL* __restrict__ logits, const REAL* __restrict__ targets, REAL* __restrict__ p,
                                   REAL* __restrict__ losses, long long count) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const REAL small = exp(-fabs(logits[k]));
    p[k] = (logits[k] < 0 ? small : REAL(1)) / (1 + small);
    losses[k] = (logits[k] <= 0 ? REAL(0) : logits[k]) - logits[k] * targets[k] + log1p(small);
}

extern "C" __global__ void sum_chunks(const REAL* __restrict__ losses, REAL* __restrict__ sums, long long count, long long chunk,
                                      long long chunks) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= chunks) return;
    const long long last = (k + 1) * chunk < count ? (k + 1) * chunk : count;
    REAL sum = 0;
    for (long long at = k * chunk; at < last; ++at) sum += losses[at];
    sums[k] = sum;
}

extern "C" __global__ void mean(const REAL* __restrict__ sums, REAL* __restrict__ loss, long long count, long long chunks) {
    REAL sum = 0;
    for (long long k = 0; k < chunks; ++k) sum += sums[k];
    loss[0] = sum / REAL(count);
}

// loss = mean of (log(1 + exp(logits)) - target * logits), so dlogits = (p - target) / (N * K); scale is dloss / (N * K)
extern "C" __global__ void backward(const REAL* __restrict__ p, const REAL* __restrict__ targets, REAL* __restrict__ dlogits,
                                    long long count, REAL scale) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k < count) dlogits[k] = (p[k] - targets[k]) * scale;
}
