"""Checkpoints: a run goes on bit for bit, and neither crash nor foreign file does any harm."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import pickle
import random
import re
import resource
import runpy
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LRScheduler,
    ReduceLROnPlateau,
    SequentialLR,
)

import workflow
from workflow import (
    Batches,
    CheckpointError,
    Epoch,
    _files,
    batches,
    fit,
    load,
    make_line,
    read_checkpoint,
    save,
    split,
)

TRAIN, TEST = split(*make_line(noise=0.02), shuffle=False)


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the disk guards against a power cut, which no test here can bring about."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


class Run:
    """A model that draws luck, its optimizer, its scheduler and its shuffled data."""

    def __init__(self, kind: str, scheduled: bool) -> None:
        torch.manual_seed(42)
        self.model = nn.Sequential(
            nn.Linear(1, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1)
        )
        make: dict[str, Callable[[], Optimizer]] = {
            "SGD": lambda: SGD(self.model.parameters(), lr=0.01),
            "momentum": lambda: SGD(self.model.parameters(), lr=0.01, momentum=0.9),
            "Adam": lambda: Adam(self.model.parameters(), lr=0.01),
        }
        self.optimizer = make[kind]()
        self.scheduler: LRScheduler | None = None
        if scheduled:
            self.scheduler = CosineAnnealingLR(self.optimizer, 8)
        self.data: Batches = batches(*TRAIN, batch_size=16, shuffle=True, seed=3)

    def load(self, path: Path) -> int:
        return load(
            path,
            self.model,
            self.optimizer,
            scheduler=self.scheduler,
            generator=self.data.generator,
        ).epoch

    def fit(self, **options: Any) -> list[workflow.Epoch]:
        return fit(
            self.model,
            self.data,
            loss_fn=nn.L1Loss(),
            optimizer=self.optimizer,
            scheduler=self.scheduler,
            **options,
        )

    def state(self) -> list[Any]:
        """Everything that decides how the run goes on, to be compared bit for bit."""
        scheduler = None if self.scheduler is None else self.scheduler.state_dict()
        return [
            numbers(self.model.state_dict()),
            numbers(self.optimizer.state_dict()),
            scheduler,
            numbers(self.data.generator.get_state()),
            numbers(torch.get_rng_state()),
        ]


def numbers(value: Any) -> Any:
    """Nested states as plain values that == compares, tensors down to their last bit."""
    if isinstance(value, Tensor):
        return str(value.dtype), tuple(value.shape), value.reshape(-1).view(torch.uint8).tolist()
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers(item) for item in value]
    return value


def saved(path: Path) -> nn.Linear:
    """An earlier checkpoint at `path`, of a model that knows that it was saved."""
    model = nn.Linear(2, 1)
    save(path, model, SGD(model.parameters(), lr=0.1, momentum=0.9), epoch=3)
    return model


def unreadable(path: Path, words: str = "can't be read") -> None:
    """`load` refuses the file, names it, and leaves the model and the luck as they were."""
    model = nn.Linear(2, 1)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    before = numbers([model.state_dict(), optimizer.state_dict(), torch.get_rng_state()])
    with pytest.raises(CheckpointError, match=words) as caught:
        load(path, model, optimizer)
    assert str(path) in str(caught.value)
    assert "expected" in str(caught.value) or "reads up to" in str(caught.value)
    assert numbers([model.state_dict(), optimizer.state_dict(), torch.get_rng_state()]) == before


def rewritten(path: Path, **changes: Any) -> None:
    """A checkpoint as another version, or a hand, could have written it."""
    torch.save({**read_checkpoint(path), **changes}, path)


# A run goes on as if it had never stopped


@pytest.mark.parametrize("kind", ["SGD", "momentum", "Adam"])
@pytest.mark.parametrize("scheduled", [False, True], ids=["fixed lr", "scheduler"])
def test_a_run_stopped_and_resumed_is_bit_identical(
    kind: str, scheduled: bool, tmp_path: Path
) -> None:
    whole = Run(kind, scheduled)
    history = whole.fit(validation=TEST, epochs=8, folder=tmp_path / "whole")

    stopped = Run(kind, scheduled)
    first = stopped.fit(validation=TEST, epochs=3, folder=tmp_path / "halves")
    assert first == history[:3]
    resumed = Run(kind, scheduled)
    torch.manual_seed(99)  # another process, with other luck
    start = resumed.load(tmp_path / "halves" / "last.pt")
    second = resumed.fit(validation=TEST, epochs=8, start=start, folder=tmp_path / "halves")

    assert second == history
    assert resumed.state() == whole.state()
    for name in ("best.pt", "last.pt"):
        parts, one = (read_checkpoint(tmp_path / f / name) for f in ("halves", "whole"))
        assert numbers(parts) == numbers(one)


def test_a_plateau_scheduler_resumes_too(tmp_path: Path) -> None:
    def run() -> Run:
        run = Run("SGD", scheduled=False)
        run.scheduler = ReduceLROnPlateau(run.optimizer, patience=0, factor=0.5)
        return run

    whole, resumed = run(), run()
    whole.fit(epochs=12)
    run().fit(epochs=6, folder=tmp_path)
    resumed.fit(epochs=12, start=resumed.load(tmp_path / "last.pt"))
    assert resumed.state() == whole.state()


@pytest.mark.parametrize("validation", [TEST, None], ids=["validation", "training loss"])
def test_patience_and_the_best_weights_go_on_through_the_folder(
    validation: tuple[Tensor, Tensor] | None, tmp_path: Path
) -> None:
    whole = Run("momentum", scheduled=False)
    history = whole.fit(validation=validation, epochs=500, patience=4, folder=tmp_path / "whole")
    losses = [epoch.validation_loss or epoch.train_loss for epoch in history]
    best = losses.index(min(losses))
    assert len(history) == best + 5  # it stopped early, so the second part depends on the first

    stop = best + 2  # the best epoch is in the first part
    Run("momentum", scheduled=False).fit(
        validation=validation, epochs=stop, patience=4, folder=tmp_path / "halves"
    )
    resumed = Run("momentum", scheduled=False)
    start = resumed.load(tmp_path / "halves" / "last.pt")
    second = resumed.fit(
        validation=validation, epochs=500, start=start, patience=4, folder=tmp_path / "halves"
    )
    assert second == history
    assert resumed.state() == whole.state()


def test_a_resumed_run_without_a_best_starts_to_look_for_one(tmp_path: Path) -> None:
    run = Run("SGD", scheduled=False)
    run.fit(epochs=4, start=2, folder=tmp_path)
    assert read_checkpoint(tmp_path / "best.pt")["metadata"]["epoch"] in (2, 3)


def test_the_model_alone_can_be_loaded_and_leaves_the_luck_alone(tmp_path: Path) -> None:
    model = saved(tmp_path / "a.pt")
    copy = nn.Linear(2, 1)
    before = torch.get_rng_state()
    assert load(tmp_path / "a.pt", copy, device="cpu").epoch == 3
    assert torch.equal(copy.weight, model.weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_checkpoint_says_what_it_was_made_with(tmp_path: Path) -> None:
    save(tmp_path / "a.pt", nn.Linear(1, 1))
    found = load(tmp_path / "a.pt", nn.Linear(1, 1))
    assert found.versions == {
        "torch": torch.__version__,
        "pytorch-workflow": workflow.__version__,
    }
    assert (found.epoch, found.metadata) == (0, {})


def test_the_file_is_a_plain_dictionary_that_torch_reads_by_itself(tmp_path: Path) -> None:
    model = saved(tmp_path / "a.pt")
    assert torch.equal(torch.load(tmp_path / "a.pt")["model"]["weight"], model.weight)


def test_a_lazy_layer_takes_the_shapes_of_the_file(tmp_path: Path) -> None:
    save(tmp_path / "a.pt", nn.Sequential(nn.Linear(3, 2)))
    model = nn.Sequential(nn.LazyLinear(2))
    load(tmp_path / "a.pt", model)
    assert model[0].weight.shape == (2, 3)


DTYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.complex64,
    torch.int64,
    torch.uint8,
    torch.bool,
]
TENSORS = st.builds(
    lambda shape, dtype, seed: torch.randint(
        0, 2, shape, generator=torch.Generator().manual_seed(seed)
    ).to(dtype),
    st.lists(st.integers(0, 4), max_size=4),
    st.sampled_from(DTYPES),
    st.integers(0, 99),
)
METADATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def holding(tensors: list[Tensor]) -> nn.Module:
    model = nn.Module()
    for number, tensor in enumerate(tensors):
        model.register_buffer(f"tensor{number}", tensor)
    return model


@settings(deadline=None, max_examples=60)
@given(
    tensors=st.lists(TENSORS, max_size=3),
    metadata=st.dictionaries(st.text(), METADATA, max_size=3),
    epoch=st.integers(0, 10**6),
)
def test_what_is_saved_is_what_is_loaded(
    tensors: list[Tensor], metadata: dict[str, Any], epoch: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "new", "a.pt")
        save(path, holding(tensors), epoch=epoch, metadata=metadata)
        copy = holding([torch.zeros_like(tensor) for tensor in tensors])
        found = load(path, copy)
    assert numbers(list(copy.buffers())) == numbers(tensors)
    assert (found.epoch, found.metadata) == (epoch, metadata)


# Devices


def test_a_file_from_a_gpu_loads_on_a_machine_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
        model = saved(tmp_path / "a.pt")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="deserialize object on a CUDA device"):
        torch.load(tmp_path / "a.pt")
    copy = nn.Linear(2, 1)
    load(tmp_path / "a.pt", copy, SGD(copy.parameters(), lr=0.1, momentum=0.9))
    assert torch.equal(copy.weight, model.weight)
    assert copy.weight.device.type == "cpu"


class FakeAccelerator:
    """The random state of an accelerator that this machine needn't have."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(5)
        self.get_rng_state = self.generator.get_state
        self.set_rng_state = self.generator.set_state


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> FakeAccelerator:
    fake = FakeAccelerator()
    device = torch.device("xpu")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: device)
    monkeypatch.setattr(torch, "get_device_module", lambda device: fake)
    return fake


