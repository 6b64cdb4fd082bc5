#!/usr/bin/python3
"""Trains a small Llama-shaped decoder to predict the next event of an order flow.

    train_events.py --events lobster-events.npy --vocabulary lobster-vocabulary.json --output fp32/lobster-events

Reads what `tiercel events` wrote. The first 70 % of the tape are for learning, of which the last 15 % only choose the
epoch; the last 30 % are scored once, at the end, as a stream: each event sees itself and the 255 before it, in every
layer, as the appliance serves it. An instrument's first event begins a stream.

Half of the sequences are learned with the sides exchanged (token ^ 1): a market seen from the other side is a market.

Output, as Hugging Face has it: config.json and model.safetensors; beside them the vocabulary, and provenance.yaml with
the scores, which are those of the files as written. Seeded, one thread, deterministic: the same machine and versions
(of the BLAS too) give the same file.
"""
import argparse
import copy
import hashlib
import json
import math
import shutil
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import safetensors_io
from llama import Llama

SESSION, TOKEN, SPLIT, NEXT_MOVE = range(4)      # columns of the .npy
TRAIN, TEST = 1, 2
UP, FLAT, DOWN = range(3)
PRIOR_EVENTS = 128                               # of the bigram, as TokenEntropy.java has it
CHUNK = 512                                      # events of a stream that are computed at once
LOGIT_EVENTS = 1024                              # of the first session: what an engine can be compared with
IGNORED = -100


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=Path, required=True, help=".npy of `tiercel events`")
    parser.add_argument("--vocabulary", type=Path, required=True, help="JSON that `tiercel events` saved")
    parser.add_argument("--output", type=Path, help="folder to write; without it only the validation is scored")
    parser.add_argument("--logits", type=Path, help=f".npy for the logits after the first {LOGIT_EVENTS} events, each")
    parser.add_argument("--name", default="events", help="name of the model, for the provenance")
    parser.add_argument("--data", default="", help="what the events come from, for the provenance")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--kv-heads", type=int, default=1)
    parser.add_argument("--head-size", type=int, default=32)
    parser.add_argument("--mlp", type=int, default=176)
    parser.add_argument("--window", type=int, default=256, help="events that an event sees, itself included")
    parser.add_argument("--tied", action="store_true", help="the head is the embedding")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--patience", type=int, default=6, help="epochs without a better validation loss")
    parser.add_argument("--batch", type=int, default=8, help="sequences of a step")
    parser.add_argument("--sequence", type=int, default=512, help="events of a sequence")
    parser.add_argument("--rate", type=float, default=3e-3, help="of AdamW; rises for an epoch, falls to a tenth")
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--no-mirror", action="store_true", help="learn no sequence with the sides exchanged")
    parser.add_argument("--validation", type=float, default=0.15, help="share of the training events, the last ones")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Events:
    """The tape by session: tokens, and for each but the last event what part the prediction after it is in."""

    def __init__(self, path, vocabulary, validation_share):
        rows = np.load(path)
        self.vocabulary = json.loads(vocabulary.read_text(encoding="utf-8"))
        self.token_count = len(self.vocabulary["names"])
        self.mean_moves = np.array(self.vocabulary["meanMoves"])
        if rows[:, TOKEN].max() >= self.token_count:
            raise SystemExit(f"{path}: token={rows[:, TOKEN].max()} is not in {vocabulary}")
        sessions = [rows[rows[:, SESSION] == key] for key in np.unique(rows[:, SESSION])]
        self.tokens = [torch.from_numpy(each[:, TOKEN].astype(np.int64)) for each in sessions]
        self.moves = [each[:-1, NEXT_MOVE] for each in sessions]
        split = np.concatenate([each[:-1, SPLIT] for each in sessions])
        train = np.flatnonzero(split == TRAIN)        # sessions follow one another on the tape
        border = int(len(train) * (1 - validation_share))
        parts = np.full(len(split), "none", dtype="<U10")
        parts[train[:border]] = "learn"
        parts[train[border:]] = "validation"
        parts[split == TEST] = "test"
        ends = np.cumsum([len(each) - 1 for each in self.tokens])
        self.parts = np.split(parts, ends[:-1])

    def pairs(self, *names):
        """What is known and what is to be predicted, in the given parts, and the moves of the price."""
        chosen = [np.isin(part, names) for part in self.parts]
        return (np.concatenate([t.numpy()[:-1][c] for t, c in zip(self.tokens, chosen)]),
                np.concatenate([t.numpy()[1:][c] for t, c in zip(self.tokens, chosen)]),
                np.concatenate([m[c] for m, c in zip(self.moves, chosen)]))


