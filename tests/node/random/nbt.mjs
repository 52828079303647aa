// Random NBT, as prismarine-nbt holds it. No text in it has characters of four bytes or of none: node-minecraft-protocol writes these as UTF-8 does,
// Java and the edge don't.

const KINDS = ['byte', 'short', 'int', 'long', 'float', 'double', 'byteArray', 'string', 'list', 'compound', 'intArray', 'longArray']

/** What a kind holds. `depth`: how many lists and compounds are around it. */
const CONTENTS = {
  byte: chance => Number(chance.integer(8, true)),
  short: chance => Number(chance.integer(16, true)),
  int: chance => Number(chance.integer(32, true)),
  long: chance => chance.integer(64, true),
  float: chance => Number(chance.integer(20, true)) / 8,
  double: chance => Number(chance.integer(40, true)) / 8,
  byteArray: chance => Array.from({ length: chance.below(5) }, () => CONTENTS.byte(chance)),
  string: chance => chance.text(chance.length(), false),
  list: (chance, depth) => {
    const type = kind(chance, depth)
    const value = Array.from({ length: chance.below(4) }, () => CONTENTS[type](chance, depth + 1))
    return value.length ? { type, value } : { type: 'end', value }
  },
  // A name of digits alone would change its place in an object of JavaScript's.
  compound: (chance, depth) => Object.fromEntries(Array.from({ length: chance.below(5) }, () => [`k${chance.text(chance.below(9), false)}`, tag(chance, depth + 1)])),
  intArray: chance => Array.from({ length: chance.below(5) }, () => CONTENTS.int(chance)),
  longArray: chance => Array.from({ length: chance.below(5) }, () => CONTENTS.long(chance))
}

const kind = (chance, depth) => chance.pick(depth < 4 ? KINDS : KINDS.slice(0, 8))

function tag (chance, depth) {
  const type = kind(chance, depth)
  return { type, value: CONTENTS[type](chance, depth) }
}

/** A compound, as almost all that is NBT in packets. */
export function nbt (chance) {
  return { type: 'compound', value: CONTENTS.compound(chance, 0) }
}
