// Random values of a type of protodef's, the language that minecraft-data's tables are written in.
//
// What a table says is all that is known here: which values its fields may have, and which follow from others. Where fields mean more than the
// table says, `meanings` does (see `meanings.mjs`).

import { nbt } from './nbt.mjs'

/** Lists and texts end here, so that what holds itself does. */
const DEEPEST = 12

/** An integer's name, such as `u16`. */
const INTEGER = /^([iu])(8|16|32|64)$/

/** The types of a state and direction: those of the whole protocol go first, as in protodef's compiler. */
export function typesOf (protocol, state, direction) {
  const types = {}
  for (const level of [protocol, protocol[state], protocol[state]?.[direction]]) {
    for (const [name, type] of Object.entries(level?.types ?? {})) {
      if (!types[name] || types[name] === 'native') types[name] = type
    }
  }
  return types
}

/** The names of its packets; the ping of clients before 1.7 is none. */
export function packetsOf (types) {
  const mapper = types.packet?.[1].find(field => field.name === 'name')
  return Object.values(mapper?.type[1].mappings ?? {}).filter(name => name !== 'legacy_server_list_ping')
}

/** Values of one packet. */
export class Values {
  constructor (types, chance, meanings) {
    this.types = types
    this.chance = chance
    this.meanings = meanings
    /** The lists around, outermost first: how long they are, and which element this is. */
    this.lists = []
    this.depth = 0
  }

  packet (name) {
    const params = this.types.packet[1].find(field => field.name === 'params').type[1].fields[name]
    return this.value(params, { name })
  }

  /** `at`: the name of the place, the scope with the fields around, and the values that something hangs on. */
  value (type, at) {
    const meaning = this.meanings[at.name]
    if (meaning) {
      const meant = meaning(this.chance, this.lists, type)
      if (meant !== undefined) return meant.value
    }
    if (++this.depth > 4 * DEEPEST) throw new Error('it holds itself')
    const [name, options] = Array.isArray(type) ? type : [type]
    const value = this[`_${name}`] ? this[`_${name}`](options, at) : this.named(name, options, at)
    this.depth--
    return value
  }

  /** A type with a name has a scope of its own; what it hangs on is handed to it. */
  named (name, options, at) {
    const integer = INTEGER.exec(name)
    if (integer) return this.integer(Number(integer[2]), integer[1] === 'i', at)
    const type = this.types[name]
    if (type === undefined || type === 'native') throw new Error(`nothing is known of the type ${name}`)
    const argument = options && this.resolve(Object.values(options)[0], at.scope)
    return this.value(type, { ...at, scope: { argument, fields: {} } })
  }

  /** What stands at a path such as `../action`, or what was handed to a named type. */
  resolve (path, scope) {
    if (path.startsWith('$')) {
      while (scope.parent) scope = scope.parent
      return scope.argument
    }
    const [first, ...rest] = path.replace(/^(\.\.\/)*/, (up) => { for (let i = 0; i < up.length; i += 3) scope = scope.parent; return '' }).split('/')
    while (scope.parent && !(first in scope.fields)) scope = scope.parent
    if (!(first in scope.fields)) throw new Error(`there is no ${path}`)
    return rest.reduce((value, field) => value?.[field], scope.fields[first])
  }

  // Numbers and texts.

  integer (width, signed, { tags, isCount }) {
    if (isCount) return this.elements()
    if (tags?.length && !this.chance.once(8)) return Number(this.chance.pick(tags))
    const number = this.chance.integer(width, signed)
    return width === 64 ? number : Number(number)
  }

  _varint (_, at) { return this.integer(32, true, at) }
  _varlong () { return Number(this.chance.integer(31, false)) }
  _optvarint (_, at) { return this.integer(31, false, at) }
  _bool () { return this.chance.once(2) }
  _void () { return undefined }
  // Such that single precision holds them.
  _f32 () { return Number(this.chance.integer(20, true)) / 8 }
  _f64 () { return Number(this.chance.integer(40, true)) / 8 }
  _pstring () { return this.chance.text() }
  _UUID () { return this.chance.uuid() }
  _restBuffer () { return this.chance.bytes(this.chance.length()) }
  _lpVec3 () { return { x: this._f32(), y: this._f32(), z: this._f32() } }
  _buffer ({ count }, { scope }) {
    const length = typeof count === 'string' ? this.resolve(count, scope) : count ?? this.chance.length()
    return this.chance.bytes(length)
  }

  /** How many elements a list of another field has. */
  _count () { return this.chance.below(4) }

  _mapper ({ mappings }) {
    const value = this.chance.pick(Object.values(mappings))
    if (value === 'true' || value === 'false') return value === 'true'
    return isNaN(value) ? value : Number(value)
  }

  _bitfield (parts) {
    return Object.fromEntries(parts.map(({ name, size, signed }) => [name, Number(this.chance.integer(size, signed))]))
  }

