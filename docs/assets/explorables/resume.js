// Pull the plug: a run is stopped, and goes on from a checkpoint that holds more or less of it.
import { html, range, show, svg } from "./kit.js"

const PARTS = ["model", "optimizer", "scheduler", "shuffle generator", "epoch"]

// What the checkpoint holds: how many of PARTS, and what comes of that.
const WAYS = {
  model: {
    label: "model only",
    kept: 1,
    outcome: (rate) => `Adam forgot its averages, its rate went from ${rate} back to 0.0200, the batches start over.`,
  },
  optimizer: {
    label: "model and optimizer",
    kept: 2,
    outcome: (rate) => `Adam kept its averages and its rate, ${rate}. But the schedule and the batches start over.`,
  },
  everything: {
    label: "everything",
    kept: 5,
    outcome: () => "Each loss and each weight is that of the run that was never stopped, to the last bit.",
  },
}

export default function resume(panel) {
  // never[0] is the loss after the first epoch; rate[0] is the one to go on with at the first stop.
  const { never, rate } = panel.numbers
  const last = never.length
  const epochs = range(1, last, 1)
  const stops = range(4, last - 4, 4)

  const x = { label: "epoch", from: 0, to: last, ticks: [0, last / 2, last] }
  const losses = panel.chart({
    title: "Loss: never stopped (dashed), resumed",
    x,
    y: { from: 4e-6, to: 0.3, log: true, ticks: [[1e-5, "1e−5"], 0.001, 0.1] },
  })
  const gap = panel.chart({
    title: "Difference between their weights",
    x,
    y: { from: 1e-5, to: 0.1, log: true, ticks: [[1e-5, "1e−5"], 0.001, 0.1] },
  })
  const plugs = [losses, gap].map((chart) => upright(chart))
  const resumed = losses.line("train")
  losses.line("never").set(epochs, never)
  const start = losses.marks("train")
  const apart = gap.line("apart")
  const none = gap.area.appendChild(svg("text", { y: 90, "text-anchor": "middle" }))

  const parts = html("ul")
  panel.begin({ stop: 20, way: "model" })
  panel.slider("stop", { label: "Pull the plug after epoch", values: stops })
  panel.choice("way", {
    label: "The checkpoint holds",
    options: Object.fromEntries(Object.entries(WAYS).map(([way, { label }]) => [way, label])),
  })
  panel.control(parts)

  panel.draw = ({ stop, way }) => {
    const { kept, outcome } = WAYS[way]
    const at = stops.indexOf(stop)
    // With everything the two runs are one, as the tutorial's cell asserts.
    const run = panel.numbers[way]?.[at] ?? { loss: never.slice(stop), apart: [] }
    for (const move of plugs) move(stop)
    resumed.set(epochs.slice(stop - 1), [never[stop - 1], ...run.loss])
    start.set([stop], [never[stop - 1]])
    apart.set(
      run.apart.map((_, i) => stop + 1 + i),
      run.apart,
    )
    none.textContent = run.apart.length ? "" : "0 after each epoch"
    none.setAttribute("x", gap.x(stop < last / 2 ? 0.75 * last : 0.25 * last))
    parts.replaceChildren(...PARTS.map((part, i) => html("li", {}, i < kept ? `✓ ${part}` : `– ${part} (lost)`)))
    if (!run.apart.length) return outcome()
    const ends = [run.loss, never].map((losses) => short(losses.at(-1)))
    return `${outcome(show(rate[at]))} At epoch ${last} the loss is ${ends[0]} instead of ${ends[1]}.`
  }
}

// An upright line through a chart, and what moves it.
function upright(chart) {
  const path = chart.area.appendChild(svg("path", { class: "line plug" }))
  return (at) => path.setAttribute("d", `M${chart.x(at)} ${chart.top}V${chart.height - chart.bottom}`)
}

const short = (number) => String(Number(number.toPrecision(2)))
