"""Repositories of the Hugging Face hub: any network of ours in timm's or transformers' form."""

import dataclasses
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_resnet.common.arguments import checked
from keras_resnet.common.files import write_json
from keras_resnet.networks.family import NETWORKS
from keras_resnet.weights.download import cache_folder
from keras_resnet.weights.hub import hub_file
from keras_resnet.weights.matching import applicable, options_in
from keras_resnet.weights.records import ImageRule, Record, image_rule

if TYPE_CHECKING:
    import keras

# How timm names a network: what comes before its depth, C or D, and groups or width.
TIMM = re.compile(r"(resnetv2_|(?:wide_)?resnet|resnext)(\d+)([cd]?)((?:_\w+)?)")


def hub_record(address: str) -> Record:
    """The record of a repository, from its config.json.

    Args:
        address: `hf://owner/repository`.

    Raises:
        ValueError: its config.json is of no network of this package.
        DownloadError: config.json could not be downloaded.
    """
    if not re.fullmatch(r"hf://[\w.-]+/[\w.-]+", address):
        raise ValueError(f"A repository is written hf://owner/name. Received: {address!r}")
    config = json_of(address, "config.json")
    options, network, dialect = network_in(config, address)
    return Record(
        network=network,
        name=address,
        source=address,
        url=f"{address}/model.safetensors",
        hash="",
        license=str(config.get("license", "not stated")),
        dialect=dialect,
        options=options,
        image=image_in(config, address),
        units=units_in(config),
    )


def json_of(address: str, file: str) -> dict[str, Any]:
    """A JSON file of a repository."""
    path = hub_file(f"{address}/{file}", cache_folder() / "hub")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} of {address} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file} of {address} must be a table. Received: {content!r:.80}")
    return content


def network_in(config: Mapping[str, Any], address: str) -> tuple[dict[str, Any], str, str]:
    """The options, the network and the dialect that a config.json describes."""
    if isinstance(graph := config.get("keras_resnet"), Mapping) and graph["network"] in NETWORKS:
        said = applicable(NETWORKS[graph["network"]], options_in(graph))
        return said, graph["network"], graph["dialect"]
    name = str(config.get("architecture", ""))
    network, letter = in_timm(name)
    if network in NETWORKS:
        row = NETWORKS[network]
        options = {"first_norm": "conv2_1"} if row.preactivated else {"pool1": "symmetric"}
        options |= {"stem": "deep"} if letter else {}
        options |= {"downsample": "avg"} if letter == "d" else {}
        options |= {"stride_on": "3x3"} if row.block == "bottleneck" else {}
        return {"shortcut": "B", **options}, network, "timm"
    if config.get("model_type") == "resnet":
        for network, row in NETWORKS.items():
            kind = (getattr(row, "block", ""), list(getattr(row, "blocks", ())))
            if network.startswith("resnet") and kind == (config["layer_type"], config["depths"]):
                first = "1x1" if config.get("downsample_in_bottleneck") else "3x3"
                options = {"shortcut": "B", "pool1": "symmetric"}
                options |= {"stride_on": first} if row.block == "bottleneck" else {}
                return options, network, "transformers"
    raise ValueError(
        f"{address} is of no network of this package. Its config.json says "
        f"architecture={config.get('architecture')!r}, model_type={config.get('model_type')!r}; "
        "known are timm's resnet, -c, -d, resnetv2, resnext and wide_resnet, and "
        "transformers' resnet"
    )


def in_timm(name: str) -> tuple[str, str]:
    """Of a name of timm's: the name of our row without ResNet-C and -D, and which it is of them.

    Example:

    >>> in_timm("resnext50d_32x4d"), in_timm("resnetv2_50"), in_timm("vgg16")
    (('resnext50_32x4d', 'd'), ('preact_resnet50', ''), ('', ''))
    """
    match = TIMM.fullmatch(name)
    kind, depth, letter, rest = match.groups() if match else ("", "", "", "")
    return f"{kind.replace('resnetv2_', 'preact_resnet')}{depth}{rest}", letter


def units_in(config: Mapping[str, Any]) -> int:
    known = config.get("num_classes") or len(config.get("id2label", ())) or config.get("num_labels")
    return int(known or 1000)


