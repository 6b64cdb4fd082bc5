"""Writes an LSTM of any size with random weights for the Bitstamp tape, to measure what a size costs:

    python3 random_lstm.py LAYERS HIDDEN WEIGHTS.safetensors

and beside it the YAML that `tiercel model quantize` reads. It predicts nothing. The same arguments give the same file.
Needs nothing but Python, so the format (see safetensors_io.py) is written down here as well.
"""
import array
import json
import pathlib
import random
import struct
import sys

BITSTAMP = pathlib.Path(__file__).parent / "fp32" / "bitstamp.yaml"
FEATURES = 24
OUTPUTS = 3


def shapes(layers, hidden):
    """PyTorch's names."""
    yield "head.bias", [OUTPUTS]
    yield "head.weight", [OUTPUTS, hidden]
    for layer in range(layers):
        yield f"lstm.bias_hh_l{layer}", [4 * hidden]
        yield f"lstm.bias_ih_l{layer}", [4 * hidden]
        yield f"lstm.weight_hh_l{layer}", [4 * hidden, hidden]
        yield f"lstm.weight_ih_l{layer}", [4 * hidden, FEATURES if layer == 0 else hidden]


def main():
    layers, hidden, path = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    generator = random.Random(1)
    limit = hidden**-0.5  # PyTorch's own first weights are uniform within it
    header, data = {}, bytearray()
    for name, shape in shapes(layers, hidden):
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        begin = len(data)
        data += array.array("f", (generator.uniform(-limit, limit) for _ in range(count))).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    settings = BITSTAMP.read_text().split("provenance:")[0]
    path.with_suffix(".yaml").write_text(settings + 'provenance:\n  name: "random weights, to measure with"\n')


if __name__ == "__main__":
    main()
