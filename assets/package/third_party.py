#!/usr/bin/env python3
"""Prints the notices and licences of what is built into the program, as their makers ask of whoever passes it on.

Usage: assets/package/third_party.py; needs cargo, and the crates in its cache, where a build has put them.
"""

import json
import re
import subprocess
from pathlib import Path

# What a file of a licence or a notice is called; beside fonts each text is one.
LICENCE = re.compile(r"(licen[sc]e|copying|notice|copyright|unlicense|ofl|ufl)", re.IGNORECASE)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def linked_crates():
    """The packages that cargo links into the program, by name and version; not what only builds or tests it."""
    tree = output("cargo", "tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}")
    linked = {tuple(line.split()[:2]) for line in tree.splitlines()}
    metadata = json.loads(output("cargo", "metadata", "--locked", "--format-version", "1"))
    packages = [package for package in metadata["packages"] if package["id"] != metadata["resolve"]["root"]]
    packages = [package for package in packages if (package["name"], "v" + package["version"]) in linked]
    return sorted(packages, key=lambda package: (package["name"], package["version"]))


def texts(folder):
    """The texts of licences in a crate's folder, one or two levels down."""
    files = [path for pattern in ("*", "*/*") for path in sorted(folder.glob(pattern)) if path.is_file()]
    for path in files:
        is_code = path.suffix in (".rs", ".py", ".toml", ".html", ".c", ".h")
        is_of_font = path.parent.name == "fonts" and path.suffix == ".txt"
        if is_of_font or (LICENCE.match(path.name) or "license" in path.name.lower()) and not is_code:
            yield path.read_text(encoding="utf-8", errors="replace").strip()


def main():
    users, order = {}, []
    lacking = []

    def add(text, name):
        key = " ".join(text.split())
        if key not in users:
            users[key] = []
            order.append((key, text))
        if name not in users[key]:
            users[key].append(name)

    crates = linked_crates()
    for crate in crates:
        name = f"{crate['name']} {crate['version']}"
        found = list(texts(Path(crate["manifest_path"]).parent))
        for text in found:
            add(text, name)
        if not found:
            lacking.append(f"{name} ({crate['license']}), by {', '.join(crate['authors']) or 'its contributors'}")
    print("The program has these built into it. Each stands with its licence as its makers state it.\n")
    print("The Rust standard library (MIT OR Apache-2.0), by the Rust Project developers")
    for crate in crates:
        print(f"{crate['name']} {crate['version']} ({crate['license'] or 'see its text'})")
    print("\nOf these the makers ship no text; where they offer a choice, it is the Apache License, Version 2.0, or MIT:\n")
    print("\n".join(lacking))
    for key, text in order:
        print("\n" + "-" * 80 + "\nOf " + ", ".join(users[key]) + ":\n\n" + text)


if __name__ == "__main__":
    main()
