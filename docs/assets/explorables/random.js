// The random numbers of torch.Generator().manual_seed(seed) on a CPU. The tests hold them against
// torch's own.

// The Mersenne Twister: gives a function that draws whole numbers of 32 bits. Words are renewed
// one at a time, as they are needed, which comes to the same as all 624 at once.
function generator(seed) {
  const words = new Uint32Array(624)
  words[0] = seed
  for (let i = 1; i < 624; i += 1) words[i] = Math.imul(1812433253, words[i - 1] ^ (words[i - 1] >>> 30)) + i
  let at = 0
  return () => {
    const mixed = (words[at] & 0x80000000) | (words[(at + 1) % 624] & 0x7fffffff)
    words[at] = words[(at + 397) % 624] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0)
    let word = words[at]
    at = (at + 1) % 624
    word ^= word >>> 11
    word ^= (word << 7) & 0x9d2c5680
    word ^= (word << 15) & 0xefc60000
    return (word ^ (word >>> 18)) >>> 0
  }
}

// torch.randperm(size): each place in turn swaps with one of those that follow, or with itself.
export function randperm(size, seed) {
  const draw = generator(seed)
  const order = Array.from({ length: size }, (_, i) => i)
  for (let i = 0; i < size - 1; i += 1) {
    const other = i + (draw() % (size - i))
    const [taken] = order.splice(other, 1, order[i])
    order[i] = taken
  }
  return order
}

// torch.randn(size) for sizes of 16 and more: eight pairs at a time become normal, after Box and
// Muller. What is left over at the end is made whole by drawing the last sixteen anew.
export function randn(size, seed) {
  const draw = generator(seed)
  const uniform = () => (draw() & 0xffffff) / 2 ** 24
  const values = Array.from({ length: size }, uniform)
  for (let start = 0; start + 16 <= size; start += 16) normal(values, start)
  if (size % 16) {
    for (let i = size - 16; i < size; i += 1) values[i] = uniform()
    normal(values, size - 16)
  }
  return values
}

function normal(values, start) {
  for (let i = start; i < start + 8; i += 1) {
    const radius = Math.sqrt(-2 * Math.log(1 - values[i]))
    const angle = 2 * Math.PI * values[i + 8]
    values[i] = radius * Math.cos(angle)
    values[i + 8] = radius * Math.sin(angle)
  }
}
