#!/usr/bin/python3
"""Trains the small LSTM of the demo on what `tiercel features` wrote, and writes it for `tiercel model quantize`.

    train_lstm.py --rows rows.csv --output model.safetensors --name bitstamp-lstm [--hidden 64] [--seed 1] ...

Input: session,label,split,f_... in played order. Only rows of split `train` (the first 70 % of the tape) are learned
from; the last --validation of those, in tape order, are kept back to choose the epoch. Rows of split `test` are
looked at once, at the end, to report.

Training is truncated back-propagation through time: each session is cut into streams of consecutive rows, a stream
is read in windows of --window rows, and the state is carried from window to window as the live session carries it.
Scoring plays each session from its first row to its last, like the appliance.

Output: OUTPUT with `lstm.weight_ih_l0`, ..., `head.weight`, `head.bias` (PyTorch's names and gate order i, f, g, o;
inputs are normalised features), and OUTPUT's name with .yaml: normalisation, labels, provenance, quality.
Seeded, one thread, deterministic: the same machine and versions give the same file.
"""
import argparse
import copy
import hashlib
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import safetensors_io
from market_rows import LABELS, SPLITS, Rows, scores

WARM_UP_ROWS = 64        # rows at the head of a stream that only bring the state up to date
LABEL_GAP_ROWS = 64      # rows dropped before the validation slice: longer than any label looks ahead
SCALE_FLOOR = 1e-3
UNKNOWN = -1             # no label to learn from


class Network(nn.Module):
    """The shape that the appliance calls `lstm`: a stack of LSTM layers and a dense head on the last hidden state."""

    def __init__(self, features, hidden, layers, classes, dropout):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, layers, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, classes)

    def forward(self, x, state=None):
        output, state = self.lstm(x, state)
        return self.head(self.drop(output)), state


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=Path, required=True, help="CSV of `tiercel features`")
    parser.add_argument("--output", type=Path, required=True, help="safetensors file to write; .yaml goes beside it")
    parser.add_argument("--name", required=True, help="name of the model, for the YAML")
    parser.add_argument("--data", default="", help="what the rows come from, for the provenance")
    parser.add_argument("--label-rule", default="", help="what a label means, for the provenance")
    parser.add_argument("--probabilities", type=Path, help=".npy file for the probabilities of every row, to compare")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=60, help="at most")
    parser.add_argument("--patience", type=int, default=8, help="epochs without a better validation loss")
    parser.add_argument("--streams", type=int, default=32, help="streams read side by side")
    parser.add_argument("--window", type=int, default=64, help="rows of one truncated back-propagation")
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate of AdamW, decaying to a tenth")
    parser.add_argument("--weight-decay", type=float, default=1e-2)
    parser.add_argument("--dropout", type=float, default=0.2, help="before the head, in training only")
    parser.add_argument("--validation", type=float, default=0.15, help="share of the training rows, the last ones")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="1 or 2; the file depends on it")
    return parser.parse_args()


def divide(rows, validation_share):
    """Per row: 1 learn, 2 validate, 3 test, 0 none of them. Sessions follow one another on the tape."""
    order = np.concatenate(rows.sessions())
    train = order[rows.split[order] == SPLITS["train"]]
    border = int(len(train) * (1 - validation_share))
    use = np.zeros(len(rows.label), dtype=np.int64)
    use[train[:border - LABEL_GAP_ROWS]] = 1
    use[train[border:]] = 2
    use[rows.split == SPLITS["test"]] = 3
    return use


class Streams:
    """Runs of consecutive rows of one session that hold all rows to learn from, side by side, padded at the end."""

    def __init__(self, rows, use, count):
        sessions = [index for index in rows.sessions() if np.any(use[index] == 1)]
        learn = [index[:np.flatnonzero(use[index] == 1)[-1] + 1] for index in sessions]
        length = -(-sum(len(index) for index in learn) // count)
        parts = []
        self.before = []
        for index in learn:
            at = 0
            for part in np.array_split(index, max(1, round(len(index) / length))):
                self.before.append(torch.from_numpy(index[max(0, at - WARM_UP_ROWS):at]))
                parts.append(torch.from_numpy(part))
                at += len(part)
        self.index = nn.utils.rnn.pad_sequence(parts, batch_first=True, padding_value=0)
        self.inside = nn.utils.rnn.pad_sequence([torch.ones_like(part) for part in parts], batch_first=True) == 1

    @torch.no_grad()
    def states(self, network, x):
        """At the head of each stream: of a new session, or after the rows of the session just before it."""
        hidden = torch.zeros(network.lstm.num_layers, len(self.before), network.lstm.hidden_size)
        cell = torch.zeros_like(hidden)
        for i, before in enumerate(self.before):
            if len(before) > 0:
                _, (h, c) = network.lstm(x[before].unsqueeze(0))
                hidden[:, i], cell[:, i] = h[:, 0], c[:, 0]
        return hidden, cell


def train_epoch(network, optimiser, x, y, streams, window, generator):
    """One pass. The first window has a random length, so that the borders fall elsewhere in every epoch."""
    network.train()
    longest = streams.index.shape[1]
    first = 1 + int(torch.randint(window, (1,), generator=generator))
    edges = [0] + list(range(first, longest, window)) + [longest]
    state = streams.states(network, x)
    loss_sum = count = 0
    for begin, end in zip(edges[:-1], edges[1:]):
        index = streams.index[:, begin:end]
        target = torch.where(streams.inside[:, begin:end], y[index], UNKNOWN)
        logits, state = network(x[index], state)
        state = tuple(part.detach() for part in state)
        known = int((target >= 0).sum())
        if known == 0:
            continue
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=UNKNOWN)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        loss_sum += float(loss.detach()) * known
        count += known
    return loss_sum / count