def sequences(events, length, generator):
    """All that is to be learned, cut at other places in every epoch, in random order: inputs and targets."""
    inputs, targets = [], []
    for tokens, part in zip(events.tokens, events.parts):
        end = int(np.sum(part == "learn"))
        if end == 0:
            continue
        first = int(torch.randint(1, length + 1, (1,), generator=generator))
        edges = [0] + list(range(first, end, length)) + [end]
        for begin, stop in zip(edges[:-1], edges[1:]):
            x = torch.zeros(length, dtype=torch.int64)
            y = torch.full((length,), IGNORED)
            x[:stop - begin] = tokens[begin:stop]
            y[:stop - begin] = tokens[begin + 1:stop + 1]
            inputs.append(x)
            targets.append(y)
    order = torch.randperm(len(inputs), generator=generator)
    return torch.stack(inputs)[order], torch.stack(targets)[order]


def mirrored(tokens, chosen):
    return torch.where((tokens >= 0) & chosen[:, None], tokens ^ 1, tokens)


@torch.no_grad()
def stream(model, events, name):
    """For each prediction of a part: the logarithms of the probabilities of all tokens, [count, tokens].

    A stream with a window forgets: what is more than layers x (window - 1) events ago has no influence. So it is
    enough to begin that far before the first event asked for.
    """
    model.eval()
    reach = model.config["num_hidden_layers"] * (model.window - 1)
    found = []
    for tokens, part in zip(events.tokens, events.parts):
        wanted = np.flatnonzero(part == name)
        if len(wanted) == 0:
            continue
        past = None
        for begin in range(max(0, wanted[0] - reach), wanted[-1] + 1, CHUNK):
            end = min(begin + CHUNK, wanted[-1] + 1)
            logits, past = model(tokens[None, begin:end], past)
            inside = wanted[(wanted >= begin) & (wanted < end)] - begin
            found.append(torch.log_softmax(logits[0, inside], dim=-1))
    return torch.cat(found).numpy()


def scores(log_probabilities, target, moves, mean_moves):
    """Perplexity of the next event; the share of its moves of the price whose direction was expected."""
    loss = -np.mean(log_probabilities[np.arange(len(target)), target], dtype=np.float64)
    expected = np.exp(log_probabilities.astype(np.float64)) @ mean_moves
    moved = (moves == UP) | (moves == DOWN)
    right = np.sign(expected) == np.where(moves == UP, 1, -1)
    return {
        "events": int(len(target)),
        "bits": loss / math.log(2),
        "perplexity": math.exp(loss),
        "top1": float(np.mean(log_probabilities.argmax(axis=1) == target)),
        "moves": int(moved.sum()),
        "direction": float(right[moved].mean()),
    }


def baselines(events, name):
    """Unigram and bigram counted on the training events before the part, as TokenEntropy.java has them."""
    known, target, _ = events.pairs(*(["learn", "validation"] if name == "test" else ["learn"]))
    count = events.token_count
    unigram = (np.bincount(target, minlength=count) + 1) / (len(target) + count)
    pairs = np.zeros((count, count))
    np.add.at(pairs, (known, target), 1)
    bigram = (pairs + PRIOR_EVENTS * unigram) / (pairs.sum(axis=1, keepdims=True) + PRIOR_EVENTS)
    known, target, moves = events.pairs(name)
    return {
        "unigram": scores(np.tile(np.log(unigram), (len(target), 1)), target, moves, events.mean_moves),
        "bigram": scores(np.log(bigram)[known], target, moves, events.mean_moves),
    }


