// Runs model.onnx, which `keras-resnet export --pixels` wrote: raw pixels in, probabilities out.
"use strict";

const MODEL = "model.onnx";
const byId = (id) => document.getElementById(id);
const say = (text) => { byId("status").textContent = text; };

ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send
const network = load();

async function load() {
  const [session, names] = await Promise.all([
    ort.InferenceSession.create(MODEL),
    fetch("classes.json").then((answer) => answer.json()),
  ]);
  const shape = session.inputMetadata[0].shape; // batch, height, width, channels
  say("Ready.");
  return { session, names, height: shape[1], width: shape[2] };
}

/** The square in the middle of an image, as the network's pixels. */
function pixelsOf(image, width, height) {
  const canvas = byId("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.hidden = false;
  const side = Math.min(image.width, image.height);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  const [left, top] = [(image.width - side) / 2, (image.height - side) / 2];
  context.drawImage(image, left, top, side, side, 0, 0, width, height);
  const rgba = context.getImageData(0, 0, width, height).data;
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      rgb[3 * pixel + channel] = rgba[4 * pixel + channel];
    }
  }
  return rgb;
}

async function classify(file) {
  const { session, names, width, height } = await network;
  const image = await createImageBitmap(file);
  const pixels = new ort.Tensor("uint8", pixelsOf(image, width, height), [1, height, width, 3]);
  const started = performance.now();
  const scores = Array.from((await session.run({ image: pixels })).output_0.data);
  const took = performance.now() - started;
  const best = scores.map((score, label) => [score, names[label]]).sort((a, b) => b[0] - a[0]);
  byId("classes").replaceChildren(...best.slice(0, 5).map(([score, name]) => row(name, score)));
  say(`${best[0][1]}, in ${took.toFixed(0)} ms`);
}

function row(name, score) {
  const line = document.createElement("div");
  line.className = "row";
  const [label, track, number] = ["span", "div", "span"].map((tag) => document.createElement(tag));
  const bar = document.createElement("div");
  bar.className = "bar";
  bar.style.width = `${100 * score}%`;
  track.append(bar);
  label.textContent = name;
  number.textContent = `${(100 * score).toFixed(1)} %`;
  line.append(label, track, number);
  return line;
}

const show = (file) => file && classify(file).catch((error) => say(`Failed: ${error.message}`));
const drop = byId("drop");
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  show(event.dataTransfer.files[0]);
});
byId("file").addEventListener("change", (event) => show(event.target.files[0]));
network.catch((error) => say(`The network could not be loaded: ${error.message}`));
