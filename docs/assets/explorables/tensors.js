// What becomes of things: for each kind the tensor, and the line of Python that makes exactly it.
// The tests run that line. A tensor is here a list of [numbers, what they are of].
import { range, show } from "./kit.js"
import { pixels } from "./pad.js"

export const HEATINGS = { gas: "gas", oil: "oil", pump: "heat pump" }

export const MAKE = {
  text({ text, by }) {
    const quoted = JSON.stringify(text) // which Python reads as well
    const letters = [...text]
    const bytes = by === "bytes"
    const numbers = (letter) => (bytes ? [...new TextEncoder().encode(letter)] : [letter.codePointAt(0)])
    const tensor = letters.map((letter) => [numbers(letter), letter])
    const count = size(tensor)
    const code = bytes ? `list(${quoted}.encode())` : `[ord(sign) for sign in ${quoted}]`
    const counted = `${letters.length} code points, ${count} bytes`
    let says = `${counted}. Does that hold for ü, € or an emoji?`
    if (count > letters.length) says = `${counted}: what isn't plain English takes two, three or four each.`
    if (!bytes)
      says = "One number a code point: its place in Unicode, the list of all scripts. It is a name, no amount."
    return { code: `torch.tensor(${code})`, tensor, says }
  },

  dna({ dna }) {
    const bases = [...dna]
    const stranger = bases.find((base) => !"ACGT".includes(base))
    return {
      code: `torch.tensor([[int(base == letter) for letter in "ACGT"] for base in ${JSON.stringify(dna)}])`,
      tensor: bases.map((base) => [[..."ACGT"].map((letter) => Number(base === letter)), base]),
      says: stranger
        ? `“${stranger}” is none of the capitals A, C, G and T: a row of zeros, and what stood there is lost.`
        : "Each row has a single 1, in the column of its letter. So no letter is more than another.",
    }
  },

  row({ area, rooms, heating }) {
    const names = Object.keys(HEATINGS)
    const column = `int("${heating}" == name) for name in "${names.join(" ")}".split()`
    return {
      code: `torch.tensor([${area.toFixed(1)}, ${rooms}] + [${column}])`,
      tensor: [[[area], "area"], [[rooms], "rooms"], ...names.map((name) => [[Number(name === heating)], name])],
      float: true,
      says: "Three things, five numbers: each heating has its own. One number with a point makes all of them float32.",
    }
  },

  // Each step in float32, as torch takes it: a rounded angle moves the wave by more than 1e-5.
  tone({ pitch, loudness }) {
    const pace = Math.fround(2 * Math.PI * pitch)
    const angle = (i) => Math.fround(Math.fround(pace * i) / 8000)
    let says = `Half a second is 4,000 numbers, ${show(8000 / pitch, 1)} for each swing of the wave.`
    if (pitch > 4000)
      says = `Fewer than two numbers for each swing: nobody can tell these from a tone of ${8000 - pitch} Hz.`
    if (!loudness) says = "Silence takes 4,000 numbers too, all of them 0."
    return {
      code: `${loudness} * torch.sin(2 * math.pi * ${pitch} * torch.arange(4000) / 8000)`,
      tensor: range(0, 3999, 1).map((i) => [[loudness * Math.sin(angle(i))], i]),
      float: true,
      says,
    }
  },

  drawing({ drawing }) {
    const rows = pixels(drawing)
    const bright = rows.flat().filter(Boolean).length
    const text = rows.map((row) => row.join("")).join(" ")
    return {
      code: `torch.tensor([[float(pixel) for pixel in row] for row in "${text}".split()])`,
      tensor: rows.map((row, i) => [row, i]),
      float: true,
      says: bright
        ? `${bright} of 64 pixels are 1. These numbers are all that a model sees of it.`
        : "An empty sheet takes 64 numbers too.",
    }
  },
}

const size = (tensor) => tensor.flatMap(([numbers]) => numbers).length

// With nothing to go by, torch makes an empty row of float32.
export function describe(kind, { tensor, float }) {
  const rows = tensor.length && (kind === "dna" || kind === "drawing")
  return {
    shape: rows ? [tensor.length, tensor[0][0].length] : [size(tensor)],
    dtype: float || !tensor.length ? "float32" : "int64",
  }
}
