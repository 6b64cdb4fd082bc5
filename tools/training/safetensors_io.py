"""Writes and reads safetensors files of fp32 tensors: 8 bytes little-endian header length, a JSON header, the data.

Debian has no package for the format, and it is small: https://github.com/huggingface/safetensors, section "Format".
The header is padded with spaces to a multiple of 64 bytes and tensors follow one another in the order of their
names, so that the same tensors give the same file.
"""
import json
import struct

import numpy as np

ALIGNMENT = 64


def write(path, tensors, metadata=None):
    """tensors: name -> array; written as fp32. metadata: str -> str."""
    header, offset = {}, 0
    if metadata:
        header["__metadata__"] = {key: str(metadata[key]) for key in sorted(metadata)}
    arrays = {name: np.ascontiguousarray(tensors[name], dtype="<f4") for name in sorted(tensors)}
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for array in arrays.values():
            file.write(array.tobytes())


def read(path):
    """name -> fp32 array, and the metadata."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name}: dtype={entry['dtype']}, expected F32")
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"])
    return tensors, metadata
