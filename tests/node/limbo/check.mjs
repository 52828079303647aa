// Reads the limbos of every release as a client made by other hands would: node-minecraft-protocol's deserializers must
// find each packet whole, prismarine-registry the dimensions, and prismarine-chunk the room that a player stands in.
//
//   node limbo/check.mjs ../../crates/limbo/data/worlds.bin

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { inflateSync } from 'node:zlib'
import mc from 'minecraft-protocol'
import { extent, FLOOR, material } from './chunks.mjs'
import { worlds } from './worlds.mjs'

const require = createRequire(import.meta.url)
const registryOf = require('prismarine-registry')
const chunkOf = require('prismarine-chunk')
const { Vec3 } = require('vec3')

const PLAYER = { entity: 0x01020304, name: 'drawbridge:hub' }

/** A packet's name and fields. */
function read (deserializer, bytes) {
  const { data, metadata } = deserializer.parsePacketBuffer(bytes)
  assert.equal(metadata.size, bytes.length, `${data.name} has bytes left`)
  return data
}

function readAll (version, state, bodies) {
  const deserializer = mc.createDeserializer({ state, version, noErrorLogging: true })
  return bodies.map((body) => read(deserializer, body(PLAYER)))
}

const names = (packets) => packets.map(({ name }) => name)
const one = (packets, name) => {
  const found = packets.filter((packet) => packet.name === name)
  assert.equal(found.length, 1, `${found.length} ${name}`)
  return found[0].params
}

function checkArrival ({ protocol, first, switching, rest }) {
  const [login] = first
  assert.deepEqual(names(first), ['login'])
  assert.equal(login.params.entityId, PLAYER.entity)
  assert.equal(login.params.gameMode ?? login.params.worldState.gamemode, protocol < 766 ? 2 : 'adventure')
  if (protocol >= 735) assert.equal(login.params.worldName ?? login.params.worldState.name, PLAYER.name)
  if (protocol < 764) {
    assert.deepEqual(names(switching), ['login', 'respawn'])
    const [again, respawn] = switching
    assert.equal(again.params.entityId, PLAYER.entity)
    if (protocol < 735) assert.deepEqual([again.params.dimension, respawn.params.dimension, login.params.dimension], [-1, 0, 0])
    else assert.equal(respawn.params.worldName, PLAYER.name)
  } else {
    assert.deepEqual(names(switching), ['login'])
  }
  const position = one(rest, 'position')
  assert.deepEqual([position.x, position.y, position.z], [8.5, FLOOR + 1 + (protocol < 47 ? 1.62 : 0), 8.5])
  assert.equal(one(rest, 'abilities').flags, 1)
  assert.equal(one(rest, 'update_health').health, 20)
  one(rest, 'spawn_position')
  one(rest, 'update_time')
  const order = names(rest)
  const chunk = order.indexOf('map_chunk')
  assert.ok(chunk > 0)
  if (protocol >= 477) assert.ok(order.indexOf('update_view_position') < chunk)
  if (protocol >= 764) assert.ok(order.indexOf('chunk_batch_start') < chunk)
  if (protocol >= 764) assert.equal(one(rest, 'chunk_batch_finished').batchSize, 9)
  if (protocol >= 765) assert.equal(one(rest, 'game_state_change').reason, 'level_chunks_load_start')
}

function checkRegistries ({ protocol, version, configuration, login }) {
  if (protocol < 751) return
  const registry = registryOf(version)
  if (protocol < 764) registry.loadDimensionCodec(login.dimensionCodec)
  const sent = configuration.filter(({ name }) => name === 'registry_data')
  for (const { params } of sent) registry.loadDimensionCodec(params.codec ?? params)
  assert.deepEqual(registry.dimensionsArray.map(({ name }) => name), ['overworld'])
  const [{ minY, height }] = registry.dimensionsArray
  const { minimum, sections } = extent(protocol)
  if (protocol >= 755) assert.deepEqual([minY, height], [minimum, sections * 16])
  assert.deepEqual(registry.biomesArray.map(({ name }) => name), ['plains'])
  if (protocol >= 766) checkEntries(sent.map(({ params }) => params), protocol)
}

/** Registries that clients don't take when they are empty. */
const FILLED = {
  766: ['wolf_variant'],
  767: ['wolf_variant', 'painting_variant'],
  770: ['wolf_variant', 'wolf_sound_variant', 'pig_variant', 'frog_variant', 'cat_variant', 'cow_variant', 'chicken_variant', 'painting_variant'],
  774: ['zombie_nautilus_variant'],
  775: ['pig_sound_variant', 'cat_sound_variant', 'cow_sound_variant', 'chicken_sound_variant']
}

function checkEntries (registries, protocol) {
  const counts = Object.fromEntries(registries.map(({ id, entries }) => [id, entries.length]))
  for (const [since, needed] of Object.entries(FILLED)) {
    if (protocol < Number(since)) continue
    for (const name of needed) assert.ok(counts[`minecraft:${name}`] > 0, `${name} is empty`)
  }
  assert.ok(counts['minecraft:damage_type'] >= (protocol < 767 ? 45 : protocol < 768 ? 47 : protocol < 774 ? 49 : 50))
  for (const { id, entries } of registries) {
    for (const { key, value } of entries) {
      assert.ok(value, `${key} of ${id} has no data`)
      // Colours begin so too.
      const tags = (JSON.stringify(value).match(/"#[^"]+:[^"]+"/g) ?? []).filter((tag) => tag !== '"#minecraft:infiniburn_overworld"')
      assert.deepEqual(tags, [], `${key} of ${id} refers to tags`)
    }
  }
}

