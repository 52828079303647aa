// Has a real player, mineflayer, join the limbos of all releases that it speaks, at a server that says nothing but their
// bytes: it must spawn, stand on a floor that it sees, and stand there still after switching to another world.
//
//   node limbo/join.mjs ../../crates/limbo/data/worlds.bin [PROTOCOL…]

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import mc from 'minecraft-protocol'
import mineflayer from 'mineflayer'
import { FLOOR, material } from './chunks.mjs'
import { BETWEEN, SAME_AS } from './releases.mjs'
import { worlds } from './worlds.mjs'

const { Vec3 } = createRequire(import.meta.url)('vec3')
const [file, ...wanted] = process.argv.slice(2)
/** How long a player may take, and how long they have to stand, in milliseconds. */
const PATIENCE = 20_000
const STAND = 1500

/** A server of one release that puts everybody into the world `hub`, and at a word of theirs into `island`. */
function serve (world) {
  const server = mc.createServer({ version: world.version, port: 0, host: '127.0.0.1', 'online-mode': false, hideErrors: true })
  const send = (client, bodies, name) => bodies.forEach((body) => client.writeRaw(body({ entity: 77, name })))
  const bring = (client, login, name) => {
    send(client, login, name)
    send(client, world.rest, name)
  }
  const configure = (client, name, then) => {
    client.state = mc.states.CONFIGURATION
    send(client, world.configuration, name)
    client.once('finish_configuration', () => {
      client.state = mc.states.PLAY
      then()
    })
    client.write('finish_configuration', {})
  }
  server.on('login', (client) => {
    client.on('error', () => {})
    const switching = () => {
      if (world.protocol < 764) return bring(client, world.switching, 'drawbridge:island')
      client.once('configuration_acknowledged', () => configure(client, 'drawbridge:island', () => bring(client, world.switching, 'drawbridge:island')))
      client.write('start_configuration', {})
    }
    client.on(world.protocol < 759 ? 'chat' : 'chat_message', switching)
    if (world.protocol < 764) return
    client.removeAllListeners('login_acknowledged')
    client.once('login_acknowledged', () => configure(client, 'drawbridge:hub', () => bring(client, world.first, 'drawbridge:hub')))
  })
  if (world.protocol < 764) server.on('playerJoin', (client) => bring(client, world.first, 'drawbridge:hub'))
  return server
}

const patience = (promise, what) => Promise.race([promise, new Promise((resolve, reject) => setTimeout(() => reject(new Error(`no ${what}`)), PATIENCE).unref())])

async function stand (bot, world) {
  const floor = () => bot.blockAt(new Vec3(8, FLOOR, 8))
  while (!floor()) await patience(once(bot.world, 'chunkColumnLoad'), 'chunk')
  assert.equal(floor().name, material(world.protocol))
  assert.equal(bot.blockAt(new Vec3(8, FLOOR + 1, 8))?.name, 'air')
  // It falls by itself, as clients do, and would be far down after this.
  await new Promise((resolve) => setTimeout(resolve, STAND))
  const { x, y, z } = bot.entity.position
  assert.deepEqual([x, Math.round(y * 100) / 100, z], [8.5, FLOOR + 1, 8.5])
  assert.equal(bot.health, 20)
  assert.ok(bot.entity.onGround)
  return `${bot.game.dimension} ${bot.game.gameMode} health ${bot.health} at ${x} ${y} ${z}`
}

async function join (world) {
  const server = serve(world)
  await once(server, 'listening')
  const { port } = server.socketServer.address()
  const bot = mineflayer.createBot({ host: '127.0.0.1', port, username: 'walker', version: world.version, auth: 'offline', hideErrors: true })
  try {
    const failed = new Promise((resolve, reject) => {
      bot.on('error', reject)
      bot.on('kicked', (reason) => reject(new Error(`kicked: ${reason}`)))
      bot.on('end', (reason) => reject(new Error(`ended: ${reason}`)))
    })
    failed.catch(() => {})
    await patience(Promise.race([once(bot, 'spawn'), failed]), 'spawn')
    const hub = await Promise.race([stand(bot, world), failed])
    const moved = once(bot._client, 'position')
    bot.chat('island')
    await patience(Promise.race([moved, failed]), 'switch')
    const island = await Promise.race([stand(bot, world), failed])
    return `${hub}; then ${island}`
  } finally {
    bot.removeAllListeners('end')
    bot.end()
    server.close()
  }
}

let failures = 0
for (const world of worlds(file)) {
  if (wanted.length > 0 && !wanted.includes(String(world.protocol))) continue
  // Those with another's packets would be joined as that other, and of those with another's blocks it knows the wrong ones.
  if (SAME_AS[world.protocol] || BETWEEN[world.protocol] || world.blocks !== world.version) continue
  if (!mineflayer.testedVersions.some((tested) => tested.startsWith(world.version.split('.').slice(0, 2).join('.')))) {
    console.log(`${world.protocol} (${world.version}): mineflayer doesn't speak it`)
    continue
  }
  try {
    console.log(`${world.protocol} (${world.version}): ${await join(world)}`)
  } catch (error) {
    failures++
    console.log(`${world.protocol} (${world.version}) FAILED: ${error.message}`)
  }
}
process.exit(failures === 0 ? 0 : 1)
