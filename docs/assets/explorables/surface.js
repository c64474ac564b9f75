// The loss surface: an optimizer's way over the map of weight and bias, and its loss after each step.
import { html, range, show, svg, upTo } from "./kit.js"
import { descend, LINE, measure } from "./torch.js"

const LOW = 1e-5 // converged, if the loss stays below
const HIGH = 1e6 // diverged

export default function surface(panel) {
  const { largest, weight, bias } = panel.numbers
  const map = panel.chart({ title: "Map of the loss", height: 263, ...around(1) })
  const curve = panel.chart({ title: "Loss after each step", height: 263, ...along(0, 1, [1]) })
  clip(map)
  // In pixels: the minimum, which stays in the middle, and the unit when nothing is magnified.
  const [left, top] = [map.x(0.7), map.y(0.3)]
  const unit = map.x(1.7) - left
  let reach = 1
  const rings = { mse: contours("mse", unit), l1: contours("l1", unit) }
  const ring = svg("path")
  const ink = { fill: "none", stroke: "currentColor", "stroke-width": 2 }
  const start = svg("circle", { r: 5, ...ink })
  const middle = { transform: `translate(${left} ${top})` }
  const label = svg("text", { x: 9, y: -8 }, "minimum")
  map.area.append(
    svg("g", middle, svg("g", { class: "axes" }, ring), svg("path", { d: "M-6 0H6M0-6V6", ...ink }), label),
    start,
  )
  const [way, crosses] = [map.line("prediction"), map.marks("prediction")]
  const [falling, last] = [curve.line("train"), curve.marks("train")]

  const defaults = { lr: 0.1, steps: 50, loss: "mse", optimizer: "sgd", weight, bias, zoom: false }
  panel.begin(defaults)
  const slider = (key, label, format, ...values) => {
    panel.slider(key, { label, format, values: values.flat().sort((a, b) => a - b) })
  }
  const [below, above] = [Math.floor(400 / largest) / 200, Math.ceil(400 / largest) / 200]
  const rates = range(-60, 20, 1).map((power) => Number((10 ** (power / 20)).toPrecision(2)))
  slider("lr", "Learning rate", String, rates, below, above)
  slider("steps", "Steps", String, range(0, 20, 1), range(30, 100, 10), range(120, 300, 20), range(400, 1000, 100))
  panel.accepts.steps = upTo(1000) // Run may be stopped at any
  panel.choice("loss", { label: "Loss", options: { mse: "MSE", l1: "L1 (MAE)" } })
  panel.choice("optimizer", { label: "Optimizer", options: { sgd: "SGD", momentum: "momentum", adam: "Adam" } })
  slider("weight", "Start: weight", show, range(-0.5, 1.9, 0.02), weight)
  slider("bias", "Start: bias", show, range(-0.6, 1.2, 0.02), bias)
  panel.checkbox("zoom", { label: "Magnify the last 20 steps" })
  panel.button("Run", () => {
    const goal = panel.state.steps || 50
    if (panel.playing) return
    panel.set({ steps: 0 })
    panel.play("steps", goal, Math.min(3000, 60 * goal))
  })

  const change = (changes) => {
    panel.stop()
    panel.set(changes)
  }
  const presets = Object.entries({
    "Just below the limit": { lr: below, steps: 1000 },
    "Just above it": { lr: above, steps: 1000 },
    "L1 bounces": { loss: "l1", lr: 0.01, steps: 300, zoom: true },
    "Momentum overshoots": { optimizer: "momentum" },
    "Adam from far away": { optimizer: "adam", weight: 1.8, bias: 1.1 },
  }).map(([label, changes]) => {
    return html("button", { type: "button", onclick: () => change({ ...defaults, ...changes }) }, label)
  })
  panel.control(html("fieldset", { style: "gap: 0.4rem; grid-column: 1 / -1" }, html("legend", {}, "Try"), ...presets))

  map.picture.setAttribute("cursor", "crosshair")
  map.picture.addEventListener("click", ({ clientX, clientY }) => {
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(map.picture.getScreenCTM().inverse())
    const { weight, bias } = panel.accepts
    const share = reach / unit
    change({ weight: weight(0.7 + (x - left) * share), bias: bias(0.3 + (top - y) * share), zoom: false })
  })

  panel.draw = (state) => {
    const path = descend({ ...state, ...LINE })
    const blown = path.loss.findIndex((loss) => !(loss < HIGH)) // as no number is an end, too
    const end = blown < 0 ? state.steps : blown
    const first = state.zoom ? Math.max(0, end - 20) : 0
    const [w, b, losses] = [path.weight, path.bias, path.loss].map((list) => list.slice(first, end + 1))
    const heights = losses.map((loss) => Math.min(HIGH / 10, Math.max(LOW, loss))) // zero has no logarithm
    const far = w.map((weight, i) => Math.hypot(weight - 0.7, b[i] - 0.3))
    reach = state.zoom ? Math.max(1e-4, 1.2 * Math.max(...far)) : 1
    const [place, time] = [around(reach), along(first, state.zoom ? end : round(end), heights)]
    map.scale(place.x, place.y)
    curve.scale(time.x, time.y)
    if (ring.getAttribute("d") !== rings[state.loss]) ring.setAttribute("d", rings[state.loss]) // it is long
    start.setAttribute("cx", map.x(state.weight))
    start.setAttribute("cy", map.y(state.bias))
    way.set(w, b)
    crosses.set(w.slice(-100), b.slice(-100))
    falling.set(range(first, end, 1), heights)
    last.set([end], heights.slice(-1))
    return verdict(state, path, blown, largest)
  }
}

