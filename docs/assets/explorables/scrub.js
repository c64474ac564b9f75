// Scrub the epochs: predictions, both loss curves and the state_dict of a real run move together.
import { html, range, show } from "./kit.js"

// Both runs are told in the same words. `s` is a stop of the slider; what torch had there is read,
// not computed: of the line after each epoch, of the network after some.

function straight({ weight, bias, train, test }) {
  const X = range(0, 0.98, 0.02)
  const y = X.map((x) => 0.7 * x + 0.3)
  const falling = (s) => s > 0 && train[s] < train[s - 1] // the test loss has no say
  return {
    key: "epoch",
    x: { label: "x", from: 0, to: 1, ticks: [0, 0.5, 1] },
    y: { from: 0, to: 1.1, ticks: [0, 0.5, 1] },
    epoch: { label: "epoch", from: 0, to: 100, ticks: [0, 50, 100] },
    loss: { from: 0, to: 0.5, ticks: [0, 0.25, 0.5] },
    epochs: range(0, weight.length - 1, 1),
    parts: { train: [X.slice(0, 40), y.slice(0, 40)], test: [X.slice(40), y.slice(40)] },
    losses: { train, test },
    at: (s) => [
      [0, 1],
      [bias[s], weight[s] + bias[s]],
    ],
    state: (s) => `weights ${show(weight[s])}, bias ${show(bias[s])}`,
    says: (s) =>
      `After ${s} epochs the training loss is ${show(train[s])} and the test loss ${show(test[s])}.` +
      (falling(s) ? " The training loss still falls: no reason to stop yet." : ""),
  }
}

function bent({ epoch, train, validation, predictions, first, shapes, data }) {
  const X = range(-1, 1, 0.05)
  const [[name, size]] = Object.entries(shapes)
  const count = Object.values(shapes).reduce((sum, sides) => sum + sides.reduce((a, b) => a * b), 0)
  const rest = `and ${Object.keys(shapes).length - 1} more: ${count.toLocaleString("en")} numbers`
  return {
    key: "checkpoint",
    x: { label: "x", from: -1, to: 1, ticks: [-1, 0, 1] },
    y: { from: -1.6, to: 1.6, ticks: [-1, 0, 1] },
    epoch: { label: "epoch (log)", from: 1, to: 500, ticks: [1, 10, 100, 500], log: true },
    loss: { from: 0, to: 0.7, ticks: [0, 0.35, 0.7] },
    epochs: epoch,
    parts: data,
    losses: { train, validation },
    at: (s) => [X, predictions[s]],
    state: (s) => `${name} (${size.join(", ")}), its first ${show(first[s])}, ${rest}`,
    says: (s) =>
      `After ${epoch[s]} ${epoch[s] > 1 ? "epochs" : "epoch"} the training loss is ${show(train[s])} and ` +
      `the validation loss ${show(validation[s])}. ${verdict(train, validation, s)}`,
  }
}

// Where the reader stands, without telling where the lowest is.
function verdict(train, validation, s) {
  const lowest = Math.min(...validation)
  const beside = validation.slice(Math.max(0, s - 1), s + 2)
  if (validation[s] === lowest) return "No checkpoint has a lower validation loss: stop here."
  if (train[s] === Math.min(...train)) {
    const times = show(validation[s] / lowest, 1)
    return `The lowest training loss of all, and ${times} times the lowest validation loss: it learned the noise.`
  }
  if (validation[s] === Math.min(...beside)) return "A low, but not the lowest: stop here, and you miss a better one."
  if (validation.indexOf(lowest) > s) return "Too early: a better epoch is still to come."
  return "Too late: a better epoch has gone by."
}

export default function scrub(panel) {
  const { network, ...line } = panel.numbers
  const runs = { line: straight(line), network: bent(network) }

  const picture = panel.chart({ title: "Data and predictions", x: runs.line.x, y: runs.line.y })
  const curves = panel.chart({ title: "Loss after each epoch", x: runs.line.epoch, y: runs.line.loss })
  const kinds = ["validation", "test", "train"]
  const each = (make) => Object.fromEntries(kinds.map((kind) => [kind, make(kind)]))
  const points = each((kind) => picture.marks(kind))
  const guess = picture.line("prediction")
  const paths = each((kind) => curves.line(kind))
  const marks = each((kind) => curves.marks(kind))

  panel.begin({ run: "line", epoch: 0, checkpoint: 0 })
  const options = { line: "the line", network: "a network that overfits" }
  const choice = panel.choice("run", { label: "Run", options })
  choice.addEventListener("change", () => panel.stop())
  const sliders = Object.values(runs).map(({ key, epochs }) => {
    const format = (stop) => String(epochs[stop])
    return [key, panel.slider(key, { label: "Epoch", values: range(0, epochs.length - 1, 1), format })]
  })
  const weights = html("code")
  panel.control(html("p", {}, "state_dict: ", weights))
  const play = panel.button("Play", () => {
    const { key, epochs } = runs[panel.state.run]
    const last = epochs.length - 1
    const pressedAgain = panel.playing
    panel.stop()
    if (pressedAgain) return panel.set({}) // only the button's word
    if (panel.state[key] === last) panel.set({ [key]: 0 })
    panel.play(key, last, 4000)
  })

  // What only another run changes.
  function open(run) {
    picture.scale(run.x, run.y)
    curves.scale(run.epoch, run.loss)
    for (const kind of kinds) {
      points[kind].set(...(run.parts[kind] ?? [[]]))
      paths[kind].set(...(run.losses[kind] ? [run.epochs, run.losses[kind]] : [[]]))
    }
    for (const [key, slider] of sliders) slider.hidden = key !== run.key
    return run
  }

  let opened
  panel.draw = (state) => {
    const run = runs[state.run]
    const stop = state[run.key]
    if (opened !== run) opened = open(run)
    for (const kind of kinds) {
      const losses = run.losses[kind]
      marks[kind].set(...(losses ? [[run.epochs[stop]], [losses[stop]]] : [[]]))
    }
    guess.set(...run.at(stop))
    weights.textContent = run.state(stop)
    play.textContent = panel.playing ? "Stop" : "Play"
    return run.says(stop)
  }
}
