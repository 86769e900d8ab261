"""Matrices that `imlp dense` wrote, in PyTorch, and how far outputs may differ."""

import torch
from safetensors.torch import load_file, save_file

torch.manual_seed(7)
torch.set_num_threads(1)

# Unit roundoff of float32.
ROUNDOFF = 2.0**-24


def save(path, tensors):
    save_file({name: t.detach().contiguous() for name, t in tensors.items()}, str(path))


def load(path):
    return load_file(str(path))


def randomize(module):
    """Gives every parameter and every statistic a value that it would not start with."""
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if name.endswith("running_var"):
                tensor.uniform_(0.2, 3.0)
            elif tensor.is_floating_point():
                fan_in = max(1, tensor[0].numel())
                tensor.normal_(0.0, fan_in**-0.5)
    return module.eval()


class Dense:
    """The layers of a file, as functions on flattened activations."""

    def __init__(self, path):
        self.tensors = load(path)

    def __contains__(self, name):
        return f"{name}.bias" in self.tensors

    def __call__(self, name, x):
        prefix = f"{name}." if name else ""
        bias = self.tensors[f"{prefix}bias"]
        if f"{prefix}weight" in self.tensors:
            weight = self.tensors[f"{prefix}weight"]
            linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
            linear.load_state_dict({"weight": weight, "bias": bias})
            return linear.to(x.dtype)(x)
        matrix = torch.sparse_csr_tensor(
            self.tensors[f"{prefix}weight.crow_indices"],
            self.tensors[f"{prefix}weight.col_indices"],
            self.tensors[f"{prefix}weight.values"],
            tuple(self.tensors[f"{prefix}weight.size"].tolist()),
        )
        return (matrix.to(x.dtype) @ x.T).T + bias.to(x.dtype)

    def absolute(self, x):
        """|W|·|x| + |b| of the nameless layer: what roundings are relative to."""
        return x.abs() @ self.tensors["weight"].abs().to(x.dtype).T + self.tensors["bias"].abs().to(x.dtype)
