// A step of RMSprop with momentum. One thread a number.

extern "C" __global__ void step(REAL* __restrict__ values, REAL* __restrict__ mean_square, REAL* __restrict__ velocity,
                                const REAL* __restrict__ gradients, const REAL* __restrict__ decay, long long count, REAL rate,
                                REAL momentum, REAL forgetting, REAL taking_in, REAL epsilon) {
    const long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= count) return;
    const REAL slope = gradients[k] + decay[k] * values[k];
    const REAL square = forgetting * mean_square[k] + taking_in * (slope * slope);
    const REAL moved = momentum * velocity[k] + slope / (sqrt(square) + epsilon);
    mean_square[k] = square;
    velocity[k] = moved;
    values[k] -= rate * moved;
}