// Axes with the minimum in the middle. A unit is equally long on both.
function around(reach) {
  const digits = Math.max(1, 1 - Math.floor(Math.log10(reach)))
  const axis = (label, middle, half, step) => {
    const ticks = [middle - step, middle, middle + step].map((at) => [at, show(at, digits)])
    return { label, from: middle - half, to: middle + half, ticks }
  }
  return { x: axis("weight", 0.7, 1.2 * reach, reach), y: axis("bias", 0.3, 0.9 * reach, 0.6 * reach) }
}

const round = (steps) => [10, 30, 100, 300, 1000].find((round) => round >= steps)

function along(from, to, heights) {
  const power = (height) => Math.floor(Math.log10(height))
  const powers = range(power(Math.min(...heights)), power(Math.max(...heights)) + 1, 1)
  const ticks = powers.map((power) => [Number(`1e${power}`), String(Number(`1e${power}`))])
  return {
    x: { label: "step", from, to, ticks: [from, to] },
    y: { log: true, from: ticks[0][0], to: ticks.at(-1)[0], ticks },
  }
}

// At the minimum no point misses, so on each ray from there the L1 loss grows with the distance and
// the MSE with its square: all rings have one shape, at any magnification.
function contours(loss, unit) {
  const at = (weight, bias) => measure(loss, 0.7 + weight, 0.3 + bias, LINE.X, LINE.y).loss
  const shape = range(0, 6.25, 0.05).map((angle) => {
    const [weight, bias] = [Math.cos(angle), Math.sin(angle)]
    const far = unit * (at(1.2, 0.9) / at(weight, bias)) ** (loss === "mse" ? 0.5 : 1)
    return [far * weight, -far * bias]
  })
  const ring = (size) => shape.map(([x, y]) => `${(size * x).toFixed(1)} ${(size * y).toFixed(1)}`)
  return range(0.1, 1, 0.1)
    .map((size) => `M${ring(size).join("L")}Z`)
    .join("")
}

function clip({ left, right, top, bottom, width, height, picture, area }) {
  const room = { x: left, y: top, width: width - left - right, height: height - top - bottom }
  picture.prepend(svg("clipPath", { id: "surface-map" }, svg("rect", room)))
  area.setAttribute("clip-path", "url(#surface-map)")
}

// What happened, in words.
function verdict({ lr, steps, loss, optimizer }, path, blown, largest) {
  const height = (step) => show(path.loss[step], path.loss[step] < 0.001 ? 6 : path.loss[step] < 100 ? 4 : 0)
  const place = (step) => `weight ${show(path.weight[step])}, bias ${show(path.bias[step])} (loss ${height(step)})`
  const room = { "mse sgd": 2, "mse momentum": 3.8 }[`${loss} ${optimizer}`]
  const limit = room / largest // not a number where there is none, and then nothing is above it
  const near = Math.abs(lr / limit - 1) < 0.1
  const curvature = show(largest)
  const limits = ` The limit is ${room} / ${curvature} = ${show(limit)}; ${curvature} says how fast the steepest slope grows.`
  const why = near ? limits : ""
  if (blown >= 0) return `Diverges: at step ${blown} the loss passed a million.${why}`

  const rises = path.loss.filter((now, i) => now > LOW && now > path.loss[i - 1]).length
  const rose = rises ? ` The loss rose in ${rises} of ${steps} steps.` : ""
  const settled = path.loss.findLastIndex((loss) => loss >= LOW) + 1
  if (settled <= steps) return `Converged: below 0.00001 from step ${settled} on.${rose}${why}`
  if (lr > limit) return `Diverges: at step ${steps} the loss is ${height(steps)}, and it grows.${why}`

  const moved = (list, i) => Math.abs(list[i] - list[i - 2]) >= 1e-9
  const cycle = path.loss.findLastIndex((_, i) => i < 2 || moved(path.weight, i) || moved(path.bias, i)) - 1
  const now = place(steps)
  if (cycle < steps - 3) return `From step ${cycle} on it bounces between two points: ${now} and ${place(steps - 1)}.`
  const best = path.loss.indexOf(Math.min(...path.loss))
  if (best < steps / 2) return `Not settled. Lowest at step ${best}: ${place(best)}. At step ${steps}: ${now}.`
  return `Still on its way at step ${steps}: ${now}.${rose}${why}`
}
