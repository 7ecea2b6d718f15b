"""The state of a training run on disk: loadable after a kill at any moment.

The tensors go to a file named after the step; `state.json`, replaced last, names that file. Until
then the state before is whole and named; older files are removed afterwards.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from core.errors import CheckpointError, ConfigError
from core.files import read_json, sha256_file, write_bytes, write_json
from core.tensors import check_tensors, read_tensors

_MAX_BYTES = 8 * 2**30
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
Learner = tuple[nn.Module, torch.optim.Optimizer]
Learners = Mapping[str, Learner]


def save_state(
    folder: Path,
    vae: nn.Module,
    ema: nn.Module,
    optimiser: torch.optim.Optimizer,
    about: Mapping[str, Any],
    beside: Learners = MappingProxyType({}),
) -> None:
    """Write weights, averaged weights and Adam's moments.

    ``about`` must hold "step", "seconds" and "latest" (figures of the last evaluation); ``beside``
    are other networks that learn in the run, by name.
    """
    path = folder / f"step-{about['step']:08d}.safetensors"
    tensors = dict(_weights(vae, ema, beside))
    for name, (network, its_optimiser) in _learners(vae, optimiser, beside):
        tensors |= dict(_moments(name, network, its_optimiser))
    write_bytes(path, save({n: t.detach().cpu().contiguous() for n, t in tensors.items()}))
    write_json(folder / "state.json", {**about, "file": path.name, "sha256": sha256_file(path)})
    for old in folder.glob("step-*.safetensors"):
        if old != path:
            old.unlink(missing_ok=True)


def load_state(
    folder: Path,
    vae: nn.Module,
    ema: nn.Module,
    optimiser: torch.optim.Optimizer,
    expected: Mapping[str, Any],
    beside: Learners = MappingProxyType({}),
) -> dict[str, Any]:
    """Load what `save_state` wrote into the models and the optimiser; return ``about``.

    Args:
        folder: of the checkpoint.
        vae, ema, optimiser: receive the state.
        expected: entries of ``about`` that must be the same now.
        beside: other networks that learn in the run, by name; receive their state.

    Raises:
        CheckpointError: there is no state, or it is damaged.
        ConfigError: settings or data are not those of the state; the message says which.
    """
    about = read_json(folder / "state.json")
    kinds: dict[str, Any] = {"file": str, "step": int, "seconds": (int, float), "latest": dict}
    if not isinstance(about, dict) or any(
        not isinstance(about.get(name), kind) for name, kind in kinds.items()
    ):
        raise CheckpointError(f"{folder / 'state.json'} does not describe a training state")
    if odd := list(differences(expected, about)):
        raise ConfigError("this run was started differently: " + "; ".join(odd))
    path = folder / Path(about["file"]).name
    tensors = read_tensors(path, _MAX_BYTES)
    if sha256_file(path) != about.get("sha256"):
        raise CheckpointError(f"{path} is damaged: its sha256 is not the recorded one")
    learners = _learners(vae, optimiser, beside)
    weights = dict(_weights(vae, ema, beside))
    moments = {
        f"{name}.{parameter_name}.{moment}": torch.zeros(()) if moment == "step" else parameter
        for name, (network, its_optimiser) in learners
        for parameter_name, parameter in _learned(network, its_optimiser)
        for moment in _MOMENTS
    }
    check_tensors(tensors, weights | (moments if about["step"] else {}), path)
    with torch.no_grad():
        for name, tensor in weights.items():
            tensor.copy_(tensors[name])
        if about["step"]:
            for name, (network, its_optimiser) in learners:
                _restore_moments(name, network, its_optimiser, tensors)
    return about


def _learners(
    vae: nn.Module, optimiser: torch.optim.Optimizer, beside: Learners
) -> list[tuple[str, Learner]]:
    others = [(f"adam_{name}", learner) for name, learner in beside.items()]
    return [("adam", (vae, optimiser)), *others]


def _learned(
    network: nn.Module, optimiser: torch.optim.Optimizer
) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the parameters that the optimiser moves; others may be frozen."""
    moved = {id(p) for group in optimiser.param_groups for p in group["params"]}
    return (pair for pair in network.named_parameters() if id(pair[1]) in moved)


def _weights(vae: nn.Module, ema: nn.Module, beside: Learners) -> Iterator[tuple[str, Tensor]]:
    others = [(name, network) for name, (network, _) in beside.items()]
    for prefix, module in (("model", vae), ("ema", ema), *others):
        for name, tensor in module.state_dict().items():
            yield f"{prefix}.{name}", tensor


def _moments(
    prefix: str, network: nn.Module, optimiser: torch.optim.Optimizer
) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in network.named_parameters():
        for moment, tensor in optimiser.state.get(parameter, {}).items():
            yield f"{prefix}.{name}.{moment}", tensor


def _restore_moments(
    prefix: str,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    tensors: Mapping[str, Tensor],
) -> None:
    for name, parameter in _learned(network, optimiser):
        entry = {moment: tensors[f"{prefix}.{name}.{moment}"] for moment in _MOMENTS}
        for moment in ("exp_avg", "exp_avg_sq"):
            # The parameter's device and memory format, so that sums come out bit for bit.
            entry[moment] = torch.empty_like(parameter).copy_(entry[moment])
        optimiser.state[parameter] = entry


def differences(now: Any, then: Any, where: str = "") -> Iterator[str]:
    """Yield "setting was X, is Y" for each leaf of ``now`` that differs from ``then``'s."""
    if isinstance(now, Mapping):
        for key, value in now.items():
            before = then.get(key) if isinstance(then, Mapping) else None
            yield from differences(value, before, f"{where}.{key}" if where else key)
    elif now != then:
        yield f"{where} was {then!r}, is {now!r}"