def train(arguments, events, config):
    torch.manual_seed(arguments.seed)
    generator = torch.Generator().manual_seed(arguments.seed)
    model = Llama(config, arguments.dropout)
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": arguments.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        lr=arguments.rate, betas=(0.9, 0.95))
    steps = -(-len(sequences(events, arguments.sequence, torch.Generator())[0]) // arguments.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_factor(step, steps, arguments.epochs))
    _, target, moves = events.pairs("validation")
    best = (math.inf, -1, None)
    for epoch in range(arguments.epochs):
        started = time.monotonic()
        model.train()
        loss_sum = count = 0
        inputs, targets = sequences(events, arguments.sequence, generator)
        for x, y in zip(inputs.split(arguments.batch), targets.split(arguments.batch)):
            if not arguments.no_mirror:
                chosen = torch.rand(len(x), generator=generator) < 0.5
                x, y = mirrored(x, chosen), mirrored(y, chosen)
            logits, _ = model(x)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=IGNORED)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            known = int((y >= 0).sum())
            loss_sum += float(loss.detach()) * known
            count += known
        validation = scores(stream(model, events, "validation"), target, moves, events.mean_moves)
        print(f"epoch {epoch + 1}: train {loss_sum / count / math.log(2):.4f} bits, validation "
              f"{validation['bits']:.4f} bits, direction {validation['direction']:.4f}, "
              f"{time.monotonic() - started:.0f} s", flush=True)
        if validation["bits"] < best[0]:
            best = (validation["bits"], epoch, copy.deepcopy(model.state_dict()))
        elif epoch - best[1] >= arguments.patience:
            break
    model.load_state_dict(best[2])
    return model, best[1] + 1


def rate_factor(step, steps, epochs):
    """Rises over the first epoch, then falls along a cosine to a tenth."""
    if step < steps:
        return (step + 1) / steps
    share = min(1.0, (step - steps) / max(1, steps * (epochs - 1)))
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * share))


def hugging_face_config(arguments, token_count):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": arguments.hidden,
        "intermediate_size": arguments.mlp,
        "num_hidden_layers": arguments.layers,
        "num_attention_heads": arguments.heads,
        "num_key_value_heads": arguments.kv_heads,
        "head_dim": arguments.head_size,
        "vocab_size": token_count,
        "max_position_embeddings": arguments.window,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": arguments.tied,
        "torch_dtype": "float32",
        "bos_token_id": None,
        "eos_token_id": None,
    }


def report_text(report):
    return ", ".join(f"{key} {value}" if isinstance(value, int) else f"{key} {value:.4f}"
                     for key, value in report.items())


def write_model(folder, model, vocabulary):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(model.config, indent=2) + "\n", encoding="utf-8")
    tensors = {name: value.numpy() for name, value in model.state_dict().items()}
    safetensors_io.write(folder / "model.safetensors", tensors, {"format": "pt"})
    shutil.copyfile(vocabulary, folder / "vocabulary.json")


def read_model(folder):
    model = Llama(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    tensors, _ = safetensors_io.read(folder / "model.safetensors")
    model.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in tensors.items()})
    return model.eval()


def write_provenance(arguments, epoch, reports):
    provenance = {
        "name": arguments.name,
        "data": arguments.data,
        "events-sha256": hashlib.sha256(arguments.events.read_bytes()).hexdigest(),
        "split": "by tape row: first 70 % train, last 30 % test; the last "
                 f"{arguments.validation:.0%} of train choose the epoch",
        "seed": arguments.seed,
        "epochs": epoch,
        "torch": torch.__version__,
    }
    provenance.update((name.replace(" ", "-"), report_text(report)) for name, report in reports.items())
    lines = ["provenance:"] + [f'  {key}: "{value}"' for key, value in provenance.items()]
    (arguments.output / "provenance.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    arguments = parse_arguments()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    started = time.monotonic()
    events = Events(arguments.events, arguments.vocabulary, arguments.validation)
    model, epoch = train(arguments, events, hugging_face_config(arguments, events.token_count))
    print(f"{sum(p.numel() for p in model.parameters())} parameters, epoch {epoch}, "
          f"{time.monotonic() - started:.0f} s")
    if arguments.output:
        write_model(arguments.output, model, arguments.vocabulary)
        model = read_model(arguments.output)
    reports = {}
    for name in ["validation"] + (["test"] if arguments.output else []):
        reports.update((f"{key} {name}", value) for key, value in baselines(events, name).items())
        _, target, moves = events.pairs(name)
        reports[f"transformer {name}"] = scores(stream(model, events, name), target, moves, events.mean_moves)
    for name, report in reports.items():
        print(f"{name}: {report_text(report)}")
    if arguments.output:
        write_provenance(arguments, epoch, reports)
    if arguments.logits:
        with torch.no_grad():
            np.save(arguments.logits, model.eval()(events.tokens[0][None, :LOGIT_EVENTS])[0][0].numpy())


if __name__ == "__main__":
    main()
