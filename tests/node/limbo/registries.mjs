// What a client of each release must be told of dimensions, biomes and whatever else its server decides, and no more: what
// isn't sent can't be wrong, and whoever is held in a void meets no armour trims.
//
// What must stay true: an entry refers to nothing that isn't sent with it. A client drops a connection for a tag or an
// entry that it doesn't know.

import { recorded } from './releases.mjs'

const string = (value) => ({ type: 'string', value })

/** Registries of which one entry is enough. Clients need plains (it is their biome where there is no chunk), and one of each that may not be empty. */
const ONE = {
  'minecraft:dimension_type': 'minecraft:overworld',
  'minecraft:worldgen/biome': 'minecraft:plains',
  'minecraft:painting_variant': 'minecraft:kebab'
}

/** Registries that may be empty and refer to tags of items and dialogs, which would all have to be sent too. */
const WITH_TAGS = ['minecraft:enchantment', 'minecraft:dialog']

/** Only asked for by who tests the game itself. */
const FOR_TESTS = ['minecraft:test_environment', 'minecraft:test_instance']

/**
 * Where the package has only an older release's registries, though they differ: where to find those that do.
 *
 * 1.21.5 made animals' variants registries of their own, which may not be empty, and gave those of wolves another shape; they
 * are as 1.21.11 has them up to 1.21.10. Of the trims it changed the shape too.
 */
const AS_IN = Object.fromEntries([770, 771, 772, 773].map((protocol) => [protocol, {
  base: '1.21.3',
  newer: '1.21.11',
  from: ['wolf_variant', 'wolf_sound_variant', 'pig_variant', 'frog_variant', 'cat_variant', 'cow_variant', 'chicken_variant',
    'trim_pattern', 'trim_material'].map((name) => `minecraft:${name}`)
}]))

/** The codec that goes with Join Game or Registry Data up to 1.20.4, as NBT. */
export function codec (version) {
  const { dimensionCodec } = recorded(version)
  const registries = Object.entries(dimensionCodec.value).map(([name, registry]) => {
    // 1.16 and 1.16.1 have a bare list of dimensions.
    if (registry.type === 'list') {
      const dimensions = registry.value.value.filter((entry) => entry.name.value === 'minecraft:overworld')
      return [name, { type: 'list', value: { type: 'compound', value: dimensions } }]
    }
    const entries = registry.value.value.value.value
    const kept = entries.filter((entry) => !ONE[name] || entry.name.value === ONE[name])
    if (ONE[name] && kept.length !== 1) throw new Error(`${version} has no ${ONE[name]}`)
    const list = { type: 'list', value: { type: entries.length ? 'compound' : 'end', value: kept.map((entry, id) => ({ ...entry, id: { type: 'int', value: id } })) } }
    return [name, { type: 'compound', value: { type: string(name), value: list } }]
  })
  return { type: 'compound', name: '', value: Object.fromEntries(registries) }
}

/** The overworld as it stands in the codec: Join Game repeats it from 1.16.2 to 1.18.2. */
export function dimension (version) {
  const [overworld] = codec(version).value['minecraft:dimension_type'].value.value.value.value
  return { ...overworld.element, name: '' }
}

/** The registries that are sent one by one since 1.20.5: `[{ id, entries: [{ key, value }] }]`. */
export function registries (version, protocol) {
  const { base, newer, from } = AS_IN[protocol] ?? { base: version, from: [] }
  const sent = { ...recorded(base).dimensionCodec }
  for (const name of from) sent[name] = recorded(newer).dimensionCodec[name]
  return Object.values(sent)
    .filter(({ id }) => ![...WITH_TAGS, ...FOR_TESTS].includes(id))
    .map(({ id, entries }) => ({ id, entries: entries.filter(({ key }) => !ONE[id] || key === ONE[id]).map(detached(id)) }))
    .map(only(protocol))
}

/** An entry that refers to nothing beyond the registries that are sent. */
function detached (id) {
  return ({ key, value }) => {
    const fields = { ...value.value }
    // The sky stands still: nothing that changes it by the hour.
    if (id === 'minecraft:dimension_type' && fields.timelines) fields.timelines = { type: 'list', value: { type: 'end', value: [] } }
    // Up to 1.21.4 wolves' variants name the biomes or tags of biomes that they live in.
    if (id === 'minecraft:wolf_variant' && fields.biomes) fields.biomes = string('minecraft:plains')
    return { key, value: { ...value, value: fields } }
  }
}

/** Before 1.21.5 a wolf has one shape of variant, of which one is enough as well. */
function only (protocol) {
  return ({ id, entries }) => id === 'minecraft:wolf_variant' && protocol < 770
    ? { id, entries: entries.filter(({ key }) => key === 'minecraft:pale') }
    : { id, entries }
}

const names = (text) => text.trim().split(/\s+/).map((name) => ({ tagName: `minecraft:${name}`, entries: [] }))

/**
 * Tags that a client looks for when it has its registries, or `undefined` where it looks for none.
 *
 * Since 26.1 an item's properties are made then, and refer to tags of damage and of banner patterns; a tag that was never
 * heard of ends the connection, one without entries is well. The dimension names the tag of blocks that burn for ever.
 */
export function tags (protocol) {
  if (protocol < 775) return undefined
  return [
    { tagType: 'minecraft:block', tags: names('infiniburn_overworld') },
    {
      tagType: 'minecraft:damage_type',
      tags: names(`always_hurts_ender_dragons always_kills_armor_stands always_most_significant_fall always_triggers_silverfish
        avoids_guardian_thorns burn_from_stepping burns_armor_stands bypasses_armor bypasses_cooldown bypasses_effects
        bypasses_enchantments bypasses_invulnerability bypasses_resistance bypasses_shield bypasses_wolf_armor
        can_break_armor_stand damages_helmet ignites_armor_stands is_drowning is_explosion is_fall is_fire is_freezing
        is_lightning is_player_attack is_projectile mace_smash no_anger no_impact no_knockback panic_causes
        panic_environmental_causes witch_resistant_to wither_immune_to`)
    },
    {
      tagType: 'minecraft:banner_pattern',
      tags: names(`no_item_required pattern_item/bordure_indented pattern_item/creeper pattern_item/field_masoned
        pattern_item/flow pattern_item/flower pattern_item/globe pattern_item/guster pattern_item/mojang
        pattern_item/piglin pattern_item/skull`)
    }
  ]
}