def test_the_luck_of_an_accelerator_is_kept_too(
    accelerator: FakeAccelerator, tmp_path: Path
) -> None:
    saved(tmp_path / "a.pt")
    drawn = torch.rand(3, generator=accelerator.generator)
    model = nn.Linear(2, 1)
    load(tmp_path / "a.pt", model, SGD(model.parameters(), lr=0.1))
    assert torch.equal(torch.rand(3, generator=accelerator.generator), drawn)


def test_a_file_from_a_cpu_leaves_the_luck_of_an_accelerator(
    accelerator: FakeAccelerator, tmp_path: Path
) -> None:
    saved(tmp_path / "a.pt")
    rewritten(tmp_path / "a.pt", random={"cpu": torch.get_rng_state()})
    before = accelerator.get_rng_state()
    model = nn.Linear(2, 1)
    load(tmp_path / "a.pt", model, SGD(model.parameters(), lr=0.1))
    assert torch.equal(accelerator.get_rng_state(), before)


# Files that can't be used


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.pt does not exist; expected .* Working"):
        load(tmp_path / "none.pt", nn.Linear(1, 1))


def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    saved(path)
    whole = path.read_bytes()
    lengths = random.Random(0).sample(range(len(whole)), 200)
    for length in [*lengths, *range(len(whole) - 64, len(whole))]:
        path.write_bytes(whole[:length])
        unreadable(path)


