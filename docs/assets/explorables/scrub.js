// Scrub the epochs: the line, both loss curves and the state_dict of one real run move together.
import { html, range, show } from "./kit.js"

export default function scrub(panel) {
  // Of epoch e, after e steps: weight[e], bias[e], train[e], test[e], as torch had them.
  const { weight, bias, train, test } = panel.numbers
  const last = weight.length - 1
  const epochs = range(0, last, 1)
  const X = range(0, 0.98, 0.02)
  const y = X.map((x) => 0.7 * x + 0.3)

  const line = panel.chart({
    title: "Data and predictions",
    x: { label: "x", from: 0, to: 1, ticks: [0, 0.5, 1] },
    y: { from: 0, to: 1.1, ticks: [0, 0.5, 1] },
  })
  const curves = panel.chart({
    title: "Loss after each epoch",
    x: { label: "epoch", from: 0, to: last, ticks: [0, last / 2, last] },
    y: { from: 0, to: 0.5, ticks: [0, 0.25, 0.5] },
  })
  line.marks("train").set(X.slice(0, 40), y.slice(0, 40))
  line.marks("test").set(X.slice(40), y.slice(40))
  const guess = line.line("prediction")
  curves.line("train").set(epochs, train)
  curves.line("test").set(epochs, test)
  const trainMark = curves.marks("train")
  const testMark = curves.marks("test")

  const weights = html("code")
  panel.begin({ epoch: 0 })
  panel.slider("epoch", { label: "Epoch", values: epochs })
  panel.control(html("p", {}, "state_dict: ", weights))

  panel.draw = ({ epoch }) => {
    guess.set([0, 1], [bias[epoch], weight[epoch] + bias[epoch]])
    trainMark.set([epoch], [train[epoch]])
    testMark.set([epoch], [test[epoch]])
    weights.textContent = `weights ${show(weight[epoch])}, bias ${show(bias[epoch])}`
    return `After ${epoch} epochs the training loss is ${show(train[epoch])} and the test loss ${show(test[epoch])}.`
  }
}