@torch.no_grad()
def play(network, x, sessions):
    """Probabilities of every row, each session from its first row to its last with its own state."""
    network.eval()
    probabilities = np.zeros((len(x), network.head.out_features), dtype=np.float32)
    for index in sessions:
        logits, _ = network(x[index].unsqueeze(0))
        probabilities[index] = torch.softmax(logits[0], dim=-1).numpy()
    return probabilities


def train(arguments, rows, use):
    torch.manual_seed(arguments.seed)
    generator = torch.Generator().manual_seed(arguments.seed)
    learn = use == 1
    mean = rows.features[learn].mean(axis=0, dtype=np.float64).astype(np.float32)
    scale = np.maximum(rows.features[learn].std(axis=0, dtype=np.float64), SCALE_FLOOR).astype(np.float32)
    x = torch.from_numpy((rows.features - mean) / scale)
    y = torch.from_numpy(np.where(learn, rows.label, UNKNOWN))
    network = Network(x.shape[1], arguments.hidden, arguments.layers, len(LABELS), arguments.dropout)
    optimiser = torch.optim.AdamW(network.parameters(), lr=arguments.rate, weight_decay=arguments.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, arguments.epochs, eta_min=arguments.rate / 10)
    sessions = rows.sessions()
    streams = Streams(rows, use, arguments.streams)
    best = (np.inf, -1, None)
    for epoch in range(arguments.epochs):
        loss = train_epoch(network, optimiser, x, y, streams, arguments.window, generator)
        schedule.step()
        validation = scores(play(network, x, sessions)[use == 2], rows.label[use == 2])
        print(f"epoch {epoch + 1}: train {loss:.4f} validation {validation['logLoss']:.4f} "
              f"accuracy {validation['accuracy']:.4f}", flush=True)
        if validation["logLoss"] < best[0]:
            best = (validation["logLoss"], epoch, copy.deepcopy(network.state_dict()))
        elif epoch - best[1] >= arguments.patience:
            break
    network.load_state_dict(best[2])
    return network, mean, scale, x, best[1] + 1


def linear_baseline(x, rows, use, seed):
    """Multinomial logistic regression on the same features, no memory: what the recurrence has to be better than."""
    torch.manual_seed(seed)
    model = nn.Linear(x.shape[1], len(LABELS))
    learn = torch.from_numpy(np.flatnonzero(use == 1))
    target = torch.from_numpy(rows.label)[learn]
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=100)

    def closure():
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(x[learn]), target)
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        return scores(torch.softmax(model(x[use == 3]), dim=-1).numpy(), rows.label[use == 3])


def yaml_list(values):
    return "[" + ", ".join(values) + "]"


def write_yaml(path, arguments, rows, use, mean, scale, epoch, reports):
    """What `tiercel model quantize` reads beside the weights. By hand: no YAML package is needed for so little."""
    def numbers(values):
        return yaml_list([repr(float(value)) for value in values])

    provenance = {
        "name": arguments.name,
        "data": arguments.data,
        "label-rule": arguments.label_rule,
        "rows-sha256": hashlib.sha256(arguments.rows.read_bytes()).hexdigest(),
        "split": "by tape row: first 70 % train, last 30 % test; the last "
                 f"{arguments.validation:.0%} of train choose the epoch",
        "rows": f"{np.sum(use == 1)} learned, {np.sum(use == 2)} validation, {np.sum(use == 3)} test",
        "seed": arguments.seed,
        "epochs": epoch,
        "torch": torch.__version__,
        "validation": report_text(reports["lstm validation"]),
        "linear-baseline": report_text(reports["linear test"]),
    }
    lines = [
        "task: classification",
        f"labels: {yaml_list(LABELS)}",
        "features:",
        f"  names: {yaml_list(rows.names)}",
        f"  mean: {numbers(mean)}",
        f"  deviation: {numbers(scale)}",
        "provenance:",
    ]
    lines += [f'  {key}: "{value}"' for key, value in provenance.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def report_text(report):
    return ", ".join(f"{key} {value}" if key == "rows" else f"{key} {value:.4f}" for key, value in report.items())


def main():
    arguments = parse_arguments()
    torch.set_num_threads(min(2, max(1, arguments.threads)))
    torch.use_deterministic_algorithms(True)
    started = time.monotonic()
    rows = Rows(arguments.rows)
    use = divide(rows, arguments.validation)
    for name, value in (("train", 1), ("validation", 2), ("test", 3)):
        shares = np.bincount(rows.label[use == value], minlength=len(LABELS)) / max(1, np.sum(use == value))
        print(f"{name}: {np.sum(use == value)} rows, " +
              ", ".join(f"{label} {share:.3f}" for label, share in zip(LABELS, shares)))
    network, mean, scale, x, epoch = train(arguments, rows, use)
    probabilities = play(network, x, rows.sessions())
    reports = {
        "lstm test": scores(probabilities[use == 3], rows.label[use == 3]),
        "lstm validation": scores(probabilities[use == 2], rows.label[use == 2]),
        "linear test": linear_baseline(x, rows, use, arguments.seed),
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.numpy() for name, value in network.state_dict().items()}
    safetensors_io.write(arguments.output, tensors, {"format": "pt"})
    write_yaml(arguments.output.with_suffix(".yaml"), arguments, rows, use, mean, scale, epoch, reports)
    if arguments.probabilities:
        np.save(arguments.probabilities, probabilities)
    for name, report in reports.items():
        print(f"{name}: {report_text(report)}")
    print(f"{arguments.output}: epoch {epoch}, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
