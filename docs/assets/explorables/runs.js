// Try the rules: 1000 comparisons of two settings, and how often each rule is wrong about them.
import { show, svg, upTo } from "./kit.js"
import { randn } from "./random.js"

const WORLDS = 1000
const BOUND = 5 // of the chart of one comparison, in spreads
const GAPS = [0, 0.1, 0.2, 0.3, 0.5, 0.7, 1]
const SHARES = { 0: "none of it", 0.5: "half of it", 0.9: "nearly all" }
const RULES = ["best mean", "spread", "two standard errors", "limit of compare"]

// Mean and standard deviation of some numbers.
function summed(numbers) {
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length
  const squares = numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0)
  return { mean, sd: Math.sqrt(squares / (numbers.length - 1)) }
}

// Each comparison: the scores of both settings by seed, as tutorial.py draws them with torch. Their spread is 1.
function draw(seeds, share) {
  const luck = randn(3 * WORLDS * seeds, seeds)
  const scores = (kind, world) =>
    Array.from({ length: seeds }, (_, seed) => {
      const at = world * seeds + seed
      return Math.sqrt(share) * luck[at] + Math.sqrt(1 - share) * luck[kind * WORLDS * seeds + at]
    })
  return Array.from({ length: WORLDS }, (_, world) => {
    const [a, b] = [scores(1, world), scores(2, world)]
    const { mean, sd } = summed(b.map((score, seed) => score - a[seed]))
    return { a, b, mean, error: sd / Math.sqrt(seeds), spread: Math.max(summed(a).sd, summed(b).sd) }
  })
}

export default function tryRules(panel) {
  const { limits } = panel.numbers // of compare, by the number of seeds, in standard errors
  const seeds = Object.keys(limits).map(Number)

  const scores = panel.chart({
    title: "One comparison, seed by seed",
    x: {
      label: "",
      from: -0.3,
      to: 2.3,
      ticks: [
        [0, "first"],
        [1, "second"],
        [2, "difference"],
      ],
    },
    y: { from: -BOUND, to: BOUND, ticks: [-4, -2, 0, 2, 4] },
  })
  const zero = scores.line("")
  zero.set([-0.3, 2.3], [0, 0])
  zero.path.setAttribute("opacity", 0.4)
  const pairs = scores.area.appendChild(svg("path", { class: "line", opacity: 0.3 }))
  const marks = scores.marks("validation")
  const bar = scores.area.appendChild(svg("path", { class: "line" }))

  const counts = panel.chart({
    title: "How often each rule is right",
    x: {
      label: "of 1000: grey right, dark wrong, the rest undecided",
      from: 0,
      to: 1.04 * WORLDS,
      ticks: [0, 500, 1000],
    },
    y: { from: 4, to: 0, ticks: [] },
  })
  const rows = RULES.map((rule, row) => {
    const at = { y: counts.y(row + 0.45), height: 14, fill: "currentColor" }
    const parts = [0.35, 0.9].map((opacity) => counts.area.appendChild(svg("rect", { ...at, opacity })))
    const label = counts.area.appendChild(svg("text", { x: counts.x(0), y: counts.y(row + 0.35) }))
    return { rule, parts, label }
  })

  let key, worlds
  panel.begin({ gap: 0.7, seeds: 10, share: "0.5", world: 3 })
  panel.slider("gap", { label: "How much worse the second is", values: GAPS, format: (gap) => show(gap, 1) })
  panel.slider("seeds", { label: "Seeds", values: seeds })
  panel.choice("share", { label: "Luck that both share", options: SHARES })
  panel.accepts.world = upTo(WORLDS - 1)
  panel.button("Next comparison", () => panel.set({ world: (panel.state.world + 1) % WORLDS }))

  panel.draw = (state) => {
    const { gap } = state
    if (key !== `${state.seeds} ${state.share}`) {
      key = `${state.seeds} ${state.share}`
      worlds = draw(state.seeds, Number(state.share))
    }
    // What the rules say of a comparison: 1 for "the first is better", −1 for the second, 0 for undecided.
    const verdicts = ({ mean, error, spread }) => {
      const bars = [0, spread, 2 * error, limits[state.seeds] * error]
      return bars.map((bar) => (mean + gap > bar ? 1 : mean + gap < -bar ? -1 : 0))
    }
    const all = worlds.map(verdicts)
    rows.forEach((row, rule) => {
      const count = (verdict) => all.filter((verdicts) => verdicts[rule] === verdict).length
      const [first, second] = [count(1), count(-1)]
      if (gap) showRow(row, first, second)
      else showRow(row, 0, first + second)
    })

    const { a, b, mean, error } = worlds[state.world]
    const limit = limits[state.seeds] * error
    showPairs(
      a,
      b.map((score) => score + gap),
    )
    showMean(mean + gap, limit)
    const wrong = gap ? [-1] : [1, -1]
    const said = verdicts(worlds[state.world])
    const by = (wanted) => RULES.filter((_, rule) => wanted.includes(said[rule])).join(", ") || "none"
    return (
      `Comparison ${state.world + 1}: the difference is ${show(mean + gap, 2)} ± ${show(error, 2)}, the limit ${show(limit, 2)}. ` +
      `${gap ? `Right: ${by([1])}. ` : ""}Undecided: ${by([0])}. Wrong: ${by(wrong)}.`
    )
  }

  function showRow({ rule, parts: [right, wrong], label }, found, misled) {
    place(right, 0, found)
    place(wrong, found, misled)
    label.textContent = `${rule}: ${found ? `${found} right, ` : ""}${misled} wrong`
  }

  function place(rect, from, size) {
    rect.setAttribute("x", counts.x(from))
    rect.setAttribute("width", counts.x(size) - counts.x(0))
  }

  function showPairs(first, second) {
    const { x, y } = scores
    pairs.setAttribute("d", first.map((a, i) => `M${x(0)} ${y(a)}L${x(1)} ${y(second[i])}`).join(""))
    const columns = [0, 1, 2].flatMap((column) => first.map(() => column))
    marks.set(columns, [...first, ...second, ...second.map((b, i) => b - first[i])])
  }

  // The mean difference, and as far as luck reaches on both sides of it.
  function showMean(mean, least) {
    const { x, y } = scores
    const clip = (value) => y(Math.max(-BOUND, Math.min(BOUND, value)))
    const at = x(2.2)
    bar.setAttribute("d", `M${at} ${clip(mean - least)}V${clip(mean + least)}M${at - 6} ${clip(mean)}h12`)
  }
}