def test_a_file_with_a_wrong_byte_is_refused_or_still_right(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    model = saved(path)
    whole = path.read_bytes()
    directory = whole.index(b"PK\x01\x02")
    luck = random.Random(0)
    places = luck.sample(range(directory), 200) + list(range(directory, len(whole)))
    refused = 0
    for place in places:
        wrong = bytearray(whole)
        wrong[place] ^= luck.randrange(1, 256)
        path.write_bytes(wrong)
        copy = nn.Linear(2, 1)
        before = numbers(copy.state_dict())
        try:
            load(path, copy, SGD(copy.parameters(), lr=0.1, momentum=0.9))
        except CheckpointError:
            refused += 1
            assert numbers(copy.state_dict()) == before
        else:
            assert numbers(copy.state_dict()) == numbers(model.state_dict())
    assert refused > 200


def test_an_entry_marked_as_a_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    saved(path)
    wrong = bytearray(path.read_bytes())
    entry = [m.start() for m in re.finditer(b"PK\x01\x02", wrong)][4]  # of the first weights
    wrong[entry + 38] = 0x10  # torch alone would read memory that was never written
    path.write_bytes(wrong)
    unreadable(path, "can't be read .*a mark of archive/data/0 is wrong")


def zip_of(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries.items():
            archive.writestr(f"archive/{name}.pkl", data)
        archive.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def torch_file(contents: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(contents, buffer)
    return buffer.getvalue()


NO_CHECKPOINTS = {
    "empty": b"",
    "text": b"epoch,loss\n0,0.3\n",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(60),
    "zip": zip_of(notes=b"hello"),
    "TorchScript": zip_of(data=pickle.dumps({}, 2), constants=pickle.dumps((), 2)),
    "broken pickle": zip_of(data=b"\x80\x02}q\x00"),
    "empty pickle": zip_of(data=b""),
}
NO_CHECKPOINTS_OF_OURS = {
    "state_dict": torch_file(nn.Linear(2, 1).state_dict()),
    "tensor": torch_file(torch.zeros(3)),
    "list": torch_file([1, 2]),
    "other dictionary": torch_file({"format": "PNG", "epoch": 1}),
    "half a checkpoint": torch_file({"format": 1, "epoch": 1, "model": {}}),
}


@pytest.mark.filterwarnings("ignore:'torch.load' received a zip file that looks like a TorchScript")
@pytest.mark.parametrize("data", NO_CHECKPOINTS.values(), ids=NO_CHECKPOINTS)
def test_what_torch_did_not_write_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(data)
    unreadable(tmp_path / "a.pt", "can't be read .* go back to an earlier one")


@pytest.mark.parametrize("data", NO_CHECKPOINTS_OF_OURS.values(), ids=NO_CHECKPOINTS_OF_OURS)
def test_what_this_package_did_not_write_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(data)
    unreadable(tmp_path / "a.pt", "no checkpoint of this package: .* use model.load_state_dict")


def test_a_newer_format_is_refused_with_the_way_out(tmp_path: Path) -> None:
    saved(tmp_path / "a.pt")
    rewritten(tmp_path / "a.pt", format=2, model="stored in another way")
    unreadable(tmp_path / "a.pt", "has format 2, .* reads up to 1; .* Upgrade pytorch-workflow")


def test_another_model_is_refused_and_all_differences_are_listed(tmp_path: Path) -> None:
    saved(tmp_path / "a.pt")
    other = nn.Linear(3, 1, bias=False).double()
    other.register_parameter("extra", nn.Parameter(torch.zeros(2)))
    before = numbers(other.state_dict())
    with pytest.raises(CheckpointError) as caught:
        load(tmp_path / "a.pt", other)
    assert str(caught.value).splitlines()[1:] == [
        "  only in the file: bias",
        "  only in the model: extra",
        "  weight: (1, 2) float32 in the file, (1, 3) float64 in the model",
        "Build the model as it was when it was saved.",
    ]
    assert numbers(other.state_dict()) == before


def test_a_number_in_place_of_a_tensor_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "a.pt")
    rewritten(tmp_path / "a.pt", model={"weight": 1, "bias": torch.zeros(1)})
    unreadable(tmp_path / "a.pt", r"weight: int in the file, \(1, 2\) float32 in the model")


class Counter(nn.Linear):
    seen = 0

    def get_extra_state(self) -> int:
        return self.seen

    def set_extra_state(self, state: int) -> None:
        self.seen = state


def test_state_of_a_module_that_is_no_tensor_is_kept(tmp_path: Path) -> None:
    model, copy = Counter(1, 1), Counter(1, 1)
    model.seen = 7
    save(tmp_path / "a.pt", model)
    load(tmp_path / "a.pt", copy)
    assert copy.seen == 7


def lr_scheduler(optimizer: Optimizer) -> LRScheduler:
    return CosineAnnealingLR(optimizer, 10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            lambda model: {"optimizer": Adam(model.parameters())},
            "holds the state of SGD as optimizer, and Adam was given; expected the same class",
        ),
        (
            lambda model: {"optimizer": SGD([model.weight])},
            r"an optimizer of \[2\] parameters a group, and the one given has \[1\]; expected the",
        ),
        (
            lambda model: {"scheduler": lr_scheduler(SGD(model.parameters()))},
            "holds no scheduler state; expected one of CosineAnnealingLR, .* Load without the sch",
        ),
        (
            lambda model: {"generator": torch.Generator()},
            "holds no generator state; expected one, .* Load without generator=",
        ),
    ],
    ids=["class", "parameters", "no scheduler", "no generator"],
)
def test_an_owner_that_the_state_does_not_fit_is_refused(
    options: Callable[[nn.Linear], dict[str, Any]], words: str, tmp_path: Path
) -> None:
    saved(tmp_path / "a.pt")
    model = nn.Linear(2, 1)
    owners = {"optimizer": SGD(model.parameters(), lr=0.1), **options(model)}
    before = numbers([model.state_dict(), owners["optimizer"].state_dict()])
    with pytest.raises(CheckpointError, match=words):
        load(tmp_path / "a.pt", model, **owners)
    assert numbers([model.state_dict(), owners["optimizer"].state_dict()]) == before


