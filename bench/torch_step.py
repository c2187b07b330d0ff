"""Training steps in plain PyTorch, as RecBole and the paper's code have them, to measure against.

A server: it says what it is in one line of JSON, then answers each line of JSON with one.

    {"open": sizes}  -> {"parameters": count, "dataMs": time}   a model with Adam, and invented data
    {"train": steps} -> {"ms": a step, "cpuMs": a step of all threads, "loss": of the last step}
    {"close": true}  -> {}

Whatever goes wrong is answered with {"error": text}. The only argument is the number of threads.
"""

import json
import sys
import time

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from torch_models import MODELS


def popular(count, cardinality, distribution):
    """Ids from 1 on, small ones more frequent, as bench/data.ts draws them."""
    chance = torch.rand(count)
    if distribution == "zipf":
        return (float(cardinality) ** chance.double()).long().clamp(max=cardinality - 1)
    return 1 + (chance**2 * (cardinality - 1)).long()


class Data:
    """Interactions, and features of users and items that are joined to each batch by index."""

    def __init__(self, sizes):
        fields = sizes["fields"]
        batch, count = sizes["batch"], sizes["batch"] * sizes["epochSteps"]
        users, items = fields[0]["cardinality"], fields[1]["cardinality"]
        rows = {"inter": count, "user": users, "item": items}
        self.batch, self.count, self.at = batch, count, 0
        self.names = [field["name"] for field in fields]
        self.tables = {"inter": {}, "user": {}, "item": {}}
        offsets, total = [], 0
        for field in fields:
            source, cardinality = field["source"], field["cardinality"]
            ids = popular(rows[source], cardinality, sizes.get("ids"))
            self.tables[source][field["name"]] = ids
            offsets.append(total)
            total += cardinality
        self.features = total
        self.offsets = torch.tensor([offsets])
        rating = 1 + (5 * torch.rand(count)).floor()
        self.tables["inter"].update(rating=rating, label=(rating >= 4).float())
        self.order = torch.randperm(count)

    def next(self):
        """Rows of the joint table [B,F], labels [B] and ratings [B] of the next batch."""
        if self.at + self.batch > self.count:
            self.order, self.at = torch.randperm(self.count), 0
        index = self.order[self.at : self.at + self.batch]
        self.at += self.batch
        columns = {name: column[index] for name, column in self.tables["inter"].items()}
        users, items = columns[self.names[0]], columns[self.names[1]]
        columns.update({name: column[users] for name, column in self.tables["user"].items()})
        columns.update({name: column[items] for name, column in self.tables["item"].items()})
        ids = torch.stack([columns[name] for name in self.names], dim=1)
        return ids + self.offsets, columns["label"], columns["rating"]


def loss_of(z, label, rating, penalty, positive=3, ratio=0.5):
    """Binary cross-entropy of one logit; of several, the paper's mix of label and rating loss."""
    if z.shape[1] == 1:
        return binary_cross_entropy_with_logits(z.squeeze(1), label) + penalty
    sides = torch.stack([z[:, :positive].sum(dim=1), z[:, positive:].sum(dim=1)], dim=1)
    label_loss = cross_entropy(sides, label.long()) + penalty
    return (1 - ratio) * label_loss + ratio * cross_entropy(z, rating.long() - 1)


class Training:
    def __init__(self, sizes):
        torch.manual_seed(2020)
        began = time.perf_counter()
        self.data = Data(sizes)
        self.data_ms = 1000 * (time.perf_counter() - began)
        self.model = MODELS[sizes["model"]](self.data.features, sizes)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.001)

    def parameters(self):
        return sum(p.numel() for p in self.model.parameters())

    def step(self):
        rows, label, rating = self.data.next()
        self.optimizer.zero_grad(set_to_none=True)
        loss = loss_of(self.model(rows), label, rating, self.model.penalty())
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def train(self, steps):
        began, cpu_began = time.perf_counter(), time.process_time()
        for _ in range(steps):
            loss = self.step()
        ms = 1000 * (time.perf_counter() - began) / steps
        return {"ms": ms, "cpuMs": 1000 * (time.process_time() - cpu_began) / steps, "loss": loss}


def matmul_gflops(size=512, tries=8):
    """What the BLAS reaches: the reference BLAS, which Debian installs if nothing else is asked for, is slow."""
    a = torch.rand(size, size)
    best = float("inf")
    for _ in range(tries):
        began = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best / 1e9


class Server:
    def __init__(self):
        self.training = None

    def answer(self, request):
        if "open" in request:
            self.training = Training(request["open"])
            return {"parameters": self.training.parameters(), "dataMs": self.training.data_ms}
        if "train" in request:
            return self.training.train(request["train"])
        if "peak" in request:
            return {"gflopPerS": matmul_gflops()}
        self.training = None
        return {}


def say(answer):
    print(json.dumps(answer), flush=True)


def main():
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    say({"name": f"PyTorch {torch.__version__}", "threads": threads})
    server = Server()
    for line in sys.stdin:
        try:
            say(server.answer(json.loads(line)))
        except Exception as error:  # the other side decides what to do
            say({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
