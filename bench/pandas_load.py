"""Loads a data set of the form of ml-1m with pandas, as RecBole 1.2 does but by pandas' fastest ways, and says in one
line of JSON how long that took. Started by bench/load.ts.

    python3 pandas_load.py FOLDER NAME
"""

import json
import sys
import time

import numpy as np
import pandas as pd

LEAST = 10  # interactions of a user and of an item
TOKENS = {"user": ["user_id", "age", "gender", "occupation"], "item": ["item_id", "release_year"]}


def read(folder, name, ending, columns):
    """Columns of an atomic file, without the types in their names; tokens are texts."""
    path = f"{folder}/{name}/{name}.{ending}"
    types = {column: np.float64 if column.endswith(":float") else str for column in columns}
    table = pd.read_csv(path, sep="\t", usecols=columns, dtype=types, engine="c")
    return table.rename(columns=lambda column: column.split(":")[0])


def core(inter):
    """Leaves out users and items with too few interactions, until none is left to go."""
    codes = [pd.factorize(inter[field])[0] for field in ("user_id", "item_id")]
    keep = np.ones(len(inter), bool)
    while True:
        stay = keep.copy()
        for code in codes:
            stay &= np.bincount(code[keep], minlength=code.max() + 1)[code] >= LEAST
        if stay.sum() == keep.sum():
            return inter[keep]
        keep = stay


def remap(*columns):
    """Numbers from 1 on for the tokens of all columns together, in order of appearance; 0 for none."""
    codes, tokens = pd.factorize(pd.concat(columns, ignore_index=True))
    ends = np.cumsum([len(column) for column in columns])
    return np.split((codes + 1).astype(np.uint32), ends[:-1]), len(tokens) + 1


def sequences(column):
    """Numbers of the tokens in each cell, padded with 0 to the longest."""
    lists = column.fillna("").str.split(" ")
    lengths = lists.str.len().to_numpy()
    (flat,), size = remap(lists.explode(ignore_index=True))
    padded = np.zeros((len(lists), lengths.max()), np.uint32)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = flat
    return padded, size


def load(folder, name):
    inter = read(folder, name, "inter", ["user_id:token", "item_id:token", "rating:float"])
    user = read(folder, name, "user", [f"{column}:token" for column in TOKENS["user"]])
    item = read(folder, name, "item", ["item_id:token", "release_year:token", "genre:token_seq"])
    inter = core(inter.dropna(subset=["user_id", "item_id"]))
    inter = inter[inter["user_id"].isin(user["user_id"]) & inter["item_id"].isin(item["item_id"])]
    user = user[user["user_id"].isin(inter["user_id"])]
    item = item[item["item_id"].isin(inter["item_id"])]
    columns, sizes = {}, {}
    for table, source in ((user, "user"), (item, "item")):
        key = f"{source}_id"
        (columns[key], own), sizes[key] = remap(inter[key], table[key])
        for field in TOKENS[source][1:]:
            (ids,), sizes[field] = remap(table[field])
            columns[field] = np.zeros(sizes[key], np.uint32)
            columns[field][own] = ids
        if source == "item":
            ids, sizes["genre"] = sequences(table["genre"])
            columns["genre"] = np.zeros((sizes[key], ids.shape[1]), np.uint32)
            columns["genre"][own] = ids
    columns["rating"] = inter["rating"].to_numpy(np.float32)
    columns["label"] = (columns["rating"] >= 4).astype(np.float32)
    return len(inter), sizes


def main(folder, name):
    start, cpu = time.perf_counter(), time.process_time()
    rows, sizes = load(folder, name)
    ms, cpu_ms = 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - cpu)
    print(json.dumps({"name": f"pandas {pd.__version__}", "ms": ms, "cpuMs": cpu_ms, "rows": rows, "sizes": sizes}))


main(*sys.argv[1:])
