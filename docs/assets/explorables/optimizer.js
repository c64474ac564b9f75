// Be the optimizer: find weight and bias by hand, in ten moves, against ten steps of gradient descent.
import { html, range, show, svg, upTo } from "./kit.js"
import { descend, measure } from "./torch.js"

const RIVAL = { loss: "mse", optimizer: "sgd", lr: 0.5 }
const MOVES = 10
const STEPS = 30 // of gradient descent, once it takes over

const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`

export default function optimizer(panel) {
  // The points, the start, and the lowest MSE that a line can have on them.
  const { X, y, best, ...start } = panel.numbers
  const rival = descend({ ...RIVAL, ...start, X, y, steps: MOVES + STEPS })

  const picture = panel.chart({
    title: "Your line and how far it misses",
    x: { label: "x", from: 0, to: 1, ticks: [0, 0.5, 1] },
    y: { from: -0.2, to: 1.3, ticks: [0, 0.5, 1] },
  })
  const race = panel.chart({
    title: "MSE: yours and gradient descent’s",
    x: { label: "moves or steps", from: 0, to: MOVES + STEPS, ticks: range(0, MOVES + STEPS, 10) },
    y: { from: 0.005, to: 2, ticks: [0.01, 0.1, 1], log: true },
  })
  const misses = picture.area.appendChild(svg("path", { class: "line misses" }))
  const guess = picture.line("prediction")
  picture.marks("train").set(X, y)
  race.line("rival").set(range(0, MOVES + STEPS, 1), rival.loss)
  race.area.append(svg("text", { x: race.x(8), y: race.y(0.05) }, "gradient descent from the start"))
  const takeover = race.line("train")
  const dot = race.marks("train")

  panel.begin({ ...start, moves: 0, steps: 0 })
  panel.accepts.moves = upTo(999)
  panel.accepts.steps = upTo(STEPS)
  const sliders = [
    panel.slider("weight", { label: "Weight", values: range(-1, 1, 0.01), format: show }),
    panel.slider("bias", { label: "Bias", values: range(0, 1, 0.01), format: show }),
  ].map((label) => label.querySelector("input"))
  const losses = panel.control(html("p"))
  const button = panel.button("", () => {
    if (!panel.state.steps) return panel.play("steps", STEPS, 3000)
    panel.stop()
    panel.set({ steps: 0 })
  })

  // A move is one go at one number, however long: so keys, which come in small steps, cost no more
  // than a drag. Who moves a slider while gradient descent has the line takes it from there, and
  // its steps count as moves.
  let [held, reached] = [null, {}]
  for (const slider of sliders) {
    const move = () => {
      const { moves, steps } = panel.state
      if (held !== slider || !moves || steps) panel.set({ ...reached, moves: moves + steps + 1, steps: 0 })
      held = slider
    }
    slider.addEventListener("input", move, { capture: true }) // before the slider sets its own number
  }

  panel.draw = ({ weight, bias, moves, steps }) => {
    // Entry 0 is where the reader stands, entry i after i steps of gradient descent from there.
    const path = descend({ ...RIVAL, weight, bias, X, y, steps })
    const [w, b, mse] = [path.weight[steps], path.bias[steps], path.loss[steps]]
    const begun = Math.min(moves, MOVES)
    guess.set([0, 1], [b, w + b])
    misses.setAttribute("d", X.map((x, i) => `M${picture.x(x)} ${picture.y(y[i])}V${picture.y(w * x + b)}`).join(""))
    takeover.set(range(begun, begun + steps, 1), path.loss)
    dot.set([begun + steps], [mse])
    panel.shown.weight(w)
    panel.shown.bias(b)
    reached = steps ? { weight: panel.accepts.weight(w), bias: panel.accepts.bias(b) } : {}
    losses.textContent = `MAE ${show(measure("l1", w, b, X, y).loss)}, MSE ${show(mse)}`
    button.textContent = steps ? "Back to where you stood" : "Let gradient descent take over"
    if (steps) return tookOver(path.loss, steps)
    return verdict(mse, rival.loss[begun], moves)
  }

  function tookOver(loss, steps) {
    const end = steps === STEPS ? ` No line on these points gets below ${show(best)}.` : ""
    const moved = `MSE ${show(loss[0])} became ${show(loss[steps])}.${end}`
    return `Gradient descent took ${count(steps, "step")} from where you stood: ${moved}`
  }

  function verdict(mine, its, moves) {
    if (!moves) return `You and gradient descent both start at an MSE of ${show(mine)}. Your move.`
    const ahead = `${mine < its ? "You are" : "It is"} ahead by ${show(Math.abs(mine - its))}.`
    const score = `your MSE is ${show(mine)}, gradient descent’s ${show(its)} after`
    if (moves > MOVES) return `Ten moves are over, and this is move ${moves}: ${score} ten steps. ${ahead}`
    const lesson = mine < its ? "You see all the points; it feels only the slope where it stands." : "Let it take over."
    return `After ${count(moves, "move")} ${score} as many steps. ${ahead}${moves === MOVES ? ` ${lesson}` : ""}`
  }
}
