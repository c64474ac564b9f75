// One step at a time: the five lines of the loop as buttons, to be pressed in any order, and what
// Python then holds. The state is the presses themselves; all else follows from them.
import { html, range, show } from "./kit.js"
import { LINE, measure } from "./torch.js"

const CODE = {
  p: "y_pred = model(X_train)",
  l: "loss = loss_fn(y_pred, y_train)",
  z: "optimizer.zero_grad()",
  b: "loss.backward()",
  s: "optimizer.step()",
}

// What each line does to the names that Python holds, and a sentence on it.
const RUN = {
  p(now) {
    now.epochs += 1
    // The record: the loss and both slopes at the parameters as they are, so before any step.
    now.y_pred = { ...measure("l1", now.weights, now.bias, LINE.X, LINE.y), steps: now.steps, freed: false }
    return "Forty predictions, and a record of how they were made."
  },
  l(now) {
    if (!now.y_pred) return now.errors.y_pred
    now.record = { y_pred: now.y_pred, freed: false }
    now.loss = now.y_pred.loss
    now.losses.push(now.loss)
    const old = now.y_pred.steps < now.steps ? ", of old predictions: the parameters have moved since" : ""
    return `The loss is ${show(now.loss)}${old}.`
  },
  z(now) {
    const { sum, used } = now
    Object.assign(now, { "weights.grad": null, "bias.grad": null, sum: 0 })
    if (!sum) return "There was nothing to clear."
    return used ? "Both gradients are None again." : "Both gradients are gone before step could use them."
  },
  b(now) {
    const { record } = now
    if (!record) return now.errors.loss
    if (record.freed) return `${now.errors.twice}. The first time used up the record.`
    record.freed = true
    now.sum += 1
    now.used = false
    // The way back meets the bias first, and gets that far even if the rest was freed.
    now["bias.grad"] += record.y_pred.bias
    if (record.y_pred.freed) return `${now.errors.twice}. It got as far as the bias.`
    record.y_pred.freed = true
    now["weights.grad"] += record.y_pred.weight
    if (now.sum > 1) return `Gradients added up: nobody cleared them. Each is a sum of ${now.sum}.`
    return "A gradient for each parameter. Neither has moved yet."
  },
  s(now) {
    const again = now.used
    if (!now.sum) return "Nothing moved: step passes over parameters whose gradient is None."
    now.weights -= 0.01 * now["weights.grad"]
    now.bias -= 0.01 * now["bias.grad"]
    now.steps += 1
    now.used = true
    if (again) return "Another step by the same gradients: no backward came between."
    if (now.sum > 1) return `A step by a sum of ${now.sum} gradients: the old ones push as well.`
    return "The parameters moved against their gradients. The loss shown is from before."
  },
}

// After these presses, from the start and with the messages of errors that were published.
export function run(presses, numbers) {
  const none = { "weights.grad": null, "bias.grad": null, loss: null }
  const now = { ...numbers, ...none, losses: [], epochs: 0, steps: 0, sum: 0 }
  now.says = "Nothing has run yet. Press the lines one after the other."
  for (const press of presses) {
    now.before = { ...now, before: null }
    now.says = RUN[press](now)
  }
  return now
}

// In the address e is an epoch in order, n one without zero_grad, and p3 is three times p.
const pack = (presses) =>
  presses
    .replaceAll("plzbs", "e")
    .replaceAll("plbs", "n")
    .replace(/(.)\1+/g, (all, one) => one + all.length)

const unpack = (text) => {
  const long = text.replace(/(.)(\d+)/g, (_, one, times) => one.repeat(times))
  return long.replaceAll("e", "plzbs").replaceAll("n", "plbs").slice(0, 1500)
}

const text = (value) => (value === null ? "None" : show(value))

function change(before, now) {
  if (before === now) return ""
  if (now === null) return "cleared"
  return before === null ? "new" : (now > before ? "+" : "") + show(now - before)
}

export default function step(panel) {
  const button = (label, more) => {
    const onclick = () => panel.set({ presses: pack(unpack(panel.state.presses + more)) })
    return html("button", { type: "button", onclick }, label)
  }
  const lines = Object.entries(CODE).map(([press, code]) => button(html("code", {}, code), press))
  const epochs = html("caption")
  const rows = html("tbody")
  const list = html("ol", {}, ...lines.map((line) => html("li", {}, line)))
  panel.charts.append(html("div", {}, list, html("table", { class: "values" }, epochs, rows)))

  const times = (to) => ({ label: "times that line 2 ran", from: 1, to, ticks: [1, to] })
  const height = (to) => ({ from: 0, to, ticks: [0, to] })
  const chart = panel.chart({ title: "Loss", x: times(10), y: height(0.4), height: 260 })
  const curve = chart.line("train")
  const dot = chart.marks("train")

  panel.begin({ presses: "" })
  panel.accepts.presses = (text) => (/^([plzbsen]\d{0,3}){0,400}$/.test(text) ? pack(unpack(text)) : null)
  panel.control(button("All five in order", "e"))
  panel.control(button("Ten epochs", "e10"))
  panel.control(button("Ten without zero_grad", "n10"))

  panel.draw = (state) => {
    const presses = unpack(state.presses)
    const now = run(presses, panel.numbers)
    const { losses, before = now } = now
    const ran = CODE[presses.at(-1)]
    for (const line of lines) line.setAttribute("aria-current", line.textContent === ran ? "step" : "false")
    epochs.textContent = `Epochs begun: ${now.epochs}`
    rows.replaceChildren(
      ...["weights", "bias", "weights.grad", "bias.grad", "loss"].map((name) => {
        const cells = [text(now[name]), change(before[name], now[name])].map((shown) => html("td", {}, shown))
        return html("tr", {}, html("th", { scope: "row" }, html("code", {}, name)), ...cells)
      }),
    )
    const xs = range(1, losses.length, 1)
    chart.scale(times(Math.max(10, losses.length)), height(Math.ceil(10 * Math.max(0.4, ...losses)) / 10))
    curve.set(xs, losses)
    dot.set(xs.slice(-1), losses.slice(-1))
    return now.says
  }
}
