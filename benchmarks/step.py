"""Cost of a training step, compared with a plain PyTorch loop and Keras, in one run on one machine.

    python benchmarks/step.py [--tensorflow PYTHON] [--rounds 5] [--page docs/step.md]

Each contender trains the same networks on the same MNIST (`SPARRING_DATA`), in its own process. They take turns for
several rounds. The table shows medians over the rounds, and the median and range of the ratios within a round.
TensorFlow cannot be installed next to PyTorch everywhere, so it has an interpreter of its own:

    python -m venv /tmp/tf && /tmp/tf/bin/pip install tensorflow-cpu
    python benchmarks/step.py --tensorflow /tmp/tf/bin/python

The tutorial MLP: G 100-256-512-1024-784 with batch norm, D 784-512-256-1, leaky ReLU 0.2, batch 64,
Adam 2e-4 / 0.5. DCGAN: 32 x 32 pixels, width 32, batch 64. Sparring runs with EMA, logging and checkpoints, as in
`sparring train`. The plain loop is that of a tutorial. For Keras, `train_on_batch` is the method of tutorials. The
`tf.function` step is that of TensorFlow's own DCGAN tutorial: D evaluates each fake once for both losses, whereas all
others update D before they compute G's loss.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WARM_UP, SECONDS = 3.0, 9.0
BATCH = 64


def rate(step) -> float:
    """Samples per second of a step function, over SECONDS after WARM_UP."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < WARM_UP:
        step()
    begin, n = time.perf_counter(), 0
    while time.perf_counter() - begin < SECONDS:
        step()
        n += 1
    return n * BATCH / (time.perf_counter() - begin)


def mnist():
    """MNIST in [-1, 1], float (60000, 28, 28)."""
    import gzip

    import numpy as np

    path = Path(os.environ["SPARRING_DATA"]) / "mnist" / "train-images-idx3-ubyte.gz"
    raw = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    return raw.reshape(-1, 28, 28).astype("float32") / 127.5 - 1


def sparring_run(recipe: str, size: int, **fields) -> float:
    """The speed in the log of a real run, after the same warm-up."""
    import sparring

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        data = "mnist" if size == 28 else padded(Path(folder) / "padded")
        sparring.train(
            recipe, data, out=out, steps=10**6, time=WARM_UP + SECONDS, quiet=True, device="cpu", batch=BATCH,
            labels=False, **fields,
        )  # fmt: skip
        lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
        about = json.loads((out / "model" / "model.json").read_text())["about"]
        first = next(line for line in lines if line["seconds"] >= WARM_UP)
        return (about["step"] - first["step"]) * BATCH / (about["seconds"] - first["seconds"])


def padded(folder: Path) -> Path:
    """A folder with MNIST at 32 x 32 pixels, as an idx file."""
    import struct

    import numpy as np

    folder.mkdir()
    x = np.pad(((mnist() + 1) * 127.5).round().astype(np.uint8), ((0, 0), (2, 2), (2, 2)))
    header = struct.pack(">4B3I", 0, 0, 8, 3, *x.shape)
    (folder / "train-images-idx3-ubyte").write_bytes(header + x.tobytes())
    return folder


def plain_loop(G, D, x) -> float:
    """The loop of a tutorial: two losses, two optimizers, both losses read in every step."""
    import torch
    from torch import nn

    x = torch.from_numpy(x)
    adams = [torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (D, G)]
    bce, ones, zeros = nn.BCEWithLogitsLoss(), torch.ones(BATCH), torch.zeros(BATCH)

    def step():
        real = x[torch.randint(len(x), (BATCH,))]
        fake = G(torch.randn(BATCH, 100))
        loss = bce(D(real), ones) + bce(D(fake.detach()), zeros)
        adams[0].zero_grad()
        loss.backward()
        adams[0].step()
        loss_G = bce(D(G(torch.randn(BATCH, 100))), ones)
        adams[1].zero_grad()
        loss_G.backward()
        adams[1].step()
        return loss.item(), loss_G.item()

    return rate(step)


def mlp_plain() -> float:
    from sparring.nets import mlp

    G = mlp.Generator(100, (1, 28, 28), (256, 512, 1024))
    return plain_loop(G, mlp.Discriminator((1, 28, 28), (512, 256)), mnist()[:, None])


def dcgan_plain() -> float:
    import numpy as np

    from sparring.nets import dcgan

    x = np.pad(mnist(), ((0, 0), (2, 2), (2, 2)), constant_values=-1)[:, None]
    return plain_loop(dcgan.Generator(100, 32, 1, 32), dcgan.Discriminator(32, 1, 32), x)


def _keras_nets():
    import keras
    from keras import layers as L

    G = keras.Sequential([keras.Input((100,)), L.Dense(256), L.LeakyReLU(0.2)])
    for width in (512, 1024):
        for layer in (L.Dense(width), L.BatchNormalization(momentum=0.8), L.LeakyReLU(0.2)):
            G.add(layer)
    G.add(L.Dense(784, activation="tanh"))
    G.add(L.Reshape((28, 28)))
    D = keras.Sequential([keras.Input((28, 28)), L.Flatten()])
    for width in (512, 256):
        D.add(L.Dense(width))
        D.add(L.LeakyReLU(0.2))
    D.add(L.Dense(1))
    adams = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in "DG"]
    return keras, G, D, adams


