// How a server learns from the proxy in front of it who a player is, by the rules of those who wrote them:
//
// - BungeeCord: the host of the handshake is `host \0 address \0 UUID without hyphens`, and perhaps `\0 properties` as JSON. Spigot's
//   HandshakeListener takes three parts or four.
// - BungeeGuard (lucko's): the same, and among the properties exactly one of the name `bungeeguard-token`, whose value is the token.
// - Velocity's modern forwarding, as Paper checks it: a login plugin request `velocity:player_info`, answered by HMAC-SHA256 (32 bytes) and
//   what it is over: VarInt version, address, UUID, name, properties; the player's key in versions 2 and 3, its holder in 3.
//
// Each gives { forwarded } or { refused: "why" }.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'

const TOKEN = 'bungeeguard-token'
const CHANNEL = 'velocity:player_info'

const hyphenated = (hex) => hex.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

/** Whether this is a list of properties as Gson reads them: a name and a value, perhaps a signature. */
function areProperties (properties) {
  const isText = (value) => typeof value === 'string'
  return Array.isArray(properties) && properties.every((property) =>
    isText(property?.name) && isText(property?.value) && (property.signature === undefined || isText(property.signature)))
}

/** What BungeeCord wrote into the host of the handshake. */
export function bungeeCord (host, name) {
  // Java's split leaves out empty parts at the end.
  const parts = host.replace(/\0+$/, '').split('\0')
  if (parts.length !== 3 && parts.length !== 4) return { refused: `the host has ${parts.length} parts` }
  const [, address, hex, json] = parts
  if (!isIP(address)) return { refused: `${address} is no address` }
  if (!/^[0-9a-f]{32}$/i.test(hex)) return { refused: `${hex} is no UUID without hyphens` }
  let properties = []
  if (json !== undefined) {
    try {
      properties = JSON.parse(json)
    } catch {
      return { refused: 'the properties are no JSON' }
    }
    if (!areProperties(properties)) return { refused: 'the properties are none' }
  }
  return { forwarded: { kind: 'bungeecord', version: null, address, uuid: hyphenated(hex), name, properties, key: null } }
}

/** The same with a token, which is taken away then. */
export function bungeeGuard (host, name, token) {
  const { forwarded, refused } = bungeeCord(host, name)
  if (refused) return { refused }
  const tokens = forwarded.properties.filter((property) => property.name === TOKEN)
  if (tokens.length !== 1) return { refused: `${tokens.length} tokens` }
  if (tokens[0].value !== token) return { refused: 'another token' }
  const properties = forwarded.properties.filter((property) => property.name !== TOKEN)
  return { forwarded: { ...forwarded, kind: 'bungeeguard', properties } }
}

/** Reads what Minecraft writes; it throws where there is too little. */
class Reader {
  constructor (data) {
    this.data = data
    this.at = 0
  }

  bytes (length) {
    if (length < 0 || this.at + length > this.data.length) throw new Error(`ends ${length} bytes before`)
    return this.data.subarray(this.at, this.at += length)
  }

  varint () {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const [byte] = this.bytes(1)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new Error('a VarInt of more than five bytes')
  }

  array () { return this.bytes(this.varint()) }

  string (longest) {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(this.array())
    if (text.length > longest) throw new Error(`a text of ${text.length}`)
    return text
  }

  bool () { return this.bytes(1)[0] !== 0 }

  uuid () { return hyphenated(this.bytes(16).toString('hex')) }

  list (read) { return Array.from({ length: this.varint() }, read) }
}

function velocityFields (data) {
  const reader = new Reader(data)
  const version = reader.varint()
  const address = reader.string(32_767)
  const [uuid, name] = [reader.uuid(), reader.string(16)]
  const properties = reader.list(() => {
    const property = { name: reader.string(32_767), value: reader.string(32_767) }
    return reader.bool() ? { ...property, signature: reader.string(32_767) } : property
  })
  let key = null
  if (version === 2 || version === 3) {
    key = {
      expires: Number(reader.bytes(8).readBigInt64BE()),
      key: reader.array().toString('base64'),
      signature: reader.array().toString('base64')
    }
    if (version === 3) key.holder = reader.bool() ? reader.uuid() : null
  }
  const rest = data.length - reader.at
  return { kind: 'velocity', version, address, uuid, name, properties, key, rest }
}

/** What Velocity answered to a request that asked for `asked`, or for nothing. */
export function velocity (answer, secret, asked) {
  if (answer === undefined) return { refused: 'the request was not understood' }
  if (answer.length < 32) return { refused: `an answer of ${answer.length} bytes` }
  const [signature, data] = [answer.subarray(0, 32), answer.subarray(32)]
  if (!timingSafeEqual(createHmac('sha256', secret).update(data).digest(), signature)) return { refused: 'another secret' }
  let fields
  try {
    fields = velocityFields(data)
  } catch (error) {
    return { refused: `the answer can't be read: ${error.message}` }
  }
  const { rest, ...forwarded } = fields
  if (forwarded.version < 1 || forwarded.version > (asked ?? 1)) return { refused: `version ${forwarded.version} where ${asked ?? 'none'} was asked for` }
  if (!isIP(forwarded.address)) return { refused: `${forwarded.address} is no address` }
  if (rest > 0) return { refused: `${rest} bytes too many` }
  return { forwarded }
}

/** Asks as Paper does, and hands what is answered to `then`. */
function askVelocity (client, { secret, asks }, then) {
  const messageId = Math.floor(Math.random() * 0x7fffffff)
  client.once('login_plugin_response', (packet) => {
    if (packet.messageId !== messageId) return then({ refused: 'an answer to another request' })
    then(velocity(packet.data, secret, asks ?? null))
  })
  client.write('login_plugin_request', {
    messageId,
    channel: CHANNEL,
    data: asks === undefined || asks === null ? Buffer.alloc(0) : Buffer.from([asks])
  })
}

/** Learns who has come to a server with this `forwarding` under this name, and hands it to `then`. */
export function learn (client, forwarding, name, then) {
  const host = client.handshake.serverHost
  switch (forwarding?.kind) {
    case 'bungeecord': return then(bungeeCord(host, name))
    case 'bungeeguard': return then(bungeeGuard(host, name, forwarding.token))
    case 'velocity': return askVelocity(client, forwarding, then)
    default: return then({ forwarded: null })
  }
}
