// A step of gradient descent with momentum. One thread a number.

extern "C" __global__ void step(REAL* __restrict__ values, REAL* __restrict__ velocity, const REAL* __restrict__ gradients,
                                const REAL* __restrict__ decay, long long count, REAL rate, REAL momentum, int nesterov) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const REAL slope = gradients[k] + decay[k] * values[k];
    const REAL moved = momentum * velocity[k] + slope;
    velocity[k] = moved;
    values[k] -= rate * (nesterov ? slope + momentum * moved : moved);
}
