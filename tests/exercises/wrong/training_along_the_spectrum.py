"""For every exercise of the notebook, answers that look right and are not; at least three each."""

import numpy as np
from scipy import stats

WRONG = {
    "paired_interval": [
        # As if there were many seeds
        lambda a, b: ((a - b).mean(), 1.96 * (a - b).std(ddof=1) / np.sqrt(len(a))),
        # Of one seed, not of the mean
        lambda a, b: ((a - b).mean(), stats.t.ppf(0.975, len(a) - 1) * (a - b).std(ddof=1)),
        # Divided by the number of seeds, not by one less
        lambda a, b: ((a - b).mean(), stats.t.ppf(0.975, len(a) - 1) * (a - b).std() / np.sqrt(len(a))),
        # One tail
        lambda a, b: ((a - b).mean(), stats.t.ppf(0.95, len(a) - 1) * (a - b).std(ddof=1) / np.sqrt(len(a))),
        # Not paired: what the seeds have in common counts as noise
        lambda a, b: (a.mean() - b.mean(), stats.t.ppf(0.975, len(a) - 1) * np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))),
    ]
}