def image_in(config: Mapping[str, Any], address: str) -> ImageRule:
    """What a repository says that its network expects of an image."""
    said = config.get("pretrained_cfg")
    if not isinstance(said, Mapping) and config.get("model_type"):
        said = json_of(address, "preprocessor_config.json")
        size = said.get("size", 224)
        size = size if isinstance(size, int) else size.get("shortest_edge", 224)
        said = {
            "mean": said["image_mean"],
            "std": said["image_std"],
            "input_size": (3, size, size),
            "crop_pct": said.get("crop_pct", 0.875),
            "interpolation": {2: "bilinear", 3: "bicubic"}.get(said.get("resample", 2)),
        }
    if not isinstance(said, Mapping):
        return ImageRule()
    try:
        return ImageRule(
            mean=tuple(255 * value for value in said["mean"]),
            std=tuple(255 * value for value in said["std"]),
            size=said["input_size"][-1],
            crop_pct=said["crop_pct"],
            interpolation=said["interpolation"],
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{address} does not say what it expects of an image: {error}") from error


@checked()
def save_pretrained(
    model: "keras.Model",
    folder: str | os.PathLike,
    image: ImageRule | None = None,
    results: Mapping[str, float] | None = None,
    license: str = "not stated",
) -> None:
    """Writes a network as a repository of the hub: config.json, model.safetensors, README.md.

    timm loads it with `timm.create_model("hf-hub:owner/name")` where it has such a network, and
    `weights="hf://owner/name"` of a builder does in any case.

    Args:
        model: a network that `build` has made.
        folder: to write into; it is made.
        image: what the network expects of an image; by default what the public set expects that
            it started from, or the usual statistics at 224 pixels.
        results: numbers that were measured, by what they are, such as
            `{"top-1 error on my images (%)": 7.1}`.
        license: SPDX identifier.

    Raises:
        ValueError: the model does not say what it was built as.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("resnet18", classes=3, input_shape=(64, 64, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keras_resnet.save_pretrained(model, folder, results={"top-1 error (%)": 7.1})
    ...     sorted(os.listdir(folder))
    ['README.md', 'config.json', 'model.safetensors']
    """
    from keras_resnet.network import graph_of  # late: records are listed without loading Keras
    from keras_resnet.weights.save import save_weights

    graph = graph_of(model)
    if graph is None:
        raise ValueError(f"The model {model.name!r} does not say what it was built as: use `build`")
    image = image or image_rule(**(graph["preprocessing"] or {}))
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    dialect = "timm" if graph["row"]["kind"] == "Architecture" else "keras_resnet"
    if graph["row"].get("order") == "v2" or graph["row"].get("stem") == "cifar":
        dialect = "keras_resnet"
    save_weights(model, folder / "model.safetensors", dialect)
    architecture = timm_name(graph)
    size, v2 = image.size or 224, architecture.startswith("resnetv2")
    deep = graph["row"].get("stem") == "deep"
    first_conv = ("stem.conv1" if deep else "stem.conv") if v2 else "conv1.0" if deep else "conv1"
    config = {
        **({"architecture": architecture} if architecture else {}),
        "num_classes": graph["classes"] or 0,
        "license": license,
        "pretrained_cfg": {
            "architecture": architecture,
            "num_classes": graph["classes"] or 0,
            "input_size": [int(model.inputs[0].shape[-1]), size, size],
            "crop_pct": image.crop_pct,
            "interpolation": image.interpolation,
            "mean": [value / 255 for value in image.mean],
            "std": [value / 255 for value in image.std],
            "first_conv": first_conv,
            "classifier": "head.fc" if v2 else "fc",
        },
        "keras_resnet": {**graph, "dialect": dialect},
    }
    write_json(folder / "config.json", config)
    (folder / "README.md").write_text(
        card(graph, architecture, image, results or {}, license), encoding="utf-8"
    )


def timm_name(graph: Mapping[str, Any]) -> str:
    """What timm calls a network; empty where it has none that computes the same."""
    said = {**graph["row"], **graph["options"]}
    match = TIMM.fullmatch(graph["network"].replace("preact_resnet", "resnetv2_"))
    for name in (f"{match[1]}{match[2]}{x}{match[4]}" for x in ("", "c", "d")) if match else ():
        if in_timm(name)[0] in NETWORKS:
            options = network_in({"architecture": name}, "")[0]
            usual = {"stem": "imagenet", "downsample": "conv", "blur_pool": False} | options
            same = all(said[key] == value for key, value in usual.items() if key in said)
            if same and said.get("output_stride") == 32:
                return name
    return ""


def card(
    graph: Mapping[str, Any],
    architecture: str,
    image: ImageRule,
    results: Mapping[str, float],
    license: str,
) -> str:
    """A model card; `architecture` is what timm calls the network, empty where it has none."""
    rule = dataclasses.asdict(image)
    lines = [
        "---",
        f"license: {license.lower() if license != 'not stated' else 'other'}",
        "library_name: timm" if architecture else "library_name: keras",
        "tags:\n- image-classification\n- keras-resnet",
        "---",
        f"# {graph['network']}",
        f"Built by `{graph['call']}`, version {graph['version']}.",
        "## Measured",
        *(f"* {what}: {number:g}" for what, number in results.items()),
        *(() if results else ("Nothing was measured.",)),
        "## Images",
        *(f"* {name}: {value}" for name, value in rule.items()),
    ]
    return "\n".join(lines) + "\n"


@checked()
def push_to_hub(
    model: "keras.Model", repository: str, private: bool = False, **described: Any
) -> str:
    """Uploads what `save_pretrained` writes to a repository of the hub, which is made if need be.

    Args:
        model: a network that `build` has made.
        repository: `"owner/name"`.
        private: whether others may not see a repository that is made.
        described: arguments of `save_pretrained`: `image`, `results`, `license`.

    Returns:
        The address of the commit.

    Raises:
        ValueError: the model does not say what it was built as.
        DownloadError: the hub cannot be reached, or refuses.
    """
    import huggingface_hub

    from keras_resnet.weights.hub import failures_named

    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(model, folder, **described)
        with failures_named(f"hf://{repository}", "uploaded"):
            api = huggingface_hub.HfApi(library_name="keras3-resnet")
            api.create_repo(repository, private=private, exist_ok=True)
            return str(api.upload_folder(repo_id=repository, folder_path=folder).commit_url)