def keras_train_on_batch() -> float:
    import numpy as np

    keras, G, D, (adam_D, adam_G) = _keras_nets()
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    D.compile(adam_D, bce)
    D.trainable = False
    both = keras.Sequential([G, D])
    both.compile(adam_G, bce)
    x, random = mnist(), np.random.default_rng(0)
    ones, zeros = np.ones((BATCH, 1)), np.zeros((BATCH, 1))

    def step():
        fake = G.predict(random.standard_normal((BATCH, 100)), verbose=0)
        D.train_on_batch(x[random.integers(len(x), size=BATCH)], ones)
        D.train_on_batch(fake, zeros)
        both.train_on_batch(random.standard_normal((BATCH, 100)), ones)

    return rate(step)


def tf_function() -> float:
    import tensorflow as tf

    keras, G, D, (adam_D, adam_G) = _keras_nets()
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    x = tf.constant(mnist())

    @tf.function
    def step():
        real = tf.gather(x, tf.random.uniform((BATCH,), 0, 60000, tf.int32))
        with tf.GradientTape() as tape_D, tf.GradientTape() as tape_G:
            fake = G(tf.random.normal((BATCH, 100)), training=True)
            on_real, on_fake = D(real, training=True), D(fake, training=True)
            loss_D = bce(tf.ones_like(on_real), on_real) + bce(tf.zeros_like(on_fake), on_fake)
            loss_G = bce(tf.ones_like(on_fake), on_fake)
        for tape, loss, net, adam in ((tape_D, loss_D, D, adam_D), (tape_G, loss_G, G, adam_G)):
            adam.apply_gradients(
                zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables, strict=True)
            )

    return rate(step)


def matmul() -> float:
    """Speed of matrix products of this machine in GFLOP/s: 1024 x 1024, float32."""
    import torch

    a = torch.randn(1024, 1024)
    return rate(lambda: a @ a) / BATCH * 2 * 1024**3 / 1e9


def dcgan_gflop() -> float:
    """GFLOP of a DCGAN step, as PyTorch counts them for one plain step."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from sparring.nets import dcgan

    G, D = dcgan.Generator(100, 32, 1, 32), dcgan.Discriminator(32, 1, 32)
    with FlopCounterMode(display=False) as counter:
        fake = G(torch.randn(BATCH, 100))
        (D(torch.randn(BATCH, 1, 32, 32)) + D(fake.detach())).sum().backward()
        D.requires_grad_(False)
        D(fake).sum().backward()
    return counter.get_total_flops() / 1e9


CONTENDERS = {
    "mlp sparring": lambda: sparring_run("gan", 28),
    "mlp plain": mlp_plain,
    "mlp keras": keras_train_on_batch,
    "mlp tf.function": tf_function,
    "dcgan sparring": lambda: sparring_run("dcgan", 32, width=32),
    "dcgan plain": dcgan_plain,
    "matmul": matmul,
    "dcgan gflop": dcgan_gflop,
}
NEEDS_TENSORFLOW = ("mlp keras", "mlp tf.function")


def measured(name: str, python: str) -> float:
    env = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    words = [python, __file__, "--one", name]
    return float(subprocess.run(words, check=True, capture_output=True, text=True, env=env).stdout.split()[-1])


def table(rounds: list[dict[str, float]]) -> str:
    """The results as Markdown."""

    def median(name: str) -> float:
        return statistics.median(r[name] for r in rounds)

    def ratio(a: str, b: str) -> str:
        each = [r[a] / r[b] for r in rounds]
        return f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})"

    rows = ["| step | images/s | speed of Sparring / speed of this |", "|---|---:|---:|"]
    for net in ("mlp", "dcgan"):
        for name in [n for n in rounds[0] if n.startswith(net) and "gflop" not in n]:
            against = "" if "sparring" in name else ratio(f"{net} sparring", name)
            rows.append(f"| {name} | {median(name):,.0f} | {against} |")
    flops = median("dcgan sparring") / BATCH * median("dcgan gflop")
    rows += ["", f"A DCGAN step takes {median('dcgan gflop'):.2f} GFLOP: Sparring computes {flops:.0f} GFLOP/s, and"]
    rows += [f"matrix products on this machine reach {median('matmul'):.0f} GFLOP/s."]
    return "\n".join(rows)


def page(text: str, rounds: int) -> str:
    """The table as a page, with the protocol from the docstring above."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    head = f"Written by `python benchmarks/step.py`: medians of {rounds} rounds on {machine}."
    protocol = "\n\n".join(__doc__.split("\n\n")[2:])
    return f"# The cost of a training step\n\n{head}\n\n{text}\n\n{protocol}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--tensorflow", help="a Python interpreter with TensorFlow")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--page", type=Path, help="write the table to this Markdown file")
    given = parser.parse_args()
    if given.one:
        print(CONTENDERS[given.one]())
        return
    names = [name for name in CONTENDERS if given.tensorflow or name not in NEEDS_TENSORFLOW]
    rounds = []
    for i in range(given.rounds):
        rounds.append({})
        for name in names:
            rounds[-1][name] = measured(name, given.tensorflow if name in NEEDS_TENSORFLOW else sys.executable)
            print(f"round {i + 1}: {name} {rounds[-1][name]:.1f}", file=sys.stderr, flush=True)
    text = table(rounds)
    print(text)
    if given.page:
        given.page.write_text(page(text, given.rounds))


if __name__ == "__main__":
    main()
