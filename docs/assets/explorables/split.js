// Split it: the fifty points of the line in three parts, exactly as workflow.split makes them.
import { html, range, show, upTo } from "./kit.js"
import { randn, randperm } from "./random.js"

const PARTS = ["train", "validation", "test"]
const NAMES = ["training", "validation", "test"]
const X = range(0, 0.98, 0.02)

// Of each part, the numbers of its points. Shares are even per cents, so that a part of fifty ends
// at a whole point. Where they leave nothing to the test, split refuses.
export function members({ train, validation, shuffle, seed }) {
  const order = shuffle ? randperm(50, seed) : X.map((_, i) => i)
  const [cut, cutAgain] = [train / 2, (train + validation) / 2]
  return { train: order.slice(0, cut), validation: order.slice(cut, cutAgain), test: order.slice(cutAgain) }
}

export function labels({ noise, seed }) {
  const normal = randn(50, seed)
  return X.map((x, i) => 0.7 * x + 0.3 + noise * normal[i])
}

export default function split(panel) {
  const line = panel.chart({
    title: "The points and their parts",
    x: { label: "x", from: 0, to: 1, ticks: [0, 0.5, 1] },
    y: { label: "y", from: -0.25, to: 1.4, ticks: [0, 0.5, 1] },
    height: 190,
  })
  const row = panel.chart({
    title: "The row that is cut",
    x: { label: "place in the row", from: 0, to: 49, ticks: [0, 10, 20, 30, 40, 49] },
    y: { label: "x", from: 0, to: 1.1, ticks: [0, 0.5, 1] },
    height: 190,
  })
  line.line("truth").set([0, 1], [0.3, 1])
  const marks = PARTS.map((part) => [line.marks(part), row.marks(part)])
  const reach = line.line("train")
  const counts = PARTS.map((part) => html("span", { class: part }))
  const code = html("code")

  panel.begin({ train: 60, validation: 20, noise: 0, shuffle: false, seed: 0 })
  const percent = (share) => `${share}%`
  panel.slider("train", { label: "Training", values: range(2, 98, 2), format: percent })
  panel.slider("validation", { label: "Validation", values: range(0, 40, 2), format: percent })
  panel.slider("noise", { label: "Noise", values: range(0, 0.1, 0.01) })
  panel.checkbox("shuffle", { label: "Shuffle first" })
  panel.button("New seed", () => panel.set({ seed: (panel.state.seed + 1) % 1000 }))
  panel.accepts.seed = upTo(999)
  panel.charts.append(html("p", {}, ...counts, code))

  panel.draw = (state) => {
    const parts = members(state)
    const y = labels(state)
    let place = 0
    PARTS.forEach((part, p) => {
      const [onLine, inRow] = marks[p]
      const numbers = parts[part]
      const x = numbers.map((i) => X[i])
      onLine.set(
        x,
        numbers.map((i) => y[i]),
      )
      inRow.set(
        numbers.map(() => place++),
        x,
      )
      counts[p].textContent = `${NAMES[p]} ${numbers.length}`
    })
    reach.set(ends(parts.train), [-0.15, -0.15])
    code.textContent = call(state)
    return [judge(parts), ...(parts.test.length ? warn(state, parts) : [])].join(" ")
  }
}

const ends = (part) => [Math.min(...part), Math.max(...part)].map((i) => X[i])

// The line of Python that makes these parts.
function call({ train, validation, noise, shuffle, seed }) {
  const percents = validation ? [train, validation] : [train]
  const shares = [...percents, 100 - train - validation].map((share) => share / 100)
  const names = validation ? "train, validation, test" : "train, test"
  const made = `*make_line(noise=${noise}, seed=${seed})`
  const mixed = shuffle ? "True" : "False"
  return `${names} = split(${made}, fractions=(${shares.join(", ")}), shuffle=${mixed}, seed=${seed})`
}

// Where the test asks for extrapolation.
function judge({ train, test }) {
  if (!test.length) return "Nothing is left for the test, so split raises a ValueError: who would judge the model?"
  const [low, high] = ends(train)
  const outside = test.filter((i) => X[i] < low || X[i] > high).length
  const learned = `The model learns from x = ${show(low, 2)} ${low < high ? `to ${show(high, 2)}` : "alone"}.`
  if (outside === test.length) return `${learned} Every test point lies beyond: the test asks for extrapolation.`
  if (!outside) return `${learned} No test point lies beyond: the test asks for interpolation.`
  return `${learned} ${outside} of ${test.length} test points ${outside === 1 ? "lies" : "lie"} beyond: extrapolation. The others fill gaps.`
}

// What a part too small means, and when the seed has nothing to decide.
function* warn({ noise, shuffle, seed }, { train, validation, test }) {
  const few = ({ length }) => length > 0 && length < 5
  if (train.length === 1) yield "Through a single point goes any line."
  else if (few(train) && noise) yield "So few points teach more noise than line."
  else if (few(train)) yield "So few points are enough only without noise."
  if (few(validation)) yield "So little validation data chooses by luck."
  if (few(test)) yield `One test point is ${Math.round(100 / test.length)}% of the mark.`
  if (seed && !noise && !shuffle) yield "In order and without noise nothing is random: every seed gives this."
}
