// Anything becomes numbers: a thing of the reader's own, and its tensor.
import { html, range } from "./kit.js"
import { pad } from "./pad.js"
import { describe, HEATINGS, MAKE } from "./tensors.js"

const LABELS = { text: "text", dna: "DNA", row: "table row", tone: "tone", drawing: "drawing" }
const PITCHES = range(-36, 48, 1).map((steps) => Math.round(440 * 2 ** (steps / 12)))
const SHOWN = 24 // of a tone's 4,000
const START = {
  ...{ kind: "text", text: "Hello", by: "bytes", dna: "GATTACA", area: 52.5, rooms: 2, heating: "oil" },
  ...{ pitch: 440, loudness: 0.5, drawing: "0024240081423c00" },
}

export default function numbers(panel) {
  panel.begin(START)
  panel.choice("kind", { label: "What is it?", options: LABELS })
  const wave = panel.chart({
    title: "5 milliseconds of it",
    x: { label: "number", from: 0, to: 39, ticks: [0, 10, 20, 30, 39] },
    y: { from: -1, to: 1, ticks: [-1, 0, 1] },
    height: 120,
  })
  const curve = wave.line("wave")
  const dots = wave.marks("train")
  dots.path.setAttribute("class", "marks") // in ink: these are nobody's training data
  const moments = range(0, 39, 0.1)
  const sketch = ({ pitch, loudness }, samples) => {
    curve.set(
      moments,
      moments.map((i) => loudness * Math.sin((2 * Math.PI * pitch * i) / 8000)),
    )
    dots.set(
      range(0, 39, 1),
      samples.map(([[sample]]) => sample),
    )
  }

  const hertz = (value) => `${value} Hz`
  const inputs = {
    text: [
      field(panel, "text", { label: "Text", most: 24 }),
      panel.choice("by", { label: "One number for each", options: { bytes: "byte of UTF-8", points: "code point" } }),
    ],
    dna: [field(panel, "dna", { label: "DNA", most: 12 })],
    row: [
      panel.slider("area", { label: "Area in m²", values: range(20, 150, 0.5) }),
      panel.slider("rooms", { label: "Rooms", values: range(1, 8, 1) }),
      panel.choice("heating", { label: "Heating", options: HEATINGS }),
    ],
    tone: [
      panel.slider("pitch", { label: "Pitch", values: PITCHES, format: hertz }),
      panel.slider("loudness", { label: "Loudness", values: range(0, 1, 0.1) }),
      panel.button("Hear the numbers", () => hear(MAKE.tone(panel.state).tensor)),
    ],
    drawing: [pad(panel, "drawing"), panel.button("Clear", () => panel.set({ drawing: "0".repeat(16) }))],
  }
  const groups = Object.entries(inputs).map(([kind, elements]) => [kind, html("div", {}, ...elements)])
  const facts = html("p", { class: "facts" })
  const tensor = html("div", { class: "tensor", tabindex: 0, role: "group", "aria-label": "Tensor" })
  const result = html("div", {}, facts, wave.figure, tensor)
  panel.control(html("div", { class: "desk" }, ...groups.map(([, group]) => group), result))
  const code = html("code")
  panel.control(html("p", {}, code))

  panel.draw = (state) => {
    const made = MAKE[state.kind](state)
    const { shape, dtype } = describe(state.kind, made)
    for (const [kind, group] of groups) group.hidden = kind !== state.kind
    facts.textContent = `shape (${shape.join(", ")}${shape.length > 1 ? "" : ","}) · dtype ${dtype}`
    tensor.classList.toggle("rows", shape.length > 1)
    tensor.replaceChildren(...made.tensor.slice(0, SHOWN).map(([values, label]) => cell(values, label)))
    if (made.tensor.length > SHOWN) tensor.append("…")
    if (state.kind === "dna") tensor.prepend(cell([..."ACGT"], ""))
    code.textContent = made.code
    wave.figure.hidden = state.kind !== "tone"
    if (state.kind === "tone") sketch(state, made.tensor.slice(0, 40))
    return shape[0] ? made.says : "An empty list says nothing of its numbers, so torch takes float32."
  }
}

// Numbers as Python would print them, at most four digits behind the point, and what they are of.
function cell(numbers, label) {
  const text = numbers.map((number) => (Number.isFinite(number) ? Number(number.toFixed(4)) : number)).join(" ")
  return html("span", {}, html("b", {}, text.replaceAll("-", "−")), html("small", {}, label))
}

function field(panel, key, { label, most }) {
  const cut = (text) => [...text].slice(0, most).join("") // never through the middle of an emoji
  const change = () => panel.set({ [key]: cut(input.value) })
  const input = html("input", { type: "text", autocomplete: "off", spellcheck: "false", oninput: change })
  panel.accepts[key] = cut
  panel.shown[key] = (now) => {
    if (input.value !== now) input.value = now
  }
  return html("label", {}, label, input)
}

// The tensor as sound: 8,000 of its numbers a second.
let speaker
function hear(tensor) {
  speaker ??= new AudioContext()
  const sound = speaker.createBuffer(1, tensor.length, 8000)
  sound.copyToChannel(
    Float32Array.from(tensor, ([[value]]) => value),
    0,
  )
  const source = new AudioBufferSourceNode(speaker, { buffer: sound })
  source.connect(speaker.destination)
  source.start()
}
