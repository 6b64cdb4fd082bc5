"""The Llama shape in PyTorch, with Hugging Face's names: RMSNorm, rotary positions, grouped-query attention, SwiGLU,
no biases. Each event sees itself and the `window - 1` events before it, in training as when it is served.

Rotary positions are in Hugging Face's "halves" convention: element i of a head turns together with element
i + head_dim / 2, by position / theta^(2 i / head_dim). Only differences of positions matter, so a stream may count
from anywhere.
"""
import torch
from torch import nn


class RmsNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


def rotary(count, head_dim, theta):
    """cos and sin, [count, head_dim], for the positions from 0."""
    frequency = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    angle = torch.arange(count, dtype=torch.float64)[:, None] * frequency
    angle = torch.cat([angle, angle], dim=-1)
    return angle.cos().float(), angle.sin().float()


def rotate(x, cos, sin):
    low, high = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-high, low], dim=-1) * sin


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads, self.kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
        self.head_dim = config["head_dim"]
        size = config["hidden_size"]
        self.q_proj = nn.Linear(size, self.heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(size, self.kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(size, self.kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(self.heads * self.head_dim, size, bias=False)

    def forward(self, x, positions, mask, past):
        """x: [batch, new, size]. past: keys (not yet turned) and values of the events just before, or None."""
        batch, new, _ = x.shape
        q = self.q_proj(x).view(batch, new, self.heads, self.head_dim).transpose(1, 2)
        k = self.k_proj(x).view(batch, new, self.kv_heads, self.head_dim).transpose(1, 2)
        v = self.v_proj(x).view(batch, new, self.kv_heads, self.head_dim).transpose(1, 2)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        present = (k, v)
        cos, sin = positions
        q, k = rotate(q, cos[-new:], sin[-new:]), rotate(k, cos, sin)
        group = self.heads // self.kv_heads
        k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
        scores = q @ k.transpose(-1, -2) * self.head_dim ** -0.5 + mask
        out = torch.softmax(scores, dim=-1) @ v
        return self.o_proj(out.transpose(1, 2).reshape(batch, new, -1)), present


class Mlp(nn.Module):
    def __init__(self, config):
        super().__init__()
        size, hidden = config["hidden_size"], config["intermediate_size"]
        self.gate_proj = nn.Linear(size, hidden, bias=False)
        self.up_proj = nn.Linear(size, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, size, bias=False)

    def forward(self, x):
        return self.down_proj(nn.functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config, dropout):
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = Mlp(config)
        self.input_layernorm = RmsNorm(config["hidden_size"], config["rms_norm_eps"])
        self.post_attention_layernorm = RmsNorm(config["hidden_size"], config["rms_norm_eps"])
        self.drop = nn.Dropout(dropout)

    def forward(self, x, positions, mask, past):
        attention, present = self.self_attn(self.input_layernorm(x), positions, mask, past)
        x = x + self.drop(attention)
        return x + self.drop(self.mlp(self.post_attention_layernorm(x))), present


class Decoder(nn.Module):
    def __init__(self, config, dropout):
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(Layer(config, dropout) for _ in range(config["num_hidden_layers"]))
        self.norm = RmsNorm(config["hidden_size"], config["rms_norm_eps"])


class Llama(nn.Module):
    """state_dict() has the names of Hugging Face's LlamaForCausalLM; a tied head has no tensor of its own."""

    def __init__(self, config, dropout=0.0):
        super().__init__()
        self.config = config
        self.window = config["max_position_embeddings"]
        self.model = Decoder(config, dropout)
        self.drop = nn.Dropout(dropout)
        if not config["tie_word_embeddings"]:
            self.lm_head = nn.Linear(config["hidden_size"], config["vocab_size"], bias=False)
        self.apply(self.initialise)
        for layer in self.model.layers:
            for last in (layer.self_attn.o_proj, layer.mlp.down_proj):
                last.weight.data /= (2 * config["num_hidden_layers"]) ** 0.5

    @staticmethod
    def initialise(module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features ** -0.5)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02 * 5)

    def head(self, x):
        tied = self.config["tie_word_embeddings"]
        return nn.functional.linear(x, self.model.embed_tokens.weight) if tied else self.lm_head(x)

    def forward(self, tokens, past=None):
        """tokens: [batch, new]. Returns logits, and the keys and values that the next `window - 1` events may see."""
        new = tokens.shape[1]
        before = 0 if past is None else past[0][0].shape[2]
        positions = rotary(before + new, self.config["head_dim"], self.config["rope_theta"])
        distance = torch.arange(before, before + new)[:, None] - torch.arange(before + new)[None, :]
        mask = torch.zeros(new, before + new).masked_fill((distance < 0) | (distance >= self.window), float("-inf"))
        x = self.drop(self.model.embed_tokens(tokens))
        kept = []
        for i, layer in enumerate(self.model.layers):
            x, present = layer(x, positions, mask, None if past is None else past[i])
            kept.append(tuple(part[:, :, -(self.window - 1):] for part in present))
        return self.head(self.drop(self.model.norm(x))), kept
