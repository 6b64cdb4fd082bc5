#!/usr/bin/python3
"""Writes what the test of `tiercel model quantize` compares itself with: a small two-layer LSTM with PyTorch's own
initial weights (nothing is trained), rows of three interleaved sessions, and PyTorch's probabilities for each row.

    pytorch_fixture.py ../src/test/resources/io/tiercel/tools/model
"""
import csv
import json
import pathlib
import struct
import sys

import torch

FEATURES, HIDDEN, LAYERS, OUTPUTS, ROWS, SESSIONS = 5, 12, 2, 3, 120, 3


def save_safetensors(path, tensors):
    """The format by hand: length, JSON header, data back to back."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().to(torch.float32).numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(20240607)
    lstm = torch.nn.LSTM(FEATURES, HIDDEN, LAYERS)
    head = torch.nn.Linear(HIDDEN, OUTPUTS)
    for parameter in lstm.parameters():
        parameter.data *= 2.0
    head.weight.data *= 4.0
    mean, deviation = torch.linspace(-1, 2, FEATURES), torch.linspace(0.5, 3, FEATURES)
    tensors = {f"lstm.{name}": value for name, value in lstm.named_parameters()}
    tensors.update({f"head.{name}": value for name, value in head.named_parameters()})
    save_safetensors(folder / "pytorch_lstm.safetensors", tensors)

    names = [f"f_{i}" for i in range(FEATURES)]
    rows = torch.randn(ROWS, FEATURES) * deviation + mean
    states = [None] * SESSIONS
    with open(folder / "pytorch_lstm_rows.csv", "w", newline="") as inputs, \
            open(folder / "pytorch_lstm_expected.csv", "w", newline="") as outputs:
        write_row = csv.writer(inputs, lineterminator="\n").writerow
        write_expected = csv.writer(outputs, lineterminator="\n").writerow
        write_row(["session", "label", "split"] + names)
        write_expected(["session", "down", "flat", "up"])
        for k, row in enumerate(rows):
            session = (k * 7) % 11 % SESSIONS
            with torch.no_grad():
                out, states[session] = lstm(((row - mean) / deviation).view(1, 1, -1), states[session])
                p = torch.softmax(head(out.view(-1)).double(), dim=0)
            label = int(torch.multinomial(p, 1))
            split = "train" if k < ROWS * 0.7 else "test"
            write_row([session, label, split] + [repr(float(v)) for v in row])
            write_expected([session] + [repr(float(v)) for v in p])
    lines = ["task: classification", "labels: [down, flat, up]", "features:",
             f"  names: [{', '.join(names)}]",
             f"  mean: [{', '.join(repr(float(v)) for v in mean)}]",
             f"  deviation: [{', '.join(repr(float(v)) for v in deviation)}]",
             "provenance:", "  origin: PyTorch's initial weights, twice as large", f"  torch: '{torch.__version__}'"]
    (folder / "pytorch_lstm.yaml").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
