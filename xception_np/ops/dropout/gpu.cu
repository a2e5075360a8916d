// Dropout: the k-th number of x takes the k-th word of a stream of Philox 4x32-10 (see random.py), and is dropped if it is below the limit.
//
//     y = x * scale where word >= limit, else 0        counter (block low, block high, step, item)    key (seed, purpose)
//
// Ten rounds make four words, so one thread makes four numbers. The backward pass is the same kernel: y = x * mask * scale, so
// dx = dy * mask * scale, with the same words again.

extern "C" __global__ void apply(const REAL* __restrict__ x, REAL* __restrict__ y, long long count, unsigned int seed,
                                 unsigned int purpose, unsigned int step, unsigned int item, unsigned long long limit, REAL scale) {
    const long long block = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (4 * block >= count) return;
    unsigned int c[4] = {(unsigned int)block, (unsigned int)(block >> 32), step, item};
    unsigned int k0 = seed, k1 = purpose;
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        const unsigned long long product0 = c[0] * 0xD2511F53ull, product1 = c[2] * 0xCD9E8D57ull;
        c[0] = (unsigned int)(product1 >> 32) ^ c[1] ^ k0;
        c[1] = (unsigned int)product1;
        c[2] = (unsigned int)(product0 >> 32) ^ c[3] ^ k1;
        c[3] = (unsigned int)product0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
#pragma unroll
    for (int word = 0; word < 4; ++word) {
        const long long k = 4 * block + word;
        if (k < count) y[k] = c[word] >= limit ? x[k] * scale : REAL(0);
    }
}