  _bitflags ({ flags }) {
    const names = Array.isArray(flags) ? flags.filter(flag => flag) : Object.keys(flags)
    return { _value: 0, ...Object.fromEntries(names.map(name => [name, this.chance.once(2)])) }
  }

  // NBT, with a name or without, or none.

  _nbt () { return { name: '', ...nbt(this.chance) } }
  _anonymousNbt () { return nbt(this.chance) }
  _optionalNbt () { return this.chance.once(2) ? undefined : this._nbt() }
  _anonOptionalNbt () { return this.chance.once(2) ? undefined : this._anonymousNbt() }
  _compressedNbt () { return this._optionalNbt() }

  // What is made of others.

  _container (fields, { name, scope }) {
    const inner = { parent: scope, fields: {} }
    return this.fill({}, fields, name, inner)
  }

  fill (value, fields, name, scope) {
    for (const field of fields) {
      const kind = Array.isArray(field.type) ? field.type[0] : field.type
      if (field.anon && kind === 'container') {
        this.fill(value, field.type[1], name, scope)
      } else if (field.anon) {
        const found = this.value(field.type, { name, scope })
        Object.assign(value, found)
        if (kind === 'bitfield') Object.assign(scope.fields, found)
      } else {
        const hanging = hangingOn(field.name, fields, this.types)
        const found = this.value(field.type, { name: `${name}.${field.name}`, scope, ...hanging })
        value[field.name] = scope.fields[field.name] = found
      }
    }
    return value
  }

  list (length, name, element) {
    const list = { length, index: 0 }
    this.lists.push(list)
    const values = Array.from({ length }, (_, index) => {
      list.index = index
      return element(`${name}[]`)
    })
    this.lists.pop()
    return values
  }

  elements () {
    return this.depth > DEEPEST ? 0 : this.chance.below(this.depth < 4 && this.chance.once(4) ? 12 : 4)
  }

  _array ({ count, type }, { name, scope }) {
    const length = typeof count === 'string' ? this.resolve(count, scope) : count ?? this.elements()
    return this.list(length, name, name => this.value(type, { name, scope }))
  }

  _entityMetadataLoop ({ type }, { name, scope }) {
    return this.list(this.elements(), name, name => this.value(type, { name, scope }))
  }

  _topBitSetTerminatedArray ({ type }, { name, scope }) {
    return this.list(1 + this.elements(), name, name => this.value(type, { name, scope }))
  }

  _option (type, at) {
    return this.depth > DEEPEST || this.chance.once(2) ? undefined : this.value(type, at)
  }

  _switch ({ compareTo, compareToValue, fields, default: otherwise }, at) {
    const found = compareTo === undefined ? compareToValue : this.resolve(compareTo, at.scope)
    const key = Object.keys(fields).find(key => asCompared(key) === found)
    return this.value(key === undefined ? otherwise ?? 'void' : fields[key], at)
  }

  _registryEntryHolder ({ baseName, otherwise }, { name, scope }) {
    if (this.depth > DEEPEST || this.chance.once(2)) return { [baseName]: this.chance.below(300) }
    return { [otherwise.name]: this.value(otherwise.type, { name: `${name}.${otherwise.name}`, scope }) }
  }

  _registryEntryHolderSet ({ base, otherwise }, { name, scope }) {
    if (this.chance.once(2)) return { [base.name]: this.value(base.type, { name: `${name}.${base.name}`, scope }) }
    const element = name => this.value(otherwise.type, { name, scope })
    return { [otherwise.name]: this.list(this.elements(), `${name}.${otherwise.name}`, element) }
  }
}

/** A key of a switch as it is compared: a number, a boolean or a text. */
function asCompared (key) {
  if (key === 'true' || key === 'false') return key === 'true'
  return isNaN(key) ? key : Number(key)
}

const known = new WeakMap()

/** What in its container hangs on a field: by which numbers, and whether one says how long a list is. */
function hangingOn (name, fields, types) {
  if (!known.has(fields)) known.set(fields, new Map())
  const found = known.get(fields)
  if (!found.has(name)) {
    const [keys, counts] = [new Set(), []]
    search(name, fields, types, keys, counts)
    found.set(name, { tags: [...keys].filter(key => !isNaN(key)), isCount: counts.length > 0 })
  }
  return found.get(name)
}

function search (name, part, types, keys, counts) {
  if (!part || typeof part !== 'object') return
  if (Array.isArray(part) && typeof part[0] === 'string') {
    const options = part[0] === 'switch' ? part[1] : types[part[0]]?.[1]
    const on = part[1]?.compareTo?.replaceAll('../', '')
    if (on === name) Object.keys(options?.fields ?? {}).forEach(key => keys.add(key))
    if (part[1]?.count === name) counts.push(part)
  }
  for (const inner of Object.values(part)) search(name, inner, types, keys, counts)
}