function checkChunks ({ protocol, version, blocks, rest }) {
  const chunks = rest.filter(({ name }) => name === 'map_chunk').map(({ params }) => params)
  const around = protocol < 107 ? [0] : [-1, 0, 1]
  assert.deepEqual(chunks.map(({ x, z }) => [x, z]), around.flatMap((x) => around.map((z) => [x, z])))
  if (protocol < 47) return checkPlanes(chunks[0])
  const registry = registryOf(blocks)
  const Chunk = chunkOf(registryOf(version))
  const { minimum, sections } = extent(protocol)
  const lights = rest.filter(({ name }) => name === 'update_light').map(({ params }) => params)
  for (const params of chunks) {
    const chunk = new Chunk({ minY: minimum, worldHeight: sections * 16 })
    if (params.biomes && protocol < 757) chunk.loadBiomes(params.biomes)
    chunk.load(params.chunkData, params.bitMap, true, params.groundUp ?? true)
    if (protocol >= 757) chunk.loadParsedLight(params.skyLight, params.blockLight, params.skyLightMask, params.blockLightMask, params.emptySkyLightMask, params.emptyBlockLightMask)
    const light = lights.find(({ chunkX, chunkZ }) => chunkX === params.x && chunkZ === params.z)
    if (light && protocol < 755) chunk.loadLight(light.data, light.skyLightMask, light.blockLightMask, light.emptySkyLightMask, light.emptyBlockLightMask)
    if (light && protocol >= 755) chunk.loadParsedLight(light.skyLight, light.blockLight, light.skyLightMask, light.blockLightMask, light.emptySkyLightMask, light.emptyBlockLightMask)
    if (protocol >= 757) assert.ok(chunk.dump().equals(params.chunkData), 'the chunk is read back as another')
    checkRoom(chunk, registry, params.x === 0 && params.z === 0, protocol)
  }
}

/** 1.7, which prismarine-chunk doesn't read: one section of blocks, metadata, light and sunlight, and biomes. */
function checkPlanes ({ bitMap, compressedChunkData }) {
  const data = inflateSync(compressedChunkData)
  assert.deepEqual([bitMap, data.length], [1 << (FLOOR >> 4), 4096 + 3 * 2048 + 256])
  const at = (x, y, z) => data[((y & 15) << 8) | (z << 4) | x]
  assert.deepEqual([at(8, FLOOR, 8), at(8, FLOOR + 1, 8), at(0, FLOOR + 1, 8), at(0, FLOOR + 4, 8)], [20, 0, 20, 0])
  assert.ok(data.subarray(4096 + 2 * 2048, 4096 + 3 * 2048).every((value) => value === 0xff), 'it is dark')
}

function checkRoom (chunk, registry, furnished, protocol) {
  const { id, defaultState } = registry.blocksByName[material(protocol)]
  const what = (at) => protocol < 393 ? chunk.getBlockType(at) : chunk.getBlockStateId(at)
  const solid = protocol < 393 ? id : defaultState
  const { minimum, sections } = extent(protocol)
  // Where there is nothing, a few blocks stand for all.
  const [from, to] = furnished ? [minimum, minimum + sections * 16] : [FLOOR - 1, FLOOR + 2]
  const at = new Vec3(0, 0, 0)
  for (at.x = 0; at.x < 16; at.x++) {
    for (at.z = 0; at.z < 16; at.z++) {
      const wall = at.x === 0 || at.x === 15 || at.z === 0 || at.z === 15
      for (at.y = from; at.y < to; at.y++) {
        const expected = furnished && (at.y === FLOOR || (wall && at.y > FLOOR && at.y <= FLOOR + 3)) ? solid : 0
        assert.equal(what(at), expected, `block at ${at}`)
        assert.equal(chunk.getBiome(at), protocol < 751 ? 1 : 0, `biome at ${at}`)
        if (!furnished || at.y >> 4 !== FLOOR >> 4) continue
        assert.deepEqual([chunk.getSkyLight(at), chunk.getBlockLight(at)], [15, 0], `light at ${at}`)
      }
    }
  }
}

const checked = []
for (const world of worlds(process.argv[2])) {
  const { protocol, version, blocks } = world
  try {
    const configuration = protocol < 764 ? [] : readAll(version, mc.states.CONFIGURATION, world.configuration)
    const [first, switching, rest] = [world.first, world.switching, world.rest].map((bodies) => readAll(version, mc.states.PLAY, bodies))
    checkArrival({ protocol, first, switching, rest })
    checkRegistries({ protocol, version, configuration, login: first[0].params })
    checkChunks({ protocol, version, blocks, rest })
  } catch (error) {
    error.message = `${protocol} (${version}): ${error.message}`
    throw error
  }
  checked.push(protocol)
}
console.log(`${checked.length} limbos are sound: ${checked.join(' ')}`)
