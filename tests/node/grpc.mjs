// All services that Drawbridge asks over gRPC, made by other hands: @grpc/grpc-js, from the definitions in crates/adapter-grpc/proto.
//
//   node grpc.mjs '{"port":0,"form":"nested","health":"SERVING","tls":{"cert","key","ca"}}'
//
// `form` chooses the form of the discovery's request; without `health` there is no such service; `tls` holds PEM files, and with
// `ca` clients have to show a certificate. It writes one JSON event a line to standard output: {"event":"listening","port"},
// then {"event":"call","method","at","request","metadata"} for each call, {"event":"answered","method","at"} when it is answered by a
// message, and {"event":"cancelled","method","player","at"} when whoever
// called has left, with the time in milliseconds since 1970. It ends with its standard input, from which it reads one JSON
// command a line:
//
//   {"set":{"GetTargets":RULE}}   how calls of a method are answered from now on
//   {"health":"NOT_SERVING"}
//
// RULE is one of { answer, after: milliseconds }, { error: code, details }, { hang: true }, { garbage: true } (bytes that aren't the message),
// { die: true } (the process ends), { hasJoined: url } (the profile that this session server vouches for, or the key "denied"),
// { byPlayer: { Alice: RULE }, otherwise: RULE }. A rule with `times` holds so often, then
// `otherwise` does. In an answer, a string "$host" and the like stands for what the request says.

import { createHash } from 'node:crypto'
import readline from 'node:readline'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'

const order = JSON.parse(process.argv[2] ?? '{}')
const tell = (event, fields = {}) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')
const proto = fileURLToPath(new URL('../../crates/adapter-grpc/proto', import.meta.url))
const discovery = order.form === 'nested' ? 'discovery_nested.proto' : 'discovery.proto'
const definitions = loader.loadSync(
  ['status', 'authentication', 'discovery_action', 'strategy', 'localization', 'health'].map((name) => `${name}.proto`)
    .concat(discovery),
  { includeDirs: [proto], keepCase: true, longs: Number, defaults: true, oneofs: true }
)

const rules = {}

/** The rule for a request: the method's, or within it the player's. */
function ruleFor (method, request) {
  let rule = rules[method]
  while (rule) {
    if (rule.times === 0) { rule = rule.otherwise; continue }
    if (rule.times !== undefined) rule.times--
    if (!rule.byPlayer) return rule
    const name = request.username ?? request.player?.name
    rule = rule.byPlayer[name] ?? rule.otherwise
  }
  return { error: grpc.status.UNIMPLEMENTED, details: `no rule for ${method}` }
}

/** What an answer says, with what the request says in place of "$name", "$host", "$locale". */
function filled (value, request) {
  if (Array.isArray(value)) return value.map((item) => filled(item, request))
  if (value !== null && typeof value === 'object') {
    if (value.base64 !== undefined) return Buffer.from(value.base64, 'base64')
    return Object.fromEntries(Object.entries(value).map(([key, value]) => [key, filled(value, request)]))
  }
  if (typeof value !== 'string') return value
  const client = request.client ?? request
  return value
    .replaceAll('$name', request.username ?? request.player?.name ?? request.params?.name ?? '')
    .replaceAll('$host', client.server_address?.hostname ?? request.params?.host ?? '')
    .replaceAll('$locale', request.locale ?? 'none')
}

const shown = (request) => JSON.parse(JSON.stringify(request, (key, value) =>
  value?.type === 'Buffer' ? { base64: Buffer.from(value.data).toString('base64') } : value))

/** Asks a session server, as Minecraft's own server does. */
async function hasJoined (url, request) {
  const digest = createHash('sha1').update(request.shared_secret).update(request.encoded_public).digest('hex')
  const hash = BigInt.asIntN(160, BigInt('0x' + digest)).toString(16)
  const query = new URLSearchParams({ username: request.player.name, serverId: hash })
  const answer = await fetch(`${url}/session/minecraft/hasJoined?${query}`)
  return answer.status === 200 ? { profile: await answer.json() } : { key: 'denied' }
}

function serve (method) {
  return (call, callback) => {
    const player = call.request.username ?? call.request.player?.name
    tell('call', { method, at: Date.now(), request: shown(call.request), metadata: call.metadata.getMap(), deadline: call.getDeadline() - Date.now(), peer: call.getPeer() })
    call.on('cancelled', () => tell('cancelled', { method, player, at: Date.now() }))
    const rule = ruleFor(method, call.request)
    if (rule.hang) return
    if (rule.die) process.exit(1)
    if (rule.garbage) return callback(null, { garbage: true })
    if (rule.error !== undefined) return callback({ code: rule.error, details: rule.details ?? '' })
    if (rule.hasJoined) return hasJoined(rule.hasJoined, call.request).then((answer) => callback(null, answer), callback)
    setTimeout(() => {
      tell('answered', { method, at: Date.now() })
      callback(null, filled(rule.answer, call.request))
    }, rule.after ?? 0)
  }
}

const server = new grpc.Server()
for (const [name, definition] of Object.entries(definitions)) {
  if (!name.startsWith('scrayosnet.') || definition.format !== undefined) continue
  const methods = {}
  for (const [method, description] of Object.entries(definition)) {
    const serialize = description.responseSerialize
    description.responseSerialize = (answer) =>
      answer.garbage ? Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]) : serialize(answer)
    methods[method] = serve(method)
  }
  server.addService(definition, methods)
}

const watchers = new Set()
let health = order.health
if (health) {
  server.addService(definitions['grpc.health.v1.Health'], {
    Watch (call) {
      watchers.add(call)
      call.on('cancelled', () => watchers.delete(call))
      call.write({ status: health })
    }
  })
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line)
  Object.assign(rules, command.set)
  if (command.health) {
    health = command.health
    for (const call of watchers) call.write({ status: health })
  }
  tell('done', { id: command.id })
}).on('close', () => process.exit(0))

const { tls } = order
const pem = (file) => file && readFileSync(file)
const credentials = tls
  ? grpc.ServerCredentials.createSsl(pem(tls.ca) ?? null, [{ cert_chain: pem(tls.cert), private_key: pem(tls.key) }], tls.ca !== undefined)
  : grpc.ServerCredentials.createInsecure()
server.bindAsync(`127.0.0.1:${order.port ?? 0}`, credentials, (error, port) => {
  if (error) throw error
  tell('listening', { port })
})