@pytest.mark.parametrize("key", ["random", "optimizer"])
def test_a_file_whose_parts_lack_theirs_is_refused(key: str, tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    save(tmp_path / "a.pt", model, SGD(model.parameters(), lr=0.1))
    contents = torch.load(tmp_path / "a.pt")
    contents[key] = {"class": "SGD"}
    torch.save(contents, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=f"{key} missing or of another type"):
        read_checkpoint(tmp_path / "a.pt")


def test_a_generator_of_another_kind_is_refused(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    save(tmp_path / "a.pt", model, generator=torch.Generator())
    contents = torch.load(tmp_path / "a.pt")
    contents["generator"] = torch.zeros(16, dtype=torch.uint8)  # as long as a GPU's
    torch.save(contents, tmp_path / "a.pt")
    fresh = nn.Linear(2, 1)
    before = numbers(fresh.state_dict())
    words = (
        r"its state of the generator can't be put in place \(.*size.*\); expected what save wrote"
    )
    with pytest.raises(CheckpointError, match=words):
        load(tmp_path / "a.pt", fresh, generator=torch.Generator())
    assert numbers(fresh.state_dict()) == before


def test_the_best_of_a_model_with_a_state_of_its_own_loads(tmp_path: Path) -> None:
    model = Counter(1, 1)
    optimizer = SGD(model.parameters(), lr=0.1)
    fit(model, TRAIN, loss_fn=nn.MSELoss(), optimizer=optimizer, epochs=2, folder=tmp_path)
    assert load(tmp_path / "best.pt", Counter(1, 1)).metadata["epoch"] == 1


def test_a_file_without_the_optimizer_is_refused_where_one_is_given(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    save(tmp_path / "a.pt", model)
    unreadable(tmp_path / "a.pt", "holds no optimizer state; expected one of SGD, .* Load without")


def test_parameters_in_another_order_are_refused_and_the_first_is_named(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    optimizer = Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    save(tmp_path / "a.pt", model, optimizer)
    turned = Adam(reversed(list(model.parameters())))
    words = (
        r"optimizer whose parameter 0 is 0\.weight \(2, 2\); in the one given it is 1\.weight "
        r"\(2, 2\)\. Expected the same order: give it the parameters"
    )
    before = numbers([model.state_dict(), turned.state_dict()])
    with pytest.raises(CheckpointError, match=words):
        load(tmp_path / "a.pt", model, turned)
    assert numbers([model.state_dict(), turned.state_dict()]) == before
    load(tmp_path / "a.pt", model, Adam(model.parameters()))


def test_a_parameter_that_is_not_the_models_is_checked_by_its_shape(tmp_path: Path) -> None:
    model, scale = nn.Linear(1, 1, bias=False), nn.Parameter(torch.ones(3))
    save(tmp_path / "a.pt", model, SGD([model.weight, scale], lr=0.1))
    load(tmp_path / "a.pt", model, SGD([model.weight, nn.Parameter(torch.ones(3))], lr=0.1))
    other = SGD([model.weight, nn.Parameter(torch.ones(4))], lr=0.1)
    with pytest.raises(CheckpointError, match=r"parameter 1 is a parameter of no name \(3,\); in"):
        load(tmp_path / "a.pt", model, other)


class Holder:
    """No module, but with a state to save."""

    def __init__(self, model: nn.Module) -> None:
        self.state_dict = model.state_dict


def test_an_optimizer_saved_without_names_still_loads(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    save(tmp_path / "a.pt", Holder(model), SGD(model.parameters(), lr=0.5))
    optimizer = SGD(model.parameters(), lr=0.1)
    load(tmp_path / "a.pt", model, optimizer)
    assert optimizer.param_groups[0]["lr"] == 0.5


def chained(optimizer: Optimizer, *kinds: Callable[[Optimizer], LRScheduler]) -> LRScheduler:
    return SequentialLR(optimizer, [kind(optimizer) for kind in kinds], list(range(len(kinds) - 1)))


@pytest.mark.parametrize(
    "other", [(ConstantLR,), (ConstantLR, ConstantLR)], ids=["fewer parts", "other parts"]
)
def test_a_scheduler_of_other_parts_is_refused(other: Any, tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    optimizer = SGD(model.parameters(), lr=0.1)
    save(
        tmp_path / "a.pt", model, optimizer, scheduler=chained(optimizer, ConstantLR, lr_scheduler)
    )
    load(
        tmp_path / "a.pt", model, optimizer, scheduler=chained(optimizer, ConstantLR, lr_scheduler)
    )
    before = numbers(model.state_dict())
    words = (
        r"state of SequentialLR\(ConstantLR, CosineAnnealingLR\) as scheduler, and SequentialLR\(C"
    )
    with pytest.raises(CheckpointError, match=words):
        load(tmp_path / "a.pt", model, optimizer, scheduler=chained(optimizer, *other))
    assert numbers(model.state_dict()) == before


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("random", {"cpu": torch.zeros(16, dtype=torch.uint8)}, "random numbers"),
        ("random", {"cpu": None}, "random numbers"),
        ("generator", torch.zeros(16, dtype=torch.uint8), "generator"),
        ("scheduler", {"class": "CosineAnnealingLR", "state": None}, "scheduler"),
        ("optimizer", {"class": "SGD", "state": {"param_groups": 7}}, "optimizer"),
        (
            "optimizer",
            {"class": "SGD", "state": {"param_groups": [{"params": [*range(6)]}]}},
            "opt",
        ),
    ],
)
def test_where_one_state_is_refused_all_are_as_they_were(
    key: str, value: Any, part: str, tmp_path: Path
) -> None:
    run, path = Run("momentum", scheduled=True), tmp_path / "last.pt"
    run.fit(epochs=2, folder=tmp_path)
    rewritten(path, **{key: value})
    run.fit(epochs=3)
    before = run.state()
    with pytest.raises(CheckpointError, match=f"its state of the {part}.* can't be put in place"):
        run.load(path)
    assert run.state() == before


def test_without_a_generator_the_rest_is_put_back(tmp_path: Path) -> None:
    saved(tmp_path / "a.pt")
    model = nn.Linear(2, 1)
    before = numbers(model.state_dict()), torch.get_rng_state().tolist()
    model._load_from_state_dict = None  # type: ignore[assignment]  # as in a class of the user's
    with pytest.raises(CheckpointError, match="its state of the model can't be put in place"):
        load(tmp_path / "a.pt", model)
    assert (numbers(model.state_dict()), torch.get_rng_state().tolist()) == before


def test_a_state_without_its_groups_is_refused(tmp_path: Path) -> None:
    run, path = Run("SGD", scheduled=False), tmp_path / "last.pt"
    run.fit(epochs=1, folder=tmp_path)
    rewritten(path, optimizer={"class": "SGD", "state": {}, "parameters": 3})
    with pytest.raises(CheckpointError, match="its state of the optimizer can't be put in place"):
        run.load(path)


def test_a_device_that_is_not_there_is_refused_before_anything_changes(tmp_path: Path) -> None:
    run = Run("SGD", scheduled=False)
    run.fit(epochs=1, folder=tmp_path)
    run.fit(epochs=2)
    before = run.state()
    for device in ("cuda:99", "no such"):
        with pytest.raises(
            ValueError, match=f"device is '{device}', which can't be used here .*best_d"
        ):
            load(tmp_path / "last.pt", run.model, generator=run.data.generator, device=device)
    assert run.state() == before


def test_a_model_without_memory_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "a.pt")
    with torch.device("meta"):
        model = nn.Linear(2, 1)
    with pytest.raises(CheckpointError, match=r"weight is on the meta device.* model\.to_empty"):
        load(tmp_path / "a.pt", model)
    load(tmp_path / "a.pt", model.to_empty(device="cpu"))


def test_what_is_loaded_does_not_hang_on_the_file(tmp_path: Path) -> None:
    """The file is mapped while it is read; a copy over it must not reach into the run."""
    path = tmp_path / "a.pt"
    model, optimizer = nn.Linear(2, 1), Adam([torch.ones(1, requires_grad=True)])
    optimizer = Adam(model.parameters(), lr=torch.tensor(0.1))
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    save(path, model, optimizer, metadata={"tensor": torch.arange(5)})
    copy = nn.Linear(2, 1)
    again = Adam(copy.parameters(), lr=torch.tensor(0.1))
    found = load(path, copy, again)
    with path.open("r+b") as file:
        file.write(b"x" * path.stat().st_size)
    assert numbers([copy.state_dict(), again.state_dict()]) == numbers(
        [model.state_dict(), optimizer.state_dict()]
    )
    assert found.metadata["tensor"].tolist() == [0, 1, 2, 3, 4]


def mutated(data: bytes, luck: random.Random) -> bytes:
    """A pickle with a few bytes or opcodes changed, removed, doubled or put in."""
    wrong = bytearray(data)
    for _ in range(luck.choice([1, 1, 1, 2, 4, 16])):
        place, width = luck.randrange(len(wrong)), luck.choice([1, 2, 5, 20])
        source = luck.randrange(len(wrong))
        new = (
            bytes([wrong[place] ^ (1 << luck.randrange(8))]),
            luck.randbytes(1),
            bytes([luck.choice(b"(.02FGIJKMNRTUXabcdehjlopqrstu]})\x80\x85\x86\x87\x88\x89\x8a")]),
            b"",
            bytes(wrong[place : place + 1] + wrong[source : source + width]),
        )
        wrong[place : place + 1] = luck.choice(new)
    return bytes(wrong)


def test_a_mutated_pickle_loads_or_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    run, path = Run("Adam", scheduled=True), tmp_path / "last.pt"
    run.fit(epochs=1, folder=tmp_path)
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    luck = random.Random(0)
    refusals: list[str] = []
    for _ in range(150):
        with zipfile.ZipFile(path, "w") as archive:
            for entry, data in entries.items():
                is_pickle = entry.endswith("data.pkl")
                archive.writestr(entry, mutated(data, luck) if is_pickle else data)
        before = run.state()
        try:
            run.load(path)
        except CheckpointError as error:
            refusals.append(str(error))
            assert run.state() == before
        with contextlib.suppress(CheckpointError):
            read_checkpoint(path)
    assert len(refusals) > 100
    assert not any("weights_only" in words for words in refusals)


# Hostile pickles: each would run a command, and none may


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def called(module: str, function: str, *arguments: bytes) -> bytes:
    """The opcodes that call a function with what the arguments leave on the stack."""
    return f"c{module}\n{function}\n(".encode() + b"".join(arguments) + b"tR"


def hostile(command: str) -> dict[str, bytes]:
    """Pickles that run a shell command in the program that loads them."""
    shell, python = text(command), text(f"__import__('os').system({command!r})")
    system = called("os", "system", shell)
    inner = b"\x80\x02" + system + b"."
    inner = b"B" + struct.pack("<I", len(inner)) + inner
    by_name = b"\x8c\x05posix\x8c\x06system\x93"
    mapped = b"cbuiltins\nmap\n(cos\nsystem\n(" + shell + b"lt\x81"
    state = b"}" + text("__setstate__") + b"cos\nsystem\nsb"
    opcodes = {
        "REDUCE of os.system": system,
        "REDUCE of eval": called("builtins", "eval", python),
        "REDUCE of exec": called("builtins", "exec", python),
        "STACK_GLOBAL": by_name + b"(" + shell + b"tR",
        "INST": b"(" + shell + b"ios\nsystem\n",
        "OBJ": b"(cos\nsystem\n" + shell + b"o",
        "NEWOBJ": b"cbuiltins\ntuple\n(" + mapped + b"t\x81",
        "BUILD": b"ccollections\nOrderedDict\n)R" + state + shell + b"b",
        "a process": called("subprocess", "getoutput", shell),
        "NumPy's runstring": called("numpy.testing._private.utils", "runstring", python, b"}"),
        "torch's run": called("torch.utils.collect_env", "run", shell),
        "a pickle in a pickle": called("_pickle", "loads", inner),
        "torch's loader of bytes": called("torch.storage", "_load_from_bytes", inner),
        "a value in a checkpoint": b"}("
        + text("format")
        + b"K\x01"
        + text("model")
        + system
        + b"u",
        "the id of a storage": b"(" + text("storage") + system + text("0") + b"tQ",
        "an argument of a tensor": called("torch._utils", "_rebuild_tensor_v2", system),
    }
    return {name: b"\x80\x02" + codes + b"." for name, codes in opcodes.items()}


class Careless(pickle.Unpickler):
    """Loads as everybody did before weights_only."""

    def persistent_load(self, pid: object) -> object:
        return pid


@pytest.mark.parametrize("name", hostile(""))
def test_a_hostile_pickle_runs_nothing(name: str, tmp_path: Path) -> None:
    marker, path = tmp_path / "it ran", tmp_path / "a.pt"
    attack = hostile(f"touch '{marker}'")[name]
    with contextlib.suppress(Exception):  # many an attack ends in an error, its deed done
        Careless(io.BytesIO(attack)).load()
    assert marker.exists(), "no attack: nothing would run anywhere"
    marker.unlink()

    path.write_bytes(attack)
    unreadable(path, "File is not a zip file.*Nothing in it was run")
    saved(path)
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in entries.items():
            archive.writestr(entry, attack if entry.endswith("data.pkl") else data)
    unreadable(
        path, r"(it asks for [\w.]+, which is no plain data|Unsupported operand \d+)\).*Nothing"
    )
    with pytest.raises(CheckpointError) as caught:
        load(path, nn.Linear(2, 1))
    assert "weights_only" not in str(caught.value)
    assert not marker.exists()


# Writing: whatever happens, one whole checkpoint is there


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file may grow beyond `room` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("width", [10, 100_000], ids=["buffered", "straight"])
def test_a_full_disk_leaves_the_earlier_checkpoint_and_nothing_else(
    width: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.pt"
    model = saved(path)
    with full_disk(2000), pytest.raises(OSError, match=r"untouched\. Choose a folder") as caught:
        save(path, nn.Linear(width, 1))
    assert str(path) in str(caught.value)
    assert caught.value.errno == errno.EFBIG
    copy = nn.Linear(2, 1)
    assert load(path, copy).epoch == 3
    assert torch.equal(copy.weight, model.weight)
    assert list(tmp_path.iterdir()) == [path]


def test_the_bytes_are_on_the_disk_before_the_file_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pt"
    sizes: list[int] = []

    def fsync(file: int) -> None:
        assert not path.exists()
        (beside,) = tmp_path.iterdir()
        assert os.path.samestat(os.fstat(file), beside.stat())
        sizes.append(os.fstat(file).st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    saved(path)
    assert sizes == [path.stat().st_size]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "a.pt", tmp_path / "file" / "deeper" / "a.pt"):
        with pytest.raises(OSError, match=r"a\.pt was not written .* Choose a folder that can be"):
            save(path, nn.Linear(1, 1))
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_in_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.pt").mkdir()
    with pytest.raises(OSError, match=r"a\.pt was not written \(Is a directory\)"):
        save(tmp_path / "a.pt", nn.Linear(1, 1))
    assert list(tmp_path.iterdir()) == [tmp_path / "a.pt"]
    with pytest.raises(IsADirectoryError):
        load(tmp_path / "a.pt", nn.Linear(1, 1))


def endless() -> list[Any]:
    """A list that holds itself."""
    items: list[Any] = []
    items.append(items)
    return items


def two_views() -> list[Tensor]:
    """The same memory as two dtypes, which torch doesn't write."""
    tensor = torch.zeros(2)
    return [tensor, tensor.view(torch.int32)]


@pytest.mark.parametrize(
    "value",
    [lambda: 0, nn.Linear(1, 1), np.zeros(2), Path("runs"), object, endless(), two_views()],
    ids=["function", "module", "array", "path", "class", "endless list", "views of two dtypes"],
)
def test_metadata_that_would_not_load_is_refused_and_the_file_kept(
    value: object, tmp_path: Path
) -> None:
    path = tmp_path / "a.pt"
    saved(path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=r"was not written: .* expected .* Look at metadata"):
        save(path, nn.Linear(2, 1), metadata={"value": [value]})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_named_tuples_and_numpy_numbers_become_plain_data(tmp_path: Path) -> None:
    run = Run("SGD", scheduled=False)
    history = run.fit(validation=TEST, epochs=2)
    numbers = {"loss": np.float32(0.5), "shape": torch.Size([2, 3]), "n": [np.int64(7)]}
    save(tmp_path / "a.pt", run.model, metadata={"h": history, "best": (history[0], numbers)})
    found = torch.load(tmp_path / "a.pt")["metadata"]
    assert [Epoch(**epoch) for epoch in found["h"]] == history
    assert found["best"] == (history[0]._asdict(), {"loss": 0.5, "shape": (2, 3), "n": [7]})
    assert [type(found["best"][1][name]) for name in ("loss", "shape")] == [float, tuple]


def test_metadata_that_is_no_dictionary_is_refused(tmp_path: Path) -> None:
    note: Any = "first try"
    with pytest.raises(TypeError, match="metadata is a str; expected a dictionary, such as"):
        save(tmp_path / "a.pt", nn.Linear(1, 1), metadata=note)


@pytest.mark.parametrize("path", ["", ".", Path()])
def test_a_path_that_names_no_file_is_refused(path: str | Path) -> None:
    with pytest.raises(
        ValueError, match=r"path is '\.?'; expected a file's name, such as runs/last"
    ):
        save(path, nn.Linear(1, 1))


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "last.pt"
    for target in (tmp_path / "disk" / "old.pt", tmp_path / "disk" / "deeper" / "new.pt"):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        model = saved(link)
        assert link.is_symlink()
        assert torch.equal(torch.load(target)["model"]["weight"], model.weight)
        assert [path.name for path in target.parent.iterdir() if path.is_file()] == [target.name]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_file_keeps_its_mode_also_while_it_is_written(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pt"
    saved(path)
    path.chmod(mode)
    modes = []

    def fsync(file: int) -> None:
        modes.append(os.fstat(file).st_mode & 0o777)

    monkeypatch.setattr(os, "fsync", fsync)
    saved(path)
    assert modes == [path.stat().st_mode & 0o777] == [mode]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"pipe was not written \(Invalid argument\)"):
        save(tmp_path / "pipe", nn.Linear(1, 1))
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("epoch", [1.5, "3", None, -1])
def test_an_epoch_that_would_not_load_is_refused_and_the_file_kept(
    epoch: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.pt"
    saved(path)
    before = path.read_bytes()
    with pytest.raises((TypeError, ValueError), match=f"epoch is {epoch!r}.* expected a whole num"):
        save(path, nn.Linear(2, 1), epoch=epoch)
    assert path.read_bytes() == before


def test_killed_at_200_moments_a_saving_process_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    script = Path(__file__).with_name("_saver.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), "200"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    kills, finished, cut_off = map(int, done.stdout.split())
    assert kills == 200
    assert finished > 0, "no save was finished: the moments were too early"
    assert cut_off > 0, "no save was cut off: the moments were too late"
    saved(tmp_path / "run.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "[a].pt"
    abandoned, living, other = (
        tmp_path / name for name in (".[a].pt.00000000.tmp", ".[a].pt.11111111.tmp", ".b.pt.0.tmp")
    )
    for file in (abandoned, living, other):
        file.write_bytes(b"half a checkpoint")
    with living.open("rb") as written:
        fcntl.flock(written, fcntl.LOCK_EX)
        saved(path)
        assert sorted(tmp_path.iterdir()) == sorted([living, other, path])
    saved(path)
    assert sorted(tmp_path.iterdir()) == sorted([other, path])


def test_a_file_removed_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the making of a file and its lock, another save may take it for abandoned."""
    lock = fcntl.flock
    removed: list[Path] = []

    def late(file: Any, how: int) -> None:
        if not removed:
            (beside,) = tmp_path.iterdir()
            beside.unlink()
            removed.append(beside)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    saved(tmp_path / "a.pt")
    assert removed
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def unlockable(file: Any, *how: int) -> None:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


@pytest.mark.parametrize("without", ["locks", "fcntl"])
def test_where_nothing_can_be_locked_nothing_is_removed(
    without: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if without == "fcntl":
        monkeypatch.setattr(_files, "fcntl", None)
    else:
        monkeypatch.setattr(fcntl, "flock", unlockable)
    left = tmp_path / ".a.pt.00000000.tmp"
    left.write_bytes(b"half a checkpoint")
    saved(tmp_path / "a.pt")
    assert sorted(tmp_path.iterdir()) == [left, tmp_path / "a.pt"]


def test_the_package_can_be_imported_where_there_is_no_fcntl(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    assert runpy.run_path(_files.__file__)["fcntl"] is None
