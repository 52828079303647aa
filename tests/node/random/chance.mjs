// Numbers and texts at random: the same ones for the same seed.

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789_'
/** What takes two and three bytes, what JSON and chat treat in a way of their own. */
const ODD = 'éßñλж漢字…"\\\'§/:{}[]<> \n\t'

export class Chance {
  /** `seed` is any text. */
  constructor (seed) {
    let hash = 2166136261
    for (const byte of Buffer.from(seed)) hash = Math.imul(hash ^ byte, 16777619)
    this.state = hash >>> 0
  }

  /** 32 bits (mulberry32). */
  bits () {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  below (count) {
    return this.bits() % count
  }

  /** True once in so many times. */
  once (count) {
    return this.below(count) === 0
  }

  pick (items) {
    return items[this.below(items.length)]
  }

  /** A whole number of so many bits, small ones as often as large ones. */
  integer (width, signed) {
    const magnitude = BigInt.asUintN(this.below(width + 1), (BigInt(this.bits()) << 32n) | BigInt(this.bits()))
    if (!signed) return magnitude
    return BigInt.asIntN(width, this.once(3) ? -magnitude : magnitude)
  }

  bytes (length) {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }

  /** How long something is: mostly short, now and then longer than most bounds. */
  length () {
    return this.once(20) ? this.below(80) : this.below(13)
  }

  /** `astral`: whether it may hold characters of four bytes, which are two in Java's strings. */
  text (length = this.length(), astral = true) {
    const letter = () => {
      if (!this.once(5)) return this.pick(LETTERS)
      return astral && this.once(4) ? '😀' : this.pick(ODD)
    }
    return Array.from({ length }, letter).join('')
  }

  uuid () {
    const hex = this.bytes(16).toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }
}
