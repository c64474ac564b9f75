// A sheet of 8 × 8 pixels to draw on.
import { html, range } from "./kit.js"

// Its state is 16 hexadecimal digits, two a row; these are the rows, and back.
export function pixels(digits) {
  const row = (i) =>
    parseInt(digits.slice(2 * i, 2 * i + 2), 16)
      .toString(2)
      .padStart(8, "0")
  return range(0, 7, 1).map((i) => [...row(i)].map(Number))
}

function digits(rows) {
  return rows.map((row) => parseInt(row.join(""), 2).toString(16).padStart(2, "0")).join("")
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -8, ArrowDown: 8 }

// Sixty-four buttons: the mouse paints over them, the arrow keys walk and the space bar toggles.
// Tab reaches one of them, the last that was in focus.
export function pad(panel, key) {
  let colour = 0
  const paint = (cell) => {
    const i = cells.indexOf(cell)
    if (i < 0) return
    const rows = pixels(panel.state[key])
    rows[i >> 3][i & 7] = colour
    panel.set({ [key]: digits(rows) })
  }
  const begin = ({ target }) => {
    colour = target.ariaPressed === "true" ? 0 : 1
    paint(target)
  }
  const walk = (event) => {
    if (!(event.key in STEPS)) return
    event.preventDefault()
    const i = cells.indexOf(event.target)
    const next = i + STEPS[event.key]
    const beyond = Math.abs((next & 7) - (i & 7)) > 1 // the edge of a row
    if (!beyond) cells[next]?.focus()
  }
  const reach = ({ target }) => {
    for (const cell of cells) cell.tabIndex = cell === target ? 0 : -1
  }
  const name = (i) => `row ${i >> 3}, column ${i & 7}`
  const cells = range(0, 63, 1).map((i) => html("button", { type: "button", "aria-label": name(i) }))
  reach({ target: cells[0] })
  panel.accepts[key] = (text) => (/^[0-9a-f]{16}$/.test(text) ? text : null)
  panel.shown[key] = (now) => {
    for (const [i, pixel] of pixels(now).flat().entries()) cells[i].ariaPressed = String(pixel === 1)
  }
  const on = {
    onpointerdown: (event) => event.button || begin(event),
    onpointermove: (event) => event.buttons && paint(document.elementFromPoint(event.clientX, event.clientY)),
    onclick: (event) => event.detail || begin(event), // of a key: the mouse has painted already
    onkeydown: walk,
    onfocusin: reach,
  }
  return html("div", { class: "pad", role: "group", "aria-label": "Drawing", ...on }, ...cells)
}
