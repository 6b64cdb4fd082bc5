#!/usr/bin/python3
"""Fits the engine's tanh and exp2, and proves what the javadoc says of them.

    tanh(x) = x P(x^2) / Q(x^2), |x| <= LIMIT    p0 = q0 = 1, minimax in relative error
    exp2(f) = 1 + f R(f),        |f| <= 1/2      minimax in relative error

The fit is Lawson's: weighted least squares in double precision, each point's weight multiplied by its error until
the errors are level. The coefficients are then rounded to binary32, and the formula is evaluated in binary32, in the
order in which `Activations.java` writes it, over every float of the domain (numpy rounds each operation once and
fuses nothing), so the errors printed are exact statements, not samples.

    fit_activations.py            the coefficients, and the errors over a sample
    fit_activations.py --every    the same over every float (minutes)
"""
import sys

import numpy as np

LIMIT = 8.0
TANH_P_TERMS = 4    # x^2 .. x^8 in P, after the constant 1
TANH_Q_TERMS = 4
EXP2_TERMS = 6


def lawson(columns, target, weight, rounds=3000):
    """Coefficients a that make max |weight (columns a - target)| small, and that maximum."""
    lawson_weight = np.full(len(target), 1.0 / len(target))
    best = (np.inf, None)
    for _ in range(rounds):
        root = np.sqrt(lawson_weight) * weight
        a = np.linalg.lstsq(columns * root[:, None], target * root, rcond=None)[0]
        error = np.abs((columns @ a - target) * weight)
        if error.max() < best[0]:
            best = (error.max(), a)
        lawson_weight *= error + 1e-3 * error.max()
        lawson_weight /= lawson_weight.sum()
    return best[1], best[0]


def fit_tanh(p_terms=TANH_P_TERMS, q_terms=TANH_Q_TERMS):
    """x P(x^2) - tanh(x) Q(x^2) = 0, weighted by the last Q: a rational fit as a sequence of linear ones."""
    x = LIMIT * (1 - np.cos(np.linspace(0, np.pi / 2, 4001)[1:]))
    y, t = x * x, np.tanh(x)
    columns = np.column_stack([x * y ** k for k in range(1, p_terms + 1)] +
                              [-t * y ** k for k in range(1, q_terms + 1)])
    scale = np.abs(columns).max(axis=0)
    q = np.ones_like(x)
    for _ in range(12):
        a, _ = lawson(columns / scale, t - x, 1.0 / (q * t), 400)
        a = a / scale
        p, q_new = a[:p_terms], 1 + sum(a[p_terms + k] * y ** (k + 1) for k in range(q_terms))
        q = q_new
    value = x * (1 + sum(p[k] * y ** (k + 1) for k in range(p_terms))) / q
    return p, a[p_terms:], np.abs(value / t - 1).max()


def fit_exp2(terms=EXP2_TERMS):
    f = 0.5 * np.cos(np.linspace(0, np.pi, 4001))
    f = f[np.abs(f) > 1e-6]
    columns = np.column_stack([f ** k for k in range(1, terms + 1)])
    return lawson(columns, np.exp2(f) - 1, np.exp2(-f))


def horner(coefficients, x):
    value = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * x + coefficient
    return value


def tanh32(x, p, q):
    x = np.maximum(np.minimum(x, np.float32(LIMIT)), np.float32(-LIMIT))
    y = x * x
    return x * horner(p, y) / horner(q, y)


def sigmoid32(x, p, q):
    return np.float32(0.5) * tanh32(np.float32(0.5) * x, p, q) + np.float32(0.5)


def floats(low, high, every):
    """The binary32 numbers from low to high, in pieces: all of them, or one in 997."""
    first, last = (int(np.float32(v).view(np.uint32)) for v in (low, high))
    step = 1 if every else 997
    for start in range(first, last + 1, step << 22):
        yield np.arange(start, min(start + (step << 22), last + 1), step, dtype=np.uint32).view(np.float32)


def survey(name, function, exact, pieces):
    """The pieces rise; so should the values, but for rounding."""
    absolute = relative = backward = 0.0
    largest, previous = -np.inf, None
    for x in pieces:
        value, truth = function(x), exact(x.astype(np.float64))
        error = np.abs(value.astype(np.float64) - truth)
        absolute, relative = max(absolute, error.max()), max(relative, (error / np.abs(truth)).max())
        largest = max(largest, value.max())
        falls = np.maximum.accumulate(value) - value
        backward = max(backward, falls.max(), 0.0 if previous is None else float(previous - value[0]))
        previous = value.max()
    print(f"{name}: absolute {absolute:.3e}, relative {relative:.3e}, largest value {largest!r}, "
          f"falls back by at most {backward:.3e}")


def show(name, coefficients):
    for k, c in enumerate(coefficients):
        print(f"  {name}{k} = {c!r}  {float(c).hex()}")


def main():
    every = "--every" in sys.argv[1:]
    p, q, tanh_error = fit_tanh()
    r, exp2_error = fit_exp2()
    p = np.concatenate([[1.0], p]).astype(np.float32)
    q = np.concatenate([[1.0], q]).astype(np.float32)
    r = np.concatenate([[1.0], r]).astype(np.float32)
    print(f"before rounding: tanh relative {tanh_error:.2e}, exp2 relative {exp2_error:.2e}")
    show("P", p)
    show("Q", q)
    show("R", r)
    survey("tanh", lambda x: tanh32(x, p, q), np.tanh, floats(1e-30, 20, every))
    survey("sigmoid, x > 0", lambda x: sigmoid32(x, p, q), lambda x: 1 / (1 + np.exp(-x)), floats(1e-30, 40, every))
    survey("exp2, f > 0", lambda x: horner(r, x), np.exp2, floats(1e-30, 0.5, every))
    survey("-exp2, f < 0", lambda x: -horner(r, -x), lambda x: -np.exp2(-x), floats(1e-30, 0.5, every))


if __name__ == "__main__":
    main()
