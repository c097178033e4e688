"""A Llama in float64 written from the formulas, without transformers: the second opinion on every fixture.

    h += W_o·softmax(q·kᵀ/√headDim + causal)·v,   h += W_down(silu(W_gate·n)·W_up·n),   n = g·h/√(mean h² + ε)

Rotary embedding turns the pair (x_i, x_{i + headDim/2}) by position × frequency_i, as Hugging Face lays heads out.
"""

import math

import torch
import torch.nn.functional as F


def rotary_frequencies(config, head_dim):
    """Frequencies `[headDim / 2]`; `linear` divides them, `llama3` divides the slow ones and blends between."""
    rope = config["rope_parameters"]
    frequencies = [rope["rope_theta"] ** (-2 * i / head_dim) for i in range(head_dim // 2)]
    if rope["rope_type"] == "linear":
        return torch.tensor([f / rope["factor"] for f in frequencies], dtype=torch.float64)
    if rope["rope_type"] == "llama3":
        frequencies = [llama3_frequency(f, rope) for f in frequencies]
    return torch.tensor(frequencies, dtype=torch.float64)


def llama3_frequency(frequency, rope):
    turns = rope["original_max_position_embeddings"] * frequency / (2 * math.pi)
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    if turns > high:
        return frequency
    if turns < low:
        return frequency / rope["factor"]
    smooth = (turns - low) / (high - low)
    return (1 - smooth) * frequency / rope["factor"] + smooth * frequency


def rms_norm(x, weight, epsilon):
    return weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon)


def rotate(x, angles):
    """`x` `[batch, heads, seq, headDim]`, `angles` `[seq, headDim / 2]`."""
    first, second = x.chunk(2, -1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


def forward(config, weights, tokens, linear=None):
    """Logits `[batch, seq, vocab]`. `linear(name, x)` replaces every projection (adapters)."""
    linear = linear or (lambda name, x: x @ weights[name + ".weight"].T)
    batch, seq = tokens.shape
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    angles = torch.arange(seq, dtype=torch.float64)[:, None] * rotary_frequencies(config, head_dim)
    causal = torch.full((seq, seq), -math.inf, dtype=torch.float64).triu(1)
    x = weights["model.embed_tokens.weight"][tokens]
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        n = rms_norm(x, weights[at + "input_layernorm.weight"], config["rms_norm_eps"])
        q, k, v = (
            linear(at + f"self_attn.{p}_proj", n).view(batch, seq, -1, head_dim).transpose(1, 2)
            for p in "qkv"
        )
        q, k = rotate(q, angles), rotate(k, angles)
        k, v = (t.repeat_interleave(heads // kv_heads, 1) for t in (k, v))
        scores = q @ k.transpose(-1, -2) / math.sqrt(head_dim) + causal
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, seq, heads * head_dim)
        x = x + linear(at + "self_attn.o_proj", mixed)
        n = rms_norm(x, weights[at + "post_attention_layernorm.weight"], config["rms_norm_eps"])
        gated = F.silu(linear(at + "mlp.gate_proj", n)) * linear(at + "mlp.up_proj", n)
        x = x + linear(at + "mlp.down_proj", gated)
    x = rms_norm(x, weights["model.norm.weight"], config["rms_norm_eps"])
    head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    return x @ head.T


def loss_of(logits, labels):
    """Mean over positions t whose next label is set of −log softmax(logits[t])[labels[t + 1]]."""
    rows, targets = logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
    kept = targets != -100
    log_probs = rows[kept].log_softmax(-1)
    return -log_probs.gather(1, targets[kept, None]).mean()


def adamw(parameters, moments, step, learning_rate=1e-3, betas=(0.9, 0.999), epsilon=1e-8, decay=0.01, clip=1.0):
    """One clipped AdamW step in place on float64 leaves; `moments` is a list of (m, v), `step` counts from 1."""
    norm = math.sqrt(sum(float(p.grad.pow(2).sum()) for p in parameters))
    scale = min(1.0, clip / (norm + 1e-6))
    with torch.no_grad():
        for p, (m, v) in zip(parameters, moments):
            g = p.grad * scale
            p.mul_(1 - learning_rate * decay)
            m.mul_(betas[0]).add_(g, alpha=1 - betas[0])
            v.mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])
            m_hat, v_hat = m / (1 - betas[0] ** step), v / (1 - betas[1] ** step)
            p.sub_(learning_rate * m_hat / (v_hat.sqrt() + epsilon))
            p.grad = None
    return norm
