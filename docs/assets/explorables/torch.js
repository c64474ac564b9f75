// What PyTorch computes for the line, in float64. The tests hold it against torch to 1e-5.
import { range } from "./kit.js"

// The forty points that the course trains on.
const forty = range(0, 0.78, 0.02)
export const LINE = { X: forty, y: forty.map((x) => 0.7 * x + 0.3) }

// The loss and its two gradients at a weight and a bias: before a step, as in the loop.
export function measure(loss, weight, bias, X, y) {
  const sums = { loss: 0, weight: 0, bias: 0 }
  X.forEach((x, i) => {
    const miss = weight * x + bias - y[i]
    const slope = loss === "mse" ? 2 * miss : Math.sign(miss)
    sums.loss += loss === "mse" ? miss * miss : Math.abs(miss)
    sums.weight += slope * x
    sums.bias += slope
  })
  return { loss: sums.loss / X.length, weight: sums.weight / X.length, bias: sums.bias / X.length }
}

// Each makes an optimizer of one parameter: a function from gradient to what is added to it.
const OPTIMIZERS = {
  sgd: (lr) => (gradient) => -lr * gradient,
  momentum: (lr) => {
    let buffer = 0
    return (gradient) => {
      buffer = 0.9 * buffer + gradient
      return -lr * buffer
    }
  },
  adam: (lr) => {
    let [first, second, steps] = [0, 0, 0]
    return (gradient) => {
      steps += 1
      first = 0.9 * first + 0.1 * gradient
      second = 0.999 * second + 0.001 * gradient * gradient
      const root = Math.sqrt(second / (1 - 0.999 ** steps))
      return (-lr * (first / (1 - 0.9 ** steps))) / (root + 1e-8)
    }
  },
}

// Gradient descent from a weight and a bias. Entry i of each list is before step i + 1, so the
// first is the start and the last is after all steps.
export function descend({ loss, optimizer, lr, steps, weight, bias, X, y }) {
  const moveWeight = OPTIMIZERS[optimizer](lr)
  const moveBias = OPTIMIZERS[optimizer](lr)
  const path = { weight: [weight], bias: [bias], loss: [] }
  for (let step = 0; step <= steps; step += 1) {
    const now = measure(loss, weight, bias, X, y)
    path.loss.push(now.loss)
    if (step === steps) break
    weight += moveWeight(now.weight)
    bias += moveBias(now.bias)
    path.weight.push(weight)
    path.bias.push(bias)
  }
  return path
}
