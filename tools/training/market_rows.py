"""Reads what `tiercel features` writes."""
import csv

import numpy as np

SPLITS = {"": 0, "train": 1, "test": 2}
NO_LABEL = -1
LABELS = ["up", "flat", "down"]
FEATURE_PREFIX = "f_"
FIXED_COLUMNS = ["session", "label", "split"]


class Rows:
    """Columns of the file, in played order."""

    def __init__(self, path):
        with open(path, newline="", encoding="ascii") as file:
            reader = csv.reader(file)
            header = next(reader)
            if header[:3] != FIXED_COLUMNS or not all(name.startswith(FEATURE_PREFIX) for name in header[3:]):
                raise SystemExit(f"{path}: header is not session,label,split,f_...")
            rows = list(reader)
        self.names = header[3:]
        self.session = np.array([int(row[0]) for row in rows])
        self.label = np.array([int(row[1]) if row[1] else NO_LABEL for row in rows])
        self.split = np.array([SPLITS[row[2]] for row in rows])
        self.features = np.array([row[3:] for row in rows], dtype=np.float32)

    def sessions(self):
        """For each session, in the order of its key: the indices of its rows."""
        return [np.flatnonzero(self.session == key) for key in np.unique(self.session)]


def scores(probabilities, label):
    """Accuracy, best constant answer in hindsight, balanced accuracy, log loss; as PredictionScore.java has them."""
    best = probabilities.argmax(axis=1)
    counts = np.bincount(label, minlength=len(LABELS))
    found = [np.mean(best[label == k] == k) for k in range(len(LABELS)) if counts[k]]
    likelihood = np.maximum(probabilities[np.arange(len(label)), label], 1e-9)
    return {
        "rows": int(len(label)),
        "accuracy": float(np.mean(best == label)),
        "majority": float(counts.max() / len(label)),
        "balancedAccuracy": float(np.mean(found)),
        "logLoss": float(-np.mean(np.log(likelihood))),
    }
