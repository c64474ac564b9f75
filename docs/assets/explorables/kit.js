// What explorables share: elements, charts in SVG, controls bound to a state, the address.
//
// An explorable is a function of a panel. It names its state, adds charts and controls, and sets
// `panel.draw`, which shows a state and returns the sentence to be spoken. Nothing else moves.

const SVG = "http://www.w3.org/2000/svg"

export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children)
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children)
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value)
  }
  element.append(...children)
  return element
}

// A number as people read it: a true minus, no more digits than asked for.
export function show(number, digits = 4) {
  const size = Math.abs(number)
  const text =
    size !== 0 && (size >= 1e5 || size < 0.5 * 10 ** -digits) ? number.toExponential(1) : number.toFixed(digits)
  return text.replaceAll("-", "−").replace("+", "")
}

// from, from + step, … to, without the crumbs of binary fractions.
export function range(from, to, step) {
  return Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => Number((from + i * step).toFixed(10)))
}

const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches

export class Panel {
  constructor(place) {
    this.place = place
    this.page = location.pathname
    this.numbers = JSON.parse(place.dataset.numbers)
    this.controls = html("div", { class: "controls" })
    this.charts = html("div", { class: "charts" })
    this.says = html("p", { class: "says", role: "status" })
    this.shown = {} // by key: how a control shows a value of the state
    this.accepts = {} // by key: what a text of the address means, or nothing
    this.state = {}
    this.defaults = {}
  }

  // The state and its defaults: numbers, strings and booleans, as they stand in the address.
  begin(defaults) {
    this.defaults = defaults
    this.state = { ...defaults }
  }

  start() {
    const reset = html("button", { type: "button", onclick: () => this.reset() }, "Reset")
    this.controls.append(reset)
    this.place.append(html("div", { class: "live" }, this.charts, this.controls, this.says))
    // Who comes back is put where they were, by Material, which keeps the place in `history.state`.
    if (!this.readAddress()) this.redraw()
    else if (!history.state?.y) this.place.scrollIntoView()
  }

  set(changes) {
    Object.assign(this.state, changes)
    this.waiting ??= requestAnimationFrame(() => this.redraw())
    clearTimeout(this.writing)
    this.writing = setTimeout(() => this.writeAddress(), 300)
  }

  reset() {
    this.stop()
    this.set(this.defaults)
  }

  redraw() {
    cancelAnimationFrame(this.waiting)
    this.waiting = null
    for (const [key, show] of Object.entries(this.shown)) show(this.state[key])
    this.say(this.draw(this.state))
  }

  // Spoken once the reader rests, not at each step of a slider.
  say(sentence) {
    clearTimeout(this.speaking)
    if (!this.says.textContent) this.says.textContent = sentence
    else this.speaking = setTimeout(() => (this.says.textContent = sentence), 400)
  }

  // Count `key` up to `last`, over `milliseconds`; at once for readers who want no motion.
  play(key, last, milliseconds) {
    this.stop()
    const first = this.state[key]
    if (reducedMotion()) return this.set({ [key]: last })
    let begun
    const step = (now) => {
      begun ??= now
      const share = Math.min(1, (now - begun) / milliseconds)
      this.set({ [key]: Math.round(first + (last - first) * share) })
      this.playing = share < 1 && this.place.isConnected ? requestAnimationFrame(step) : null
    }
    this.playing = requestAnimationFrame(step)
  }

  stop() {
    cancelAnimationFrame(this.playing)
    this.playing = null
  }

  // The address: #id?key=value&…, of what differs from the defaults. A key is read back if a
  // control shows it, or if the explorable says in `accepts` what is fine.

  writeAddress() {
    // With the next page on its way, the address is that page's while this one is still shown.
    if (!this.place.isConnected || location.pathname !== this.page) return
    const changed = Object.entries(this.state).filter(([key, value]) => value !== this.defaults[key])
    const query = new URLSearchParams(changed)
    history.replaceState(history.state, "", `#${this.place.id}${changed.length ? `?${query}` : ""}`)
  }

  readAddress() {
    const [id, query] = location.hash.slice(1).split("?")
    if (id !== this.place.id) return false
    this.stop()
    const given = new URLSearchParams(query)
    for (const [key, value] of Object.entries(this.defaults)) {
      this.state[key] = (given.has(key) ? this.accepts[key]?.(given.get(key)) : null) ?? value
    }
    this.redraw()
    return true
  }

  // Controls: each shows and changes one key of the state.

  slider(key, { label, values, format = String }) {
    const input = html("input", {
      type: "range",
      min: 0,
      max: values.length - 1,
      oninput: () => {
        this.stop()
        this.set({ [key]: values[input.value] })
      },
    })
    const value = html("span", { class: "value", "aria-hidden": "true" })
    this.accepts[key] = (text) => (Number.isFinite(Number(text)) ? values[nearest(values, Number(text))] : null)
    this.shown[key] = (now) => {
      input.value = nearest(values, now)
      value.textContent = format(now)
      input.setAttribute("aria-valuetext", value.textContent)
    }
    return this.control(html("label", {}, html("span", {}, label, " ", value), input))
  }

