"""An average that follows, in NumPy."""


def follow(average, values, keep):
    average += (1 - keep) * (values - average)
