"""Writes keras_resnet/data/imagenet_classes.json: the synset and the name of each ImageNet class.

    python tools/class_names.py

Labels are the 1000 synsets of ILSVRC 2012 in alphabetical order, as all public weights have
them; names are the first word WordNet gives a synset. Both are taken from the lists in the
package timm, which has to be installed.
"""

import json
from importlib import resources
from pathlib import Path

TARGET = Path(__file__).parent.parent / "keras_resnet" / "data" / "imagenet_classes.json"


def class_names() -> list[list[str]]:
    """[synset, name] by label."""
    info = resources.files("timm.data") / "_info"
    synsets = (info / "imagenet_synsets.txt").read_text().split()
    lemmas = dict(
        line.split("\t", 1)
        for line in (info / "imagenet_synset_to_lemma.txt").read_text().splitlines()
    )
    return [[synset, lemmas[synset].split(",")[0].replace(" ", "_")] for synset in synsets]


if __name__ == "__main__":
    rows = ",\n".join(json.dumps(row) for row in class_names())
    TARGET.write_text(f"[\n{rows}\n]\n")
    print(f"{TARGET.name}: {len(class_names())} classes")