  // Options as { value: label }.
  choice(key, { label, options }) {
    const name = `${this.place.id}-${key}`
    const inputs = Object.entries(options).map(([value, text]) => {
      const input = html("input", { type: "radio", name, value, onchange: () => this.set({ [key]: value }) })
      return html("label", {}, input, text)
    })
    const group = html("fieldset", {}, html("legend", {}, label), ...inputs)
    this.accepts[key] = (text) => (Object.keys(options).includes(text) ? text : null)
    this.shown[key] = (now) => {
      for (const input of group.elements) input.checked = input.value === now
    }
    return this.control(group)
  }

  checkbox(key, { label }) {
    const input = html("input", { type: "checkbox", onchange: () => this.set({ [key]: input.checked }) })
    this.accepts[key] = (text) => (/^(true|false)$/.test(text) ? text === "true" : null)
    this.shown[key] = (now) => (input.checked = now)
    return this.control(html("label", {}, input, label))
  }

  button(label, onclick) {
    return this.control(html("button", { type: "button", onclick }, label))
  }

  control(element) {
    this.controls.append(element)
    return element
  }

  chart(options) {
    const chart = new Chart(options)
    this.charts.append(chart.figure)
    return chart
  }
}

// For `accepts`, where no control says it: whole numbers up to a last one.
export const upTo = (last) => (text) => (/^\d+$/.test(text) ? Math.min(Number(text), last) : null)

function nearest(values, wanted) {
  const distance = (index) => Math.abs(values[index] - wanted)
  return values.reduce((best, _, index) => (distance(index) < distance(best) ? index : best), 0)
}

// How each part of the data is drawn: its mark, around a point.
const MARKS = {
  train: (x, y) => `M${x - 3} ${y}a3 3 0 1 0 6 0a3 3 0 1 0-6 0`,
  test: (x, y) => `M${x - 3} ${y - 3}h6v6h-6z`,
  validation: (x, y) => `M${x} ${y - 4}l4 7h-8z`,
  prediction: (x, y) => `M${x - 3} ${y - 3}l6 6m0-6l-6 6`,
}

// Axes with a title, and lines and marks on them. Coordinates are the data's.
class Chart {
  constructor({ title, x, y, height = 220 }) {
    Object.assign(this, { width: 340, height, left: 46, right: 10, top: 10, bottom: 40 })
    this.axes = svg("g", { class: "axes" })
    this.area = svg("g")
    // A name and no <title>, which would pop up under the pointer.
    const named = { viewBox: `0 0 ${this.width} ${height}`, role: "img", "aria-label": title }
    this.picture = svg("svg", named, this.axes, this.area)
    this.figure = html("figure", {}, html("figcaption", { "aria-hidden": "true" }, title), this.picture)
    this.scale(x, y)
  }

  // x and y as { label, from, to, ticks, log }; ticks are numbers, or [number, text].
  scale(x, y) {
    this.x = along(x, this.left, this.width - this.right)
    this.y = along(y, this.height - this.bottom, this.top)
    const foot = this.height - this.bottom
    const ticks = (axis) =>
      axis.ticks.map((tick) => (Array.isArray(tick) ? tick : [tick, String(tick).replace("-", "−")]))
    this.axes.replaceChildren(
      svg("path", { d: `M${this.left} ${this.top}V${foot}H${this.width - this.right}` }),
      ...ticks(x).map(([at, text]) => svg("text", { x: this.x(at), y: foot + 16, "text-anchor": "middle" }, text)),
      ...ticks(y).map(([at, text]) => svg("text", { x: this.left - 6, y: this.y(at) + 4, "text-anchor": "end" }, text)),
      svg("text", { x: this.width - this.right, y: this.height - 6, "text-anchor": "end" }, x.label),
      svg("text", { x: 0, y: this.top + 2 }, y.label ?? ""),
    )
  }

  // A line through points; `set(xs, ys)` moves it.
  line(kind) {
    const path = this.area.appendChild(svg("path", { class: `line ${kind}` }))
    return {
      path,
      set: (xs, ys) =>
        path.setAttribute(
          "d",
          xs.length ? `M${xs.map((x, i) => `${fixed(this.x(x))} ${fixed(this.y(ys[i]))}`).join("L")}` : "",
        ),
    }
  }

  // A mark at each point, in the shape and colour of `kind`; `set(xs, ys)` moves them.
  marks(kind) {
    const path = this.area.appendChild(svg("path", { class: `marks ${kind}` }))
    return {
      path,
      set: (xs, ys) =>
        path.setAttribute("d", xs.map((x, i) => MARKS[kind](fixed(this.x(x)), fixed(this.y(ys[i])))).join("")),
    }
  }
}

const fixed = (number) => Number(number.toFixed(1))

function along({ from, to, log }, start, end) {
  const value = log ? Math.log10 : (number) => number
  return (number) => start + ((value(number) - value(from)) / (value(to) - value(from))) * (end - start)
}
