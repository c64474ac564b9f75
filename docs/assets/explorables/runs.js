// Compare runs: a sweep of four settings, in which the seed can do more than the setting.
import { show, svg, upTo } from "./kit.js"

const SEEDS = ["0", "1", "2"]
const PLACES = ["1st", "2nd", "3rd", "4th"]

// The three runs of a setting; from the lowest loss to the highest is what luck can do.
function gather(runs, column) {
  const [{ hidden, lr }] = runs
  const losses = runs.map(({ loss }) => loss)
  const mean = (losses[0] + losses[1] + losses[2]) / 3
  const [low, high] = [Math.min(...losses), Math.max(...losses)]
  return { column, hidden, lr, name: `${hidden} units, rate ${lr}`, losses, mean, low, high }
}

export default function compareRuns(panel) {
  // As torch left them, by setting, then by seed: `loss` is the validation loss of the weights
  // kept; `curve` is the one after epoch `first`, `first + step`, …, with that lowest among them.
  const { runs } = panel.numbers
  const settings = PLACES.map((_, i) => gather(runs.slice(3 * i, 3 * i + 3), i))
  const across = (i) => Math.floor(i / 3) + 0.22 * ((i % 3) - 1)

  const ticks = settings.map(({ column, hidden, lr }) => [column, `${hidden}, ${lr}`])
  const scores = panel.chart({
    title: "Validation loss of each run",
    x: { label: "hidden units, learning rate", from: -0.5, to: 3.5, ticks },
    y: { from: 0.01, to: 0.0175, ticks: [0.01, 0.012, 0.014, 0.016] },
  })
  const curves = panel.chart({
    title: "Validation loss after each epoch",
    x: { label: "epoch", from: 0, to: 140, ticks: [0, 50, 100] },
    y: { from: 0.01, to: 2, ticks: [0.01, 0.1, 1], log: true },
  })
  const { x, y } = scores
  const add = (tag, attributes) => scores.area.appendChild(svg(tag, attributes))
  const bar = ({ column, low, high, mean }) =>
    `M${x(column)} ${y(low)}V${y(high)}M${x(column - 0.4)} ${y(mean)}H${x(column + 0.4)}`
  const bars = add("path", { class: "line", opacity: 0.4, d: settings.map(bar).join("") })
  const marks = runs.map(({ loss }, i) => {
    const mark = scores.marks("validation")
    mark.set([across(i)], [loss])
    return mark.path
  })
  const places = settings.map(({ column }) => add("text", { x: x(column), y: 12, "text-anchor": "middle" }))

  // A run is shown by a ring around its mark and by its curve: solid if chosen, dashed if pinned.
  function shower(kind, dashes) {
    const ring = add("circle", { r: 9, fill: "none", stroke: "currentColor", "stroke-dasharray": dashes })
    const line = curves.line(kind)
    line.path.style.strokeDasharray = dashes
    return (i) => {
      const { loss, first, step, curve } = runs[i] ?? { curve: [] }
      ring.setAttribute("transform", loss ? `translate(${x(across(i))} ${y(loss)})` : "scale(0)")
      line.set(
        curve.map((_, point) => first + step * point),
        curve,
      )
    }
  }
  const showPinned = shower("", "4 3")
  const showChosen = shower("validation", "none")

  const chosen = ({ setting, seed }) => 3 * setting + Number(seed)
  panel.begin({ setting: "1", seed: "0", one: false, pin: -1 })
  panel.choice("setting", { label: "Setting", options: settings.map(({ name }) => name) })
  panel.choice("seed", { label: "Seed", options: SEEDS })
  panel.checkbox("one", { label: "one seed only" })
  panel.accepts.pin = upTo(runs.length - 1)
  const pin = panel.button("", () => {
    const run = chosen(panel.state)
    panel.set({ pin: panel.state.pin === run ? -1 : run })
  })

  // A click anywhere on the chart chooses the nearest run.
  scores.picture.style.cursor = "pointer"
  scores.picture.addEventListener("click", ({ clientX, clientY }) => {
    const { left, top, width } = scores.picture.getBoundingClientRect()
    const scale = scores.width / width
    const [atX, atY] = [(clientX - left) * scale, (clientY - top) * scale]
    const away = runs.map(({ loss }, i) => Math.hypot(x(across(i)) - atX, y(loss) - atY))
    const nearest = away.indexOf(Math.min(...away))
    panel.set({ setting: String(Math.floor(nearest / 3)), seed: SEEDS[nearest % 3] })
  })

  panel.draw = (state) => {
    const run = chosen(state)
    const score = ({ mean, losses }) => (state.one ? losses[state.seed] : mean)
    const order = [...settings].sort((a, b) => score(a) - score(b))
    for (const [i, { column }] of order.entries()) places[column].textContent = PLACES[i]
    bars.setAttribute("visibility", state.one ? "hidden" : "visible")
    for (const [i, mark] of marks.entries())
      mark.setAttribute("opacity", state.one && SEEDS[i % 3] !== state.seed ? 0.3 : 1)
    showPinned(state.pin)
    showChosen(run)
    pin.textContent = state.pin === run ? "Unpin this run" : "Pin this run"
    return standing(settings[state.setting], order, score, state) + beside(run, state.pin)
  }

  // A difference counts only if it is larger than what the seed does, in either setting.
  function standing(mine, order, score, { one, seed }) {
    const rank = order.indexOf(mine)
    const rival = order[rank ? 0 : 1]
    const gap = Math.abs(score(mine) - score(rival))
    const stands = `${mine.name} is ${PLACES[rank]} of 4, ${show(gap)} ${rank ? "behind" : "ahead of"} ${rival.name}.`
    if (one) return `By seed ${seed} alone, ${stands} Does another seed agree?`
    const luck = Math.max(mine.high - mine.low, rival.high - rival.low)
    const verdict = gap > luck ? "less than that, so the setting did it" : "so this difference is no result"
    return `By the mean of three seeds, ${stands} Runs of one setting lie up to ${show(luck)} apart, ${verdict}.`
  }

  function beside(run, other) {
    if (other < 0 || other === run) return ""
    const gap = runs[other].loss - runs[run].loss
    return ` At its best, the pinned run (dashed) was ${show(Math.abs(gap))} ${gap < 0 ? "lower" : "higher"}.`
  }
}
