#!/usr/bin/python3
"""Compares PyTorch's probabilities (.npy of train_lstm.py) with those of `tiercel model run` (CSV), row by row.

    compare_probabilities.py pytorch.npy model-run.csv [--most-mean 0.02]

Prints the largest and the mean absolute difference and how often both name the same class; exits 1 if the mean is above
--most-mean: quantisation moves a probability a little, a mistake (an order of gates, a scale) moves it a lot.
"""
import argparse
import sys

import numpy as np

from market_rows import LABELS


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pytorch")
    parser.add_argument("model_run")
    parser.add_argument("--most-mean", type=float, default=0.02)
    arguments = parser.parse_args()
    expected = np.load(arguments.pytorch)
    with open(arguments.model_run, encoding="ascii") as file:
        header = file.readline().strip().split(",")
        columns = [header.index(label) for label in LABELS]
        actual = np.loadtxt(file, delimiter=",", usecols=columns, dtype=np.float32)
    if actual.shape != expected.shape:
        raise SystemExit(f"{arguments.model_run}: shape {actual.shape}, PyTorch has {expected.shape}")
    difference = np.abs(actual.astype(np.float64) - expected)
    same = np.mean(actual.argmax(axis=1) == expected.argmax(axis=1))
    print(f"{arguments.model_run}: against PyTorch: max {difference.max():.5f} mean {difference.mean():.5f} "
          f"same class {same:.4f} of {len(actual)} rows")
    sys.exit(0 if difference.mean() <= arguments.most_mean else 1)


if __name__ == "__main__":
    main()
