"""Small networks trained along the spectrum: the questions that the paper leaves open, on a scale that two cores can answer.

    python -m experiments run spectrum --data cifar-10-binary.tar.gz      # goes on where it was
    python -m experiments estimate                                        # what is left, and how long it will take here

Every figure is a list of points (`figures.py`), a point a network (`networks.py`), a data set and settings, trained once for every
seed. What a training gave is in `results/FIGURE.json` as soon as it ends (`store.py`).
"""
