"""The sum of what groups of tiles summed up, in the order of the groups."""

from xception_np.ops.compile import compiled_apart, taken


@compiled_apart
def add_up(queue, spans, terms, total):
    """total[i] = sum over g of terms[g, i]"""
    for k in taken(queue, len(spans)):
        start, stop = spans[k]
        for i in range(start, stop):
            total[i] = terms[0, i]
        for g in range(1, len(terms)):
            for i in range(start, stop):
                total[i] += terms[g, i]
