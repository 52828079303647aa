// Text components: at random, in the forms that versions have them in, and as what a player sees of them.

import { createRequire } from 'node:module'

const nbt = createRequire(import.meta.url)('prismarine-nbt')

const COLORS = ['black', 'dark_blue', 'dark_green', 'dark_aqua', 'dark_red', 'dark_purple', 'gold', 'gray', 'dark_gray', 'blue', 'green', 'aqua', 'red', 'light_purple', 'yellow', 'white']
const DECORATIONS = ['bold', 'italic', 'underlined', 'strikethrough', 'obfuscated']

/** A component, as JSON or NBT. */
export function component (chance, protocol, form) {
  if (form === 'nbt') return chance.once(8) ? nbt.string(chance.text(chance.length(), false)) : compound(chance, protocol, 0)
  const text = () => chance.once(8) ? chance.text() : json(chance, protocol, 0)
  return JSON.stringify(chance.once(8) ? [text(), text()] : text())
}

/** The fields of a component, whose texts and lists of components are made by `text` and `list`, its booleans by `flag`. */
function fields (chance, protocol, depth, { text, flag, list, object }) {
  const made = {}
  const words = () => chance.text(chance.length(), false)
  if (chance.once(4)) {
    made.translate = text(`a.${words()}`)
    if (chance.once(2)) made.with = list(1 + chance.below(2))
  } else {
    made.text = text(words())
  }
  if (chance.once(2)) made.color = text(protocol >= 735 && chance.once(2) ? `#${chance.bytes(3).toString('hex')}` : chance.pick(COLORS))
  for (const decoration of DECORATIONS) if (chance.once(6)) made[decoration] = flag(chance.once(2))
  if (chance.once(8)) made.insertion = text(words())
  if (chance.once(8)) {
    const value = text(`/${chance.text(chance.length()).replace(/[^a-z]/g, '')}`)
    if (protocol < 770) made.clickEvent = object({ action: text('run_command'), value })
    else made.click_event = object({ action: text('run_command'), command: value })
  }
  if (depth < 3 && chance.once(3)) made.extra = list(1 + chance.below(3))
  return made
}

function json (chance, protocol, depth) {
  return fields(chance, protocol, depth, {
    text: value => value,
    flag: value => value,
    object: value => value,
    list: length => Array.from({ length }, () => depth < 3 && !chance.once(4) ? json(chance, protocol, depth + 1) : chance.text())
  })
}

function compound (chance, protocol, depth) {
  return nbt.comp(fields(chance, protocol, depth, {
    text: value => nbt.string(value),
    flag: value => nbt.byte(Number(value)),
    object: value => nbt.comp(value),
    list: length => {
      const items = Array.from({ length }, () => compound(chance, protocol, depth + 1).value)
      return nbt.list(nbt.comp(items))
    }
  }))
}

/**
 * What is seen of a text: its pieces in order, each with how it looks and what it does, with what the pieces around it hand down. Two texts are
 * the same if these are.
 */
export function seen (value) {
  return seenIn(typeof value === 'string' ? JSON.parse(value) : nbt.simplify(value))
}

function seenIn (part) {
  const pieces = []
  walk(part, {}, pieces)
  return pieces.map(({ text, look }) => [text, look])
}

function walk (part, around, pieces) {
  if (typeof part === 'string') return add(part, around, pieces)
  // The first of a list is the parent of the others.
  if (Array.isArray(part)) {
    const [first, ...rest] = part
    const parent = typeof first === 'string' ? { text: first } : first
    return walk({ ...parent, extra: [...(parent.extra ?? []), ...rest] }, around, pieces)
  }
  const look = { ...around }
  if (part.color !== undefined) look.color = part.color
  for (const decoration of DECORATIONS) if (part[decoration] !== undefined) look[decoration] = Boolean(part[decoration])
  if (part.insertion !== undefined) look.insertion = part.insertion
  const click = part.clickEvent ?? part.click_event
  if (click !== undefined) look.click = [click.action, click.value ?? click.command]
  if (part.translate !== undefined) {
    add({ translate: part.translate, with: (part.with ?? []).map(seenIn) }, look, pieces)
  } else {
    add(part.text, look, pieces)
  }
  for (const extra of part.extra ?? []) walk(extra, look, pieces)
}

/** Pieces of the same look are one, and nothing is none. */
function add (text, look, pieces) {
  if (text === '') return
  const sorted = Object.fromEntries(Object.entries(look).filter(([, value]) => value !== false).sort(([one], [other]) => one < other ? -1 : 1))
  const last = pieces.at(-1)
  if (typeof text === 'string' && typeof last?.text === 'string' && JSON.stringify(last.look) === JSON.stringify(sorted)) last.text += text
  else pieces.push({ text, look: sorted })
}
