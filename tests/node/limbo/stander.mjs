// A real player with a body, mineflayer, in the limbos of the releases that it speaks.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import mineflayer from 'mineflayer'
import { FLOOR, material } from './chunks.mjs'
import { BETWEEN, SAME_AS } from './releases.mjs'

const { Vec3 } = createRequire(import.meta.url)('vec3')
/** How long a player may take, and how long they have to stand, in milliseconds. */
const PATIENCE = 20_000
const STAND = 1500

const patience = (promise, what) => Promise.race([promise, new Promise((resolve, reject) => setTimeout(() => reject(new Error(`no ${what}`)), PATIENCE).unref())])

/** Why mineflayer can't judge a world, if it can't. */
export function unjudged (world) {
  // Those with another's packets would be joined as that other, and of those with another's blocks it knows the wrong ones.
  if (SAME_AS[world.protocol] || BETWEEN[world.protocol] || world.blocks !== world.version) return 'it has another\'s packets or blocks'
  const line = world.version.split('.').slice(0, 2).join('.')
  if (!mineflayer.testedVersions.some((tested) => tested.startsWith(line))) return 'mineflayer doesn\'t speak it'
}

/** Stands on the floor in the middle; what they see there. */
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

/** Joins at `address`, stands, says each of `words` to go elsewhere, and stands there. */
export async function tour (world, address, words) {
  const bot = mineflayer.createBot({ ...address, username: `walker${world.protocol}`, version: world.version, auth: 'offline', hideErrors: true })
  try {
    const failed = new Promise((resolve, reject) => {
      bot.on('error', reject)
      bot.on('kicked', (reason) => reject(new Error(`kicked: ${reason}`)))
      bot.on('end', (reason) => reject(new Error(`ended: ${reason}`)))
    })
    failed.catch(() => {})
    await patience(Promise.race([once(bot, 'spawn'), failed]), 'spawn')
    const seen = [await Promise.race([stand(bot, world), failed])]
    for (const word of words) {
      const moved = once(bot._client, 'position')
      bot.chat(word)
      await patience(Promise.race([moved, failed]), 'switch')
      seen.push(await Promise.race([stand(bot, world), failed]))
    }
    return seen
  } finally {
    bot.removeAllListeners('end')
    bot.end()
  }
}
